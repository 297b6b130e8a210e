//! Folding of the most frequent characters, in one pass and without a table: ASCII, ideographs, kana, Cyrillic, signs
//! of full width. None of these characters combines with another.

use std::cell::OnceCell;
use std::ops::Range;

use super::blanks::{is_idle, is_line_break};
use super::marks::{Blocks, Stays};
use super::reused::{Reused, Written};
use super::{Folded, Folding, Form, Other, Others, hant, none, segment, signs};

/// The folded text; `None` if there is a character that needs a closer look. `with_capitals` gets the text with its
/// capital letters, if these are of ASCII and it is not the original.
pub(super) fn fold<'t>(
    how: Folding,
    original: &'t str,
    with_capitals: Option<&OnceCell<Folded<'t>>>,
) -> Option<Folded<'t>> {
    let stays = Stays { blanks: how.form == Form::Width, ideographs: !how.hant };
    let mut blocks = Blocks::of(original, stays);
    let mut folded = Copy::of(how, original);
    // Where the blanks end that were looked at last.
    let mut blanks_until = 0;
    while let Some((start, mut marks)) = blocks.next() {
        while marks != 0 {
            let at = start + marks.trailing_zeros() as usize;
            marks &= marks - 1;
            if at >= blanks_until {
                blanks_until = folded.look_at(at)?;
            }
        }
    }
    folded.has_capital |= blocks.have_capital();
    Some(folded.finish(with_capitals))
}

/// Whether a space there does not count; `None` if that needs a closer look.
#[inline]
fn is_idle_space(bytes: &[u8], at: usize) -> Option<bool> {
    let begins_ideograph = |byte: &u8| (0xe4..=0xe9).contains(byte);
    let is_sign = |byte: &u8| (b'!'..0x7f).contains(byte);
    let (before, after) = (bytes.get(at.wrapping_sub(1))?, bytes.get(at + 1)?);
    let is_behind = bytes.get(at.wrapping_sub(3)).is_some_and(begins_ideograph);
    let is_before = begins_ideograph(after);
    let is_clear = (is_behind | is_sign(before)) & (is_before | is_sign(after));
    is_clear.then_some(is_behind != is_before)
}

#[inline]
fn end_of_blanks(text: &str, at: usize) -> usize {
    let mut end = at;
    loop {
        end += match &text.as_bytes()[end..] {
            [b'\t'..=b'\r' | b' ', ..] => 1,
            [0xe3, 0x80, 0x80, ..] => WIDE_BLANK,
            _ => return end,
        };
    }
}

/// The bytes of the blank of full width.
const WIDE_BLANK: usize = '\u{3000}'.len_utf8();

/// The folded form of one character, white space left out.
#[inline]
fn simple(how: Folding, c: char) -> Option<char> {
    let c = match c {
        'A'..='Z' if how.form == Form::Full => return Some(c.to_ascii_lowercase()),
        '\0'..='\u{7f}' => return Some(c),
        '\u{3000}' => return Some(' '),
        '\u{3400}'..='\u{9fff}' => c,
        '\u{2010}'..='\u{201f}' if is_plain_in_width(c) => {
            return Some(if how.form == Form::Width { c } else { signs::plain(c)? });
        }
        _ => {
            let c = segment::simple_form(c)?;
            if how.form == Form::Full { super::fold_case(c) } else { c }
        }
    };
    Some(if how.hant { hant::simplify(c) } else { c })
}

/// Whether a sign has one width, and a plain form for everything but regexes.
fn is_plain_in_width(c: char) -> bool {
    signs::plain(c).is_some()
}

/// A copy of a text that begins with its first change. Capital letters of ASCII are kept until the end.
struct Copy<'t> {
    how: Folding,
    original: &'t str,
    text: Reused,
    /// Up to which byte of the original it goes.
    copied: usize,
    /// The place of the first character whose bytes differ from those of its original.
    same_until: Option<usize>,
    has_idle_blanks: bool,
    has_capital: bool,
    /// Whether other letters than those of ASCII changed their case.
    has_other_case: bool,
    others: Others,
}

impl<'t> Copy<'t> {
    #[inline]
    fn of(how: Folding, original: &'t str) -> Self {
        let unchanged = Other { is_same: true, is_original: true };
        Self {
            how,
            original,
            text: Reused::default(),
            copied: 0,
            same_until: None,
            has_idle_blanks: false,
            has_capital: false,
            has_other_case: false,
            others: Others { keep_case: unchanged, width: unchanged },
        }
    }

    /// Looks at the blanks or the character at a place; gives the place behind them.
    #[inline]
    fn look_at(&mut self, at: usize) -> Option<usize> {
        let bytes = self.original.as_bytes();
        if bytes[at] == b' '
            && let Some(is_idle) = is_idle_space(bytes, at)
        {
            if is_idle {
                self.drop_space(at);
            }
            return Some(at + 1);
        }
        if self.how.form != Form::Width {
            let end = end_of_blanks(self.original, at);
            if end > at {
                self.replace_blanks(at..end);
                return Some(end);
            }
        }
        let c = self.original[at..].chars().next()?;
        self.character(at, c)
    }

    /// Folds the character at a place; gives the place behind it.
    fn character(&mut self, at: usize, c: char) -> Option<usize> {
        let end = at + c.len_utf8();
        let now = simple(self.how, c)?;
        if now == c {
            return Some(end);
        }
        let keep_case = simple(Folding { form: Form::KeepCase, ..self.how }, c);
        self.others.keep_case.note(keep_case == Some(now), keep_case == Some(c));
        let width = simple(Folding::WIDTH, c);
        self.others.width.note(width == Some(now), width == Some(c));
        let capital = keep_case.filter(|kept| kept.is_ascii_uppercase() && *kept != now);
        self.has_capital |= capital.is_some();
        self.has_other_case |= capital.is_none() && keep_case != Some(now);
        self.replace(at..end, Some(capital.unwrap_or(now)));
        Some(end)
    }

    /// Leaves out a single space that does not count.
    #[inline]
    fn drop_space(&mut self, at: usize) {
        self.replace(at..at + 1, None);
        self.others.keep_case.note(true, false);
        self.others.width.note(false, true);
        self.has_idle_blanks = true;
    }

    /// Takes one space or none for a run of blanks.
    #[inline]
    fn replace_blanks(&mut self, blanks: Range<usize>) {
        let (before, after) = (&self.original[..blanks.start], &self.original[blanks.end..]);
        let run = &self.original.as_bytes()[blanks.clone()];
        let has_line_break = || run.iter().any(|byte| is_line_break(char::from(*byte)));
        let is_idle = match (before.chars().next_back(), after.chars().next()) {
            (Some(before), Some(after)) => is_idle(before, after) && !has_line_break(),
            _ => false,
        };
        if matches!(run, b" ") && !is_idle {
            return;
        }
        // No other blank here is of more than one byte.
        let is_wide = !run.is_ascii();
        self.others.keep_case.note(true, false);
        self.others.width.note(is_wide && run.len() == WIDE_BLANK && !is_idle, !is_wide);
        self.has_idle_blanks |= is_idle;
        // A space at the beginning stays where it is.
        let stays = run.starts_with(b" ") && !is_idle;
        let part = blanks.start + usize::from(stays)..blanks.end;
        self.replace(part, (!is_idle && !stays).then_some(' '));
    }

    /// Takes something else for a part of the original, or nothing.
    #[inline]
    fn replace(&mut self, part: Range<usize>, with: Option<char>) {
        if self.copied == 0 {
            self.text = Reused::with_room(self.original.len());
        }
        self.text.0.push_str(&self.original[self.copied..part.start]);
        if with.map_or(0, char::len_utf8) != part.len() {
            self.same_until = self.same_until.or(Some(self.text.0.len()));
        }
        if let Some(with) = with {
            self.text.0.push(with);
        }
        self.copied = part.end;
    }

    fn finish(mut self, with_capitals: Option<&OnceCell<Folded<'t>>>) -> Folded<'t> {
        let Self { how, original, .. } = self;
        let lowers = self.has_capital && how.form == Form::Full;
        if lowers {
            self.others.keep_case.note(false, true);
            self.others.width.note(false, true);
        }
        if self.copied == 0 && !lowers {
            return Folded { others: Some(self.others), ..how.unchanged(original) };
        }
        let is_changed = self.copied > 0;
        if !is_changed {
            self.text = Reused::with_room(original.len());
        }
        self.text.0.push_str(&original[self.copied..]);
        if let Some(with_capitals) = with_capitals.filter(|_| lowers && is_changed)
            && !self.has_other_case
        {
            let mut kept = Reused::with_room(self.text.0.len());
            kept.0.push_str(&self.text.0);
            let how = Folding { form: Form::KeepCase, ..how };
            // If it was asked for before, it is the same.
            let _ = with_capitals.set(self.folded(how, kept, None));
        }
        let mut text = std::mem::take(&mut self.text);
        if lowers {
            text.0.make_ascii_lowercase();
        }
        self.folded(how, text, Some(self.others))
    }

    fn folded(&self, how: Folding, text: Reused, others: Option<Others>) -> Folded<'t> {
        Folded {
            original: self.original,
            same_until: self.same_until.unwrap_or(text.0.len()),
            text: Written::Own(text),
            how,
            idle_blanks: if self.has_idle_blanks { OnceCell::new() } else { none() },
            others,
        }
    }
}
