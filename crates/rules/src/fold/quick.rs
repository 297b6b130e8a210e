//! Folding of what nearly all texts consist of, in one pass and without a table: ASCII, ideographs, kana, Cyrillic, signs
//! of full width. None of these characters combines with another.

use std::borrow::Cow;

use super::{Folding, Form, hant, segment};

/// The folded text, and whether every character lies at the same bytes as before. `None` if there is a character that
/// needs a closer look.
pub(super) fn fold(how: Folding, original: &str) -> Option<(Cow<'_, str>, bool)> {
    let mut folded = Copy { original, text: String::new(), copied: 0, same_bytes: true };
    let mut at = 0;
    let mut after_space = false;
    loop {
        let bytes = original.as_bytes();
        let changing = at + staying(&bytes[at..], after_space, how.hant);
        if changing > at {
            after_space = bytes[changing - 1] == b' ';
            at = changing;
        }
        let Some(c) = original[at..].chars().next() else { return Some(folded.finish()) };
        let is_space = matches!(c, '\t'..='\r' | ' ' | '\u{3000}');
        if is_space && how.form != Form::Width {
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
        after_space = is_space;
        at += c.len_utf8();
    }
}

/// So many bytes are looked at together: one step of a vector machine.
const CHUNK: usize = 16;

/// How many bytes at the beginning belong to characters that every folding leaves as they are, at a glance: ASCII but for
/// capitals and control characters, single spaces, and without `hant` the ideographs from U+4E00 to U+9FFF.
fn staying(text: &[u8], after_space: bool, hant: bool) -> usize {
    let before = if after_space { b' ' } else { 0 };
    if hant { staying_by(text, before, &ascii_stays) } else { staying_by(text, before, &stays) }
}

/// How many bytes at the beginning stay by a rule that looks at the byte before as well.
fn staying_by(text: &[u8], before: u8, stays: &impl Fn(u8, u8) -> bool) -> usize {
    if !text.first().is_some_and(|first| stays(before, *first)) {
        return 0;
    }
    let mut at = 1;
    while chunk_stays(&text[at - 1..], stays) {
        at += CHUNK;
    }
    while text.get(at).is_some_and(|byte| stays(text[at - 1], *byte)) {
        at += 1;
    }
    // Some ideographs are told by their second byte only.
    let is_inside_character = text.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    at - usize::from(is_inside_character)
}

/// Whether a whole chunk stays, of which the byte before it is the first here.
fn chunk_stays(text: &[u8], stays: &impl Fn(u8, u8) -> bool) -> bool {
    let (Some(before), Some(these)) =
        (text.first_chunk::<CHUNK>(), text.get(1..).and_then(<[u8]>::first_chunk::<CHUNK>))
    else {
        return false;
    };
    before.iter().zip(these).fold(true, |all, (before, byte)| all & stays(*before, *byte))
}

/// Whether a byte behind another belongs to a character that stays. Without short cuts, so that many can be told at once.
#[inline]
fn stays(before: u8, byte: u8) -> bool {
    // From E4 to E9 ideographs begin, and what lies in E4 before them is told by the byte behind it.
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

/// What one character becomes, white space left out.
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
    same_bytes: bool,
}

impl<'t> Copy<'t> {
    /// Takes something else for the character at a place, or nothing.
    fn replace(&mut self, at: usize, c: char, with: Option<char>) {
        if self.text.capacity() == 0 {
            self.text.reserve(self.original.len());
        }
        self.text.push_str(&self.original[self.copied..at]);
        self.text.extend(with);
        self.copied = at + c.len_utf8();
        self.same_bytes &= with.is_some_and(|with| with.len_utf8() == c.len_utf8());
    }

    fn finish(mut self) -> (Cow<'t, str>, bool) {
        if self.copied == 0 {
            return (Cow::Borrowed(self.original), true);
        }
        self.text.push_str(&self.original[self.copied..]);
        (Cow::Owned(self.text), self.same_bytes)
    }
}
