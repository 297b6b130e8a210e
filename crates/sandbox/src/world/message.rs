//! Messages and actions in chats, before they are written as wire messages.

use bytes::Bytes;

use super::{
    draw::md5_hex,
    people::{Peer, PersonId},
};

/// A picture, a voice, a video or a file.
#[derive(Debug, Clone)]
pub(crate) struct Media {
    pub(crate) name: String,
    pub(crate) mime: &'static str,
    pub(crate) bytes: Bytes,
    /// The id for `webwxgetmedia`, and for the client when it forwards the media.
    pub(crate) id: String,
}

impl Media {
    pub(crate) fn new(name: &str, bytes: Bytes) -> Self {
        let id = format!("@crypt_{0}{0}{0}{0}{0}{1}", md5_hex(&bytes), md5_hex(name.as_bytes()));
        Self { name: name.to_owned(), mime: mime_of(name, &bytes), bytes, id }
    }

    pub(crate) fn extension(&self) -> &str {
        self.name.rsplit_once('.').map_or("", |(_, extension)| extension)
    }
}

/// The MIME type of a file: by its first bytes, else by its name.
pub(crate) fn mime_of(name: &str, bytes: &[u8]) -> &'static str {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => return "image/png",
        [0xff, 0xd8, 0xff, ..] => return "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => return "image/gif",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => return "video/mp4",
        _ => {}
    }
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "mp3" => "audio/mpeg",
        "mp4" => "video/mp4",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        _ => "application/octet-stream",
    }
}

/// The content of a message.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    Text(String),
    Image(Media),
    Voice {
        media: Media,
        milliseconds: u32,
    },
    Video {
        media: Media,
        seconds: u32,
    },
    Sticker(Media),
    File(Media),
    Card(PersonId),
    Link {
        title: String,
        description: String,
        url: String,
    },
    Location {
        label: String,
        latitude: f64,
        longitude: f64,
    },
    MiniProgram {
        title: String,
    },
    Quote {
        text: String,
        of: u64,
    },
    ChatHistory {
        title: String,
    },
    Transfer {
        amount: String,
    },
    /// A missed video or voice call.
    Call,
    /// A system line.
    System(String),
    Recall {
        of: u64,
        text: String,
    },
    FriendRequest {
        person: PersonId,
        text: String,
        ticket: String,
    },
    /// A notification of the phone (type 51), which is not a chat message.
    Phone {
        code: i32,
        chats: Vec<Peer>,
    },
    /// A message of any type, for types without a variant here.
    Raw {
        kind: i32,
        app_kind: i32,
        content: String,
    },
    /// A message in the service's own form.
    Wire {
        kind: i32,
        /// The content, already escaped.
        content: String,
        /// The separator between the sender's id and the content in a group.
        separator: String,
        /// Fields that replace those of the sandbox.
        fields: serde_json::Map<String, serde_json::Value>,
    },
}

impl Body {
    /// The message type as in rules; `system` for types that rules do not name.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Quote { .. } => "text",
            Self::Image(_) => "image",
            Self::Voice { .. } => "voice",
            Self::Video { .. } => "video",
            Self::Sticker(_) => "emoji",
            Self::File(_) => "file",
            Self::Card(_) => "card",
            Self::Link { .. } | Self::MiniProgram { .. } | Self::ChatHistory { .. } => "link",
            Self::Location { .. } => "location",
            Self::Transfer { .. } => "transfer",
            Self::System(_) | Self::Call | Self::Phone { .. } => "system",
            Self::Recall { .. } => "recall",
            Self::FriendRequest { .. } => "friend_request",
            Self::Raw { .. } | Self::Wire { .. } => "raw",
        }
    }

    /// The text shown in a list of messages.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Text(text)
            | Self::System(text)
            | Self::Recall { text, .. }
            | Self::Quote { text, .. }
            | Self::FriendRequest { text, .. } => text,
            Self::File(media) => &media.name,
            Self::Link { title, .. }
            | Self::MiniProgram { title }
            | Self::ChatHistory { title } => title,
            Self::Location { label, .. } => label,
            Self::Transfer { amount } => amount,
            Self::Raw { content, .. } | Self::Wire { content, .. } => content,
            _ => "",
        }
    }

    pub(crate) fn media(&self) -> Option<&Media> {
        match self {
            Self::Image(media)
            | Self::Voice { media, .. }
            | Self::Video { media, .. }
            | Self::Sticker(media)
            | Self::File(media) => Some(media),
            _ => None,
        }
    }
}

/// One message of a chat.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: u64,
    /// Milliseconds since 1970.
    pub(crate) time: u64,
    pub(crate) chat: Peer,
    /// `None` for a system line.
    pub(crate) from: Option<PersonId>,
    pub(crate) body: Body,
}
