//! Stops a conversation of two bots: in an endless one, the other bot repeats its earlier texts.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use mynah_core::{Change, Context, Message, Scope, StateView, Timestamp, Write};

use crate::LoopBreaker;

/// The last answered texts of a person: times and hashes.
const ANSWERED: &str = "runtime.answered";

/// Set while a person gets no answer.
const SILENT: &str = "runtime.silent";

/// Whether this person gets no answer now.
pub(crate) fn is_silent(ctx: &Context) -> bool {
    ctx.get(Scope::Person, SILENT).is_some()
}

/// Notes that the message is answered. If this was one answer too many, returns the end of the sender's silence.
pub(crate) fn note_answer(
    ctx: &mut Context,
    message: &Message,
    breaker: &LoopBreaker,
) -> Option<Timestamp> {
    let now = ctx.now();
    let stored = ctx.get(Scope::Person, ANSWERED).unwrap_or_default();
    let mut answered = Answered::read(&stored, now, breaker.within);
    answered.push(now, hash(message));
    if answered.all_repeated(breaker.answers) {
        let until = now + breaker.silence;
        remember(ctx, SILENT, String::new(), until);
        return Some(until);
    }
    remember(ctx, ANSWERED, answered.write(), now + breaker.within);
    None
}

fn remember(ctx: &mut Context, key: &str, text: String, until: Timestamp) {
    ctx.write(Write {
        scope: Scope::Person,
        key: key.to_owned(),
        change: Change::Set(text),
        expires: Some(until),
    });
}

/// FNV-1a of the content, media included: a message with another picture is another text.
fn hash(message: &Message) -> u64 {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    // Neither content nor hash can fail.
    drop(serde_json::to_writer(&mut hash, &message.content));
    hash.0
}

struct Fnv(u64);

impl io::Write for Fnv {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The answered texts, oldest first.
#[derive(Debug, Default, PartialEq)]
struct Answered(Vec<(Timestamp, u64)>);

/// The number of kept texts: a conversation with more different texts is not a loop.
const MOST: usize = 64;

/// Room for a written entry: milliseconds, a hash and two separators.
const ENTRY: usize = 13 + 16 + 2;

impl Answered {
    fn read(stored: &str, now: Timestamp, within: Duration) -> Self {
        let entries = stored.split(' ').filter_map(|entry| {
            let (at, hash) = entry.split_once(':')?;
            let at = Timestamp::from_millis(at.parse().ok()?);
            Some((at, u64::from_str_radix(hash, 16).ok()?))
        });
        Self(entries.filter(|(at, _)| now.since(*at) < within).collect())
    }

    fn write(&self) -> String {
        let mut text = String::with_capacity(self.0.len() * ENTRY);
        for (at, hash) in &self.0 {
            let space = if text.is_empty() { "" } else { " " };
            write!(text, "{space}{}:{hash:x}", at.as_millis()).expect("a string takes any text");
        }
        text
    }

    fn push(&mut self, at: Timestamp, hash: u64) {
        self.0.push((at, hash));
        if self.0.len() > MOST {
            self.0.remove(0);
        }
    }

    /// Whether the last `answers` texts are all repetitions.
    fn all_repeated(&self, answers: u32) -> bool {
        let mut seen = BTreeSet::new();
        let repeated = self.0.iter().map(|(_, hash)| !seen.insert(*hash)).collect::<Vec<bool>>();
        let last = repeated.iter().rev().take(answers as usize);
        last.len() == answers as usize && last.copied().all(|again| again)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_is_many_answers_to_repeated_texts_in_a_short_time() {
        let said = |texts: &[u64], seconds_apart: i64| {
            let mut answered = Answered::default();
            for (n, text) in (0_i64..).zip(texts) {
                let now = Timestamp::from_secs(n * seconds_apart);
                answered = Answered::read(&answered.write(), now, Duration::from_secs(30));
                answered.push(now, *text);
            }
            answered.all_repeated(3)
        };
        assert!(said(&[1, 1, 1, 1], 1));
        assert!(said(&[1, 2, 1, 2, 1], 1), "two texts in turn");
        assert!(!said(&[1, 1, 1], 1), "the first is not repeated");
        assert!(!said(&[1, 2, 3, 4, 5, 6], 1), "a lively talk");
        assert!(!said(&[1, 1, 1, 2], 1), "something new");
        assert!(!said(&[1, 1, 1, 1, 1], 20), "now and then");
    }
}
