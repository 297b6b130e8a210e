//! Recorded messages: a JSON Lines file as `replay` and `bench` take it.

use std::collections::BTreeSet;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use mynah_core::{Event, EventBody, EventId, EventKind, MessageKind, Timestamp};
use mynah_rules::script::ScriptEvent;
use serde::Deserialize;
use thiserror::Error;

use crate::testing::cast::{Cast, Speaker, Spoken};

/// The sender of messages whose line names none.
pub(crate) const SOMEBODY: &str = "somebody";

/// A line as written.
#[derive(Debug, Default, Deserialize)]
struct Line {
    #[serde(default)]
    text: String,
    group: Option<String>,
    from: Option<String>,
    at_me: Option<bool>,
    #[serde(rename = "type")]
    kind: Option<String>,
    event: Option<String>,
    time: Option<String>,
    id: Option<Id>,
}

/// An id as written: numbers are as good as text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Id {
    Text(String),
    Number(serde_json::Number),
}

/// A message of the file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Recorded {
    /// Its id as given, else the number of its line.
    pub(crate) id: String,
    /// The event.
    pub(crate) event: Event,
}

/// Why a file of messages cannot be read.
#[derive(Debug, Error)]
pub(crate) enum RecordedError {
    /// The file itself.
    #[error("failed to read {}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A line that is not such an object.
    #[error("{}:{line}: this is not a message", file.display())]
    Json {
        /// Which file.
        file: PathBuf,
        /// Which line.
        line: usize,
        /// The cause.
        source: serde_json::Error,
    },
    /// An invalid value.
    #[error("{}:{line}: \"{found}\" is not a valid {what}; {expected}", file.display())]
    Value {
        /// Which file.
        file: PathBuf,
        /// Which line.
        line: usize,
        /// The expected kind of value.
        what: &'static str,
        /// The value found.
        found: String,
        /// The possible values.
        expected: String,
    },
}

/// Reads all messages of a file; `-` is standard input. `cast` gives names their people, `start` is the time of a first
/// line that has none.
pub(crate) fn read(
    file: &Path,
    cast: &mut Cast,
    start: Timestamp,
) -> Result<Vec<Recorded>, RecordedError> {
    let failed = |source| RecordedError::File { file: file.to_owned(), source };
    if file.as_os_str() == "-" {
        return Reader::new(file, cast, start).read(io::stdin().lock());
    }
    let opened = std::fs::File::open(file).map_err(failed)?;
    Reader::new(file, cast, start).read(io::BufReader::new(opened))
}

struct Reader<'a> {
    file: &'a Path,
    cast: &'a mut Cast,
    time: Timestamp,
    line: usize,
    seen: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    fn new(file: &'a Path, cast: &'a mut Cast, time: Timestamp) -> Self {
        Self { file, cast, time, line: 0, seen: BTreeSet::new() }
    }

    fn read(mut self, lines: impl BufRead) -> Result<Vec<Recorded>, RecordedError> {
        let mut messages = Vec::new();
        for line in lines.lines() {
            self.line += 1;
            let line =
                line.map_err(|source| RecordedError::File { file: self.file.to_owned(), source })?;
            let line = line.trim_start_matches('\u{feff}').trim();
            if !line.is_empty() {
                messages.push(self.message(line)?);
            }
        }
        Ok(messages)
    }

    fn message(&mut self, text: &str) -> Result<Recorded, RecordedError> {
        let line: Line = serde_json::from_str(text).map_err(|source| RecordedError::Json {
            file: self.file.to_owned(),
            line: self.line,
            source,
        })?;
        if let Some(time) = &line.time {
            self.time = self.moment(time)?;
        }
        let id = match &line.id {
            Some(Id::Text(id)) => id.clone(),
            Some(Id::Number(id)) => id.to_string(),
            None => self.line.to_string(),
        };
        let mut event = self.event(&line, &id)?;
        // The file may say the same id twice; an event may not.
        let unique =
            if self.seen.insert(id.clone()) { id.clone() } else { format!("{id}:{}", self.line) };
        event.id = EventId::new(unique);
        Ok(Recorded { id, event })
    }

    fn event(&mut self, line: &Line, id: &str) -> Result<Event, RecordedError> {
        let given = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
        let speaker = Speaker {
            group: given(&line.group),
            name: given(&line.from).unwrap_or_else(|| SOMEBODY.to_owned()),
        };
        if let Some(event) = line.event.as_deref().filter(|event| *event != "message") {
            let what = self.happening(event, &speaker, &line.text)?;
            return Ok(self.cast.notice(&speaker, &what, self.time));
        }
        let spoken = match line.kind.as_deref() {
            None => Spoken::Text(&line.text),
            Some(word) => match self.kind(word)? {
                MessageKind::Text => Spoken::Text(&line.text),
                kind => Spoken::Media(kind),
            },
        };
        let mut event = self.cast.message(&speaker, spoken, self.time, Some(id));
        if let (Some(at_me), EventBody::Message(message)) = (line.at_me, &mut event.body) {
            message.called = at_me || speaker.group.is_none();
            // A name in the text that did not call the bot is part of the text.
            if !message.called {
                message.text = message.content.plain_text().trim().to_owned();
                message.behind_name = None;
            }
        }
        Ok(event)
    }

    fn moment(&self, text: &str) -> Result<Timestamp, RecordedError> {
        let parsed: Result<jiff::Timestamp, _> = text.parse();
        let moment = parsed.map_err(|_| {
            self.wrong("time", text, "write it like 2026-11-23T09:00:00+08:00".to_owned())
        })?;
        Ok(Timestamp::from_millis(moment.as_millisecond()))
    }

    fn kind(&self, word: &str) -> Result<MessageKind, RecordedError> {
        MessageKind::from_word(word).ok_or_else(|| {
            let words: Vec<&str> = MessageKind::ALL.iter().map(|(_, word)| *word).collect();
            self.wrong("type", word, format!("expected one of {}", words.join(", ")))
        })
    }

    fn happening(
        &self,
        word: &str,
        speaker: &Speaker,
        text: &str,
    ) -> Result<ScriptEvent, RecordedError> {
        let kind = EventKind::from_word(word).ok_or_else(|| {
            self.wrong("event", word, format!("expected one of {}", EventKind::WORDS.join(", ")))
        })?;
        Ok(happening(kind, speaker, text))
    }

    fn wrong(&self, what: &'static str, found: &str, expected: String) -> RecordedError {
        RecordedError::Value {
            file: self.file.to_owned(),
            line: self.line,
            what,
            found: found.to_owned(),
            expected,
        }
    }
}

/// An event of a kind, as far as a recorded line describes it.
fn happening(kind: EventKind, speaker: &Speaker, text: &str) -> ScriptEvent {
    let text = text.to_owned();
    match kind {
        EventKind::Join => ScriptEvent::Join(vec![speaker.name.clone()]),
        EventKind::Leave => ScriptEvent::Leave(vec![speaker.name.clone()]),
        EventKind::Rename => ScriptEvent::Rename(text),
        EventKind::Recall => ScriptEvent::Recall(None),
        EventKind::Pat => ScriptEvent::Pat,
        EventKind::RedPacket => ScriptEvent::RedPacket,
        EventKind::FriendRequest => ScriptEvent::FriendRequest(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Vec<Recorded>, RecordedError> {
        let mut cast = Cast::around(&["小助手".to_owned()]);
        Reader::new(Path::new("m.jsonl"), &mut cast, Timestamp::from_secs(7)).read(text.as_bytes())
    }

    #[test]
    fn absent_fields_have_their_stated_meaning() {
        let all = read_text(concat!(
            "{\"text\":\"a\"}\n\n",
            "{\"text\":\"@小助手 b\",\"group\":\"g\",\"from\":\"x\",\"time\":\"1970-01-01T00:00:09Z\",\"id\":\"q\"}\n",
            "{\"text\":\"c\",\"group\":\"g\",\"at_me\":true,\"id\":12}\n",
            "{\"text\":\"@小助手 d\",\"group\":\"g\",\"at_me\":false,\"id\":\"q\"}\n",
        ))
        .unwrap();
        let seen: Vec<_> = all
            .iter()
            .map(|one| {
                let message = one.event.message().unwrap();
                (
                    one.id.as_str(),
                    message.sender.name.as_str(),
                    message.text.as_str(),
                    message.called,
                    one.event.time.as_millis(),
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("1", SOMEBODY, "a", true, 7_000),
                ("q", "x", "b", true, 9_000),
                ("12", SOMEBODY, "c", true, 9_000),
                ("q", SOMEBODY, "@小助手 d", false, 9_000),
            ]
        );
        assert_ne!(all[1].event.id, all[3].event.id, "an id given twice is still two events");
    }

    #[test]
    fn a_bad_line_is_named() {
        for (text, expected) in [
            ("{}\n{\"text\":1}", "m.jsonl:2: this is not a message"),
            (
                "{\"type\":\"picture\"}",
                "m.jsonl:1: \"picture\" is not a valid type; expected one of text, image",
            ),
            (
                "{\"event\":\"party\"}",
                "m.jsonl:1: \"party\" is not a valid event; expected one of join",
            ),
            ("{\"time\":\"noon\"}", "m.jsonl:1: \"noon\" is not a valid time; write it like"),
        ] {
            let error = read_text(text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
