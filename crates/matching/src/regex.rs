//! Regular expressions as conditions.
//!
//! Parsed as written; then literals and class members are folded to one width, so that `：` matches both widths and
//! `（` is never syntax. They run on the width-folded text ([`Folding::WIDTH`](crate::fold::Folding::WIDTH)).

mod classes;
mod fixed;
mod program;
mod slashes;
mod width;

use std::ops::Range;
use std::sync::Arc;

use crate::Captures;
use regex_syntax::ast::{self, Ast, ErrorKind as Syntax};
use regex_syntax::hir::translate::TranslatorBuilder;
use regex_syntax::hir::{Hir, HirKind};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::fold::Folded;
use crate::pattern::CaptureName;

pub use program::{MAX_INSTRUCTIONS, Program};
pub use slashes::Slashed;

/// The length of the text, in characters, for which [`MAX_STEPS`] is meant.
pub const LIMITED_TEXT: usize = 2_000;

/// An expression that can take more steps than this is refused; a step takes about 4 ns on a small machine.
pub const MAX_STEPS: usize = 10_000_000;

/// A regular expression, ready to run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct RegexCondition {
    source: Arc<str>,
    case: bool,
    hir: Hir,
    program: Arc<Program>,
}

/// A regular expression that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{kind}")]
pub struct RegexError {
    /// Where, in bytes of the expression.
    pub span: Range<usize>,
    /// The mistake there.
    pub kind: RegexErrorKind,
}

/// A mistake in a regular expression.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RegexErrorKind {
    /// It cannot be read; in the words of the parser.
    #[error("{0}")]
    Syntax(String),
    /// `(?=`, `(?!`, `(?<=` or `(?<!`.
    #[error("look-around is not supported")]
    LookAround {
        /// Whether it excludes what it looks for: `(?!` or `(?<!`.
        is_negative: bool,
    },
    /// `\1`, `\k<name>` or `(?P=name)`.
    #[error("back-references are not supported")]
    BackReference,
    /// Its program would be too long.
    #[error("it needs more than {MAX_INSTRUCTIONS} instructions")]
    TooLong,
    /// Its program could take too long.
    #[error(
        "it can take {steps} steps in a text of {LIMITED_TEXT} characters, and {MAX_STEPS} are the limit"
    )]
    TooSlow {
        /// The steps at worst, in a text of [`LIMITED_TEXT`] characters.
        steps: usize,
    },
}

impl RegexErrorKind {
    /// Whether the whole expression passes a limit, so that no single place in it is wrong.
    #[must_use]
    pub fn is_too_costly(&self) -> bool {
        matches!(self, Self::TooLong | Self::TooSlow { .. })
    }
}

impl RegexCondition {
    /// Reads a regular expression; without `case` it ignores case.
    ///
    /// # Errors
    ///
    /// [`RegexError`] with the place of the first mistake.
    pub fn parse(source: &str, case: bool) -> Result<Self, RegexError> {
        let mut tree = syntax_tree(source)?;
        width::fold(&mut tree);
        classes::take_apart(&mut tree);
        let (hir, program) = compile(source, &tree, case)?;
        Ok(Self { source: source.into(), case, hir, program: Arc::new(program) })
    }

    /// The expression as written.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Its meaning, for finding the texts that every match contains.
    pub fn hir(&self) -> &Hir {
        &self.hir
    }

    /// The program that runs it.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// The names and numbers of its groups.
    pub fn captures(&self) -> Vec<CaptureName> {
        let mut captures = Vec::new();
        collect_captures(&self.hir, true, &mut captures);
        captures
    }

    /// Whether it is found in any text whatsoever, the empty one included.
    pub fn matches_every(&self) -> bool {
        // Texts that have nothing in common; an expression found in all of them requires nothing.
        self.hir.properties().minimum_len() == Some(0)
            && ["", "a", "汉", "!", " ", "1 2"].iter().all(|text| self.program.is_match(text))
    }

    /// The expression without the slashes around it, if it has them, as in JavaScript.
    pub fn slashed(&self) -> Option<Slashed> {
        slashes::read(&self.source)
    }

    /// Whether it is certainly found in no text.
    pub fn never_matches(&self) -> bool {
        slashes::never_matches(&self.hir)
    }

    /// Whether every match contains one of a few fixed texts, by which an index can find it.
    #[must_use]
    pub fn has_fixed_text(&self) -> bool {
        fixed::has_fixed_text(&self.hir)
    }

    /// The captures in a width-folded text, in original characters; `None` if it is not found there.
    pub fn find(&self, text: &Folded<'_>) -> Option<Captures> {
        self.program.captures(text)
    }
}

/// The program of a regular expression in which case and width count, for texts that are not folded.
///
/// # Errors
///
/// [`RegexError`] with the place of the first mistake.
pub fn exact(source: &str) -> Result<Program, RegexError> {
    let (_, program) = compile(source, &syntax_tree(source)?, true)?;
    Ok(program)
}

fn syntax_tree(source: &str) -> Result<Ast, RegexError> {
    ast::parse::Parser::new().parse(source).map_err(|error| of_ast(source, &error))
}

fn compile(source: &str, tree: &Ast, case: bool) -> Result<(Hir, Program), RegexError> {
    let mut translator = TranslatorBuilder::new().case_insensitive(!case).build();
    let hir = translator.translate(source, tree).map_err(|error| RegexError {
        span: bytes(error.span()),
        kind: RegexErrorKind::Syntax(error.kind().to_string()),
    })?;
    let refused = |kind| RegexError { span: 0..source.len(), kind };
    let program = Program::new(&hir).ok_or_else(|| refused(RegexErrorKind::TooLong))?;
    let steps = program.worst_steps(LIMITED_TEXT);
    if steps > MAX_STEPS {
        return Err(refused(RegexErrorKind::TooSlow { steps }));
    }
    Ok((hir, program))
}

/// A regular expression as it is stored.
#[derive(Serialize, Deserialize)]
struct Written {
    regex: String,
    case: bool,
}

impl TryFrom<Written> for RegexCondition {
    type Error = RegexError;

    fn try_from(written: Written) -> Result<Self, RegexError> {
        Self::parse(&written.regex, written.case)
    }
}

impl From<RegexCondition> for Written {
    fn from(regex: RegexCondition) -> Self {
        Self { regex: regex.source.to_string(), case: regex.case }
    }
}

fn of_ast(source: &str, error: &ast::Error) -> RegexError {
    let span = bytes(error.span());
    let here = &source[span.start..];
    let kind = match error.kind() {
        Syntax::UnsupportedLookAround => RegexErrorKind::LookAround {
            is_negative: here.starts_with("(?!") || here.starts_with("(?<!"),
        },
        Syntax::UnsupportedBackreference => RegexErrorKind::BackReference,
        _ if here.starts_with(r"\k") || source[..span.end].ends_with("(?P=") => {
            RegexErrorKind::BackReference
        }
        other => RegexErrorKind::Syntax(other.to_string()),
    };
    RegexError { span, kind }
}

fn bytes(span: &ast::Span) -> Range<usize> {
    span.start.offset..span.end.offset
}

fn collect_captures(hir: &Hir, always: bool, captures: &mut Vec<CaptureName>) {
    match hir.kind() {
        HirKind::Capture(capture) => {
            let name = capture
                .name
                .as_ref()
                .map_or_else(|| capture.index.to_string(), ToString::to_string);
            captures.push(CaptureName { name, always });
            collect_captures(&capture.sub, always, captures);
        }
        HirKind::Repetition(repetition) => {
            collect_captures(&repetition.sub, always && repetition.min > 0, captures);
        }
        HirKind::Concat(parts) => {
            parts.iter().for_each(|part| collect_captures(part, always, captures));
        }
        HirKind::Alternation(parts) => {
            parts.iter().for_each(|part| collect_captures(part, false, captures));
        }
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => {}
    }
}

#[cfg(test)]
mod tests;
