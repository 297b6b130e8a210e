//! One key of a file: the unit of which tables of keys are made.

use mynah_core::Words;

use crate::Shape;

/// A key of a table. Checks, hints, JSON Schema and reference page are made from it.
#[derive(Debug, Clone)]
pub struct Key {
    /// How it is written.
    pub name: &'static str,
    /// Its values.
    pub kind: Kind,
    /// Whether its table cannot do without it.
    pub required: bool,
    /// Its default as it is written in the file, if it has one.
    pub default: Option<&'static str>,
    /// Whether its value appears in no message and no log.
    pub secret: bool,
    /// Its purpose.
    pub help: Words,
    /// Other names by which people write it.
    pub also: &'static [&'static str],
}

/// The values of a key.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A text that is not empty.
    Text,
    /// A list of texts that is not empty.
    Texts,
    /// `true` or `false`.
    Flag,
    /// A whole number between two bounds, both included.
    Whole {
        /// The smallest.
        least: i64,
        /// The largest.
        most: i64,
    },
    /// A duration.
    Duration {
        /// Whether `"0"` is possible.
        or_zero: bool,
    },
    /// A duration, or a range of durations: `0.5s-2s`.
    Durations,
    /// So many within a duration: `1 per 2s`.
    Rate {
        /// The word between count and duration.
        word: &'static str,
        /// Whether `"off"` is possible.
        or_off: bool,
    },
    /// A number of bytes: `500MB`.
    Size,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A file or a folder.
    Path,
    /// A text that can be the name of a folder.
    Name,
    /// An `http` or `https` address.
    Url,
    /// An IP address with a port.
    Socket,
    /// A table from names to texts.
    Names,
    /// A table of any values.
    Open,
    /// A table with these keys.
    Section(&'static [Key]),
    /// A list of tables with these keys.
    Sections(&'static [Key]),
}

impl Key {
    /// An optional key without a default.
    #[must_use]
    pub const fn new(name: &'static str, kind: Kind, en: &'static str, zh: &'static str) -> Self {
        let help = Words::fixed(en, zh);
        Self { name, kind, required: false, default: None, secret: false, help, also: &[] }
    }

    /// The same key, required.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The same key with a default, as it is written in the file.
    #[must_use]
    pub const fn default(mut self, written: &'static str) -> Self {
        self.default = Some(written);
        self
    }

    /// The same key, with a secret as value.
    #[must_use]
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// The same key with other names by which people write it.
    #[must_use]
    pub const fn also(mut self, also: &'static [&'static str]) -> Self {
        self.also = also;
        self
    }
}

impl Kind {
    /// The shape of its values.
    #[must_use]
    pub const fn shape(self) -> Shape {
        match self {
            Self::Flag => Shape::Flag,
            Self::Whole { .. } => Shape::Integer,
            Self::Texts => Shape::TextList,
            Self::Section(_) | Self::Names | Self::Open => Shape::Table,
            Self::Sections(_) => Shape::TableList,
            _ => Shape::Text,
        }
    }

    /// A value as it is written in the file.
    #[must_use]
    pub fn example(self) -> String {
        let example = match self {
            Self::Flag => "true",
            Self::Whole { least, .. } => return least.to_string(),
            Self::Texts => "[\"…\", \"…\"]",
            Self::Duration { .. } => "\"30s\"",
            Self::Durations => "\"0.5s-2s\"",
            Self::Rate { word, .. } => return format!("\"20 {word} 1m\""),
            Self::Size => "\"500MB\"",
            Self::Word(words) => return format!("\"{}\"", words.first().unwrap_or(&"…")),
            Self::Path => "\"bots/faq\"",
            Self::Name => "\"main\"",
            Self::Url => "\"https://example.com\"",
            Self::Socket => "\"127.0.0.1:8087\"",
            Self::Names => "{ \"Ann\" = \"user-7\" }",
            Self::Open => "{ city = \"Rome\", days = 3 }",
            Self::Text | Self::Section(_) | Self::Sections(_) => "\"…\"",
        };
        example.to_owned()
    }

    /// The values in words, with an example.
    #[must_use]
    pub fn takes(self) -> Words {
        let example = self.example();
        let with = |en: &str, zh: &str| {
            Words::new(format!("{en} like {example}"), format!("{zh}，如 {example}"))
        };
        match self {
            Self::Text => Words::fixed("text", "文字"),
            Self::Texts => with("a list of texts", "文字列表"),
            Self::Flag => Words::fixed("true or false", " true 或 false"),
            Self::Whole { least, most } => Words::new(
                format!("a whole number from {least} to {most}"),
                format!("从 {least} 到 {most} 的整数"),
            ),
            Self::Duration { or_zero: false } => with("a duration", "时长"),
            Self::Duration { or_zero: true } => Words::new(
                format!("a duration like {example}, or \"0\""),
                format!("时长，如 {example}；或 \"0\""),
            ),
            Self::Durations => with("a duration or a range", "时长或范围"),
            Self::Rate { or_off: false, .. } => with("a rate", "速率"),
            Self::Rate { or_off: true, .. } => Words::new(
                format!("a rate like {example}, or \"off\""),
                format!("速率，如 {example}；或 \"off\""),
            ),
            Self::Size => with("a size", "大小"),
            Self::Word(words) => {
                let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                Words::new(quoted.join(", "), quoted.join("、"))
            }
            Self::Path => with("a file or folder", "文件或文件夹"),
            Self::Name => with("a name without / and \\", "不含 / 和 \\ 的名字"),
            Self::Url => with("an http or https address", " http 或 https 地址"),
            Self::Socket => with("an IP address and a port", " IP 地址和端口"),
            Self::Names => with("a table of texts", "文字的表"),
            Self::Open => with("a table", "表"),
            Self::Section(_) => Words::fixed("a table", "表"),
            Self::Sections(_) => Words::fixed("a list of tables", "表的列表"),
        }
    }
}
