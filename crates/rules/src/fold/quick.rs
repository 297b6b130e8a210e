//! Folding of what nearly all texts consist of, in one pass and without a table: ASCII, ideographs, kana, Cyrillic, signs
//! of full width. None of these characters combines with another.

use std::borrow::Cow;

use super::{Folding, Form, hant, segment};

/// The folded text, and whether every character lies at the same bytes as before. `None` if there is a character that
/// needs a closer look.
pub(super) fn fold(how: Folding, original: &str) -> Option<(Cow<'_, str>, bool)> {
    let mut folded = Copy { original, text: String::new(), copied: 0, same_bytes: true };
    let mut after_space = false;
    for (at, c) in original.char_indices() {
        // Most characters of most texts.
        if stays(how, c) {
            after_space = false;
            continue;
        }
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
    }
    Some(folded.finish())
}

/// Whether a character stays as it is, at a glance.
#[inline]
fn stays(how: Folding, c: char) -> bool {
    matches!(c, '!'..='@' | '['..='~') || (matches!(c, '\u{4e00}'..='\u{9fff}') && !how.hant)
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
