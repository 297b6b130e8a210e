//! The facts that distinguish people beyond a single login.

use mynah_webwx::text;
use mynah_webwx::wire::{Contact, RecommendInfo};
use serde::{Deserialize, Serialize};

/// The relation of a person to the account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Standing {
    /// In the contact list.
    #[serde(rename = "f")]
    Friend,
    /// An official account.
    #[serde(rename = "o")]
    Official,
    /// One of the service's own accounts, such as `filehelper`.
    #[serde(rename = "s")]
    Special,
    /// Known from a group or a request only.
    #[default]
    #[serde(rename = "-")]
    Stranger,
}

/// Facts about a person that do not change with the login. Names are clean text. Empty means unknown.
///
/// The field names are short because thousands of these are written down.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Facts {
    #[serde(rename = "k")]
    pub(crate) standing: Standing,
    #[serde(rename = "n", skip_serializing_if = "String::is_empty")]
    pub(crate) nick: String,
    #[serde(rename = "r", skip_serializing_if = "String::is_empty")]
    pub(crate) remark: String,
    #[serde(rename = "a", skip_serializing_if = "String::is_empty")]
    pub(crate) alias: String,
    /// The id that other clients see, e.g. `wxid_…`; known for some (section 12.8 of the protocol reference).
    #[serde(rename = "w", skip_serializing_if = "String::is_empty")]
    pub(crate) real_id: String,
    #[serde(rename = "u", skip_serializing_if = "is_zero")]
    pub(crate) uin: u64,
    #[serde(rename = "x", skip_serializing_if = "is_nothing")]
    pub(crate) sex: i64,
    /// Province and city.
    #[serde(rename = "p", skip_serializing_if = "String::is_empty")]
    pub(crate) place: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this form")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this form")]
fn is_nothing(number: &i64) -> bool {
    *number == 0
}

impl Facts {
    /// The facts in a contact of the service.
    pub(crate) fn of(contact: &Contact) -> Self {
        let special = contact.is_special();
        Self {
            standing: standing(contact),
            nick: text::name(&contact.nick_name),
            remark: text::name(&contact.remark_name),
            alias: contact.alias.clone(),
            // The names of special accounts are the same at every login.
            real_id: if special { contact.user_name.clone() } else { String::new() },
            uin: contact.uin,
            sex: contact.sex,
            place: place(&contact.province, &contact.city),
        }
    }

    /// The facts in a friend request or a card.
    pub(crate) fn of_request(info: &RecommendInfo) -> Self {
        Self {
            nick: text::name(&info.nick_name),
            alias: info.alias.clone(),
            sex: info.sex,
            place: place(&info.province, &info.city),
            ..Self::default()
        }
    }

    /// Takes over the known facts of `newer`; its unknown ones keep their old values. Returns whether anything changed.
    pub(crate) fn merge(&mut self, newer: Self) -> bool {
        let Self { standing, nick, remark, alias, real_id, uin, sex, place } = newer;
        let changes = [
            take(&mut self.standing, standing, standing != Standing::Stranger),
            take_text(&mut self.nick, nick),
            take_text(&mut self.remark, remark),
            take_text(&mut self.alias, alias),
            take_text(&mut self.real_id, real_id),
            take_text(&mut self.place, place),
            take(&mut self.uin, uin, uin != 0),
            take(&mut self.sex, sex, sex != 0),
        ];
        changes.contains(&true)
    }

    /// Whether there is anything by which one person could be recognised without comparing whole lists.
    pub(crate) fn can_stand_alone(&self) -> bool {
        self.uin != 0
            || [&self.real_id, &self.alias, &self.remark].iter().any(|fact| !fact.is_empty())
    }

    /// Whether the two cannot be about one person.
    pub(crate) fn contradict(&self, other: &Self) -> bool {
        let differ = |a: &str, b: &str| !a.is_empty() && !b.is_empty() && a != b;
        differ(&self.real_id, &other.real_id)
            || (self.uin != 0 && other.uin != 0 && self.uin != other.uin)
            || differ(&self.alias, &other.alias)
    }
}

/// Takes a fact over if it is known. Returns whether it is another one.
fn take<T: PartialEq>(old: &mut T, new: T, is_known: bool) -> bool {
    let changes = is_known && *old != new;
    if changes {
        *old = new;
    }
    changes
}

fn take_text(old: &mut String, new: String) -> bool {
    let is_known = !new.is_empty();
    take(old, new, is_known)
}

fn place(province: &str, city: &str) -> String {
    if province.is_empty() && city.is_empty() {
        String::new()
    } else {
        format!("{province}/{city}")
    }
}

fn standing(contact: &Contact) -> Standing {
    if contact.is_special() {
        Standing::Special
    } else if contact.is_official() {
        Standing::Official
    } else if contact.is_contact() {
        Standing::Friend
    } else {
        Standing::Stranger
    }
}
