//! Recorded messages: a JSON Lines file as `replay` and `bench` take it.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use mynah_core::{Event, EventBody, EventId, EventKind, MessageKind, Timestamp};
use mynah_rules::script::ScriptEvent;
use mynah_transports::{Line, LineError};
use thiserror::Error;

use crate::testing::cast::{Cast, Speaker, Spoken};

/// The sender of messages whose line names none.
pub(crate) const SOMEBODY: &str = "somebody";

/// The longest line in bytes, as over standard input.
const LONGEST: u64 = 1 << 20;

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
    /// A line that is too long, or not UTF-8.
    #[error("{}:{line}: {why}", file.display())]
    Text {
        /// Which file.
        file: PathBuf,
        /// Which line.
        line: usize,
        /// Why.
        why: &'static str,
    },
    /// A line without a meaning.
    #[error("{}:{line}: {error}", file.display())]
    Line {
        /// Which file.
        file: PathBuf,
        /// Which line.
        line: usize,
        /// Why.
        error: LineError,
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

    fn read(mut self, mut lines: impl BufRead) -> Result<Vec<Recorded>, RecordedError> {
        let mut messages = Vec::new();
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = lines.by_ref().take(LONGEST).read_until(b'\n', &mut line);
            let failed = |source| RecordedError::File { file: self.file.to_owned(), source };
            if read.map_err(failed)? == 0 {
                return Ok(messages);
            }
            self.line += 1;
            let line = self.text(&line)?.trim_start_matches('\u{feff}').trim();
            if !line.is_empty() {
                messages.push(self.message(line)?);
            }
        }
    }

    fn text<'l>(&self, line: &'l [u8]) -> Result<&'l str, RecordedError> {
        let wrong = |why| RecordedError::Text { file: self.file.to_owned(), line: self.line, why };
        if line.len() as u64 == LONGEST && !line.ends_with(b"\n") {
            return Err(wrong("the line is longer than 1 MiB"));
        }
        std::str::from_utf8(line)
            .map_err(|_| wrong("the line is not UTF-8; save the file with this encoding"))
    }

    fn message(&mut self, text: &str) -> Result<Recorded, RecordedError> {
        let read = Line::parse(text).and_then(|line| self.read_line(&line));
        let (file, line) = (self.file.to_owned(), self.line);
        read.map_err(|error| RecordedError::Line { file, line, error })
    }

    fn read_line(&mut self, line: &Line) -> Result<Recorded, LineError> {
        if let Some(time) = line.time()? {
            self.time = time;
        }
        let id = line.id().unwrap_or_else(|| self.line.to_string());
        let mut event = self.event(line, &id)?;
        // The file may say the same id twice; an event may not.
        let unique =
            if self.seen.insert(id.clone()) { id.clone() } else { format!("{id}:{}", self.line) };
        event.id = EventId::new(unique);
        Ok(Recorded { id, event })
    }

    fn event(&mut self, line: &Line, id: &str) -> Result<Event, LineError> {
        let speaker = Speaker {
            group: line.group(),
            name: line.person().unwrap_or_else(|| SOMEBODY.to_owned()),
        };
        if let Some(kind) = line.event()? {
            let what = happening(kind, &speaker, line.text());
            return Ok(self.cast.notice(&speaker, &what, self.time));
        }
        let spoken = match line.kind()? {
            MessageKind::Text => Spoken::Text(line.text()),
            kind => Spoken::Media(kind),
        };
        let mut event = self.cast.message(&speaker, spoken, self.time, Some(id));
        if let (Some(at_me), EventBody::Message(message)) = (line.at_me(), &mut event.body) {
            message.called = at_me || speaker.group.is_none();
            // A name in the text that did not call the bot is part of the text.
            if !message.called {
                message.text = message.content.plain_text().trim().to_owned();
                message.behind_name = None;
            }
        }
        Ok(event)
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
            "{\"text\":\"e\",\"chat\":{\"id\":1,\"group\":true},\"from\":{\"id\":\"u\",\"name\":\"y\"}}\n",
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
                ("6", "y", "e", false, 9_000),
            ]
        );
        assert_ne!(all[1].event.id, all[3].event.id, "an id given twice is still two events");
    }

    #[test]
    fn words_behind_a_name_begin_nowhere_if_the_name_is_not_a_call() {
        let behind = |at_me: &str| {
            let line = format!("{{\"text\":\"小助手，价格\",\"group\":\"g\"{at_me}}}\n");
            let read = read_text(&line).unwrap();
            read[0].event.message().unwrap().behind_name
        };
        assert_eq!(behind(""), Some("小助手，".len()));
        assert_eq!(behind(",\"at_me\":false"), None);
    }

    #[test]
    fn a_line_without_end_is_not_read_to_its_end() {
        let mut cast = Cast::around(&[]);
        let reader = Reader::new(Path::new("m.jsonl"), &mut cast, Timestamp::from_secs(7));
        let endless = io::BufReader::new(b"{}\n".chain(io::repeat(b'a')));
        let error = reader.read(endless).unwrap_err().to_string();
        assert_eq!(error, "m.jsonl:2: the line is longer than 1 MiB");
    }

    #[test]
    fn a_line_that_is_not_utf8_is_named() {
        let mut cast = Cast::around(&[]);
        let reader = Reader::new(Path::new("m.jsonl"), &mut cast, Timestamp::from_secs(7));
        let error = reader.read(b"{}\n{\"text\":\"\xff\"}\n".as_slice()).unwrap_err().to_string();
        assert!(error.starts_with("m.jsonl:2: the line is not UTF-8"), "{error}");
    }

    #[test]
    fn a_bad_line_is_named() {
        for (text, expected) in [
            ("{}\n{\"text\":1}", "m.jsonl:2: this is not a message"),
            (
                "{\"type\":\"picture\"}",
                "m.jsonl:1: type: \"picture\" is not valid (expected text, image",
            ),
            ("[]", "m.jsonl:1: this is not a message: a JSON object is expected"),
            ("{\"event\":\"party\"}", "m.jsonl:1: event: \"party\" is not valid (expected join"),
            ("{\"time\":\"noon\"}", "m.jsonl:1: time: \"noon\" is not valid (expected a time like"),
        ] {
            let error = read_text(text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
