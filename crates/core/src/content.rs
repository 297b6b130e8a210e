//! The content of a message: a list of segments, media by reference.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{MediaBytes, MessageId, PersonId, TextUnit, quote};

/// The content of a message: segments in the order in which they are shown.
///
/// ```
/// use mynah_core::{Content, MediaRef, MessageKind, Segment};
///
/// let content = Content::text("the menu:").with(Segment::Image(MediaRef::file("menu.png")));
/// assert_eq!(content.kind(), MessageKind::Image);
/// assert_eq!(content.plain_text(), "the menu:");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Content(pub Vec<Segment>);

/// One piece of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Segment {
    /// Plain text, `\n` between lines.
    Text {
        /// The text as a person sees it: no markup, no entities.
        text: String,
    },
    /// A mention of a person.
    Mention {
        /// The person; `None` means everyone in the group.
        who: Option<PersonId>,
        /// The name as written, without the `@`.
        shown: String,
    },
    /// A quote of an earlier message.
    Quote {
        /// The quoted message, if the service names it.
        message: Option<MessageId>,
        /// The name of its sender, as shown.
        sender: String,
        /// Its text, or a short description of its content.
        text: String,
    },
    /// A picture.
    Image(MediaRef),
    /// A voice message.
    Voice(MediaRef),
    /// A video.
    Video(MediaRef),
    /// A file.
    File(MediaRef),
    /// A sticker.
    Sticker(MediaRef),
    /// A link or an article.
    Link {
        /// Its title.
        title: String,
        /// The line below the title, often empty.
        description: String,
        /// Its address.
        url: String,
    },
    /// A contact card.
    Card {
        /// The name on the card.
        name: String,
    },
    /// A place.
    Location {
        /// The name or address of the place.
        label: String,
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
    },
    /// Content without a type of its own here: transfers, mini programs, calls and future kinds.
    Raw {
        /// The transport's word for it, e.g. `transfer` or `app:33`.
        kind: String,
        /// Its text for people, possibly empty.
        text: String,
    },
}

/// A reference to a picture, voice, video, file or sticker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaRef {
    /// Its location.
    pub source: MediaSource,
    /// Its file name, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its size in bytes, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// The location of media.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaSource {
    /// At the service; the transport defines the text and [`Service::media`](crate::Service::media) fetches it.
    Service(String),
    /// In a file on this machine.
    File(PathBuf),
    /// In a file inside a folder on this machine. A link that leads out of the folder is refused when the file is
    /// opened. Rules send such files.
    FileInside {
        /// The folder.
        folder: PathBuf,
        /// The file: a path that begins with the folder.
        path: PathBuf,
    },
    /// At a public address of the web. It is fetched when the message is sent; a [`Service`](crate::Service) gets it as a
    /// file.
    Url(String),
    /// In memory, as a handler made it. The bot keeps it for two days; a [`Service`](crate::Service) gets it as a file.
    Bytes(MediaBytes),
}

impl MediaSource {
    /// The path of a file on this machine.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Service(_) | Self::Url(_) | Self::Bytes(_) => None,
            Self::File(path) | Self::FileInside { path, .. } => Some(path),
        }
    }
}

impl MediaRef {
    /// Media in a file on this machine.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::at(MediaSource::File(path.into()))
    }

    /// Media in a file that must be in this folder when it is sent; `path` begins with the folder.
    #[must_use]
    pub fn file_inside(folder: impl Into<PathBuf>, path: impl Into<PathBuf>) -> Self {
        Self::at(MediaSource::FileInside { folder: folder.into(), path: path.into() })
    }

    /// Media at an address of the web, which is fetched when the message is sent. Its name is the last part of the path.
    #[must_use]
    pub fn url(url: impl Into<String>) -> Self {
        let url = url.into();
        let path = url.split(['?', '#']).next().unwrap_or_default();
        let after_host = path.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
        let name = after_host.and_then(|(_, path)| path.rsplit('/').next());
        let name = name.filter(|name| !name.is_empty()).map(str::to_owned);
        Self { source: MediaSource::Url(url), name, size: None }
    }

    /// Media that was made in memory, with the file name that people see. Its ending names the type: `chart.png`. A turn that
    /// commits keeps it in a file of the account for two days, so a restart loses nothing. A message that waits for longer cannot be sent any more.
    #[must_use]
    pub fn bytes(name: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        let (name, bytes) = (name.into(), bytes.into());
        let size = u64::try_from(bytes.len()).ok();
        Self { source: MediaSource::Bytes(MediaBytes(bytes)), name: Some(name), size }
    }

    fn at(source: MediaSource) -> Self {
        let name = source.path().and_then(Path::file_name);
        let name = name.map(|name| name.to_string_lossy().into_owned());
        Self { source, name, size: None }
    }
}

/// The main kind of a message: the words of `type` in `bot.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// Text, also with mentions or a quote.
    Text,
    /// A picture.
    Image,
    /// A voice message.
    Voice,
    /// A video.
    Video,
    /// A file.
    File,
    /// A contact card.
    Card,
    /// A link or an article.
    Link,
    /// A place.
    Location,
    /// A sticker.
    Emoji,
    /// Anything else.
    Other,
}

impl MessageKind {
    /// Every kind with its word.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::Text, "text"),
        (Self::Image, "image"),
        (Self::Voice, "voice"),
        (Self::Video, "video"),
        (Self::File, "file"),
        (Self::Card, "card"),
        (Self::Link, "link"),
        (Self::Location, "location"),
        (Self::Emoji, "emoji"),
        (Self::Other, "other"),
    ];

    /// Its word in `bot.toml` and in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("other", |(_, word)| word)
    }

    /// The kind for a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, candidate)| *candidate == word).map(|(kind, _)| *kind)
    }
}

impl Content {
    /// Content that is one text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self(vec![Segment::Text { text: text.into() }])
    }

    /// A text as a person typed it: quotes at its beginning become quote segments, see [`quote::split`].
    #[must_use]
    pub fn typed(text: &str) -> Self {
        let (quotes, own) = quote::split(text);
        Self(quotes).with(Segment::Text { text: own.to_owned() })
    }

    /// Appends a segment.
    #[must_use]
    pub fn with(mut self, segment: Segment) -> Self {
        self.0.push(segment);
        self
    }

    /// The main kind of the message: that of the first segment that is not a text, mention or quote.
    #[must_use]
    pub fn kind(&self) -> MessageKind {
        self.0.iter().find_map(Segment::kind).unwrap_or(MessageKind::Text)
    }

    /// The text as a person would read it: texts and mentions joined; quotes and media left out.
    #[must_use]
    pub fn plain_text(&self) -> String {
        let mut plain = String::new();
        for segment in &self.0 {
            match segment {
                Segment::Text { text } => plain.push_str(text),
                Segment::Mention { shown, .. } => {
                    plain.push('@');
                    plain.push_str(shown);
                    plain.push(' ');
                }
                _ => {}
            }
        }
        plain
    }

    /// The length of the text when it is sent: the plain text, and quotes as [`quote::written`] writes them.
    #[must_use]
    pub fn text_length(&self, unit: TextUnit) -> usize {
        let quotes = self.0.iter().map(|segment| match segment {
            Segment::Quote { sender, text, .. } => unit.length(&quote::written(sender, text)),
            _ => 0,
        });
        unit.length(&self.plain_text()) + quotes.sum::<usize>()
    }

    /// The quoted texts, one line per quote with the name before it; `None` without a quote.
    #[must_use]
    pub fn quoted_text(&self) -> Option<String> {
        let lines = self.0.iter().filter_map(|segment| match segment {
            Segment::Quote { sender, text, .. } => Some(format!("{sender}：{text}")),
            _ => None,
        });
        let lines: Vec<String> = lines.collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }
}

impl Segment {
    fn kind(&self) -> Option<MessageKind> {
        match self {
            Self::Text { .. } | Self::Mention { .. } | Self::Quote { .. } => None,
            Self::Image(_) => Some(MessageKind::Image),
            Self::Voice(_) => Some(MessageKind::Voice),
            Self::Video(_) => Some(MessageKind::Video),
            Self::File(_) => Some(MessageKind::File),
            Self::Sticker(_) => Some(MessageKind::Emoji),
            Self::Link { .. } => Some(MessageKind::Link),
            Self::Card { .. } => Some(MessageKind::Card),
            Self::Location { .. } => Some(MessageKind::Location),
            Self::Raw { .. } => Some(MessageKind::Other),
        }
    }

    /// The media of this segment, if it is one.
    #[must_use]
    pub fn media(&self) -> Option<&MediaRef> {
        match self {
            Self::Image(media)
            | Self::Voice(media)
            | Self::Video(media)
            | Self::File(media)
            | Self::Sticker(media) => Some(media),
            Self::Text { .. }
            | Self::Mention { .. }
            | Self::Quote { .. }
            | Self::Link { .. }
            | Self::Card { .. }
            | Self::Location { .. }
            | Self::Raw { .. } => None,
        }
    }

    /// The same, to be changed.
    pub fn media_mut(&mut self) -> Option<&mut MediaRef> {
        match self {
            Self::Image(media)
            | Self::Voice(media)
            | Self::Video(media)
            | Self::File(media)
            | Self::Sticker(media) => Some(media),
            Self::Text { .. }
            | Self::Mention { .. }
            | Self::Quote { .. }
            | Self::Link { .. }
            | Self::Card { .. }
            | Self::Location { .. }
            | Self::Raw { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_of_version_0_1_is_still_read() {
        let stored = r#"[{"is":"image","source":{"file":"bots/faq/menu.png"},"name":"menu.png"},
            {"is":"file","source":{"service":"file:1"},"size":7}]"#;
        let content: Content = serde_json::from_str(stored).expect("it is read");
        assert_eq!(content.0[0], Segment::Image(MediaRef::file("bots/faq/menu.png")));
        assert_eq!(content.kind(), MessageKind::Image);
        let again = serde_json::to_value(&content).expect("texts");
        assert_eq!(again, serde_json::from_str::<serde_json::Value>(stored).expect("JSON"));
    }

    #[test]
    fn an_address_is_stored_as_one_and_its_name_is_the_end_of_the_path() {
        for (url, expected) in [
            ("https://example.com/pics/cat.png?size=2#x", Some("cat.png")),
            ("https://example.com/", None),
            ("https://example.com", None),
            ("https://example.com?a/b.png", None),
        ] {
            assert_eq!(MediaRef::url(url).name.as_deref(), expected, "{url}");
        }
        let stored = r#"{"source":{"url":"https://example.com/cat.png"},"name":"cat.png"}"#;
        let media: MediaRef = serde_json::from_str(stored).expect("it is read");
        assert_eq!(media, MediaRef::url("https://example.com/cat.png"));
        assert_eq!(serde_json::to_string(&media).expect("texts"), stored);
    }

    #[test]
    fn a_file_of_a_folder_is_read_as_it_was_stored() {
        let media = MediaRef::file_inside("bots/faq", "bots/faq/pics/menu.png");
        assert_eq!(media.name.as_deref(), Some("menu.png"));
        let stored = serde_json::to_string(&media).expect("texts");
        assert_eq!(serde_json::from_str::<MediaRef>(&stored).expect("it is read"), media);
    }
}
