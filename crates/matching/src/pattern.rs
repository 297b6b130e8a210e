//! Sentences with holes: `天气 {city}`, `退款 {no:int} [谢谢]`, `(买|卖) {what}`.
//!
//! This file reads and prints them; [`Matcher`] holds them against texts.

mod instances;
mod matcher;
mod parser;
mod width;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use thiserror::Error;

use crate::fold::Folding;
use crate::{List, Lists};

pub use instances::Fillings;
pub use matcher::Matcher;
pub use width::Slip;

/// The longest pattern in characters: keeps the work per text small. A longer sentence is not a sentence.
pub const MAX_LENGTH: usize = 500;

/// How deep `[` and `(` may be nested.
const MAX_DEPTH: usize = 16;

/// A sentence with holes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    /// Words as written, spaces included.
    Text(String),
    /// A place for any text.
    Hole { name: String, kind: HoleKind },
    /// `<name>`: an item of that list.
    OneOf { name: String, list: Arc<List> },
    /// `[x]`: may be missing.
    Optional(Vec<Node>),
    /// `(a|b)`: one of them.
    Either(Vec<Vec<Node>>),
}

/// The texts that a hole takes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum HoleKind {
    /// At least one character, apart from spaces around it.
    Text,
    /// A whole number, also in Chinese numerals.
    Int,
    /// Any number.
    Number,
    /// An item of a list, which is named or written out.
    OneOf { written: String, list: Arc<List> },
}

/// A name that a condition captures.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CaptureName {
    /// The name, or the number of a regex group without one.
    pub name: String,
    /// Whether every match sets it.
    pub always: bool,
}

/// A pattern that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{kind}")]
pub struct PatternError {
    /// Where, in bytes of the pattern.
    pub span: Range<usize>,
    /// The mistake there.
    pub kind: PatternErrorKind,
}

/// A mistake in a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PatternErrorKind {
    /// `{`, `[` or `(` without its counterpart.
    #[error("`{0}` is never closed")]
    Unclosed(char),
    /// `}`, `]` or `)` without its counterpart.
    #[error("`{0}` has no opening bracket")]
    Unopened(char),
    /// Nothing between the braces.
    #[error("a hole needs a name")]
    NoName,
    /// The text between the braces is not a name.
    #[error("`{0}` is not a valid name")]
    BadName(String),
    /// A kind after the colon that does not exist.
    #[error("`{0}` is not a kind of hole: int, number, a list, or items with | between them")]
    UnknownKind(String),
    /// `|` outside of brackets.
    #[error("`|` is outside of brackets")]
    BarOutside,
    /// The same name twice on one way through the pattern.
    #[error("two holes are called {0}")]
    SameName(String),
    /// Two holes with nothing between them to tell where one ends.
    #[error("two holes need a word or space between them")]
    HolesMeet,
    /// `[]`, `()` or `(a|)`.
    #[error("this part is empty")]
    Nothing,
    /// The pattern fits an empty text.
    #[error("every part of it may be missing")]
    FitsNothing,
    /// Too many `[` and `(` inside each other.
    #[error("brackets are nested too deep")]
    TooDeep,
    /// More characters than a pattern may have.
    #[error("a pattern has at most {MAX_LENGTH} characters")]
    TooLong,
}

/// The sign of full width in a pattern that was probably meant as a sign of the language, whether or not the pattern can
/// be read.
pub fn slip_in(source: &str, error: Option<&PatternErrorKind>) -> Option<Slip> {
    match error {
        None | Some(PatternErrorKind::BarOutside) => width::slip(source),
        Some(PatternErrorKind::Unclosed(_) | PatternErrorKind::Unopened(_)) => width::mixed(source),
        Some(_) => None,
    }
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// [`PatternError`] with the place of the first mistake.
    pub fn parse(source: &str) -> Result<Self, PatternError> {
        Self::parse_with(source, &Lists::new())
    }

    /// Reads a pattern that can name lists: `{city:cities}`, `<cities>`.
    ///
    /// # Errors
    ///
    /// [`PatternError`] with the place of the first mistake.
    pub fn parse_with(source: &str, lists: &Lists) -> Result<Self, PatternError> {
        parser::parse(source, lists)
    }

    /// Whether it fits every text: one hole, and nothing else that must be there.
    #[must_use]
    pub fn fits_every(&self) -> bool {
        let matcher = Matcher::new(self, Folding::new(false, false));
        // Texts that have nothing in common; a pattern that fits all of them requires nothing.
        ["a", "汉", "1 2", "ʬ 𪚥"].iter().all(|text| matcher.fit(text).is_some())
    }

    /// The names it captures, each once.
    #[must_use]
    pub fn captures(&self) -> Vec<CaptureName> {
        let captures = captures_of(&self.nodes).into_iter();
        captures.map(|(name, always)| CaptureName { name: name.to_owned(), always }).collect()
    }
}

impl Pattern {
    /// How many characters of every text that it fits are fixed, blanks left out.
    #[must_use]
    pub fn fixed_characters(&self) -> usize {
        fixed_characters(&self.nodes)
    }
}

fn fixed_characters(nodes: &[Node]) -> usize {
    let of_node = |node: &Node| match node {
        Node::Text(text) => text.chars().filter(|c| !c.is_whitespace()).count(),
        Node::Hole { .. } | Node::OneOf { .. } | Node::Optional(_) => 0,
        Node::Either(branches) => {
            branches.iter().map(|branch| fixed_characters(branch)).min().unwrap_or(0)
        }
    };
    nodes.iter().map(of_node).sum()
}

/// The names set by a sequence, and whether every way through it sets them.
fn captures_of(nodes: &[Node]) -> BTreeMap<&str, bool> {
    let mut captures = BTreeMap::new();
    for node in nodes {
        match node {
            Node::Text(_) | Node::OneOf { .. } => {}
            Node::Hole { name, .. } => {
                captures.insert(name.as_str(), true);
            }
            Node::Optional(inner) => {
                for name in captures_of(inner).into_keys() {
                    captures.entry(name).or_insert(false);
                }
            }
            Node::Either(branches) => captures.extend(captures_of_either(branches)),
        }
    }
    captures
}

fn captures_of_either(branches: &[Vec<Node>]) -> BTreeMap<&str, bool> {
    let each: Vec<_> = branches.iter().map(|branch| captures_of(branch)).collect();
    let names = each.iter().flat_map(BTreeMap::keys);
    // Collecting would add a sort to the program.
    let mut captures = BTreeMap::new();
    captures.extend(
        names.map(|name| (*name, each.iter().all(|captures| captures.get(name) == Some(&true)))),
    );
    captures
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_nodes(f, &self.nodes)
    }
}

fn write_nodes(f: &mut fmt::Formatter<'_>, nodes: &[Node]) -> fmt::Result {
    for node in nodes {
        match node {
            Node::Text(text) => write!(f, "{}", text.replace('{', "{{").replace('}', "}}"))?,
            Node::Hole { name, kind: HoleKind::Text } => write!(f, "{{{name}}}")?,
            Node::Hole { name, kind: HoleKind::Int } => write!(f, "{{{name}:int}}")?,
            Node::Hole { name, kind: HoleKind::Number } => write!(f, "{{{name}:number}}")?,
            Node::Hole { name, kind: HoleKind::OneOf { written, .. } } => {
                write!(f, "{{{name}:{written}}}")?;
            }
            Node::OneOf { name, .. } => write!(f, "<{name}>")?,
            Node::Optional(inner) => {
                f.write_str("[")?;
                write_nodes(f, inner)?;
                f.write_str("]")?;
            }
            Node::Either(branches) => {
                for (n, branch) in branches.iter().enumerate() {
                    f.write_str(if n == 0 { "(" } else { "|" })?;
                    write_nodes(f, branch)?;
                }
                f.write_str(")")?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
