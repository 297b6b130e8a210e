//! The beginnings of all matches: places where none can begin need not be tried.

use std::sync::Arc;

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind};

use super::char_set::CharSet;

/// Where a match can begin.
#[derive(Debug)]
pub(super) enum Begin {
    /// At the beginning of the text only.
    OfText,
    /// With this text.
    Text(Box<str>),
    /// With one of these characters.
    OneOf(Arc<CharSet>),
    /// Anywhere.
    Anywhere,
}

impl Begin {
    /// Where the matches of a regex can begin.
    pub(super) fn of(hir: &Hir) -> Self {
        if hir.properties().look_set_prefix().contains(regex_syntax::hir::Look::Start) {
            return Self::OfText;
        }
        let text = text(hir);
        if !text.is_empty() {
            return Self::Text(text.into());
        }
        match first(hir) {
            First { class, may_be_empty: false } => {
                Self::OneOf(CharSet::of(&Class::Unicode(class)))
            }
            First { may_be_empty: true, .. } => Self::Anywhere,
        }
    }

    /// Bytes on the heap.
    pub(super) fn heap(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::OneOf(set) => CharSet::heap(set),
            Self::OfText | Self::Anywhere => 0,
        }
    }
}

/// The literal with which every match begins; empty if there is none.
fn text(hir: &Hir) -> String {
    match hir.kind() {
        HirKind::Literal(literal) => String::from_utf8_lossy(&literal.0).into_owned(),
        HirKind::Capture(capture) => text(&capture.sub),
        HirKind::Concat(parts) => parts.first().map(text).unwrap_or_default(),
        HirKind::Repetition(repetition) if repetition.min > 0 => text(&repetition.sub),
        HirKind::Repetition(_)
        | HirKind::Empty
        | HirKind::Class(_)
        | HirKind::Look(_)
        | HirKind::Alternation(_) => String::new(),
    }
}

/// With which characters a part can begin.
struct First {
    class: ClassUnicode,
    /// Whether it can also match nothing, so that the next part begins.
    may_be_empty: bool,
}

impl First {
    fn nothing() -> Self {
        Self { class: ClassUnicode::empty(), may_be_empty: true }
    }
}

fn first(hir: &Hir) -> First {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => First::nothing(),
        HirKind::Literal(literal) => {
            let text = String::from_utf8_lossy(&literal.0);
            let range = text.chars().next().map(|c| ClassUnicodeRange::new(c, c));
            First { class: ClassUnicode::new(range), may_be_empty: range.is_none() }
        }
        HirKind::Class(Class::Unicode(class)) => {
            First { class: class.clone(), may_be_empty: false }
        }
        HirKind::Class(Class::Bytes(class)) => {
            let ranges = class.ranges().iter();
            let ranges = ranges
                .map(|range| ClassUnicodeRange::new(range.start().into(), range.end().into()));
            First { class: ClassUnicode::new(ranges), may_be_empty: false }
        }
        HirKind::Capture(capture) => first(&capture.sub),
        HirKind::Repetition(repetition) => {
            let one = first(&repetition.sub);
            First { may_be_empty: one.may_be_empty || repetition.min == 0, ..one }
        }
        HirKind::Concat(parts) => {
            let mut all = First::nothing();
            for part in parts {
                let next = first(part);
                all.class.union(&next.class);
                if !next.may_be_empty {
                    return First { may_be_empty: false, ..all };
                }
            }
            all
        }
        HirKind::Alternation(parts) => parts.iter().fold(
            First { class: ClassUnicode::empty(), may_be_empty: false },
            |mut all, part| {
                let next = first(part);
                all.class.union(&next.class);
                First { may_be_empty: all.may_be_empty || next.may_be_empty, ..all }
            },
        ),
    }
}
