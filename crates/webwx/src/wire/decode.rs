//! Converts the bytes of an answer to objects, and tolerates the errors that the service makes.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::base::{BaseResponse, Envelope};
use super::lenient;

/// A repair may make an answer longer by a sixteenth plus this. An answer with more damage is not JSON, and its copies
/// would take several times the memory of the answer.
const MENDED: usize = 4096;

/// Reads JSON. Only if it is damaged, invalid UTF-8 is replaced and the common errors of such answers are repaired once.
pub(crate) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    let body = without_mark(body);
    // One check of the whole body costs less than one for each string in it.
    let read = match std::str::from_utf8(body) {
        Ok(text) => serde_json::from_str(text),
        Err(error) => Err(serde::de::Error::custom(error)),
    };
    read.or_else(|error| damaged(body).ok_or(error))
}

/// The first `BaseResponse` of an answer. The answer is read only so far: it is at the start, and what follows may be
/// long.
pub(crate) fn base_response(body: &[u8]) -> Result<Option<BaseResponse>, serde_json::Error> {
    let mut found = None;
    let mut json = serde_json::Deserializer::from_slice(without_mark(body));
    match (FindBase(&mut found).deserialize(&mut json), found) {
        (_, Some(base)) => Ok(Some(base)),
        (Ok(()), None) => Ok(None),
        (Err(error), None) => match damaged::<Envelope>(without_mark(body)) {
            Some(envelope) => Ok(envelope.base_response),
            None => Err(error),
        },
    }
}

/// Reads JSON that is damaged. `None` if it cannot be repaired.
fn damaged<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    let longest = body.len() + body.len() / 16 + MENDED;
    let text = replaced(body, longest)?;
    let repaired = || serde_json::from_str(&mended(&text, longest)?).ok();
    serde_json::from_str(&text).ok().or_else(repaired)
}

/// Reads an object up to its `BaseResponse`.
struct FindBase<'a>(&'a mut Option<BaseResponse>);

impl<'de> DeserializeSeed<'de> for FindBase<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FindBase<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key()? {
            match key {
                Key::BaseResponse => {
                    let Found(base) = map.next_value()?;
                    *self.0 = base;
                }
                Key::Other => drop(map.next_value::<IgnoredAny>()?),
            }
            if self.0.is_some() {
                // The reading ends here, with an error for what follows.
                break;
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(field_identifier)]
enum Key {
    BaseResponse,
    #[serde(other)]
    Other,
}

/// A `BaseResponse`, or `None` for a value that is not an object.
struct Found(Option<BaseResponse>);

impl<'de> Deserialize<'de> for Found {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        lenient::maybe_object(from).map(Self)
    }
}

fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// The text of a body, with invalid UTF-8 replaced. `None` if it is longer than `longest`.
fn replaced(body: &[u8], longest: usize) -> Option<Cow<'_, str>> {
    if let Ok(text) = std::str::from_utf8(body) {
        return Some(Cow::Borrowed(text));
    }
    let mut text = String::with_capacity(longest);
    for chunk in body.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
        if text.len() > longest {
            return None;
        }
    }
    Some(Cow::Owned(text))
}

/// The text of a body: UTF-8, with invalid bytes replaced, without a byte order mark.
pub(crate) fn text(body: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(without_mark(body))
}

/// The JSON after repairs: control characters in strings are escaped, halves of surrogate pairs are replaced, and
/// full-width commas between values become plain. `None` if it is longer than `longest`.
fn mended(text: &str, longest: usize) -> Option<String> {
    let mut out = String::with_capacity(longest);
    let mut rest = text;
    let mut in_string = false;
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '"' => {
                in_string = !in_string;
                push(&mut out, c)
            }
            '，' if !in_string => push(&mut out, ',') + 2,
            '\\' if in_string => escape(&mut out, rest),
            c if in_string && c < ' ' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
                1
            }
            c => push(&mut out, c),
        };
        rest = &rest[taken..];
        if out.len() > longest {
            return None;
        }
    }
    Some(out)
}

fn push(out: &mut String, c: char) -> usize {
    out.push(c);
    c.len_utf8()
}

/// Copies the escape at the start of `rest` if it is valid, or a harmless one. Returns the number of bytes read.
fn escape(out: &mut String, rest: &str) -> usize {
    let Some(unit) = unit(rest) else {
        let Some(next) = rest[1..].chars().next() else { return push(out, '\\') };
        if matches!(next, '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') {
            out.push('\\');
        } else {
            out.push_str("\\\\");
        }
        // A control character after the backslash is handled in the next round.
        return if next < ' ' { 1 } else { 1 + push(out, next) };
    };
    let pair = rest.get(6..).and_then(self::unit);
    match (unit, pair) {
        (0xd800..=0xdbff, Some(0xdc00..=0xdfff)) => {
            out.push_str(&rest[..12]);
            12
        }
        (0xd800..=0xdfff, _) => {
            out.push_str("\\ufffd");
            6
        }
        _ => {
            out.push_str(&rest[..6]);
            6
        }
    }
}

/// The UTF-16 unit of a `\u` escape at the start.
fn unit(rest: &str) -> Option<u32> {
    let digits = rest.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn broken_answers_are_repaired() {
        for (broken, expected) in [
            (&b"{\"a\": 1\xef\xbc\x8c \"b\": 2}"[..], r#"{"a":1,"b":2}"#),
            (b"{\"a\": \"\\ud83d\"}", "{\"a\":\"\u{fffd}\"}"),
            (b"{\"a\": \"\\ud83d\\ude04\"}", "{\"a\":\"\u{1f604}\"}"),
            (b"{\"a\": \"x\ny\x01\"}", r#"{"a":"x\ny\u0001"}"#),
            (b"{\"a\": \"\\x\"}", r#"{"a":"\\x"}"#),
            (b"\xef\xbb\xbf{\"a\": \"\xff\"}", "{\"a\":\"\u{fffd}\"}"),
            ("{\"a\": \"一，二\",\"b\":\"\t\"}".as_bytes(), "{\"a\":\"一，二\",\"b\":\"\\t\"}"),
        ] {
            let value: Value = json(broken).unwrap();
            assert_eq!(value.to_string(), expected);
        }
    }

    #[test]
    fn a_body_that_is_not_json_stays_an_error() {
        for body in [&b""[..], b"<html></html>", b"{\"a\": ", b"{\"a\" 1}", b"\\", b"{\"a\\"] {
            assert!(json::<Value>(body).is_err(), "{body:?}");
        }
    }

    #[test]
    fn an_answer_that_consists_of_damage_is_not_copied_several_times() {
        let quoted = |inside: &[u8]| [b"\"", inside, b"\""].concat();
        for damage in [&[0xff][..], &[0x01], b"\\x"] {
            let body = quoted(&damage.repeat(100_000));
            assert!(json::<Value>(&body).is_err());
            assert!(json::<Value>(&quoted(&damage.repeat(500))).is_ok(), "{damage:?}");
        }
    }

    #[test]
    fn the_base_response_is_found_wherever_it_is() {
        let ret =
            |body: &str| base_response(body.as_bytes()).map(|base| base.and_then(|it| it.ret));
        for (body, expected) in [
            (r#"{"BaseResponse": {"Ret": 1101, "ErrMsg": ""}, "Rest": []}"#, Some(1101)),
            (r#"{"Before": [{"Ret": 5}], "BaseResponse": {"Ret": "0"}}"#, Some(0)),
            (r#"{"BaseResponse": null, "Other": 1}"#, None),
            (r#"{"BaseResponse": [], "BaseResponse": {"Ret": 2}}"#, Some(2)),
            (r#"{"BaseResponse": {}}"#, None),
            ("{\"a\": \"\n\"， \"BaseResponse\": {\"Ret\": 7}}", Some(7)),
            ("\u{feff}{\"BaseResponse\": {\"Ret\": 3}", Some(3)),
            ("{}", None),
        ] {
            assert_eq!(ret(body).unwrap(), expected, "{body}");
        }
        for body in ["", "<html>", "1", "null", "{\"a\": 1"] {
            assert!(ret(body).is_err(), "{body}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn a_base_response_is_that_of_the_whole_answer(
            ret in any::<i32>(),
            before in "[a-zA-Z0-9 你\\\\\\x00-\\x1f]{0,12}",
        ) {
            let body = serde_json::json!({ "A": before, "BaseResponse": { "Ret": ret }, "Z": [before] });
            let body = body.to_string();
            let found = base_response(body.as_bytes()).unwrap().and_then(|base| base.ret);
            let whole = json::<Envelope>(body.as_bytes()).unwrap().base_response.and_then(|it| it.ret);
            prop_assert_eq!((found, whole), (Some(i64::from(ret)), Some(i64::from(ret))));
        }

        #[test]
        fn any_bytes_are_read_without_panic(body in proptest::collection::vec(any::<u8>(), 0..60)) {
            drop(json::<Value>(&body));
        }

        #[test]
        fn repairs_keep_valid_json(text in "[\\x00-\\x7f，一😄]{0,40}") {
            let good = Value::String(text).to_string();
            prop_assert_eq!(mended(&good, good.len()), Some(good));
        }

        #[test]
        fn repairs_yield_json_for_any_string(inside in "[^\"\\\\]{0,20}(\\\\[^\"]){0,3}[^\"\\\\]{0,20}") {
            let text = format!("\"{inside}\"");
            let mended = mended(&text, text.len() * 6).unwrap();
            prop_assert!(serde_json::from_str::<Value>(&mended).is_ok(), "{mended}");
        }
    }
}
