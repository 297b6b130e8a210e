//! Messages as webwxsync delivers them (sections 11.4 and 11.5 of the protocol reference).

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::lenient::{self, ListItem};

/// An entry of `AddMsgList`: a chat message or a notice, by its type.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Message {
    /// The id in decimal digits, for downloads and to recognise a repeated message.
    #[serde(deserialize_with = "lenient::text")]
    pub msg_id: String,
    /// The same id as a number.
    #[serde(deserialize_with = "lenient::number")]
    pub new_msg_id: u64,
    /// The id of the sending person or group.
    #[serde(deserialize_with = "lenient::text")]
    pub from_user_name: String,
    /// The id of the receiving person or group.
    #[serde(deserialize_with = "lenient::text")]
    pub to_user_name: String,
    /// The message type; see [`message_type`].
    #[serde(deserialize_with = "lenient::number")]
    pub msg_type: i64,
    /// Escaped text or escaped XML; see [`crate::text`].
    #[serde(deserialize_with = "lenient::text")]
    pub content: String,
    /// 3 ordinary, 4 system lines.
    #[serde(deserialize_with = "lenient::number")]
    pub status: i64,
    /// 1 for text, 2 for pictures.
    #[serde(deserialize_with = "lenient::number")]
    pub img_status: i64,
    /// Seconds since 1970 by the service's clock.
    #[serde(deserialize_with = "lenient::number")]
    pub create_time: i64,
    /// Milliseconds of a voice message.
    #[serde(deserialize_with = "lenient::number")]
    pub voice_length: i64,
    /// Seconds of a video.
    #[serde(deserialize_with = "lenient::number")]
    pub play_length: i64,
    /// The file's name, or the title of a link.
    #[serde(deserialize_with = "lenient::text")]
    pub file_name: String,
    /// Bytes of a file in decimal digits, or empty.
    #[serde(deserialize_with = "lenient::text")]
    pub file_size: String,
    /// The media id for the download of a file.
    #[serde(deserialize_with = "lenient::text")]
    pub media_id: String,
    /// The address of a link or location; escaped.
    #[serde(deserialize_with = "lenient::text")]
    pub url: String,
    /// The type of an app message; see [`app_type`].
    #[serde(deserialize_with = "lenient::number")]
    pub app_msg_type: i64,
    /// The code of a status notice.
    #[serde(deserialize_with = "lenient::number")]
    pub status_notify_code: i64,
    /// Ids named by a status notice, joined by commas.
    #[serde(deserialize_with = "lenient::text")]
    pub status_notify_user_name: String,
    /// The recommended contact, or the sender of a friend request.
    #[serde(deserialize_with = "lenient::object")]
    pub recommend_info: RecommendInfo,
    /// 1 if forwarded.
    #[serde(deserialize_with = "lenient::number")]
    pub forward_flag: i64,
    /// The app of a shared item.
    #[serde(deserialize_with = "lenient::object")]
    pub app_info: AppInfo,
    /// Not 0 for a sticker of the sticker shop, which cannot be downloaded.
    #[serde(deserialize_with = "lenient::number")]
    pub has_product_id: i64,
    /// A copy of the ticket of a friend request.
    #[serde(deserialize_with = "lenient::text")]
    pub ticket: String,
    /// Pixels.
    #[serde(deserialize_with = "lenient::number")]
    pub img_height: i64,
    /// Pixels.
    #[serde(deserialize_with = "lenient::number")]
    pub img_width: i64,
    /// 48 for a location inside a text message.
    #[serde(deserialize_with = "lenient::number")]
    pub sub_msg_type: i64,
    /// The original XML of a location.
    #[serde(deserialize_with = "lenient::text")]
    pub ori_content: String,
    /// The name of the file in the form that downloads require.
    #[serde(deserialize_with = "lenient::text")]
    pub encry_file_name: String,
}

impl Message {
    /// The id, from either field. Empty if both are.
    #[must_use]
    pub fn id(&self) -> Cow<'_, str> {
        let given = self.msg_id.trim();
        match given {
            // A zero is not an id: all messages would have the same one.
            "" | "0" if self.new_msg_id != 0 => Cow::Owned(self.new_msg_id.to_string()),
            "0" => Cow::Borrowed(""),
            given => Cow::Borrowed(given),
        }
    }
}

/// The service sends a few dozen at once, also after days offline.
impl ListItem for Message {
    const NAME: &'static str = "messages";
    const MOST: usize = 5_000;
}

/// Omits texts and tickets: debug output may end up in a log.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("id", &self.id())
            .field("from_user_name", &self.from_user_name)
            .field("to_user_name", &self.to_user_name)
            .field("msg_type", &self.msg_type)
            .field("app_msg_type", &self.app_msg_type)
            .field("create_time", &self.create_time)
            .finish_non_exhaustive()
    }
}

/// A person who is recommended, shared as a card, or sends a friend request.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RecommendInfo {
    /// Their id during this login.
    #[serde(deserialize_with = "lenient::text")]
    pub user_name: String,
    /// Their nickname.
    #[serde(deserialize_with = "lenient::text")]
    pub nick_name: String,
    /// The province in the profile.
    #[serde(deserialize_with = "lenient::text")]
    pub province: String,
    /// The city in the profile.
    #[serde(deserialize_with = "lenient::text")]
    pub city: String,
    /// Their text in a friend request.
    #[serde(deserialize_with = "lenient::text")]
    pub content: String,
    /// Their signature: a text about themselves.
    #[serde(deserialize_with = "lenient::text")]
    pub signature: String,
    /// Their public id.
    #[serde(deserialize_with = "lenient::text")]
    pub alias: String,
    /// The code of the way by which they found the account.
    #[serde(deserialize_with = "lenient::number")]
    pub scene: i64,
    /// Bits: 8 is an official account.
    #[serde(deserialize_with = "lenient::number")]
    pub verify_flag: i64,
    /// Attribute bits.
    #[serde(deserialize_with = "lenient::number")]
    pub attr_status: u64,
    /// 0 unknown, 1 male, 2 female.
    #[serde(deserialize_with = "lenient::number")]
    pub sex: i64,
    /// The ticket for accepting the request; a secret.
    #[serde(deserialize_with = "lenient::text")]
    pub ticket: String,
    /// 2 for a friend request.
    #[serde(deserialize_with = "lenient::number")]
    pub op_code: i64,
}

impl fmt::Debug for RecommendInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecommendInfo")
            .field("user_name", &self.user_name)
            .field("nick_name", &self.nick_name)
            .finish_non_exhaustive()
    }
}

/// The app of a shared item.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AppInfo {
    /// Its id.
    #[serde(rename = "AppID", deserialize_with = "lenient::text")]
    pub app_id: String,
    /// Its type.
    #[serde(rename = "Type", deserialize_with = "lenient::number")]
    pub kind: i64,
}

/// Values of [`Message::msg_type`] (section 12.1).
pub mod message_type {
    /// Text, or a location.
    pub const TEXT: i64 = 1;
    /// A picture.
    pub const IMAGE: i64 = 3;
    /// A voice message.
    pub const VOICE: i64 = 34;
    /// A friend request.
    pub const VERIFY: i64 = 37;
    /// A friend suggestion.
    pub const POSSIBLE_FRIEND: i64 = 40;
    /// A contact card.
    pub const CARD: i64 = 42;
    /// A video.
    pub const VIDEO: i64 = 43;
    /// A sticker.
    pub const EMOTICON: i64 = 47;
    /// A location.
    pub const LOCATION: i64 = 48;
    /// A shared item; see [`super::app_type`].
    pub const APP: i64 = 49;
    /// A call.
    pub const CALL: i64 = 50;
    /// Activity on the phone; not a chat message.
    pub const STATUS_NOTIFY: i64 = 51;
    /// A call ended.
    pub const CALL_ENDED: i64 = 52;
    /// An invitation to a call.
    pub const CALL_INVITE: i64 = 53;
    /// A short video.
    pub const MICRO_VIDEO: i64 = 62;
    /// A notice of the service; ignore it.
    pub const SYSTEM_NOTICE: i64 = 9999;
    /// A system line.
    pub const SYSTEM: i64 = 10000;
    /// A recall, and other system XML.
    pub const RECALLED: i64 = 10002;
}

/// Values of [`Message::app_msg_type`] (section 12.5).
pub mod app_type {
    /// Text.
    pub const TEXT: i64 = 1;
    /// A picture.
    pub const IMAGE: i64 = 2;
    /// Music.
    pub const AUDIO: i64 = 3;
    /// A link to a video.
    pub const VIDEO: i64 = 4;
    /// A link or an article.
    pub const URL: i64 = 5;
    /// A file.
    pub const FILE: i64 = 6;
    /// An app.
    pub const OPEN: i64 = 7;
    /// A custom sticker.
    pub const EMOJI: i64 = 8;
    /// Live location was started.
    pub const LIVE_LOCATION: i64 = 17;
    /// A chat history.
    pub const HISTORY: i64 = 19;
    /// A mini program.
    pub const MINI_PROGRAM: i64 = 33;
    /// Also a mini program.
    pub const MINI_PROGRAM_TOO: i64 = 36;
    /// A video of a channel.
    pub const CHANNEL: i64 = 51;
    /// A group notice.
    pub const GROUP_NOTE: i64 = 53;
    /// A quoted reply.
    pub const QUOTE: i64 = 57;
    /// A transfer of money.
    pub const TRANSFER: i64 = 2000;
    /// A red packet.
    pub const RED_PACKET: i64 = 2001;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_is_not_an_id() {
        for (text, number, id) in [
            ("7", 0, "7"),
            ("", 9_007_199_254_740_993, "9007199254740993"),
            ("0", 9_007_199_254_740_993, "9007199254740993"),
            (" 7 ", 8, "7"),
            ("0", 0, ""),
            ("", 0, ""),
        ] {
            let message =
                Message { msg_id: text.to_owned(), new_msg_id: number, ..Message::default() };
            assert_eq!(message.id(), id, "{text:?} {number}");
        }
    }
}
