//! Full-width characters, as Chinese keyboards write them.

/// The ASCII character that a full-width one looks like; others stay.
#[must_use]
pub fn plain_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        _ => c,
    }
}
