//! Names in `admins`, `from`, `not_from` and `ignore`.
//!
//! A name means the friend whom the account knows by it, and from the first match on that very person: the id is kept
//! in the bot's state, so that a later friend of the same name is somebody else.

use mynah_core::{Person, Scope};

use super::pending::Pending;
use crate::model::Who;

/// The lists of names of a bot.
#[derive(Debug)]
pub(super) struct Names {
    admins: Vec<String>,
    ignore: Vec<String>,
}

impl Names {
    pub(super) fn new(admins: Vec<String>, ignore: Vec<String>) -> Self {
        Self { admins, ignore }
    }

    pub(super) fn admins(&self) -> &[String] {
        &self.admins
    }

    /// Whether this person is never answered.
    pub(super) fn ignores(&self, person: &Person, pending: &mut Pending<'_>) -> bool {
        self.ignore.iter().any(|name| is_meant(name, person, pending))
    }

    /// Whether this person is one of those meant.
    pub(super) fn mean(&self, who: &[Who], person: &Person, pending: &mut Pending<'_>) -> bool {
        who.iter().any(|who| match who {
            Who::Admin => self.admins.iter().any(|name| is_meant(name, person, pending)),
            Who::Named(name) => is_meant(name, person, pending),
        })
    }

    /// The name in question that this person merely shows: somebody may be passing himself off.
    pub(super) fn pretended<'n>(&'n self, who: &'n [Who], person: &Person) -> Option<&'n str> {
        let names = who.iter().flat_map(|who| match who {
            Who::Admin => self.admins.as_slice(),
            Who::Named(name) => std::slice::from_ref(name),
        });
        names.map(String::as_str).find(|name| *name == person.name)
    }
}

fn is_meant(name: &str, person: &Person, pending: &mut Pending<'_>) -> bool {
    let key = format!("who:{name}");
    match pending.get(Scope::Bot, &key) {
        Some(id) => id == person.id.as_str(),
        None if person.is_known_as(name) => {
            pending.set(Scope::Bot, &key, person.id.to_string(), None);
            true
        }
        None => false,
    }
}
