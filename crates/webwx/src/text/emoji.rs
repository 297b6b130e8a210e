//! Emoji that the service sends as `<span class="emoji emoji1f604"></span>`.

use std::borrow::Cow;

const OPENING: &str = "<span class=\"emoji emoji";

/// The end of a span, but for the last character, which may be missing.
const END: &str = "</span";

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
    let mut unclosed = 0;
    while let Some((before, span)) = rest.split_once(OPENING) {
        push_without_ends(&mut out, before, &mut unclosed);
        let after = emoji(&mut out, span);
        unclosed += usize::from(!span[..span.len() - after.len()].contains(END));
        rest = after;
    }
    push_without_ends(&mut out, rest, &mut unclosed);
    Cow::Owned(out)
}

/// Writes the text between spans, without the ends of spans that are still open: those around another span.
fn push_without_ends(out: &mut String, mut text: &str, unclosed: &mut usize) {
    while *unclosed > 0
        && let Some((before, after)) = text.split_once("</span>")
    {
        // The rest of an opening that another span tore apart.
        out.push_str(before.strip_suffix("\">").unwrap_or(before));
        *unclosed -= 1;
        text = after;
    }
    out.push_str(text);
}

/// Writes the emoji of a span and returns the rest. The service may cut a span short, so each part of its end may be
/// missing.
fn emoji<'a>(out: &mut String, span: &'a str) -> &'a str {
    let end_of = |is_part: fn(char) -> bool| span.find(|c| !is_part(c)).unwrap_or(span.len());
    let whole = end_of(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    // Without the end of the class, letters may be those of the text behind it.
    let end =
        if span[whole..].starts_with("\">") { whole } else { end_of(|c| c.is_ascii_hexdigit()) };
    let (digits, mut rest) = span.split_at(end);
    match characters(digits) {
        Some(characters) => out.extend(characters),
        None => out.push(PLACEHOLDER),
    }
    for part in ["\"", ">", END, ">"] {
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
    char::from_u32(meant).filter(|c| is_possible(*c))
}

/// Whether an emoji can contain this character. Others would be markup or not visible.
fn is_possible(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_digit() || matches!(c, '#' | '*') } else { !c.is_control() }
}
