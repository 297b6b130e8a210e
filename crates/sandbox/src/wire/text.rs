//! The service's encoding of texts: entities, line breaks and emoji (section 13 of the protocol reference).

use std::fmt::Write;

/// Escapes the special characters of HTML and XML.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            other => out.push(other),
        }
    }
    out
}

/// Escapes a text for an attribute in double quotes.
pub(crate) fn escape_attribute(text: &str) -> String {
    escape(text).replace('"', "&quot;").replace('\n', "&#x0A;")
}

/// Encodes a text written by a person, as message content or name: escaped, older emoji as spans, line breaks as
/// `<br/>`.
pub(crate) fn to_wire(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut joined = false;
    while let Some(character) = characters.next() {
        let modified = characters.peek().is_some_and(|next| modifies(*next));
        match character {
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' | '\r' => out += "<br/>",
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            emoji if has_span(emoji) && !modified && !joined => {
                let _ = write!(out, "<span class=\"emoji emoji{:x}\"></span>", u32::from(emoji));
            }
            other => out.push(other),
        }
        joined = character == '\u{200d}';
    }
    out
}

/// Returns true for characters that belong to the emoji before them: variation selector, joiner, skin tone.
fn modifies(character: char) -> bool {
    matches!(character, '\u{fe0f}' | '\u{200d}' | '\u{1f3fb}'..='\u{1f3ff}')
}

/// The service writes the emoji of the first phones as spans and newer ones as characters. The cat faces are left
/// out: the service confuses them with other faces, and clients undo that.
fn has_span(character: char) -> bool {
    const MIXED_UP: [char; 9] = ['😼', '😹', '😺', '💫', '🙍', '😻', '😽', '🙎', '😿'];
    matches!(character, '\u{1f300}'..='\u{1f5ff}' | '\u{1f600}'..='\u{1f64f}' | '\u{1f680}'..='\u{1f6c5}')
        && !modifies(character)
        && !MIXED_UP.contains(&character)
}

/// Percent-encodes a file name, everything except letters and digits, even the dot.
pub(crate) fn encry_file_name(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Percent-encodes all characters that have a meaning in a query.
pub(crate) fn percent_encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// Decodes percent-encoding once. A plus sign stays: tickets contain it, and some clients do not encode it.
pub(crate) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).and_then(|it| std::str::from_utf8(it).ok());
        let byte = digits
            .filter(|_| bytes[at] == b'%')
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_on_the_wire() {
        for (text, wire) in [
            ("a < b & c", "a &lt; b &amp; c"),
            ("一\n二\r\n三", "一<br/>二<br/>三"),
            ("好😄", "好<span class=\"emoji emoji1f604\"></span>"),
            ("🤖", "🤖"),
            ("👍🏽", "👍🏽"),
            ("👩‍💻", "👩‍💻"),
            ("😻", "😻"),
            ("❤️", "❤️"),
        ] {
            assert_eq!(to_wire(text), wire, "{text}");
        }
    }

    #[test]
    fn percent_encoding_round_trip() {
        for text in ["", "a b", "100%", "%4", "@crypt_1+2/3==", "图片.png", "%zz"] {
            assert_eq!(percent_decode(&percent_encode(text)), text);
        }
        assert_eq!(percent_decode("1+2%2B%40"), "1+2+@");
        assert_eq!(percent_decode("%e5%9b"), "\u{fffd}");
        assert_eq!(encry_file_name("Data.jpg"), "Data%2Ejpg");
    }
}
