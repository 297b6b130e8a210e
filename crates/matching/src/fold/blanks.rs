//! Blanks of a folded text: a run of them is one space, and none between a Chinese character and another one.
//!
//! People and keyboards put such a blank in or leave it out (`买 iPhone`, `买iPhone`). Between two Chinese characters it
//! is like a comma, between words of other scripts it parts them, and a line break parts the words around it.

use std::ops::Range;

/// Whether `c` is a Chinese character or kana, signs left out.
#[inline]
pub(super) fn is_chinese(c: char) -> bool {
    // The blanks of most texts stand beside Latin letters and ideographs.
    c >= '\u{2e80}' && (('\u{4e00}'..='\u{9fff}').contains(&c) || is_other_chinese(c))
}

#[inline(never)]
fn is_other_chinese(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{3096}' | '\u{309b}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dff}' | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}'
        | '\u{3031}'..='\u{303c}' | '\u{31f0}'..='\u{31ff}' | '\u{f900}'..='\u{faff}' | '\u{1aff0}'..='\u{1b16f}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Whether a blank begins a new line.
#[inline]
pub(super) fn is_line_break(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether a blank between two characters does not count.
#[inline]
pub(super) fn is_idle(before: char, after: char) -> bool {
    is_chinese(before) != is_chinese(after)
}

/// Holds blanks back until the next character is known.
#[derive(Default)]
pub(super) struct Blanks {
    /// The last character that is not a blank.
    before: Option<char>,
    /// The blanks behind it.
    held: Option<Held>,
}

struct Held {
    /// The first of them in the original.
    first: Range<usize>,
    has_line_break: bool,
}

impl Blanks {
    /// Takes the next folded character, in which blanks are still as they were written.
    pub(super) fn push(
        &mut self,
        c: char,
        from: Range<usize>,
        emit: &mut impl FnMut(char, Range<usize>),
    ) {
        if c.is_whitespace() {
            let held = self.held.get_or_insert(Held { first: from, has_line_break: false });
            held.has_line_break |= is_line_break(c);
            return;
        }
        if let Some(held) = self.held.take() {
            let is_idle = self.before.is_some_and(|before| is_idle(before, c));
            if held.has_line_break || !is_idle {
                emit(' ', held.first);
            }
        }
        self.before = Some(c);
        emit(c, from);
    }

    /// Gives the blank at the end, if there is one.
    pub(super) fn finish(self, emit: &mut impl FnMut(char, Range<usize>)) {
        if let Some(held) = self.held {
            emit(' ', held.first);
        }
    }
}
