//! Stops a conversation of two bots: in an endless one, the other bot repeats its earlier texts.
//!
//! The answered texts are in memory: stored, they would cost each answer a page of the log, or several for a person who
//! gets many answers. A start forgets them, so that a loop that goes on then gets some answers more. The silence that
//! ends a loop is stored.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mynah_core::{Change, Context, Message, Scope, StateView, Timestamp, Write};

use crate::LoopBreaker;

/// Set while a person gets no answer.
const SILENT: &str = "runtime.silent";

/// The largest number of people whose texts are kept. If more people get answers at the same time, all are forgotten.
const PEOPLE: usize = 1024;

/// The largest number of texts kept of a person: a conversation with more different texts is not a loop.
const TEXTS: usize = 64;

/// Whether this person gets no answer now.
pub(crate) fn is_silent(ctx: &Context) -> bool {
    ctx.get(Scope::Person, SILENT).is_some()
}

/// Begins the silence towards the sender of the message. Returns its end.
pub(crate) fn silence(ctx: &mut Context, breaker: &LoopBreaker) -> Timestamp {
    let until = ctx.now() + breaker.silence;
    ctx.write(Write {
        scope: Scope::Person,
        key: SILENT.to_owned(),
        change: Change::Set(String::new()),
        expires: Some(until),
    });
    until
}

/// The answered texts of the last time.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// By the hash of chat and sender.
    people: Mutex<HashMap<u64, Answered>>,
    hashes: RandomState,
}

impl Answers {
    /// Whether an answer to this message is one too many.
    pub(crate) fn is_loop(&self, message: &Message, breaker: &LoopBreaker, now: Timestamp) -> bool {
        let person = self.person(message);
        let people = self.people();
        people.get(&person).is_some_and(|answered| answered.is_loop(hash(message), breaker, now))
    }

    /// Notes that a message was answered.
    pub(crate) fn note(&self, message: &Message, breaker: &LoopBreaker, now: Timestamp) {
        let person = self.person(message);
        let mut people = self.people();
        if people.len() >= PEOPLE && !people.contains_key(&person) {
            people.retain(|_, answered| answered.is_recent(breaker.within, now));
            if people.len() >= PEOPLE {
                people.clear();
            }
        }
        people.entry(person).or_default().push(hash(message), breaker.within, now);
    }

    fn person(&self, message: &Message) -> u64 {
        self.hashes.hash_one((message.chat.id.as_str(), message.sender.id.as_str()))
    }

    fn people(&self) -> MutexGuard<'_, HashMap<u64, Answered>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

/// The answered texts of a person, oldest first: times and hashes.
#[derive(Debug, Default)]
struct Answered(VecDeque<(Timestamp, u64)>);

impl Answered {
    fn push(&mut self, hash: u64, within: Duration, now: Timestamp) {
        self.0.retain(|(at, _)| now.since(*at) < within);
        if self.0.len() == TEXTS {
            self.0.pop_front();
        }
        self.0.push_back((now, hash));
    }

    fn is_recent(&self, within: Duration, now: Timestamp) -> bool {
        self.0.back().is_some_and(|(at, _)| now.since(*at) < within)
    }

    /// Whether the last `answers` texts are all repetitions, together with this one.
    fn is_loop(&self, hash: u64, breaker: &LoopBreaker, now: Timestamp) -> bool {
        let recent = self.0.iter().filter(|(at, _)| now.since(*at) < breaker.within);
        let mut seen = BTreeSet::new();
        let mut repeated = 0;
        for hash in recent.map(|(_, hash)| *hash).chain([hash]) {
            repeated = if seen.insert(hash) { 0 } else { repeated + 1 };
        }
        repeated >= breaker.answers
    }
}

#[cfg(test)]
mod tests {
    use mynah_core::{Chat, Content, Origin, Person};

    use super::*;

    const BREAKER: LoopBreaker = LoopBreaker {
        answers: 3,
        within: Duration::from_secs(30),
        silence: Duration::from_secs(600),
    };

    /// Whether the last of these texts is one too many.
    fn said(texts: &[u64], seconds_apart: i64) -> bool {
        let mut answered = Answered::default();
        let mut is_loop = false;
        for (n, text) in (0_i64..).zip(texts) {
            let now = Timestamp::from_secs(n * seconds_apart);
            is_loop = answered.is_loop(*text, &BREAKER, now);
            answered.push(*text, BREAKER.within, now);
        }
        is_loop
    }

    #[test]
    fn a_loop_is_many_answers_to_repeated_texts_in_a_short_time() {
        assert!(said(&[1, 1, 1, 1], 1));
        assert!(said(&[1, 2, 1, 2, 1], 1), "two texts in turn");
        assert!(!said(&[1, 1, 1], 1), "the first is not repeated");
        assert!(!said(&[1, 2, 3, 4, 5, 6], 1), "a lively talk");
        assert!(!said(&[1, 1, 1, 2], 1), "something new");
        assert!(!said(&[1, 1, 1, 1, 1], 20), "now and then");
    }

    #[test]
    fn a_person_with_many_texts_keeps_the_newest_only() {
        let mut texts: Vec<u64> = (0..100).collect();
        assert!(!said(&[&texts[..], &[0, 1, 2]].concat(), 0), "the first are forgotten");
        texts.extend([97, 98, 99]);
        assert!(said(&texts, 0));
    }

    fn message(person: usize) -> Message {
        Message {
            id: "m".into(),
            chat: Chat::group("g", "Group"),
            sender: Person::stranger(person.to_string(), "Pat"),
            origin: Origin::Person,
            content: Content::text("again"),
            text: "again".to_owned(),
            called: false,
            behind_name: None,
        }
    }

    #[test]
    fn the_number_of_people_is_bounded_and_each_is_alone() {
        let answers = Answers::default();
        let now = Timestamp::from_secs(1);
        for n in 0..3 * PEOPLE {
            assert!(!answers.is_loop(&message(n), &BREAKER, now));
            answers.note(&message(n), &BREAKER, now);
            assert!(answers.people().len() <= PEOPLE);
        }
        let last = message(3 * PEOPLE - 1);
        (0..2).for_each(|_| answers.note(&last, &BREAKER, now));
        assert!(answers.is_loop(&last, &BREAKER, now));
    }
}
