//! The answer of a server: one JSON object, or a stream of them from a server that streams unasked.

use serde_json::Value;

use crate::Failure;

/// The end of a stream.
const DONE: &str = "[DONE]";

/// Whether the end of a stream has come, so that the connection need not be read to its end.
pub(crate) fn is_over(text: &[u8]) -> bool {
    // Asked after every piece: only the last lines are new.
    let tail = &text[text.len().saturating_sub(64)..];
    is_stream(text) && lines(tail).any(|line| line == DONE)
}

/// The text of an answer; empty if the model gave none.
pub(crate) fn text(body: &[u8]) -> Result<String, Failure> {
    if !is_stream(body) {
        let answer: Value = serde_json::from_slice(body)
            .map_err(|error| Failure::Service(format!("the answer is not JSON: {error}")))?;
        return one(&answer, "message");
    }
    let mut all = String::new();
    for line in lines(body).take_while(|line| line != DONE) {
        let part: Value = serde_json::from_str(&line).map_err(|error| {
            Failure::Service(format!("a part of the answer is not JSON: {error}"))
        })?;
        // The last part of some servers only counts tokens.
        if part.get("choices").and_then(Value::as_array).is_none_or(|choices| !choices.is_empty()) {
            all += &one(&part, "delta")?;
        }
    }
    Ok(all)
}

/// Whether a body is a stream of events: lines with `data:` and comments.
fn is_stream(body: &[u8]) -> bool {
    let body = body.trim_ascii_start();
    [&b"data:"[..], b":", b"event:", b"id:"].iter().any(|start| body.starts_with(start))
}

/// The data of the events.
fn lines(body: &[u8]) -> impl Iterator<Item = String> {
    let lines = body.split(|byte| *byte == b'\n');
    let data = lines.filter_map(|line| line.trim_ascii().strip_prefix(b"data:"));
    data.map(|data| String::from_utf8_lossy(data.trim_ascii()).into_owned())
}

/// The text of the first choice.
fn one(answer: &Value, key: &str) -> Result<String, Failure> {
    if answer.get("error").is_some_and(|error| !error.is_null()) {
        return Err(Failure::Service("it answers with an error".to_owned()));
    }
    let message = answer.get("choices").and_then(|choices| choices.get(0));
    let Some(message) = message.and_then(|choice| choice.get(key)) else {
        return Err(Failure::Service("the answer has no choice with a message".to_owned()));
    };
    match message.get("content") {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Array(parts)) => {
            // Parts of other types are the reasoning of some models.
            let is_text = |part: &&Value| part.get("type").is_none_or(|kind| kind == "text");
            let texts = parts.iter().filter(is_text);
            Ok(texts.filter_map(|part| part.get("text")?.as_str()).collect())
        }
        _ => Ok(String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_and_streams_are_read() {
        for (body, expected) in [
            (r#"{"choices": [{"message": {"role": "assistant", "content": "yes"}}]}"#, "yes"),
            (
                r#"{"choices": [{"message": {"content": [{"type": "text", "text": "a"}, {"text": "b"}]}}]}"#,
                "ab",
            ),
            (
                r#"{"choices": [{"message": {"content": [{"type": "reasoning", "text": "hm"}, {"text": "yes"}]}}]}"#,
                "yes",
            ),
            (
                r#"{"choices": [{"message": {"reasoning_content": "hm", "reasoning": "hm", "content": "yes"}}]}"#,
                "yes",
            ),
            (
                "data: {\"choices\": [{\"delta\": {\"reasoning_content\": \"hm\"}}]}\n\n\
                 data: {\"choices\": [{\"delta\": {\"content\": \"yes\"}}]}\n",
                "yes",
            ),
            (r#"{"choices": [{"message": {"content": null}}]}"#, ""),
            (r#"{"choices": [{"message": {"tool_calls": []}}]}"#, ""),
            (
                ": hello\n\ndata: {\"choices\": [{\"delta\": {\"role\": \"assistant\"}}]}\r\n\r\n\
                 data: {\"choices\": [{\"delta\": {\"content\": \"a\"}}]}\n\ndata: {\"choices\": [], \"usage\": {}}\n\n\
                 data: {\"choices\": [{\"delta\": {\"content\": \"b\"}}]}\n\ndata: [DONE]\n\ndata: rubbish\n",
                "ab",
            ),
            ("data: {\"choices\": [{\"delta\": {\"content\": \"cut off\"}}]}\n", "cut off"),
        ] {
            assert_eq!(text(body.as_bytes()).as_deref(), Ok(expected), "{body}");
        }
        for body in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"choices": []}"#,
            r#"{"error": {"message": "no"}}"#,
            "data: {\"error\": \"no\"}\n",
            "data: {\n",
            "\u{fffd}",
        ] {
            assert!(matches!(text(body.as_bytes()), Err(Failure::Service(_))), "{body}");
        }
        assert!(is_over(b"data: {}\n\ndata: [DONE]\n") && !is_over(b"data: {}\n"));
        assert!(!is_over(b"{\"text\": \"data: [DONE]\"}"));
    }
}
