//! What people do on their phones. The same words serve the library and `POST /sandbox/acts`.

mod bodies;
mod friends;
mod groups;
mod perform;

use serde::{Deserialize, Serialize};

/// Somebody does something, in a group or in private. People and groups that do not exist are made.
///
/// In JSON it is one flat object:
///
/// ```
/// let act: mynah_sandbox::Act = serde_json::from_str(
///     r#"{"act": "pat", "from": "小红", "group": "水果店客户群", "target": "小助手", "suffix": "的头"}"#,
/// )?;
/// # let _ = act; Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Act {
    /// Who does it. The account's own name means its phone. Not needed where the deed names somebody.
    #[serde(default)]
    pub from: String,
    /// The group; `None`: in private.
    #[serde(default)]
    pub group: Option<String>,
    /// What is done.
    #[serde(flatten)]
    pub deed: Deed,
}

/// What is done.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Deed {
    /// Says a text. `to` names the friend when the account's own phone speaks in private.
    Say {
        /// The text.
        text: String,
        /// To whom the own phone speaks.
        #[serde(default)]
        to: Option<String>,
    },
    /// Sends a picture; without data a small red square.
    Picture {
        /// The file in base64.
        #[serde(default)]
        data: Option<String>,
        /// Its name.
        #[serde(default)]
        name: Option<String>,
    },
    /// Sends a voice message; without data ten frames of silence.
    Voice {
        /// An MP3 file in base64.
        #[serde(default)]
        data: Option<String>,
        /// Its length.
        #[serde(default)]
        seconds: Option<f64>,
    },
    /// Sends a video.
    Video {
        /// An MP4 file in base64.
        #[serde(default)]
        data: Option<String>,
        /// Its length.
        #[serde(default)]
        seconds: Option<u32>,
    },
    /// Sends a file.
    File {
        /// The bytes in base64.
        #[serde(default)]
        data: Option<String>,
        /// Its name.
        #[serde(default)]
        name: Option<String>,
    },
    /// Sends a sticker.
    Sticker {
        /// A GIF file in base64.
        #[serde(default)]
        data: Option<String>,
    },
    /// Sends somebody's card.
    Card {
        /// Whose.
        person: String,
    },
    /// Sends a link.
    Link {
        /// Its title.
        title: String,
        /// What stands below the title.
        #[serde(default)]
        description: String,
        /// Its address.
        url: String,
    },
    /// Sends a place.
    Location {
        /// Its address or name.
        label: String,
        /// Degrees north.
        #[serde(default)]
        latitude: f64,
        /// Degrees east.
        #[serde(default)]
        longitude: f64,
    },
    /// Answers a message by quoting it.
    Quote {
        /// The own words.
        text: String,
        /// The id of the quoted message.
        of: String,
        /// How the service delivers it.
        #[serde(default)]
        form: QuoteForm,
    },
    /// Sends a mini program.
    MiniProgram {
        /// Its title.
        title: String,
    },
    /// Forwards a chat history.
    ChatHistory {
        /// Its title.
        title: String,
    },
    /// Sends a red packet; the web only says that one has come.
    RedPacket,
    /// Sends money.
    Transfer {
        /// For example `￥8.88`.
        #[serde(default)]
        amount: String,
    },
    /// Calls.
    Call,
    /// Takes back a message.
    Recall {
        /// The message's id; the person's last one in the chat if absent.
        #[serde(default)]
        id: Option<String>,
    },
    /// Comes into the group: by a QR code, or invited by somebody.
    Join {
        /// Who invites; the account's own name for itself.
        #[serde(default)]
        by: Option<String>,
    },
    /// Leaves the group. Ordinary members get no message of it, only the new member list.
    Leave,
    /// Throws somebody out of the group.
    Remove {
        /// Whom.
        person: String,
    },
    /// Gives the group another name.
    Rename {
        /// The new one.
        name: String,
    },
    /// Pats somebody.
    Pat {
        /// Whom.
        target: String,
        /// What is added, as in `拍了拍我的头`.
        #[serde(default)]
        suffix: String,
    },
    /// Takes another nickname, or another name in the group.
    Nickname {
        /// The new one.
        name: String,
    },
    /// Gets a remark from the account's phone; an empty one takes it away.
    Remark {
        /// The remark.
        #[serde(default)]
        name: String,
    },
    /// Asks the account to be a friend.
    FriendRequest {
        /// The greeting.
        #[serde(default)]
        text: String,
    },
    /// Becomes a friend at once, as an account without verification accepts it.
    Befriend,
    /// Ends the friendship.
    Unfriend,
    /// A new person.
    NewPerson {
        /// False for somebody who is only met in groups.
        #[serde(default = "yes")]
        friend: bool,
    },
    /// A new group, with the account in it.
    NewGroup {
        /// Its members besides.
        #[serde(default)]
        members: Vec<String>,
    },
    /// A grey line of the service in the chat.
    System {
        /// The line.
        text: String,
    },
    /// The phone opens (2), leaves (5) or reads (1) the chat.
    Phone {
        /// The status notification code.
        code: i32,
    },
    /// A message of any type.
    Raw {
        /// `MsgType`.
        msg_type: i32,
        /// `AppMsgType`.
        #[serde(default)]
        app_msg_type: i32,
        /// The content before escaping.
        #[serde(default)]
        content: String,
    },
}

/// How the service delivers a quoted reply: accounts see either.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum QuoteForm {
    /// As text: `「NAME：QUOTED」`, a line of dashes, the own words.
    #[default]
    Text,
    /// As an app message of type 57 that names the quoted message.
    App,
}

/// An act that cannot be done.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ActError {
    /// It does not say who does it.
    #[error("nobody is named who does it: add \"from\"")]
    Nobody,
    /// It needs a group.
    #[error("this is done in a group: add \"group\"")]
    NoGroup,
    /// There is no such message of this person.
    #[error("there is no such message to take back or to quote")]
    NoMessage,
    /// The data is no base64.
    #[error("\"data\" is no base64")]
    Data,
    /// The account speaks in private, but to whom is not said.
    #[error("the account's own phone speaks in private: add \"to\"")]
    NoReceiver,
}

fn yes() -> bool {
    true
}
