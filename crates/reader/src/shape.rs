//! The shapes of TOML values, and the mistake of another shape.

use crate::tree::Value;
use crate::{Lang, Words, say};

/// The shape of a TOML value, without its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A text.
    Text,
    /// A text or a list of texts.
    TextOrList,
    /// A list of texts.
    TextList,
    /// A text or a whole number.
    TextOrInteger,
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// A text or a table.
    TextOrTable,
    /// A list of texts and tables.
    TextOrTableList,
    /// A table.
    Table,
    /// A list of tables.
    TableList,
}

impl Shape {
    /// Its name for people.
    #[must_use]
    pub const fn words(self) -> Words {
        match self {
            Self::Text => Words::fixed("text", "文字"),
            Self::TextOrList => Words::fixed("text or a list of texts", "文字或文字列表"),
            Self::TextList => Words::fixed("a list of texts", "文字列表"),
            Self::TextOrInteger => Words::fixed("text or a whole number", "文字或整数"),
            Self::Flag => Words::fixed("true or false", " true 或 false"),
            Self::Integer => Words::fixed("a whole number", "整数"),
            Self::Number => Words::fixed("a number", "数字"),
            Self::TextOrTable => Words::fixed("text or a table", "文字或表"),
            Self::TextOrTableList => {
                Words::fixed("a list of texts, or of tables", "文字或表的列表")
            }
            Self::Table => Words::fixed("a table", "表"),
            Self::TableList => Words::fixed("a list of tables", "表的列表"),
        }
    }
}

/// The shape of the value that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// Another number.
    Number,
    /// `true` or `false`.
    Flag,
    /// A date or time without quotes, or a number beyond all bounds.
    Date,
    /// A list.
    List,
    /// A table.
    Table,
}

impl Found {
    /// The kind of a value.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Text(_) => Self::Text,
            Value::Integer(_) => Self::Integer,
            Value::Float(_) => Self::Number,
            Value::Flag(_) => Self::Flag,
            Value::Date | Value::Unreadable => Self::Date,
            Value::List(_) => Self::List,
            Value::Table(_) => Self::Table,
        }
    }

    /// Its name for people.
    #[must_use]
    pub const fn words(self) -> Words {
        match self {
            Self::Text => Words::fixed("a text", "文字"),
            Self::Integer => Words::fixed("a whole number", "整数"),
            Self::Number => Words::fixed("a number", "数字"),
            Self::Flag => Words::fixed("true or false", " true 或 false"),
            Self::Date => Words::fixed("a date or a number out of range", "日期或超出范围的数字"),
            Self::List => Words::fixed("a list", "列表"),
            Self::Table => Words::fixed("a table", "表"),
        }
    }
}

/// A value of the wrong shape.
#[derive(Debug)]
pub struct WrongType<'k> {
    /// The key.
    pub key: &'k str,
    /// The shape of its values.
    pub expected: Shape,
    /// The shape of the value.
    pub found: Found,
    /// Whether the value is an item of a list.
    pub in_list: bool,
}

impl WrongType<'_> {
    /// `reply must be text, found a list`.
    #[must_use]
    pub fn message(&self, lang: Lang) -> String {
        let (key, found) = (self.key, self.found.words());
        let found = found.of(lang);
        if self.in_list {
            let item = match self.expected {
                Shape::TableList => say!(lang, "tables", "表"),
                _ => say!(lang, "texts", "文字"),
            };
            return say!(
                lang,
                "the items of {key} must be {item}, found {found}",
                "{key} 的各项应为{item}，却是{found}"
            );
        }
        let expected = self.expected.words();
        let expected = expected.of(lang);
        say!(lang, "{key} must be {expected}, found {found}", "{key} 应为{expected}，却是{found}")
    }
}
