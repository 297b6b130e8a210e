//! Characters from outside that must not reach a terminal or a log as they are.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character could move the cursor, end the line, or change the direction of text: control characters (also
/// those from U+0080 to U+009F, which terminals treat as escape sequences), line and paragraph separators, and marks
/// of bidirectional text.
#[must_use]
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// A line of JSON in which every such character inside a text is escaped. The value stays the same.
#[must_use]
pub fn printable_json(line: &str) -> Cow<'_, str> {
    let is_bare = |c: char| is_unprintable(c) && c != '\n';
    if !line.contains(is_bare) {
        return Cow::Borrowed(line);
    }
    let mut shown = String::with_capacity(line.len() + 16);
    for c in line.chars() {
        if is_bare(c) {
            // All of them have four digits. Writing to a string cannot fail.
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_its_value_without_a_character_that_drives_a_terminal() {
        let text = "a\u{9b}31m\u{202e}b\u{200f}\u{61c}\u{2028}\u{2069}\u{1b}[2J 你好";
        let line = serde_json::to_string(text).expect("a text") + "\n";
        let shown = printable_json(&line);
        assert!(!shown.trim_end().contains(is_unprintable), "{shown:?}");
        assert_eq!(serde_json::from_str::<String>(&shown).expect("JSON"), text);
        assert!(matches!(printable_json("{\"a\":\"你好\"}\n"), Cow::Borrowed(_)));
    }
}
