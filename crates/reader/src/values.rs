//! The checked values of a table.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use crate::{Rate, TableNode};

/// A checked value.
#[derive(Debug, Clone)]
pub enum Setting {
    /// A text of any kind.
    Text(String),
    /// A list of texts.
    Texts(Vec<String>),
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// A duration.
    Duration(Duration),
    /// A range of durations.
    Durations(RangeInclusive<Duration>),
    /// A rate; `None` for `"off"`.
    Rate(Option<Rate>),
    /// A number of bytes.
    Size(u64),
    /// A table of texts.
    Names(BTreeMap<String, String>),
    /// A table of any values, with the variables in its texts replaced.
    Open(TableNode),
    /// A table.
    Section(Values),
    /// A list of tables.
    Sections(Vec<Values>),
}

/// The checked values of a table. `Debug` shows the keys alone, as some values are secrets.
#[derive(Clone, Default)]
pub struct Values {
    /// The place of the table.
    pub span: Range<usize>,
    pub(crate) settings: BTreeMap<&'static str, (Setting, Range<usize>)>,
    /// The keys that are in the table, right or wrong.
    pub(crate) given: Vec<&'static str>,
}

/// A method for each kind of value.
macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident: $variant:ident => $type:ty;)*) => {
        $($(#[$doc])*
        #[must_use]
        pub fn $name(&self, key: &str) -> Option<&$type> {
            match self.settings.get(key) {
                Some((Setting::$variant(value), _)) => Some(value),
                _ => None,
            }
        })*
    };
}

impl Values {
    getters! {
        /// The text of a key.
        text: Text => str;
        /// The texts of a key.
        texts: Texts => [String];
        /// The flag of a key.
        flag: Flag => bool;
        /// The number of a key.
        whole: Whole => i64;
        /// The duration of a key.
        duration: Duration => Duration;
        /// The range of a key.
        durations: Durations => RangeInclusive<Duration>;
        /// The rate of a key; `None` inside for `"off"`.
        rate: Rate => Option<Rate>;
        /// The size of a key.
        size: Size => u64;
        /// The names of a key.
        names: Names => BTreeMap<String, String>;
        /// The table of any values of a key.
        open: Open => TableNode;
        /// The table of a key.
        section: Section => Values;
        /// The tables of a key.
        sections: Sections => [Values];
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Setting> {
        self.settings.get(key).map(|(setting, _)| setting)
    }

    /// The keys that are written in the table, right or wrong.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.given.iter().copied()
    }

    /// Whether a key is written in the table, right or wrong.
    #[must_use]
    pub fn has_key(&self, key: &str) -> bool {
        self.given.contains(&key)
    }

    /// The place of a key's value, else of the table.
    #[must_use]
    pub fn place(&self, key: &str) -> Range<usize> {
        self.settings.get(key).map_or_else(|| self.span.clone(), |(_, span)| span.clone())
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.settings.keys()).finish()
    }
}
