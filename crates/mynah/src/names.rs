//! Whom the names of a rule file mean at present: for status, console and the greeting.

use mynah_core::{Binding, Called};
use mynah_page::view::{By, NameRow};
use mynah_rules::RuleBook;

/// The names of a rule file, then those that are bound to a person but stand in it no more.
pub(crate) fn name_rows(
    book: Option<&RuleBook>,
    bindings: &[Binding],
    called: impl Fn(&str) -> Called,
) -> Vec<NameRow> {
    let mut rows: Vec<NameRow> = Vec::new();
    for (name, keys) in book.into_iter().flat_map(RuleBook::people) {
        rows.push(row(name, keys, bindings, called(name)));
    }
    for bound in bindings {
        if !rows.iter().any(|row| row.name == bound.name) {
            rows.push(row(&bound.name, &[], bindings, called(&bound.name)));
        }
    }
    rows
}

fn row(name: &str, keys: &[&str], bindings: &[Binding], called: Called) -> NameRow {
    let bound = bindings.iter().find(|bound| bound.name == name).map(|bound| &bound.person);
    let (by, person, friends) = match called {
        Called::Certain(person) => (By::Remark, Some(person), 1),
        Called::Chosen(person) if bound.is_none_or(|bound| *bound == person) => {
            (By::Nickname, Some(person), 1)
        }
        Called::Chosen(_) => (By::Nobody, None, 1),
        Called::Several(friends) => (By::Nobody, None, friends),
        Called::Nobody => (By::Nobody, None, 0),
    };
    NameRow {
        name: name.to_owned(),
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        by,
        person: person.map(|person| person.to_string()),
        bound: bound.map(ToString::to_string),
        friends,
    }
}

/// A row for people: the friend behind a name with the reason, or the reason why there is none.
pub(crate) fn in_words(row: &NameRow) -> String {
    let person = row.person.as_deref().unwrap_or_default();
    match (row.by, row.friends, &row.bound) {
        (By::Remark, ..) => format!("{person}, by remark"),
        (By::Nickname, _, Some(_)) => format!("{person}, by nickname"),
        (By::Nickname, _, None) => format!("{person}, by nickname, not bound yet"),
        (By::Nobody, 1, Some(bound)) => {
            format!("no one; the nickname is bound to {bound}, and another friend has it now")
        }
        (By::Nobody, 0, None) => "no one; no friend has this name".to_owned(),
        (By::Nobody, 0, Some(bound)) => {
            format!("no one; the nickname is bound to {bound}, who does not have it now")
        }
        (By::Nobody, friends, _) => format!("no one; {friends} friends have this name"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = "[bot]\nadmins = [\"remark\", \"nick\", \"taken\", \"twice\", \"none\", \"new\"]\n\
        ignore = [\"away\"]\n[[rule]]\nexact = \"a\"\nfrom = [\"admin\", \"nick\"]\nreply = \"b\"\n";

    fn called(name: &str) -> Called {
        match name {
            "remark" => Called::Certain("p1".into()),
            "nick" | "new" => Called::Chosen("p2".into()),
            "taken" => Called::Chosen("p3".into()),
            "twice" => Called::Several(2),
            _ => Called::Nobody,
        }
    }

    #[test]
    fn each_name_says_whom_it_means_and_why() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bot.toml");
        std::fs::write(&file, RULES).unwrap();
        let options = mynah_rules::LoadOptions::default();
        let book = mynah_rules::load(&file, &mynah_rules::Disk, &options).book.unwrap();
        let bind = |name: &str, person: &str| Binding { name: name.into(), person: person.into() };
        let bindings =
            [bind("away", "p4"), bind("gone", "p5"), bind("nick", "p2"), bind("taken", "p9")];
        let rows = name_rows(Some(&book), &bindings, called);
        let lines: Vec<_> = rows
            .iter()
            .map(|row| format!("{} [{}]: {}", row.name, row.keys.join(" "), in_words(row)))
            .collect();
        assert_eq!(
            lines,
            [
                "away [ignore]: no one; the nickname is bound to p4, who does not have it now",
                "new [admins]: p2, by nickname, not bound yet",
                "nick [admins from]: p2, by nickname",
                "none [admins]: no one; no friend has this name",
                "remark [admins]: p1, by remark",
                "taken [admins]: no one; the nickname is bound to p9, and another friend has it now",
                "twice [admins]: no one; 2 friends have this name",
                "gone []: no one; the nickname is bound to p5, who does not have it now",
            ]
        );
    }
}
