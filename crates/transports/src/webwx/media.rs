//! References to media on the servers of the service, as text that fits into an event.

use mynah_webwx::wire;
use serde::{Deserialize, Serialize};

/// The place of a piece of media: a word for its kind and the key to request it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reference {
    /// A picture, by the id of its message.
    Image(String),
    /// A sticker.
    Sticker(String),
    /// A voice message.
    Voice(String),
    /// A video.
    Video(String),
    /// A file.
    File(FileReference),
}

/// The key to request a file (section 9 of the protocol reference).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileReference {
    pub(crate) sender: String,
    pub(crate) media: String,
    pub(crate) name: String,
}

impl Reference {
    /// The text for something that is asked for by the id of its message.
    pub(crate) fn message(kind: &str, id: &str) -> String {
        format!("{kind}:{id}")
    }

    /// The text for a file.
    pub(crate) fn file(message: &wire::Message) -> String {
        let name = if message.encry_file_name.is_empty() {
            &message.file_name
        } else {
            &message.encry_file_name
        };
        let file = FileReference {
            sender: message.from_user_name.clone(),
            media: message.media_id.clone(),
            name: name.clone(),
        };
        format!("file:{}", serde_json::to_string(&file).unwrap_or_default())
    }

    /// Reads the text again.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        let id = || (!rest.is_empty()).then(|| rest.to_owned());
        match kind {
            "image" => id().map(Self::Image),
            "sticker" => id().map(Self::Sticker),
            "voice" => id().map(Self::Voice),
            "video" => id().map(Self::Video),
            "file" => serde_json::from_str(rest).ok().map(Self::File),
            _ => None,
        }
    }
}

/// The data to accept a friend request: the user name of this login and the ticket of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ticket<'t> {
    pub(crate) user_name: &'t str,
    pub(crate) ticket: &'t str,
}

impl<'t> Ticket<'t> {
    /// The text in the event.
    pub(crate) fn write(user_name: &str, ticket: &str) -> String {
        format!("{user_name} {ticket}")
    }

    /// Reads the text again.
    pub(crate) fn parse(text: &'t str) -> Option<Self> {
        let (user_name, ticket) = text.split_once(' ')?;
        (!user_name.is_empty()).then_some(Self { user_name, ticket })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn references_are_written_and_read() {
        assert_eq!(
            Reference::parse(&Reference::message("sticker", "7")),
            Some(Reference::Sticker("7".to_owned()))
        );
        assert_eq!(Reference::parse("voice:7"), Some(Reference::Voice("7".to_owned())));
        let message = wire::Message {
            from_user_name: "@a".to_owned(),
            media_id: "@crypt:1".to_owned(),
            file_name: "报表: 1.xlsx".to_owned(),
            ..wire::Message::default()
        };
        let file = FileReference {
            sender: "@a".to_owned(),
            media: "@crypt:1".to_owned(),
            name: "报表: 1.xlsx".to_owned(),
        };
        assert_eq!(Reference::parse(&Reference::file(&message)), Some(Reference::File(file)));
        for other in ["", "image", "image:", "thing:7", "file:{"] {
            assert_eq!(Reference::parse(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn tickets_are_written_and_read(user_name in "@[0-9a-f]{1,64}", ticket in ".{0,40}") {
            let text = Ticket::write(&user_name, &ticket);
            prop_assert_eq!(Ticket::parse(&text), Some(Ticket { user_name: &user_name, ticket: &ticket }));
        }
    }
}
