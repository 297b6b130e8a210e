//! Emoji that the service sends as `<span class="emoji emoji1f604"></span>`.

use std::borrow::Cow;

const OPENING: &str = "<span class=\"emoji emoji";

/// Cat faces that the service sends instead of plain faces, and the intended faces.
const MIXED_UP: [(u32, u32); 9] = [
    (0x1f63c, 0x1f601),
    (0x1f639, 0x1f602),
    (0x1f63a, 0x1f603),
    (0x1f4ab, 0x1f616),
    (0x1f64d, 0x1f614),
    (0x1f63b, 0x1f60d),
    (0x1f63d, 0x1f618),
    (0x1f64e, 0x1f621),
    (0x1f63f, 0x1f622),
];

/// Replaces an emoji with an invalid number.
const PLACEHOLDER: char = '*';

/// The same text with every span replaced by its emoji.
pub(super) fn replaced(text: &str) -> Cow<'_, str> {
    if !text.contains(OPENING) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, span)) = rest.split_once(OPENING) {
        out.push_str(before);
        rest = emoji(&mut out, span);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Writes the emoji of a span and returns the rest. The service may cut a span short, so each part of its end may be
/// missing.
fn emoji<'a>(out: &mut String, span: &'a str) -> &'a str {
    let end = span.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(span.len());
    let (digits, mut rest) = span.split_at(end);
    match characters(digits) {
        Some(characters) => out.extend(characters),
        None => out.push(PLACEHOLDER),
    }
    for part in ["\"", ">", "</span", ">"] {
        rest = rest.strip_prefix(part).unwrap_or(rest);
    }
    rest
}

/// One or two characters: their numbers have no separator, so the length decides where to cut.
fn characters(digits: &str) -> Option<Vec<char>> {
    let (first, second) = match digits.len() {
        4 | 5 => (digits, None),
        6 => (&digits[..2], Some(&digits[2..])),
        8 => (&digits[..4], Some(&digits[4..])),
        10 => (&digits[..5], Some(&digits[5..])),
        _ => return None,
    };
    std::iter::once(first).chain(second).map(character).collect()
}

fn character(digits: &str) -> Option<char> {
    let number = u32::from_str_radix(digits, 16).ok()?;
    let meant =
        MIXED_UP.iter().find(|(sent, _)| *sent == number).map_or(number, |(_, meant)| *meant);
    char::from_u32(meant)
}
