//! Where the characters of a text value stand in the file: escapes make the one longer than the other.

use std::ops::Range;

/// A text value as written, prepared to find the places of its parts.
#[derive(Debug)]
pub struct TextPlaces(Vec<Piece>);

impl TextPlaces {
    /// Reads a value as written, with its quotes.
    #[must_use]
    pub fn new(raw: &str) -> Self {
        Self(pieces(raw))
    }

    /// The place in the file of a part of the text.
    ///
    /// `start` is where the value begins in the file, `part` a range of bytes of the text that it means.
    #[must_use]
    pub fn of(&self, start: usize, part: &Range<usize>) -> Range<usize> {
        let from = self.beginning(part.start);
        let to = match part.end.checked_sub(1) {
            Some(last) if last >= part.start => {
                self.piece(last).map_or_else(|| self.beginning(part.end), |piece| piece.written.end)
            }
            _ => from,
        };
        start + from..start + to.max(from)
    }

    /// Where a byte of the text is written; behind the last one the end.
    fn beginning(&self, byte: usize) -> usize {
        let Some(piece) = self.piece(byte) else {
            return self.0.last().map_or(0, |last| last.written.end);
        };
        // An escape has no inside; a plain character is written as it is.
        let is_plain = piece.written.len() == piece.means.len();
        piece.written.start + if is_plain { byte.saturating_sub(piece.means.start) } else { 0 }
    }

    /// The piece that means a byte of the text.
    fn piece(&self, byte: usize) -> Option<&Piece> {
        self.0.get(self.0.partition_point(|piece| piece.means.end <= byte))
    }
}

/// A character of a text: where it is written, and which bytes of the text it is.
#[derive(Debug)]
struct Piece {
    written: Range<usize>,
    means: Range<usize>,
}

fn pieces(raw: &str) -> Vec<Piece> {
    let (quotes, line_end, is_basic) = opening(raw);
    let open = quotes + line_end;
    // A typographic quote may have been read as a plain one; it is longer.
    let close = if quotes == 3 && is_long(raw) {
        3
    } else {
        raw.chars().next_back().map_or(0, char::len_utf8)
    };
    let end = raw.len().saturating_sub(close).max(open);
    let mut pieces = Vec::new();
    let (mut at, mut meant) = (open, 0);
    while at < end {
        let rest = &raw[at..end];
        let (written, means) = match rest.chars().next() {
            Some('\\') if is_basic => escape(rest),
            // The parser makes one line end of two characters.
            Some('\r') if rest.starts_with("\r\n") => (2, 1),
            Some(c) => (c.len_utf8(), c.len_utf8()),
            None => break,
        };
        pieces.push(Piece { written: at..at + written, means: meant..meant + means });
        at += written;
        meant += means;
    }
    pieces
}

fn is_long(raw: &str) -> bool {
    raw.len() >= 6 && (raw.starts_with("\"\"\"") || raw.starts_with("'''"))
}

/// The length of the opening quotes, that of the line end after three of them, and whether escapes count.
fn opening(raw: &str) -> (usize, usize, bool) {
    let is_basic = raw.starts_with('"');
    if !is_long(raw) {
        return (raw.chars().next().map_or(0, char::len_utf8), 0, is_basic);
    }
    let line_end = match &raw[3..] {
        rest if rest.starts_with("\r\n") => 2,
        rest if rest.starts_with('\n') => 1,
        _ => 0,
    };
    (3, line_end, is_basic)
}

/// How long an escape is written, and how many bytes it means.
fn escape(rest: &str) -> (usize, usize) {
    let code = |digits: usize| {
        let hex = rest.get(2..2 + digits).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        (2 + digits, hex.and_then(char::from_u32).map_or(1, char::len_utf8))
    };
    match rest.chars().nth(1) {
        Some('u') => code(4),
        Some('U') => code(8),
        Some('x') => code(2),
        Some(c) if c.is_whitespace() => {
            // A backslash at the end of a line takes the line end and the blanks after it away.
            let blank: usize =
                rest[1..].chars().take_while(|c| c.is_whitespace()).map(char::len_utf8).sum();
            (1 + blank, 0)
        }
        Some(c) => (1 + c.len_utf8(), 1),
        None => (1, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_written_characters() {
        for (raw, part, expected) in [
            ("'ab'", 0..1, "a"),
            ("'ab'", 1..2, "b"),
            ("'价格'", 3..6, "格"),
            (r#""a\tb""#, 1..2, r"\t"),
            (r#""a\tb""#, 2..3, "b"),
            (r#""\u4ef7x""#, 3..4, "x"),
            (r#""\u4ef7x""#, 0..3, r"\u4ef7"),
            ("'''\nab'''", 0..2, "ab"),
            ("\"\"\"\r\na\r\nb\"\"\"", 2..3, "b"),
            ("\"\"\"a\\\n   b\"\"\"", 1..2, "b"),
            ("'ab'", 2..2, ""),
            ("'ab'", 9..12, ""),
        ] {
            let place = TextPlaces::new(raw).of(10, &part);
            assert_eq!(&raw[place.start - 10..place.end - 10], expected, "{raw} {part:?}");
        }
    }
}
