//! Actions of people on their phones. The library and `POST /sandbox/acts` share these types.

mod bodies;
mod friends;
mod groups;
mod perform;

use serde::{Deserialize, Serialize};

/// An action of a person, in a group or in private. People and groups that do not exist are created.
///
/// In JSON it is one flat object:
///
/// ```
/// let act: mynah_sandbox::SandboxAction = serde_json::from_str(
///     r#"{"act": "pat", "from": "小红", "group": "水果店客户群", "target": "小助手", "suffix": "的头"}"#,
/// )?;
/// # let _ = act; Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SandboxAction {
    /// The person. The account's own name means its phone. Not needed if the action names a person.
    #[serde(default)]
    pub from: String,
    /// The group; `None` in private.
    #[serde(default)]
    pub group: Option<String>,
    /// The action.
    #[serde(flatten)]
    pub kind: SandboxActionKind,
}

/// The kind of an action, with its parameters.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SandboxActionKind {
    /// Sends a text. `to` names the friend if the account's own phone sends it in private.
    Say {
        /// The text.
        text: String,
        /// The receiver, if the account's own phone sends it in private.
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
    /// Sends the contact card of a person.
    Card {
        /// The person on the card.
        person: String,
    },
    /// Sends a link.
    Link {
        /// Its title.
        title: String,
        /// The text below the title.
        #[serde(default)]
        description: String,
        /// Its address.
        url: String,
    },
    /// Sends a location.
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
    /// Replies to a message with a quote.
    Quote {
        /// The reply itself.
        text: String,
        /// The id of the quoted message.
        of: String,
        /// The form in which the service delivers it.
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
    /// Sends a red packet; the web client only learns that one has arrived.
    RedPacket,
    /// Sends money.
    Transfer {
        /// The amount, for example `￥8.88`.
        #[serde(default)]
        amount: String,
    },
    /// Makes a call.
    Call,
    /// Recalls a message.
    Recall {
        /// The message's id; if absent, the person's last message in the chat.
        #[serde(default)]
        id: Option<String>,
    },
    /// Joins the group: by QR code, or by an invitation.
    Join {
        /// The person who invites; the account's own name for the account itself.
        #[serde(default)]
        by: Option<String>,
    },
    /// Leaves the group. Ordinary members get no message about it, only the new member list.
    Leave,
    /// Removes a person from the group.
    Remove {
        /// The removed person.
        person: String,
    },
    /// Becomes the owner of the group: only the owner can remove members.
    Own,
    /// Renames the group.
    Rename {
        /// The new name.
        name: String,
    },
    /// Pats a person.
    Pat {
        /// The patted person.
        target: String,
        /// The suffix of the line, as in `拍了拍我的头`.
        #[serde(default)]
        suffix: String,
    },
    /// Changes the nickname, or the name in the group.
    Nickname {
        /// The new name.
        name: String,
    },
    /// Gets a remark from the account's phone; an empty text removes it.
    Remark {
        /// The remark.
        #[serde(default)]
        name: String,
    },
    /// Sends a friend request to the account.
    FriendRequest {
        /// The greeting.
        #[serde(default)]
        text: String,
    },
    /// Becomes a friend at once, as an account without verification accepts it.
    Befriend,
    /// Ends the friendship.
    Unfriend,
    /// Creates a person.
    NewPerson {
        /// False for a person who is only a member of groups.
        #[serde(default = "yes")]
        friend: bool,
    },
    /// Creates a group with the account in it.
    NewGroup {
        /// Its other members.
        #[serde(default)]
        members: Vec<String>,
    },
    /// A system line in the chat.
    System {
        /// The text of the line.
        text: String,
    },
    /// The phone opens (2), leaves (5) or reads (1) the chat.
    Phone {
        /// The status notification code.
        code: i32,
    },
    /// Sends a message of any type.
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

/// The form in which the service delivers a quoted reply: accounts see either.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum QuoteForm {
    /// As text: `「NAME：QUOTED」`, a line of dashes, the reply.
    #[default]
    Text,
    /// As an app message of type 57 that refers to the quoted message.
    App,
}

/// The reason why an action is impossible.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxActionError {
    /// It names no person.
    #[error("the action names no person: add \"from\"")]
    Nobody,
    /// It needs a group.
    #[error("this action needs a group: add \"group\"")]
    NoGroup,
    /// This person has no such message.
    #[error("there is no such message of this person to recall or to quote")]
    NoMessage,
    /// The data is not valid base64.
    #[error("\"data\" is not valid base64")]
    Data,
    /// The account sends in private, but the receiver is missing.
    #[error("the account's own phone sends in private: add \"to\"")]
    NoReceiver,
}

fn yes() -> bool {
    true
}
