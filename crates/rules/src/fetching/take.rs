//! What a rule takes of an answer.

use mynah_core::{Captures, FetchAnswer, FetchFailure, is_unprintable, to_map};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most characters of a taken text.
const LONGEST: usize = 2_000;

/// What is taken of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Take {
    /// The body.
    Text,
    /// The value at this place of the JSON.
    Pointer(String),
}

impl Take {
    /// Reads `"text"` or a JSON pointer.
    pub(crate) fn parse(written: &str) -> Option<Self> {
        if written == "text" {
            return Some(Self::Text);
        }
        let has_form = written.is_empty() || written.starts_with('/');
        let mut escapes = written.split('~').skip(1);
        let are_escapes = escapes.all(|after| after.starts_with(['0', '1']));
        (has_form && are_escapes).then(|| Self::Pointer(written.to_owned()))
    }
}

/// The values of an answer. A place that holds nothing gives an empty text.
pub(crate) fn take(answer: &FetchAnswer, all: &[(String, Take)]) -> Result<Captures, FetchFailure> {
    let needs_json = all.iter().any(|(_, take)| matches!(take, Take::Pointer(_)));
    let json: Value = if needs_json {
        // A byte order mark is not a part of JSON, but services write it.
        let body = answer.body.trim_start_matches('\u{feff}');
        serde_json::from_str(body).map_err(|_| FetchFailure::NotJson)?
    } else {
        Value::Null
    };
    let one = |take: &Take| match take {
        Take::Text => bounded(&answer.body),
        Take::Pointer(pointer) => json.pointer(pointer).map(text_of).unwrap_or_default(),
    };
    Ok(to_map(all.iter().map(|(name, take)| (name.clone(), one(take)))))
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => bounded(text),
        value => bounded(&value.to_string()),
    }
}

/// The text within its bounds. Line breaks stay, other control characters do not: an answer must not write to a terminal.
fn bounded(text: &str) -> String {
    let plain = text.replace("\r\n", "\n");
    let shown = plain.trim().chars().filter_map(|c| match c {
        '\n' => Some('\n'),
        '\r' | '\t' => Some(' '),
        c if is_unprintable(c) => None,
        c => Some(c),
    });
    shown.take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(body: &str, pointer: &str) -> Result<String, FetchFailure> {
        let answer = FetchAnswer { status: 200, body: body.to_owned() };
        let all = [("x".to_owned(), Take::parse(pointer).expect("a place"))];
        take(&answer, &all).map(|captures| captures["x"].clone())
    }

    #[test]
    fn values_are_taken_by_their_place() {
        let body = r#"{"now": {"temp": 3, "f": 1.5, "sky": " 多云 ", "a/b": "slash", "none": null}, "l": [1, {"k": "v"}], "yes": true}"#;
        for (pointer, value) in [
            ("/now/temp", "3"),
            ("/now/f", "1.5"),
            ("/now/sky", "多云"),
            ("/now/a~1b", "slash"),
            ("/now/none", ""),
            ("/now/missing", ""),
            ("/l/0", "1"),
            ("/l/1/k", "v"),
            ("/l/9", ""),
            ("/l", r#"[1,{"k":"v"}]"#),
            ("/yes", "true"),
        ] {
            assert_eq!(taken(body, pointer).as_deref(), Ok(value), "{pointer}");
        }
        assert_eq!(taken("\u{feff}{\"a\":1}", "/a").as_deref(), Ok("1"));
    }

    #[test]
    fn an_answer_that_is_not_json_is_a_failure_only_where_json_is_needed() {
        for body in ["", "<html>", "{", &"[".repeat(100_000)] {
            assert_eq!(taken(body, "/a"), Err(FetchFailure::NotJson));
        }
        assert_eq!(taken("<html>", "text").as_deref(), Ok("<html>"));
    }

    #[test]
    fn a_taken_text_has_bounds() {
        let long = "好".repeat(3_000);
        assert_eq!(taken(&long, "text").unwrap().chars().count(), 2_000);
        let body = "a\r\nb\u{1b}[31m\u{202e}\u{0}c\td";
        assert_eq!(taken(body, "text").as_deref(), Ok("a\nb[31mc d"));
        assert_eq!(taken(r#""\u001b[2Jx""#, "").as_deref(), Ok("[2Jx"));
    }

    #[test]
    fn a_pointer_has_a_form() {
        for bad in ["now/temp", "$.now", "/a~2", "/a~", "Text"] {
            assert_eq!(Take::parse(bad), None, "{bad}");
        }
        assert_eq!(Take::parse("text"), Some(Take::Text));
        assert_eq!(Take::parse(""), Some(Take::Pointer(String::new())));
    }
}
