//! The answers of the session calls (section 6 of the protocol reference).

use serde::{Deserialize, Serialize};

use super::lenient::{self, ListItem};
use super::{Contact, Message, Profile, SyncKey, User};

/// The answer of webwxinit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Init {
    /// The most recent conversations. Members of groups have no names here.
    #[serde(deserialize_with = "lenient::list")]
    pub contact_list: Vec<Contact>,
    /// The start of the log for this session.
    #[serde(deserialize_with = "lenient::object")]
    pub sync_key: SyncKey,
    /// The account itself.
    #[serde(deserialize_with = "lenient::object")]
    pub user: User,
    /// Ids of the visible conversations, joined by commas.
    #[serde(deserialize_with = "lenient::text")]
    pub chat_set: String,
    /// Seconds since 1970 by the service's clock.
    #[serde(deserialize_with = "lenient::number")]
    pub system_time: i64,
    /// From this size on, people can only be invited to a group.
    #[serde(deserialize_with = "lenient::number")]
    pub invite_start_count: i64,
    /// Milliseconds between two status reports.
    #[serde(deserialize_with = "lenient::number")]
    pub click_report_interval: i64,
    #[serde(rename = "SKey", deserialize_with = "lenient::text", skip_serializing)]
    pub(crate) skey: String,
}

/// The answer of webwxsync: the news.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Synced {
    /// New messages, in the order of the service.
    #[serde(deserialize_with = "lenient::list")]
    pub add_msg_list: Vec<Message>,
    /// New and changed people and groups. Empty fields have not changed.
    #[serde(deserialize_with = "lenient::list")]
    pub mod_contact_list: Vec<Contact>,
    /// Deleted people and groups.
    #[serde(deserialize_with = "lenient::list")]
    pub del_contact_list: Vec<Deleted>,
    /// The account's own profile.
    #[serde(deserialize_with = "lenient::object")]
    pub profile: Profile,
    /// Not 0: more news is waiting.
    #[serde(deserialize_with = "lenient::number")]
    pub continue_flag: i64,
    /// The key for the next webwxsync.
    #[serde(deserialize_with = "lenient::object")]
    pub sync_key: SyncKey,
    /// The key for the next synccheck; not all versions of the service send one.
    #[serde(deserialize_with = "lenient::object")]
    pub sync_check_key: SyncKey,
    #[serde(rename = "SKey", deserialize_with = "lenient::text", skip_serializing)]
    pub(crate) skey: String,
}

impl Synced {
    /// Whether more news is waiting.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.continue_flag != 0
    }

    /// Whether it contains any news.
    #[must_use]
    pub fn brings_something(&self) -> bool {
        !self.add_msg_list.is_empty()
            || !self.mod_contact_list.is_empty()
            || !self.del_contact_list.is_empty()
            || self.profile.changed()
    }
}

/// A deleted contact, or a group that the account left.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Deleted {
    /// The id during this login.
    #[serde(deserialize_with = "lenient::text")]
    pub user_name: String,
}

impl ListItem for Deleted {
    const NAME: &'static str = "deleted contacts";
    const MOST: usize = 20_000;
}

/// A page of webwxgetcontact. Its contacts may be kept in another form, which takes less memory for thousands of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", bound(deserialize = "C: From<Contact>"))]
pub struct ContactPage<C = Contact> {
    /// The contacts of this page.
    #[serde(default, deserialize_with = "lenient::list_as::<_, Contact, _>")]
    pub member_list: Vec<C>,
    /// The number of the next page; 0 after the last page.
    #[serde(default, deserialize_with = "lenient::number")]
    pub seq: u64,
}

/// The answer to a sent message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sent {
    /// The id of the new message; also the id under which an echo of it would arrive.
    #[serde(rename = "MsgID", deserialize_with = "lenient::text")]
    pub msg_id: String,
    /// The id from the client.
    #[serde(rename = "LocalID", deserialize_with = "lenient::text")]
    pub local_id: String,
}
