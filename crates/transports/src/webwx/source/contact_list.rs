//! The contact list while it is read. It may have thousands of people, so only their facts are kept.

use std::collections::HashMap;

use mynah_webwx::wire::Contact;

use super::super::directory::Facts;

/// A contact in the form in which it is kept.
#[derive(Debug)]
pub(super) enum Listed {
    Person(Named),
    Group(Box<Contact>),
}

/// A person with the name of this login.
pub(super) type Named = (Box<str>, Facts);

impl Listed {
    fn user_name(&self) -> &str {
        match self {
            Self::Person((user_name, _)) => user_name,
            Self::Group(group) => &group.user_name,
        }
    }
}

impl From<Contact> for Listed {
    fn from(contact: Contact) -> Self {
        if contact.is_group() {
            return Self::Group(Box::new(contact));
        }
        let facts = Facts::of(&contact);
        Self::Person((contact.user_name.into(), facts))
    }
}

/// The groups and the people, each once: a later entry counts more, at the place of the first one.
pub(super) fn unique(contacts: Vec<Listed>) -> (Vec<Contact>, Vec<Named>) {
    let mut places = HashMap::with_capacity(contacts.len());
    let mut unique: Vec<Listed> = Vec::with_capacity(contacts.len());
    for contact in contacts {
        match places.get(contact.user_name()) {
            Some(&at) => unique[at] = contact,
            None => {
                places.insert(Box::<str>::from(contact.user_name()), unique.len());
                unique.push(contact);
            }
        }
    }
    let (mut groups, mut people) = (Vec::new(), Vec::new());
    for contact in unique {
        match contact {
            Listed::Group(group) => groups.push(*group),
            Listed::Person(person) => people.push(person),
        }
    }
    (groups, people)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(user_name: &str, nick_name: &str) -> Listed {
        let (user_name, nick_name) = (user_name.to_owned(), nick_name.to_owned());
        Contact { user_name, nick_name, ..Contact::default() }.into()
    }

    #[test]
    fn a_later_entry_of_a_contact_counts_at_the_place_of_the_first() {
        let all = [("@a", "old"), ("@@g", "old"), ("@b", "b"), ("@a", "new"), ("@@g", "new")];
        let (groups, people) = unique(all.map(|(name, nick)| listed(name, nick)).into());
        let people: Vec<_> = people.iter().map(|(name, facts)| (&**name, &*facts.nick)).collect();
        assert_eq!(people, [("@a", "new"), ("@b", "b")]);
        let groups: Vec<_> = groups.iter().map(|group| &*group.nick_name).collect();
        assert_eq!(groups, ["new"]);
    }
}
