//! Folding of the most frequent characters, in one pass and without a table: ASCII, ideographs, kana, Cyrillic, signs
//! of full width. None of these characters combines with another.

use std::borrow::Cow;
use std::ops::Range;

use super::blanks::{is_idle, is_line_break};
use super::{Folding, Form, Other, Others, hant, segment, signs};

/// A text folded quickly.
pub(super) struct Quick<'t> {
    pub(super) text: Cow<'t, str>,
    /// Up to where every character is at the same bytes as before.
    pub(super) same_until: usize,
    /// Whether there are blanks that do not count.
    pub(super) has_idle_blanks: bool,
    pub(super) others: Others,
}

/// The folded text; `None` if there is a character that needs a closer look.
pub(super) fn fold(how: Folding, original: &str) -> Option<Quick<'_>> {
    fold_noting(how, original, |_| ())
}

/// Where in the folded text blanks stood that do not count, in order; `None` as with [`fold`].
pub(super) fn idle_blanks(how: Folding, original: &str) -> Option<Vec<usize>> {
    let mut places = Vec::new();
    fold_noting(how, original, |place| places.push(place))?;
    Some(places)
}

/// The folded text; gives the place of each blank that does not count.
#[inline]
fn fold_noting(
    how: Folding,
    original: &str,
    mut note_idle: impl FnMut(usize),
) -> Option<Quick<'_>> {
    let mut folded = Copy::of(original);
    let mut chunks = Chunks { bytes: original.as_bytes(), hant: how.hant, end: 0, leaving: 0 };
    // Where the blanks end that were looked at last.
    let mut blanks_until = 0;
    let mut at = 0;
    loop {
        at = chunks.next_that_leaves(at);
        let Some(c) = original[at..].chars().next() else { return Some(folded.finish()) };
        let is_behind_blank = at != blanks_until && original[..at].ends_with(' ');
        if how.form != Form::Width && (is_blank(c) || is_behind_blank) {
            let (start, end) =
                (start_of_blanks(original, at, blanks_until), end_of_blanks(original, at));
            folded.replace_blanks(start..end, &mut note_idle);
            (at, blanks_until) = (end, end);
            // The character behind them may change as well.
            let Some(c) = original[at..].chars().next() else { return Some(folded.finish()) };
            at = folded.character(how, at, c)?;
        } else {
            at = folded.character(how, at, c)?;
        }
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, '\t'..='\r' | ' ' | '\u{3000}')
}

/// The beginning of the blanks before or at a place, none of which is before `from`.
#[inline]
fn start_of_blanks(text: &str, at: usize, from: usize) -> usize {
    let mut start = at;
    loop {
        start -= match &text.as_bytes()[from..start] {
            [.., b'\t'..=b'\r' | b' '] => 1,
            [.., 0xe3, 0x80, 0x80] => WIDE_BLANK,
            _ => return start,
        };
    }
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

/// So many bytes are looked at together: one step of a vector machine.
const CHUNK: usize = 16;

/// Looks for the characters that some folding may change.
struct Chunks<'t> {
    bytes: &'t [u8],
    hant: bool,
    /// Where the chunk ends that is looked at, or 0 if none is.
    end: usize,
    /// A byte that is not zero for each byte in it that does not surely stay.
    leaving: u128,
}

impl Chunks<'_> {
    /// The place of the first character from a place on that does not surely stay, or the end.
    #[inline]
    fn next_that_leaves(&mut self, from: usize) -> usize {
        loop {
            if from < self.end {
                let passed = 8 * (from + CHUNK).saturating_sub(self.end);
                let left = self.leaving >> passed << passed;
                if left != 0 {
                    let at = self.end - CHUNK + (left.trailing_zeros() / u8::BITS) as usize;
                    // Some ideographs are recognised by their second byte only.
                    let is_inside = self.bytes.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
                    return at - usize::from(is_inside);
                }
            }
            self.look_at_next();
        }
    }

    #[inline]
    fn look_at_next(&mut self) {
        let rest = self.bytes.get(self.end..).unwrap_or_default();
        let chunk = rest
            .first_chunk()
            .map_or_else(|| self.last_bytes(rest.len()), |chunk| u128::from_le_bytes(*chunk));
        let before = self.end.checked_sub(1).map_or(0, |at| self.bytes[at]);
        let befores = (chunk << 8 | u128::from(before)).to_le_bytes();
        self.end += CHUNK;
        self.leaving = if self.hant {
            leaving(befores, chunk.to_le_bytes(), ascii_stays)
        } else {
            leaving(befores, chunk.to_le_bytes(), stays)
        };
    }

    /// The last bytes, fewer than a chunk. Zeros follow them, which do not stay.
    fn last_bytes(&self, count: usize) -> u128 {
        match self.bytes.last_chunk() {
            Some(end) if count > 0 => u128::from_le_bytes(*end) >> (8 * (CHUNK - count)),
            _ => {
                let last = self.bytes.iter().rev().take(count);
                last.fold(0, |bytes, byte| bytes << 8 | u128::from(*byte))
            }
        }
    }
}

/// A byte that is not zero for each byte of a chunk that does not surely stay, each with the byte before it.
#[inline]
fn leaving(befores: [u8; CHUNK], chunk: [u8; CHUNK], stays: impl Fn(u8, u8) -> bool) -> u128 {
    let mut leaving = [0; CHUNK];
    for (leaving, (before, byte)) in leaving.iter_mut().zip(befores.iter().zip(&chunk)) {
        *leaving = if stays(*before, *byte) { 0 } else { u8::MAX };
    }
    u128::from_le_bytes(leaving)
}

/// Whether a byte behind another belongs to a character that every folding leaves as it is, at a glance: ASCII but for
/// capitals and control characters, single spaces behind ASCII, and the ideographs from U+4E00 to U+9FFF unless they are
/// behind a space. Without short cuts, so that many can be recognised at once.
#[inline]
fn stays(before: u8, byte: u8) -> bool {
    // Ideographs begin with E4 to E9; the second byte rules out the other characters that begin with E4.
    let begins = (0xe4..=0xe9).contains(&byte) & (before != b' ');
    let goes_on = (0x80..0xc0).contains(&byte) & ((before != 0xe4) | (byte >= 0xb8));
    ascii_stays(before, byte) | begins | goes_on
}

#[inline]
fn ascii_stays(before: u8, byte: u8) -> bool {
    let is_capital = byte.is_ascii_uppercase();
    let single_space = (byte == b' ') & (before > b' ') & (before < 0x80);
    ((byte > b' ') & (byte < 0x7f) & !is_capital) | single_space
}

/// The folded form of one character, white space left out.
#[inline]
fn simple(how: Folding, c: char) -> Option<char> {
    let c = match c {
        'A'..='Z' if how.form == Form::Full => return Some(c.to_ascii_lowercase()),
        '\0'..='\u{7f}' => return Some(c),
        '\u{3000}' => return Some(' '),
        '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' => c,
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

/// A copy of a text that begins with its first change.
struct Copy<'t> {
    original: &'t str,
    text: String,
    /// Up to which byte of the original it goes.
    copied: usize,
    /// The place of the first character whose bytes differ from those of its original.
    same_until: Option<usize>,
    has_idle_blanks: bool,
    others: Others,
}

impl<'t> Copy<'t> {
    fn of(original: &'t str) -> Self {
        let unchanged = Other { is_same: true, is_original: true };
        Self {
            original,
            text: String::new(),
            copied: 0,
            same_until: None,
            has_idle_blanks: false,
            others: Others { keep_case: unchanged, width: unchanged },
        }
    }

    /// Folds the character at a place; gives the place behind it.
    #[inline]
    fn character(&mut self, how: Folding, at: usize, c: char) -> Option<usize> {
        let end = at + c.len_utf8();
        if how.form == Form::Full && c.is_ascii_uppercase() {
            self.others.keep_case.note(false, true);
            self.others.width.note(false, true);
            self.replace(at..end, Some(c.to_ascii_lowercase()));
            return Some(end);
        }
        let now = simple(how, c)?;
        if now != c {
            let keep_case = simple(Folding { form: Form::KeepCase, ..how }, c);
            self.others.keep_case.note(keep_case == Some(now), keep_case == Some(c));
            let width = simple(Folding::WIDTH, c);
            self.others.width.note(width == Some(now), width == Some(c));
            self.replace(at..end, Some(now));
        }
        Some(end)
    }

    /// Takes one space or none for a run of blanks.
    #[inline]
    fn replace_blanks(&mut self, blanks: Range<usize>, note_idle: &mut impl FnMut(usize)) {
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
        self.replace(blanks, (!is_idle).then_some(' '));
        if is_idle {
            self.has_idle_blanks = true;
            note_idle(self.text.len());
        }
    }

    /// Takes something else for a part of the original, or nothing.
    #[inline]
    fn replace(&mut self, part: Range<usize>, with: Option<char>) {
        if self.text.capacity() == 0 {
            self.text = String::with_capacity(self.original.len());
        }
        self.text.push_str(&self.original[self.copied..part.start]);
        if with.map_or(0, char::len_utf8) != part.len() {
            self.same_until = self.same_until.or(Some(self.text.len()));
        }
        self.text.extend(with);
        self.copied = part.end;
    }

    fn finish(mut self) -> Quick<'t> {
        let Self { original, has_idle_blanks, same_until, others, .. } = self;
        if self.copied == 0 {
            let (text, same_until) = (Cow::Borrowed(original), original.len());
            return Quick { text, same_until, has_idle_blanks, others };
        }
        self.text.push_str(&original[self.copied..]);
        let same_until = same_until.unwrap_or(self.text.len());
        Quick { text: Cow::Owned(self.text), same_until, has_idle_blanks, others }
    }
}
