//! What a sandbox tells those who watch it: what the bot sent, which calls were made, what happens.

use serde::Serialize;

/// One message that the client sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sent {
    /// The server's id of the message.
    pub id: String,
    /// The receiver's `UserName` of this login.
    pub to: String,
    /// The receiver's name as a person would say it: the group's topic or the nickname.
    pub to_name: String,
    /// What it is: `text`, `image`, `voice`, `video`, `file`, `emoji`, `card`, `link` or `location`.
    pub kind: String,
    /// The text; the name of a file; the title of a link.
    pub text: String,
    /// Seconds since 1970 with a fraction.
    pub time: f64,
    /// Taken back by the client.
    pub recalled: bool,
}

/// One HTTP call of the protocol, as the sandbox answered it. Its own control calls are not in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// The method, for example `POST`.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The HTTP status; 0 when the connection was cut without an answer.
    pub status: u16,
}

/// Something that happened, as told by [`Sandbox::events`](crate::Sandbox::events) and `GET /sandbox/events`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Happening {
    /// A login code was handed out, scanned, confirmed, cancelled or has expired.
    Login {
        /// `waiting`, `scanned`, `confirmed`, `cancelled`, `expired`, `online` or `offline`.
        state: String,
        /// The code in question.
        uuid: Option<String>,
    },
    /// Somebody said or did something that appears in a chat.
    Message {
        /// The server's id of the message.
        id: String,
        /// The chat it appeared in, an id of `GET /sandbox/state`.
        chat: String,
        /// The name of the chat.
        chat_name: String,
        /// Who did it; empty for a line of the system.
        from: String,
        /// As in [`Sent::kind`], or `system`.
        kind: String,
        /// As in [`Sent::text`].
        text: String,
    },
    /// The client sent something.
    Sent(Sent),
    /// A message was taken back.
    Recalled {
        /// The message.
        id: String,
    },
    /// People or groups have changed: read the state again.
    People,
    /// A call was answered.
    Call(Call),
}
