//! People, groups and official accounts (sections 11.1 to 11.3 of the protocol reference).

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::lenient::{self, ListItem};

/// A person, a group, an official or a special account, as the service lists it.
///
/// Changes (section 11.2) are the same object with most fields empty: merge the fields that are not empty. Names are in
/// wire format, with entities and emoji spans; see [`crate::text::name`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Contact {
    /// The account number. 0 for nearly all accounts but the own one.
    #[serde(deserialize_with = "lenient::number")]
    pub uin: u64,
    /// The id during this login.
    #[serde(deserialize_with = "lenient::text")]
    pub user_name: String,
    /// The nickname; the title of a group.
    #[serde(deserialize_with = "lenient::text")]
    pub nick_name: String,
    /// Relative address of the picture.
    #[serde(deserialize_with = "lenient::text")]
    pub head_img_url: String,
    /// Bits: 1 contact, 4 saved group, 8 blocked, 512 muted, 2048 pinned.
    #[serde(deserialize_with = "lenient::number")]
    pub contact_flag: i64,
    /// The number of members of a group.
    #[serde(deserialize_with = "lenient::number")]
    pub member_count: i64,
    /// The members of a group, if the call returns them.
    #[serde(deserialize_with = "lenient::list")]
    pub member_list: Vec<Member>,
    /// The remark name: the account's own name for the contact.
    #[serde(deserialize_with = "lenient::text")]
    pub remark_name: String,
    /// 0 unknown, 1 male, 2 female.
    #[serde(deserialize_with = "lenient::number")]
    pub sex: i64,
    /// Their signature: a text about themselves.
    #[serde(deserialize_with = "lenient::text")]
    pub signature: String,
    /// Bits: 8 is an official account.
    #[serde(deserialize_with = "lenient::number")]
    pub verify_flag: i64,
    /// The number of the group's owner, 0 if unknown.
    #[serde(deserialize_with = "lenient::number")]
    pub owner_uin: u64,
    /// Initials of the nickname.
    #[serde(rename = "PYInitial", deserialize_with = "lenient::text")]
    pub py_initial: String,
    /// The nickname in Latin letters.
    #[serde(rename = "PYQuanPin", deserialize_with = "lenient::text")]
    pub py_quan_pin: String,
    /// 1 for a starred friend.
    #[serde(deserialize_with = "lenient::number")]
    pub star_friend: i64,
    /// Groups: 1 notifications on, 0 muted. The spelling is the service's.
    #[serde(deserialize_with = "lenient::number")]
    pub statues: i64,
    /// Attribute bits.
    #[serde(deserialize_with = "lenient::number")]
    pub attr_status: u64,
    /// The province in the profile.
    #[serde(deserialize_with = "lenient::text")]
    pub province: String,
    /// The city in the profile.
    #[serde(deserialize_with = "lenient::text")]
    pub city: String,
    /// The public id; mostly empty.
    #[serde(deserialize_with = "lenient::text")]
    pub alias: String,
    /// Bit 1: has an album.
    #[serde(deserialize_with = "lenient::number")]
    pub sns_flag: i64,
    /// Almost always empty at this level.
    #[serde(deserialize_with = "lenient::text")]
    pub display_name: String,
    /// The first three characters of the real id.
    #[serde(deserialize_with = "lenient::text")]
    pub key_word: String,
    /// The second id of a group, required for the avatars of its members.
    #[serde(deserialize_with = "lenient::text")]
    pub encry_chat_room_id: String,
    /// 1 if the account owns the group.
    #[serde(deserialize_with = "lenient::number")]
    pub is_owner: i64,
    /// The owner's id, in changes only.
    #[serde(deserialize_with = "lenient::text")]
    pub chat_room_owner: String,
    /// 1 if the picture changed, in changes only.
    #[serde(deserialize_with = "lenient::number")]
    pub head_img_update_flag: i64,
}

/// A member of a group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Member {
    /// The account number, in changes only; else 0.
    #[serde(deserialize_with = "lenient::number")]
    pub uin: u64,
    /// The id during this login.
    #[serde(deserialize_with = "lenient::text")]
    pub user_name: String,
    /// The nickname; empty in the answer of webwxinit.
    #[serde(deserialize_with = "lenient::text")]
    pub nick_name: String,
    /// The name inside this group.
    #[serde(deserialize_with = "lenient::text")]
    pub display_name: String,
    /// Attribute bits.
    #[serde(deserialize_with = "lenient::number")]
    pub attr_status: u64,
    /// Status bits.
    #[serde(deserialize_with = "lenient::number")]
    pub member_status: i64,
    /// The first three characters of the real id.
    #[serde(deserialize_with = "lenient::text")]
    pub key_word: String,
}

/// Room for 100 groups of 500, or for 15 000 people. The service sends 50 groups or a page of people at once.
impl ListItem for Contact {
    const NAME: &'static str = "contacts";
    const MOST: usize = 60_000;

    fn weight(&self) -> usize {
        4 + self.member_list.len()
    }
}

/// A group has at most 500 members.
impl ListItem for Member {
    const NAME: &'static str = "members of a group";
    const MOST: usize = 5_000;
}

/// The account itself, as in the answer of webwxinit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct User {
    /// The account number: the only permanent id.
    #[serde(deserialize_with = "lenient::number")]
    pub uin: u64,
    /// The id during this login.
    #[serde(deserialize_with = "lenient::text")]
    pub user_name: String,
    /// The nickname.
    #[serde(deserialize_with = "lenient::text")]
    pub nick_name: String,
    /// Relative address of the picture.
    #[serde(deserialize_with = "lenient::text")]
    pub head_img_url: String,
    /// 0 unknown, 1 male, 2 female.
    #[serde(deserialize_with = "lenient::number")]
    pub sex: i64,
    /// The signature: a text about themselves.
    #[serde(deserialize_with = "lenient::text")]
    pub signature: String,
    /// Bits: 8 is an official account.
    #[serde(deserialize_with = "lenient::number")]
    pub verify_flag: i64,
}

/// Special accounts that look like people but are not (section 14).
pub const SPECIAL_ACCOUNTS: [&str; 31] = [
    "filehelper",
    "newsapp",
    "fmessage",
    "weibo",
    "qqmail",
    "tmessage",
    "qmessage",
    "qqsync",
    "floatbottle",
    "lbsapp",
    "shakeapp",
    "medianote",
    "qqfriend",
    "readerapp",
    "blogapp",
    "facebookapp",
    "masssendapp",
    "meishiapp",
    "feedsapp",
    "voip",
    "blogappweixin",
    "weixin",
    "brandsessionholder",
    "weixinreminder",
    "wxid_novlwrv3lqwv11",
    "gh_22b87fa7cb3c",
    "officialaccounts",
    "notification_messages",
    "wxitil",
    "userexperience_alarm",
    "notifymessage",
];

/// The possible values of a verify flag. Others, such as -1 with all bits set, say nothing about a contact.
const VERIFY_FLAGS: RangeInclusive<i64> = 0..=0xffff;

/// Whether the name is the id of a group.
#[must_use]
pub fn is_group(user_name: &str) -> bool {
    user_name.starts_with("@@") || user_name.ends_with("@chatroom")
}

/// Whether the name is the id of a special account.
#[must_use]
pub fn is_special(user_name: &str) -> bool {
    SPECIAL_ACCOUNTS.contains(&user_name)
        || user_name.ends_with("@lbsroom")
        || user_name.ends_with("@talkroom")
}

impl Contact {
    /// Whether it is a group.
    #[must_use]
    pub fn is_group(&self) -> bool {
        is_group(&self.user_name)
    }

    /// Whether it is an official account.
    #[must_use]
    pub fn is_official(&self) -> bool {
        VERIFY_FLAGS.contains(&self.verify_flag) && self.verify_flag & 8 != 0
    }

    /// Whether it is one of the service's own special accounts.
    #[must_use]
    pub fn is_special(&self) -> bool {
        is_special(&self.user_name)
    }

    /// Whether it is in the account's contact list.
    #[must_use]
    pub fn is_contact(&self) -> bool {
        self.contact_flag & 1 != 0
    }
}
