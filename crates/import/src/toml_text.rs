//! Values as TOML, written as a person would.

use std::fmt::Write;

use crate::book::Value;

/// A line is broken behind so many characters, where it can be.
const WIDTH: usize = 100;

/// A value behind `key = `.
pub(crate) fn value(value: &Value) -> String {
    match value {
        Value::Text(text) => text_value(text),
        Value::Int(number) => number.to_string(),
        Value::Number(number) => {
            let text = format!("{number:.6}");
            let short = text.trim_end_matches('0');
            if short.ends_with('.') { format!("{short}0") } else { short.to_owned() }
        }
        Value::Bool(is) => is.to_string(),
        Value::List(items) => list(items),
        Value::Table(pairs) => {
            let pairs: Vec<String> = pairs
                .iter()
                .map(|(name, one)| format!("{} = {}", key(name), inline(one)))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
    }
}

/// A list on one line, or on several if it is long.
fn list(items: &[Value]) -> String {
    let written: Vec<String> = items.iter().map(inline).collect();
    let length: usize = written.iter().map(|item| item.chars().count() + 2).sum();
    if length <= WIDTH {
        return format!("[{}]", written.join(", "));
    }
    let short = written.iter().all(|item| item.chars().count() <= 24);
    let mut lines = String::from("[\n");
    let mut column = 0;
    for item in &written {
        let width = item.chars().count() + 2;
        if column > 0 && (!short || column + width > WIDTH) {
            lines.push('\n');
            column = 0;
        }
        lines.push_str(if column == 0 { "  " } else { " " });
        let _ = write!(lines, "{item},");
        column += width;
    }
    lines.push_str("\n]");
    lines
}

/// A value inside a list or table: on one line.
fn inline(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text),
        other => self::value(other),
    }
}

/// A text: between three quotation marks if it has several lines, in single ones if it has a backslash.
fn text_value(text: &str) -> String {
    let is_plain = |c: char| c == '\n' || c == '\t' || !c.is_control();
    if text.contains('\n')
        && text.chars().all(is_plain)
        && !text.contains("'''")
        && !text.ends_with('\'')
    {
        return format!("'''\n{text}'''");
    }
    if text.contains('\\') && !text.contains(['\'', '\n']) && text.chars().all(is_plain) {
        return format!("'{text}'");
    }
    quoted(text)
}

/// A text in double quotation marks.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", c as u32);
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A key, in quotation marks if it needs them.
pub(crate) fn key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.chars().all(is_bare) { name.to_owned() } else { quoted(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_people_write_them() {
        for (value_, expected) in [
            (Value::text("a \"b\""), r#""a \"b\"""#),
            (Value::text("a\\d"), r"'a\d'"),
            (Value::text("a\nb"), "'''\na\nb'''"),
            (Value::Number(1.0 / 3.0), "0.333333"),
            (Value::Number(0.5), "0.5"),
            (Value::Number(1.0), "1.0"),
            (Value::texts(vec!["a".into()]), r#""a""#),
            (Value::texts(vec!["a".into(), "b".into()]), r#"["a", "b"]"#),
            (Value::table([("chat.x".into(), "1".into())]), r#"{ "chat.x" = "1" }"#),
            (Value::text("\u{7}"), r#""\u0007""#),
        ] {
            assert_eq!(value(&value_), expected);
        }
    }

    #[test]
    fn a_long_list_has_several_lines() {
        let long = Value::texts((0..3).map(|n| format!("{n}{}", "x".repeat(60))).collect());
        assert_eq!(value(&long).lines().count(), 5);
    }
}
