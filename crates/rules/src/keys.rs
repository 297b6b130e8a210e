//! The one table of keys: the place, the type and the purpose of each.
//!
//! The checker walks a file by it, and the JSON Schema, the reference page and the did-you-mean hints are made from it.

mod entries;
mod foreign;

pub(crate) use entries::KEYS;
pub(crate) use foreign::{Advice, advice, chinese_key, header};

use mynah_reader::{Grammar, Lang, Shape};

/// The kinds of table that a rule file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Table {
    /// The file itself.
    File,
    /// `[bot]`.
    Bot,
    /// `[[rule]]`.
    Rule,
    /// `[[table]]`.
    Sheet,
    /// An item of `do = […]`.
    Do,
    /// An item of `reply_one_of = […]` with a weight.
    Weighted,
    /// `cooldown = {…}`.
    Cooldown,
    /// `limit = {…}`.
    Limit,
    /// `[[group]]`.
    Group,
    /// `[[dialog]]`.
    Dialog,
    /// `[[dialog.step]]`.
    Step,
    /// `[dialog.done]`.
    Done,
    /// `fetch = {…}`.
    Fetch,
    /// `[[schedule]]`.
    Schedule,
    /// `[[test]]`.
    Test,
}

impl Table {
    /// Every kind, in the order of the reference page.
    pub(crate) const ALL: [Self; 15] = [
        Self::File,
        Self::Bot,
        Self::Rule,
        Self::Sheet,
        Self::Do,
        Self::Weighted,
        Self::Cooldown,
        Self::Limit,
        Self::Group,
        Self::Dialog,
        Self::Step,
        Self::Done,
        Self::Fetch,
        Self::Schedule,
        Self::Test,
    ];

    /// How it is written.
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::File => "bot.toml",
            Self::Bot => "[bot]",
            Self::Rule => "[[rule]]",
            Self::Sheet => "[[table]]",
            Self::Do => "do",
            Self::Weighted => "reply_one_of",
            Self::Cooldown => "cooldown",
            Self::Limit => "limit",
            Self::Fetch => "fetch",
            Self::Group => "[[group]]",
            Self::Dialog => "[[dialog]]",
            Self::Step => "[[dialog.step]]",
            Self::Done => "[dialog.done]",
            Self::Schedule => "[[schedule]]",
            Self::Test => "[[test]]",
        }
    }

    /// Its keys, in the order of the reference page.
    pub(crate) fn keys(self) -> impl Iterator<Item = &'static Key> {
        KEYS.iter().filter(move |key| key.tables.contains(&self))
    }

    /// Its key of that name.
    pub(crate) fn key(self, name: &str) -> Option<&'static Key> {
        self.keys().find(|key| key.name == name)
    }
}

/// One key of the language.
#[derive(Debug)]
pub(crate) struct Key {
    /// How it is written.
    pub(crate) name: &'static str,
    /// Where it may stand.
    pub(crate) tables: &'static [Table],
    /// The type of its value.
    pub(crate) kind: Kind,
    /// Its part in the table.
    pub(crate) role: Role,
    /// Its purpose, in English.
    pub(crate) en: &'static str,
    /// Its purpose, in Chinese.
    pub(crate) zh: &'static str,
    /// Other words that people write for it.
    pub(crate) also: &'static [&'static str],
}

impl Key {
    /// Its purpose.
    pub(crate) fn help(&self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.en,
            Lang::Zh => self.zh,
        }
    }
}

/// The part that a key has in its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A condition that is enough for a rule.
    Condition,
    /// A condition that needs another beside it.
    Restriction,
    /// Something to do.
    Action,
    /// How, how often, in which order.
    Setting,
    /// A table of its own.
    Section,
}

/// The type of the value of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text.
    Text,
    /// A text or a list of texts.
    Texts,
    /// A name of a group, or a list of them; `*` and `?` allowed.
    Groups,
    /// A pattern or a list of them.
    Patterns,
    /// A regular expression.
    Regex,
    /// A regular expression or a list of them.
    Regexes,
    /// A text with `{names}`.
    Template,
    /// A list of texts with `{names}`.
    Templates,
    /// A list of texts with `{names}`, some of them with weights.
    Weighted,
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Integer,
    /// A number between 0 and 1.
    Chance,
    /// A time span with its unit: `30s`, `5m`, `2h`, `1d`.
    Duration,
    /// A time span, or one for each clock.
    Cooldown,
    /// Counts and their period.
    Limit,
    /// A part of the day, `09:00-18:00`, or a list of them.
    Times,
    /// A time of day, `09:00`, or a list of them.
    At,
    /// Days of the week: `mon-fri`, `sat,sun`, or a list.
    Days,
    /// A cron line of five fields.
    Cron,
    /// A time zone of the IANA database.
    Zone,
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of these words, or a list of them.
    Words(&'static [&'static str]),
    /// A column of a table: its header, or its number.
    Column,
    /// A file beside `bot.toml`.
    Path,
    /// A file name in the data folder.
    FileName,
    /// The name of a handler.
    Handler,
    /// Names with texts: `{ k = "v" }`.
    Vars,
    /// Names with texts that may hold `{names}`.
    TemplateVars,
    /// Names with lists of texts.
    Lists,
    /// Names with comparisons: `{ n = ">= 5" }`.
    Comparisons,
    /// Names with whole numbers, or texts that are ones.
    Counts,
    /// Names with calendar units.
    Streaks,
    /// A list of files beside `bot.toml`.
    Paths,
    /// The address of a web service, with `{names}` behind the host.
    Address,
    /// A text, or a table that becomes JSON.
    Body,
    /// Names with JSON pointers.
    Taken,
    /// A status or several: `404`, `"200-299, 404"`.
    Statuses,
    /// The id of a step, or one for each answer.
    Next,
    /// A list of tables of one action each.
    Steps,
    /// A conversation to be played.
    Script,
    /// One table.
    Section(Table),
    /// A list of tables, each with its own header.
    Sections(Table),
}

impl Kind {
    /// The shape that a value of this kind has.
    pub(crate) fn shape(self) -> Shape {
        match self {
            Self::Text
            | Self::Regex
            | Self::Template
            | Self::Duration
            | Self::Cron
            | Self::Zone
            | Self::Address
            | Self::Word(_)
            | Self::Path
            | Self::FileName
            | Self::Handler
            | Self::Script => Shape::Text,
            Self::Texts
            | Self::Groups
            | Self::Patterns
            | Self::Regexes
            | Self::Times
            | Self::At
            | Self::Days
            | Self::Words(_) => Shape::TextOrList,
            Self::Templates | Self::Paths => Shape::TextList,
            Self::Weighted => Shape::TextOrTableList,
            Self::Column | Self::Statuses => Shape::TextOrInteger,
            Self::Flag => Shape::Flag,
            Self::Integer => Shape::Integer,
            Self::Chance => Shape::Number,
            Self::Cooldown | Self::Next | Self::Body => Shape::TextOrTable,
            Self::Limit
            | Self::Lists
            | Self::Vars
            | Self::TemplateVars
            | Self::Taken
            | Self::Comparisons
            | Self::Counts
            | Self::Streaks
            | Self::Section(_) => Shape::Table,
            Self::Steps | Self::Sections(_) => Shape::TableList,
        }
    }
}

/// The grammar of `bot.toml`, for reading files with mistakes.
#[derive(Debug)]
pub(crate) struct BotToml;

impl BotToml {
    fn any(key: &str, is: impl Fn(&Key) -> bool) -> bool {
        KEYS.iter().any(|known| known.name == key && is(known))
    }
}

impl Grammar for BotToml {
    fn header(&self, name: &str) -> Option<String> {
        match name {
            "rule" | "table" | "group" | "dialog" | "dialog.step" | "schedule" | "test" => {
                Some(format!("[[{name}]]"))
            }
            "bot" | "lists" | "dialog.done" => Some(format!("[{name}]")),
            other => header(other).map(str::to_owned),
        }
    }

    fn has_shape(&self, key: &str, shape: Shape) -> bool {
        Self::any(key, |known| known.kind.shape() == shape)
    }

    fn shape(&self, key: &str) -> Option<Shape> {
        KEYS.iter().find(|known| known.name == key).map(|known| known.kind.shape())
    }

    fn is_word(&self, word: &str) -> bool {
        KEYS.iter().any(|known| known.name == word || known.also.contains(&word))
            || Table::ALL.iter().any(|table| chinese_key(*table, word).is_some())
    }

    fn is_table(&self, word: &str) -> bool {
        Table::File.key(word).is_some() || Table::File.keys().any(|key| key.also.contains(&word))
    }

    fn names_a_file(&self, key: &str) -> bool {
        Self::any(key, |known| {
            matches!(known.kind, Kind::Path | Kind::Paths) || known.name == "include"
        })
    }

    fn is_sent(&self, key: &str) -> bool {
        Self::any(key, |known| {
            matches!(known.kind, Kind::Template | Kind::Templates | Kind::Weighted)
        })
    }

    fn key_of_list<'k>(&self, key: &'k str) -> &'k str {
        if key == "reply" { "reply_one_of" } else { key }
    }

    fn has_own_names(&self, header: &str) -> bool {
        header == "lists"
            || [
                ".vars", ".set", ".add", ".when", ".streak", ".args", ".next", ".take", ".headers",
                ".body",
            ]
            .iter()
            .any(|end| header.ends_with(end))
    }

    fn script_of(&self, header: &str, key: &str) -> bool {
        matches!(header, "test" | "测试") && Table::Test.key(key).is_none()
    }
}
