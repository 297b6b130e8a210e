//! One key of a file: the unit of which tables of keys are made.

use mynah_core::Words;

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
    /// What it is for.
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
