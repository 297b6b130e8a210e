//! Events for watchers of a sandbox: sent messages, calls, and changes of the chats.

use std::net::SocketAddr;

use serde::Serialize;

/// One message that the client sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sent {
    /// The server's id of the message.
    pub id: String,
    /// The receiver's `UserName` in this login.
    pub to: String,
    /// The receiver's display name: the group's topic or the nickname.
    pub to_name: String,
    /// The kind: `text`, `image`, `voice`, `video`, `file`, `emoji`, `card`, `link` or `location`.
    pub kind: String,
    /// The text, the name of a file, or the title of a link.
    pub text: String,
    /// Seconds since 1970, with a fraction.
    pub time: f64,
    /// True if the client recalled it.
    pub recalled: bool,
    /// The address of the client's end of the connection, to tell apart several programs that work with one account.
    pub client: Option<SocketAddr>,
}

/// One HTTP call of the protocol and its status. Calls of the control API are not in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// The method, for example `POST`.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The HTTP status; 0 when the connection was cut without an answer.
    pub status: u16,
}

/// An event of [`Account::events`](crate::Account::events) and `GET /sandbox/events`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SandboxEvent {
    /// A login code was issued, scanned, confirmed or cancelled, or has expired.
    Login {
        /// `waiting`, `scanned`, `confirmed`, `cancelled`, `expired`, `online` or `offline`.
        state: String,
        /// The login code.
        uuid: Option<String>,
    },
    /// A message, a system line or another entry appeared in a chat.
    Message {
        /// The server's id of the message.
        id: String,
        /// The chat, an id of `GET /sandbox/state`.
        chat: String,
        /// The name of the chat.
        chat_name: String,
        /// The sender; empty for a system line.
        from: String,
        /// As in [`Sent::kind`], or `system`.
        kind: String,
        /// As in [`Sent::text`].
        text: String,
    },
    /// The client sent a message.
    Sent(Sent),
    /// A message was recalled.
    Recalled {
        /// The message.
        id: String,
    },
    /// People or groups have changed: a watcher should read the state again.
    People,
    /// A call was answered.
    Call(Call),
}
