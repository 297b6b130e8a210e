//! The conversations of `[[test]]`: the parsed lines of a chat script.
//!
//! This only reads them; they are played by `mynah::testing`.

mod fetch_line;
mod reader;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mynah_core::{MessageKind, Timestamp};
use mynah_matching::regex::Program;

pub use fetch_line::{FetchLine, ScriptedAnswer};
pub(crate) use reader::parse;

/// One `[[test]]`.
#[derive(Debug, Clone)]
pub struct Test {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// The file of the test, relative to the folder of the main file.
    pub file: String,
    /// The line of its header.
    pub line: u32,
    /// When it begins: at the `@` time of its first line, else on a Monday noon of the bot's zone.
    pub start: Timestamp,
    /// Its lines in order, without blank ones and comments.
    pub lines: Vec<Line>,
}

/// A line of a test.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its number in the file.
    pub line: u32,
    /// The line as written.
    pub text: String,
    /// Its meaning.
    pub what: What,
}

/// The meaning of a line of a test.
#[derive(Debug, Clone)]
pub enum What {
    /// `group/user: text`: a person sends a message.
    Says {
        /// Where.
        chat: ChatName,
        /// Who.
        who: String,
        /// The message.
        said: ScriptMessage,
    },
    /// `! join group/user`: something else happens.
    Happens {
        /// Where.
        chat: ChatName,
        /// Who did it; of several the first.
        who: String,
        /// The event.
        event: ScriptEvent,
    },
    /// `> text`: the next reply in the chat of the last line that said or did something.
    Reply(Expected),
    /// `> -`: no reply there.
    NoReply,
    /// `=> chat: text`: the next message to another chat.
    Elsewhere {
        /// The name of the chat.
        chat: String,
        /// The expected reply.
        said: Expected,
    },
    /// `=> run name {k=v}`: a handler is called.
    Runs {
        /// The name of the handler.
        handler: String,
        /// Captures that it must be given; it may be given more.
        captures: BTreeMap<String, String>,
    },
    /// `=> accept user`: a friend request is accepted.
    Accepts {
        /// Whose.
        who: String,
    },
    /// `=> kick user`: a person is removed from the group of the last line that said or did something.
    Kicks {
        /// The person.
        who: String,
    },
    /// `=> mute user 10m`: a person is muted there.
    Mutes {
        /// The person.
        who: String,
        /// How long.
        lasts: Duration,
    },
    /// `=> invite user: group`: a person is invited into a group.
    Invites {
        /// The person.
        who: String,
        /// The name of the group.
        group: String,
    },
    /// `=> recall user`: the message of a person is recalled.
    Recalls {
        /// The person.
        who: String,
    },
    /// `~ GET https://… -> 200 {"temp": 3}`: answers the next request.
    Fetches(FetchLine),
    /// `+31s`: so much time goes by.
    Wait(Duration),
    /// `@ 2026-11-23 09:00`: the clock jumps to this moment; as the first line, the test begins then.
    Jump(Timestamp),
}

/// A chat by its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChatName {
    /// A group of that title.
    Group(String),
    /// The private chat with the person of that name.
    Private(String),
}

impl ChatName {
    /// Its name as replies elsewhere are addressed.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Group(name) | Self::Private(name) => name,
        }
    }
}

/// A person's message in a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptMessage {
    /// A text.
    Text(String),
    /// A picture, a voice message …; never [`MessageKind::Text`].
    Media(MessageKind),
}

/// The expected reply of the bot.
#[derive(Debug, Clone)]
pub enum Expected {
    /// Exactly this text.
    Text(String),
    /// A text in which this is found.
    Regex(Arc<Program>),
    /// A picture or a file.
    Media {
        /// Of this kind.
        kind: MessageKind,
        /// Of this file name, if it matters.
        name: Option<String>,
    },
}

/// An event in a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptEvent {
    /// People come into the group.
    Join(Vec<String>),
    /// People leave the group.
    Leave(Vec<String>),
    /// The group gets this title.
    Rename(String),
    /// The person's last message is recalled; with a text, the last one of that text.
    Recall(Option<String>),
    /// The person pats the bot.
    Pat,
    /// The person sends a red packet.
    RedPacket,
    /// The person wants to be a friend, with this greeting.
    FriendRequest(String),
}
