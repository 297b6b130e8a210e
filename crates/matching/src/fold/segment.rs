//! Compatibility forms (NFKC) piece by piece, so that every piece knows where it came from.

use std::ops::Range;

use super::signs;

use unicode_normalization::char::{canonical_combining_class, decompose_compatible};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// Gives the characters of the NFKC form, without the invisible ones, each with the bytes of the
/// original characters that it came from.
pub(super) fn walk_compatible(original: &str, emit: &mut impl FnMut(char, Range<usize>)) {
    let mut segment = Segment::default();
    let mut characters = original.char_indices().peekable();
    while let Some((at, written)) = characters.next() {
        let c = signs::plain(written).unwrap_or(written);
        let from = at..at + written.len_utf8();
        if let Some(folded) = simple_form(c) {
            segment.finish(emit);
            // Most characters stand for themselves and are followed by one that does not combine.
            if characters.peek().is_none_or(|(_, next)| begins_segment_surely(*next)) {
                emit(folded, from);
                continue;
            }
        } else if is_invisible(c) {
            continue;
        } else if begins_segment(c) {
            segment.finish(emit);
        }
        segment.push(c, from);
    }
    segment.finish(emit);
}

/// Gives the characters with full and half width made one, without the invisible ones.
pub(super) fn walk_width(original: &str, emit: &mut impl FnMut(char, Range<usize>)) {
    for (at, c) in original.char_indices() {
        if !is_invisible(c) {
            emit(fold_width(c), at..at + c.len_utf8());
        }
    }
}

/// Characters that combine with each other and with nothing around them.
#[derive(Default)]
struct Segment {
    text: String,
    places: Vec<(char, Range<usize>)>,
}

impl Segment {
    fn push(&mut self, c: char, from: Range<usize>) {
        self.text.push(c);
        self.places.push((c, from));
    }

    fn finish(&mut self, emit: &mut impl FnMut(char, Range<usize>)) {
        let (Some((_, first)), Some((_, last))) = (self.places.first(), self.places.last()) else {
            return;
        };
        let whole = first.start..last.end;
        // Where nothing really combines, each character answers for itself and captures stay small.
        let singly = self.places.iter().flat_map(|(c, _)| std::iter::once(*c).nfkc());
        if self.places.len() > 1 && singly.eq(self.text.nfkc()) {
            for (c, from) in &self.places {
                std::iter::once(*c).nfkc().for_each(|folded| emit(folded, from.clone()));
            }
        } else {
            self.text.nfkc().for_each(|folded| emit(folded, whole.clone()));
        }
        self.text.clear();
        self.places.clear();
    }
}

/// Whether nothing before `c` can combine with it.
pub(super) fn begins_segment(c: char) -> bool {
    if begins_segment_surely(c) {
        return true;
    }
    let mut first = None;
    decompose_compatible(c, |part| first = first.or(Some(part)));
    first.is_none_or(|first| {
        canonical_combining_class(first) == 0
            && is_nfkc_quick(std::iter::once(first)) == IsNormalized::Yes
    })
}

/// A quick answer for the characters of most texts; `false` means that a closer look is needed.
fn begins_segment_surely(c: char) -> bool {
    matches!(c, '\0'..='\u{2ff}' | '\u{370}'..='\u{482}' | '\u{ac00}'..='\u{d7a3}' | '\u{2010}'..='\u{2027}' | '\u{3001}'..='\u{3029}' | '\u{3041}'..='\u{3094}'
        | '\u{30a1}'..='\u{30fa}' | '\u{3400}'..='\u{9fff}' | '\u{ff01}'..='\u{ff60}'
        | '\u{1f300}'..='\u{1faff}')
}

/// The NFKC form of a character whose form is one character known without a table. All of them begin a segment.
pub(super) fn simple_form(c: char) -> Option<char> {
    match c {
        '\0'..='\u{7f}'
        | '\u{400}'..='\u{481}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{3001}'..='\u{3029}'
        | '\u{3041}'..='\u{3094}'
        | '\u{30a1}'..='\u{30fa}'
        | '\u{3400}'..='\u{9fff}'
        | '\u{1f300}'..='\u{1faff}' => Some(c),
        '\u{ff01}'..='\u{ff5e}' => Some(fold_width(c)),
        _ => None,
    }
}

/// The usual form of a full width or half width character; others stay.
pub fn fold_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        // White parentheses, half width forms of kana, hangul and signs, full width currency: one character each.
        '\u{ff5f}'..='\u{ffee}' => {
            let mut folded = c;
            decompose_compatible(c, |part| folded = part);
            folded
        }
        _ => c,
    }
}

/// Whether a character shows nothing and takes no room: people paste these unknowingly, or to avoid a rule.
pub(super) fn is_invisible(c: char) -> bool {
    c >= '\u{ad}'
        && matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{e0000}'..='\u{e0fff}')
}
