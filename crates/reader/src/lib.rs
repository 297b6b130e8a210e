#![doc = include_str!("../README.md")]

mod closest;
mod duration;
mod finding;
mod grammar;
mod key;
mod numerals;
mod page;
mod phrases;
mod quantities;
mod reading;
mod schema;
mod shape;
mod source;
mod syntax;
mod table;
mod tree;
mod typed;
mod values;
mod width;

pub use mynah_core::{Lang, Words};

pub use closest::closest;
pub use duration::{BadDuration, WhyBad, YEAR, duration, duration_pattern};
pub use finding::{Finding, Severity};
pub use grammar::Grammar;
pub use key::{Key, Kind};
pub use numerals::arabic;
pub use page::reference;
pub use phrases::{any_of, did_you_mean, missing, unknown_key};
pub use quantities::{LONGEST, Rate};
pub use reading::{ExtraKeys, Keys, Mistake, Reading};
pub use schema::json_schema;
pub use shape::{Found, Shape, WrongType};
pub use source::{Line, SourceText, floor_boundary};
pub use syntax::Syntax;
pub use table::KeyGrammar;
pub use tree::{Entry, Node, Parsed, TableNode, TextPlaces, Value, parse};
pub use typed::Unfit;
pub use values::{Setting, Values};
pub use width::plain_width;

/// A text in the language asked for; both forms stand beside each other.
#[macro_export]
macro_rules! say {
    ($lang:expr, $en:literal, $zh:literal $(,)?) => {
        match $lang {
            $crate::Lang::En => format!($en),
            $crate::Lang::Zh => format!($zh),
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small grammar of rules, for the tests of this crate.
    pub(crate) struct Rules;

    impl Grammar for Rules {
        fn header(&self, name: &str) -> Option<String> {
            matches!(name, "rule" | "test").then(|| format!("[[{name}]]"))
        }

        fn has_shape(&self, key: &str, shape: Shape) -> bool {
            self.shape(key) == Some(shape)
        }

        fn shape(&self, key: &str) -> Option<Shape> {
            match key {
                "keyword" | "regex" => Some(Shape::TextOrList),
                "reply" | "send" => Some(Shape::Text),
                _ => None,
            }
        }

        fn is_word(&self, word: &str) -> bool {
            self.shape(word).is_some() || word == "关键词"
        }

        fn is_table(&self, word: &str) -> bool {
            word == "rule"
        }

        fn names_a_file(&self, _: &str) -> bool {
            false
        }
    }
}
