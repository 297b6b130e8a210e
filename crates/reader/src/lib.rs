#![doc = include_str!("../README.md")]

mod closest;
mod duration;
mod finding;
mod key;
mod numerals;
mod source;
mod width;

pub use mynah_core::{Lang, Words};

pub use closest::closest;
pub use duration::{BadDuration, WhyBad, YEAR, duration, duration_pattern};
pub use finding::{Finding, Severity};
pub use key::{Key, Kind};
pub use numerals::arabic;
pub use source::{Line, SourceText, floor_boundary};
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
