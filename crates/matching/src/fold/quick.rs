//! Folding of the most frequent characters, in one pass and without a table: ASCII, ideographs, kana, Cyrillic, signs
//! of full width. None of these characters combines with another.

use std::cell::OnceCell;
use std::ops::Range;

use super::blanks::{is_idle, is_line_break};
use super::marks::{Blocks, Changes, Stays};
use super::reused::{Reused, Written};
use super::{Folded, Folding, Form, Other, Others, hant, none, segment, signs};

/// The folded text. `with_capitals` gets the text with its capital letters, if these are of ASCII and it is not the
/// original.
pub(super) fn fold<'t>(
    how: Folding,
    original: &'t str,
    with_capitals: Option<&OnceCell<Folded<'t>>>,
) -> Folded<'t> {
    let stays = match how.form {
        Form::Width => Stays::AsciiAndIdeographs,
        Form::Full | Form::KeepCase if how.hant => Stays::Signs,
        Form::Full | Form::KeepCase => Stays::SignsAndIdeographs,
    };
    let mut blocks = Blocks::of(original, stays);
    while blocks.advance() {
        if blocks.has_changes() {
            let mut copy = Copy::of(how, original);
            return match copy.fold(&mut blocks) {
                Some(()) => copy.finish(with_capitals),
                None => how.fold_slowly(original),
            };
        }
    }
    if blocks.have_capital() && how.form == Form::Full {
        return lower(how, original);
    }
    Folded { others: Some(SAME), ..how.unchanged(original) }
}

/// All foldings give the same.
const SAME: Others = {
    let unchanged = Other { is_same: true, is_original: true };
    Others { keep_case: unchanged, width: unchanged }
};

/// The other foldings give the original.
const ORIGINAL: Others = {
    let original = Other { is_same: false, is_original: true };
    Others { keep_case: original, width: original }
};

/// A text in which folding changes nothing but capital letters of ASCII.
fn lower(how: Folding, original: &str) -> Folded<'_> {
    let mut text = Reused::with_room(original.len());
    text.0.push_str(original);
    text.0.make_ascii_lowercase();
    Folded {
        original,
        same_until: original.len(),
        text: Written::Own(text),
        how,
        idle_blanks: none(),
        others: Some(ORIGINAL),
    }
}

/// The end of the spaces that begin there, and whether they do not count; `None` if that needs a closer look.
#[inline]
fn spaces(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    if bytes[at] != b' ' {
        return None;
    }
    let before = *bytes.get(at.wrapping_sub(1))?;
    let mut end = at + 1;
    let after = loop {
        match bytes.get(end)? {
            b' ' => end += 1,
            after => break *after,
        }
    };
    let begins_ideograph = |byte: u8| (0xe4..=0xe9).contains(&byte);
    let is_sign = |byte: u8| (b'!'..=0x7f).contains(&byte);
    let is_behind = bytes.get(at.wrapping_sub(3)).is_some_and(|byte| begins_ideograph(*byte));
    let is_before = begins_ideograph(after);
    let is_clear = (is_behind | is_sign(before)) & (is_before | is_sign(after));
    is_clear.then_some((end, is_behind != is_before))
}

/// The bytes of the blank of full width.
const WIDE_BLANK: usize = '\u{3000}'.len_utf8();

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
    same_until: usize,
    has_idle_blanks: bool,
    /// Whether spaces were left out that regexes see.
    drops_spaces: bool,
    has_capital: bool,
    /// Whether other letters than those of ASCII changed their case.
    has_other_case: bool,
    others: Others,
}

impl<'t> Copy<'t> {
    #[inline]
    fn of(how: Folding, original: &'t str) -> Self {
        Self {
            how,
            original,
            text: Reused::with_room(original.len()),
            copied: 0,
            same_until: usize::MAX,
            has_idle_blanks: false,
            drops_spaces: false,
            has_capital: false,
            has_other_case: false,
            others: SAME,
        }
    }

    /// Folds the text from the present block on; `None` if there is a character that needs a closer look.
    #[inline]
    fn fold(&mut self, blocks: &mut Blocks<'t>) -> Option<()> {
        // Where the blanks end that were looked at last.
        let mut blanks_until = 0;
        let (mut all_drops, mut all_idle) = (0, 0);
        loop {
            let (start, Changes { drops, idle, looks }) = blocks.changes();
            all_drops |= drops;
            all_idle |= idle;
            let mut places = drops | looks;
            while places != 0 {
                let bit = places.trailing_zeros();
                places &= places - 1;
                let at = start + bit as usize;
                if drops >> bit & 1 == 1 {
                    self.leave_out(at);
                } else if at >= blanks_until {
                    blanks_until = match spaces(self.original.as_bytes(), at) {
                        Some((end, false)) if end == at + 1 => end,
                        Some((end, is_idle)) => {
                            self.drop_spaces(at + usize::from(!is_idle), end, is_idle);
                            end
                        }
                        None => self.look_at(at)?,
                    };
                }
            }
            if !blocks.advance() {
                break;
            }
        }
        self.has_capital |= blocks.have_capital();
        self.has_idle_blanks |= all_idle != 0;
        self.drops_spaces |= all_drops != 0;
        Some(())
    }

    /// Looks at the blanks or the character at a place; gives the place behind them.
    #[inline]
    fn look_at(&mut self, at: usize) -> Option<usize> {
        match self.original.as_bytes()[at..] {
            // Signs, letters and digits of full width.
            [0xef, 0xbc, low @ 0x81..=0xbf, ..] => Some(self.wide(at, low - 0x60)),
            [0xef, 0xbd, low @ 0x80..=0x9e, ..] => Some(self.wide(at, low - 0x20)),
            // Chinese punctuation, kana and emoji stay.
            [0xe3, 0x80, 0x81..=0xa9, ..]
            | [0xe3, 0x81, 0x81..=0xbf, ..]
            | [0xe3, 0x82, 0x80..=0x94 | 0xa1..=0xbf, ..]
            | [0xe3, 0x83, 0x80..=0xba, ..] => Some(at + 3),
            [0xf0, 0x9f, 0x8c..=0xab, ..] => Some(at + 4),
            [b'\t'..=b'\r' | b' ', ..] | [0xe3, 0x80, 0x80, ..] if self.how.form != Form::Width => {
                let end = end_of_blanks(self.original, at);
                self.replace_blanks(at..end);
                Some(end)
            }
            _ => self.character(at),
        }
    }

    /// Takes the character of ASCII for one of full width; gives the place behind it.
    #[inline]
    fn wide(&mut self, at: usize, narrow: u8) -> usize {
        let is_capital = narrow.is_ascii_uppercase();
        self.has_capital |= is_capital;
        let is_same = !(is_capital && self.how.form == Form::Full);
        self.others.keep_case.note(is_same, false);
        self.others.width.note(is_same, false);
        let end = at + 3;
        self.replace(at..end, Some(char::from(narrow)));
        end
    }

    /// Folds the character at a place; gives the place behind it.
    fn character(&mut self, at: usize) -> Option<usize> {
        let c = self.original[at..].chars().next()?;
        let end = at + c.len_utf8();
        let now = simple(self.how, c)?;
        if now == c {
            return Some(end);
        }
        let keep_case = simple(Folding { form: Form::KeepCase, ..self.how }, c);
        self.others.keep_case.note(keep_case == Some(now), keep_case == Some(c));
        let width = simple(Folding::WIDTH, c);
        self.others.width.note(width == Some(now), width == Some(c));
        self.has_other_case |= keep_case != Some(now);
        self.replace(at..end, Some(now));
        Some(end)
    }

    /// Leaves out a space.
    #[inline]
    fn leave_out(&mut self, at: usize) {
        self.copy_until(at);
        self.same_until = self.same_until.min(self.text.0.len());
        self.copied = at + 1;
    }

    /// Leaves out spaces that do not count, or those behind the first of some.
    #[inline]
    fn drop_spaces(&mut self, at: usize, end: usize, is_idle: bool) {
        self.has_idle_blanks |= is_idle;
        self.drops_spaces = true;
        self.copy_until(at);
        self.same_until = self.same_until.min(self.text.0.len());
        self.copied = end;
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
        self.copy_until(part.start);
        if with.map_or(0, char::len_utf8) != part.len() {
            self.same_until = self.same_until.min(self.text.0.len());
        }
        if let Some(with) = with {
            self.text.0.push(with);
        }
        self.copied = part.end;
    }

    /// Copies the text before a place.
    #[inline(always)]
    fn copy_until(&mut self, at: usize) {
        self.text.0.push_str(&self.original[self.copied..at]);
    }

    fn finish(self, with_capitals: Option<&OnceCell<Folded<'t>>>) -> Folded<'t> {
        let Self { how, original, mut text, mut others, .. } = self;
        let lowers = self.has_capital && how.form == Form::Full;
        if self.copied == 0 {
            return if lowers {
                lower(how, original)
            } else {
                Folded { others: Some(others), ..how.unchanged(original) }
            };
        }
        if lowers {
            others.keep_case.note(false, true);
            others.width.note(false, true);
        }
        if self.drops_spaces {
            others.keep_case.note(true, false);
            others.width.note(false, true);
        }
        text.0.push_str(&original[self.copied..]);
        let same_until = self.same_until.min(text.0.len());
        let folded = |how, text, others| Folded {
            original,
            same_until,
            text: Written::Own(text),
            how,
            idle_blanks: if self.has_idle_blanks { OnceCell::new() } else { none() },
            others,
        };
        if let Some(with_capitals) = with_capitals.filter(|_| lowers && !self.has_other_case) {
            let mut kept = Reused::with_room(text.0.len());
            kept.0.push_str(&text.0);
            let how = Folding { form: Form::KeepCase, ..how };
            // If it was asked for before, it is the same.
            let _ = with_capitals.set(folded(how, kept, None));
        }
        if lowers {
            text.0.make_ascii_lowercase();
        }
        folded(how, text, Some(others))
    }
}
