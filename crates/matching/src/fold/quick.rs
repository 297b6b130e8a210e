//! Folding of the most frequent characters, in one pass and without a table: ASCII, ideographs, kana, Cyrillic, signs
//! of full width. None of these characters combines with another.

use std::borrow::Cow;

use super::{Folding, Form, hant, segment};

/// The folded text, and up to where every character is at the same bytes as before. `None` if there is a character that
/// needs a closer look.
pub(super) fn fold(how: Folding, original: &str) -> Option<(Cow<'_, str>, usize)> {
    let mut folded = Copy { original, text: String::new(), copied: 0, same_until: None };
    let bytes = original.as_bytes();
    let mut chunks = Chunks { bytes, hant: how.hant, end: 0, leaving: 0 };
    // Where the character ends that was looked at last, if it was white space.
    let mut space_until = None;
    let mut at = 0;
    loop {
        // Two spaces in a row are seen by the bytes, but for those that are not written as such.
        if !(space_until == Some(at) && bytes.get(at) == Some(&b' ')) {
            at = chunks.next_that_leaves(at);
        }
        let Some(c) = original[at..].chars().next() else { return Some(folded.finish()) };
        let is_space = matches!(c, '\t'..='\r' | ' ' | '\u{3000}');
        if is_space && how.form != Form::Width {
            let after_space = space_until == Some(at) || original[..at].ends_with(' ');
            if after_space {
                folded.replace(at, c, None);
            } else if c != ' ' {
                folded.replace(at, c, Some(' '));
            }
        } else {
            let now = simple(how, c)?;
            if now != c {
                folded.replace(at, c, Some(now));
            }
        }
        at += c.len_utf8();
        space_until = is_space.then_some(at);
    }
}

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
/// capitals and control characters, single spaces, and the ideographs from U+4E00 to U+9FFF. Without short cuts, so that
/// many can be recognised at once.
#[inline]
fn stays(before: u8, byte: u8) -> bool {
    // Ideographs begin with E4 to E9; the second byte rules out the other characters that begin with E4.
    let begins = (0xe4..=0xe9).contains(&byte);
    let goes_on = (0x80..0xc0).contains(&byte) & ((before != 0xe4) | (byte >= 0xb8));
    ascii_stays(before, byte) | begins | goes_on
}

#[inline]
fn ascii_stays(before: u8, byte: u8) -> bool {
    let is_capital = byte.is_ascii_uppercase();
    let single_space = (byte == b' ') & (before != b' ');
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
        _ => {
            let c = segment::simple_form(c)?;
            if how.form == Form::Full { super::fold_case(c) } else { c }
        }
    };
    Some(if how.hant { hant::simplify(c) } else { c })
}

/// A copy of a text that begins with its first change.
struct Copy<'t> {
    original: &'t str,
    text: String,
    /// Up to which byte of the original it goes.
    copied: usize,
    /// The place of the first character whose bytes differ from those of its original.
    same_until: Option<usize>,
}

impl<'t> Copy<'t> {
    /// Takes something else for the character at a place, or nothing.
    fn replace(&mut self, at: usize, c: char, with: Option<char>) {
        if self.text.capacity() == 0 {
            self.text = String::with_capacity(self.original.len());
        }
        self.text.push_str(&self.original[self.copied..at]);
        self.text.extend(with);
        self.copied = at + c.len_utf8();
        if with.map(char::len_utf8) != Some(c.len_utf8()) {
            self.same_until = self.same_until.or(Some(at));
        }
    }

    fn finish(mut self) -> (Cow<'t, str>, usize) {
        if self.copied == 0 {
            return (Cow::Borrowed(self.original), self.original.len());
        }
        self.text.push_str(&self.original[self.copied..]);
        let same_until = self.same_until.unwrap_or(self.text.len());
        (Cow::Owned(self.text), same_until)
    }
}
