#![doc = include_str!("../README.md")]
//!
//! # For those who read the code
//!
//! [`fold`] makes texts comparable. [`keyword`], [`pattern`] and [`regex`] are the three kinds of condition, [`Conditions`]
//! joins them, and [`Text`] keeps each folded form of a text that they ask for. The [`engine`] finds the few conditions
//! that can hold among many. [`glob`] and [`template`] are two small languages beside them.

pub mod conditions;
pub mod engine;
pub mod fold;
pub mod glob;
mod items;
pub mod keyword;
mod lists;
mod literals;
mod longest;
pub(crate) mod numerals;
pub mod pattern;
mod punctuation;
pub mod regex;
mod set;
mod sixteen;
pub mod template;
mod text;

pub use conditions::Conditions;
pub use lists::{List, Lists};
pub use literals::Literals;
pub use longest::Longest;
pub use set::{Found, Set};
pub use text::{MAX_CHARACTERS, Text};

/// The texts that a pattern or regex captures, by name, or by number where a group has no name.
pub type Captures = std::collections::BTreeMap<String, String>;

/// How many cases a property test tries: all where CI runs, a tenth of them at a desk, `PROPTEST_CASES` if it is set.
#[cfg(test)]
fn cases(all: u32) -> u32 {
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    wanted.unwrap_or(if std::env::var_os("CI").is_some() { all } else { all / 10 })
}
