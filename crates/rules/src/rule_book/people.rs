//! Names in `admins`, `from`, `not_from` and `ignore`.
//!
//! A remark is given by the owner of the account, so it wins whenever a name is looked up. A nickname is chosen by the
//! person: it counts only while no remark and no other nickname fits, and it is bound to the first person who carries
//! it, so that taking the name of an admin gives no rights. See [`Binding`].

use std::collections::BTreeMap;

use mynah_core::{Binding, Person, Scope};

use super::pending::Pending;
use crate::model::{Bot, Who};

/// The names of people in a rule file.
#[derive(Debug)]
pub(super) struct Names {
    admins: Vec<String>,
    ignore: Vec<String>,
    /// Each name, in alphabetical order, with the keys that contain it.
    all: BTreeMap<String, Vec<&'static str>>,
}

impl Names {
    pub(super) fn of(bot: &Bot) -> Self {
        let mut all = BTreeMap::new();
        let rules = bot.rules.iter().map(|rule| (&rule.when.from, &rule.when.not_from));
        let dialogs = bot.dialogs.iter().map(|dialog| (&dialog.from, &dialog.not_from));
        let (from, not_from): (Vec<_>, Vec<_>) = rules.chain(dialogs).unzip();
        note(&mut all, "admins", bot.admins.iter());
        note(&mut all, "from", from.into_iter().flatten().filter_map(named));
        note(&mut all, "not_from", not_from.into_iter().flatten().filter_map(named));
        note(&mut all, "ignore", bot.ignore.iter());
        Self { admins: bot.admins.clone(), ignore: bot.ignore.clone(), all }
    }

    /// Each name with the keys that contain it.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &[&'static str])> {
        self.all.iter().map(|(name, keys)| (name.as_str(), keys.as_slice()))
    }

    /// Whether this person is never answered. A person who was ignored by nickname stays so under another nickname.
    pub(super) fn ignores(&self, person: &Person, pending: &mut Pending<'_>) -> bool {
        self.ignore.iter().any(|name| {
            is_meant(name, person, pending)
                || bound_to(name, pending).as_deref() == Some(person.id.as_str())
        })
    }

    /// Whether this person is one of those meant.
    pub(super) fn mean(&self, who: &[Who], person: &Person, pending: &mut Pending<'_>) -> bool {
        self.each(who).any(|name| is_meant(name, person, pending))
    }

    /// A name in question that this person shows without being meant by it.
    pub(super) fn pretended<'n>(&'n self, who: &'n [Who], person: &Person) -> Option<&'n str> {
        self.each(who).find(|name| *name == person.name || person.chose(name))
    }

    /// Whether this person may be an admin. Unlike [`mean`](Self::mean) it binds no name, and it counts a person to whom
    /// a name of an admin is bound under any nickname: a person who is spared by mistake does less harm.
    pub(super) fn is_admin(&self, person: &Person, pending: &Pending<'_>) -> bool {
        self.admins.iter().any(|name| {
            let bound = bound_to(name, pending);
            person.is_certainly(name)
                || bound.as_deref() == Some(person.id.as_str())
                || (bound.is_none() && person.chose(name))
        })
    }

    /// The names of the admins.
    pub(super) fn admins(&self) -> impl Iterator<Item = &str> {
        self.admins.iter().map(String::as_str)
    }

    fn each<'n>(&'n self, who: &'n [Who]) -> impl Iterator<Item = &'n str> {
        let names = who.iter().flat_map(|who| match who {
            Who::Admin => self.admins.as_slice(),
            Who::Named(name) => std::slice::from_ref(name),
        });
        names.map(String::as_str)
    }
}

fn named(who: &Who) -> Option<&String> {
    match who {
        Who::Admin => None,
        Who::Named(name) => Some(name),
    }
}

fn note<'n>(
    all: &mut BTreeMap<String, Vec<&'static str>>,
    key: &'static str,
    names: impl Iterator<Item = &'n String>,
) {
    for name in names {
        let keys = all.entry(name.clone()).or_default();
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
}

/// Whether a name means this person. Binds a nickname that is not bound yet, and ends a binding where a remark fits.
fn is_meant(name: &str, person: &Person, pending: &mut Pending<'_>) -> bool {
    if person.is_certainly(name) {
        if bound_to(name, pending).is_some() {
            pending.remove(Scope::Bot, &Binding::key(name));
        }
        return true;
    }
    if !person.chose(name) {
        return false;
    }
    match bound_to(name, pending) {
        Some(id) => id == person.id.as_str(),
        None => {
            pending.set(Scope::Bot, &Binding::key(name), person.id.to_string(), None);
            true
        }
    }
}

/// The id of the person to whom a name is bound.
fn bound_to(name: &str, pending: &Pending<'_>) -> Option<String> {
    pending.get(Scope::Bot, &Binding::key(name))
}

#[cfg(test)]
mod tests;
