//! Bounds how many people an account removes from groups in an hour: a mistake in a rule must not empty a group.
//!
//! Kicks are counted when a turn requests them, in the state of the bot, so the count is exact over concurrent turns and
//! outlives the process. Those beyond the limit are dropped, not delayed: a delayed mass kick would empty the group, too.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::hash::Hasher as _;
use std::time::Duration;

use mynah_core::{
    Action, Change, ChatId, Context, Person, Scope, StateView, Step, Timestamp, Words, Write,
};

/// The kicks of the last hour: times, and hashes of chat and person.
const KICKED: &str = "runtime.kicked";

/// The time for which the limit counts.
const HOUR: Duration = Duration::from_secs(60 * 60);

/// A second kick of the same person within this time is the same one: further messages of that person were on their way.
const SAME: Duration = Duration::from_secs(10);

/// The kicks of a turn that are beyond the limit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Excess {
    /// The number of people who are not removed.
    pub(crate) dropped: u32,
    /// The end of the hour of the oldest kick that counts.
    pub(crate) until: Timestamp,
}

/// Drops the kicks of the turn that are beyond `most` in an hour, with a warning in the decision.
pub(crate) fn hold(ctx: &mut Context, most: u32) -> Option<Excess> {
    // Most turns remove no person; these read and write nothing.
    if !ctx.effects().steps.iter().any(|step| kicked(step).is_some()) {
        return None;
    }
    let now = ctx.now();
    let mut kicks = Kicks::read(&ctx.get(Scope::Bot, KICKED).unwrap_or_default(), now);
    let mut effects = ctx.effects().clone();
    let (mut dropped, mut names) = (0, BTreeSet::new());
    effects.steps.retain(|step| {
        let Some((chat, person, delay)) = kicked(step) else { return true };
        match kicks.admit(now + delay, hash(chat, person), most) {
            Admission::Counted => true,
            Admission::Repeated => false,
            Admission::Excess => {
                dropped += 1;
                names.insert(person.name.clone());
                false
            }
        }
    });
    ctx.restore(effects);
    let (text, until) = (kicks.written(), kicks.last() + HOUR);
    let change = Change::Set(text);
    ctx.write(Write { scope: Scope::Bot, key: KICKED.to_owned(), change, expires: Some(until) });
    (dropped > 0).then(|| {
        let names: Vec<String> = names.into_iter().collect();
        ctx.decided().warnings.push(warning(&names, most));
        Excess { dropped, until: kicks.free_at(most, now) }
    })
}

fn warning(names: &[String], most: u32) -> Words {
    Words::new(
        format!(
            "not removed, the limit of {most} people in an hour is reached: {}",
            names.join(", ")
        ),
        format!("未移出：一小时最多移出 {most} 人，已达上限：{}", names.join("、")),
    )
}

/// The group, the person and the delay of a step that is a kick.
fn kicked(step: &Step) -> Option<(&ChatId, &Person, Duration)> {
    let Step::Act(planned) = step else { return None };
    let Action::Kick { person } = &planned.action else { return None };
    Some((&planned.chat, person, planned.delay))
}

fn hash(chat: &ChatId, person: &Person) -> u64 {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    hash.write(chat.as_str().as_bytes());
    hash.write(&[0]);
    hash.write(person.id.as_str().as_bytes());
    hash.finish()
}

/// FNV-1a: the same in every version, since hashes are stored.
struct Fnv(u64);

impl std::hash::Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Admission {
    /// It counts.
    Counted,
    /// The same person is being removed already.
    Repeated,
    /// It is beyond the limit.
    Excess,
}

/// The kicks that count. A `wait` in a rule puts some of them into the future.
#[derive(Debug, Default, PartialEq)]
struct Kicks(Vec<(Timestamp, u64)>);

impl Kicks {
    fn read(stored: &str, now: Timestamp) -> Self {
        let entries = stored.split(' ').filter_map(|entry| {
            let (at, hash) = entry.split_once(':')?;
            let at = Timestamp::from_millis(at.parse().ok()?);
            Some((at, u64::from_str_radix(hash, 16).ok()?))
        });
        Self(entries.filter(|(at, _)| *at + HOUR > now).collect())
    }

    fn written(&self) -> String {
        let mut text = String::new();
        for (at, hash) in &self.0 {
            let space = if text.is_empty() { "" } else { " " };
            // Writing to a string cannot fail.
            let _ = write!(text, "{space}{}:{hash:x}", at.as_millis());
        }
        text
    }

    fn last(&self) -> Timestamp {
        self.0.iter().map(|(at, _)| *at).max().unwrap_or_default()
    }

    /// Counts a kick at that time, unless `most` others are less than an hour away from it: then no hour has more.
    fn admit(&mut self, at: Timestamp, hash: u64, most: u32) -> Admission {
        let apart = |other: Timestamp| at.since(other).max(other.since(at));
        if self.0.iter().any(|(other, same)| *same == hash && apart(*other) < SAME) {
            return Admission::Repeated;
        }
        let near = self.0.iter().filter(|(other, _)| apart(*other) < HOUR).count();
        if near >= most as usize {
            return Admission::Excess;
        }
        self.0.push((at, hash));
        Admission::Counted
    }

    /// When the next kick is possible.
    fn free_at(&self, most: u32, now: Timestamp) -> Timestamp {
        let mut times: Vec<Timestamp> = self.0.iter().map(|(at, _)| *at).collect();
        times.sort_unstable();
        let last = times.len().checked_sub(most as usize).and_then(|first| times.get(first));
        last.map_or(now + HOUR, |at| *at + HOUR)
    }
}

#[cfg(test)]
mod tests {
    use mynah_core::{Chat, Event, EventBody, Frame, Planned};

    use super::*;

    const fn at(minutes: i64) -> Timestamp {
        Timestamp::from_secs(minutes * 60)
    }

    #[test]
    fn no_hour_has_more_kicks_than_the_limit_whatever_their_order() {
        let mut kicks = Kicks::default();
        for n in 0..10 {
            assert_eq!(kicks.admit(at(60), n, 10), Admission::Counted, "an hour ahead, by a wait");
        }
        assert_eq!(kicks.admit(at(0), 10, 10), Admission::Counted);
        assert_eq!(kicks.admit(at(1), 11, 10), Admission::Excess);
        assert_eq!(kicks.admit(at(119), 12, 10), Admission::Excess);
        assert_eq!(kicks.admit(at(120), 13, 10), Admission::Counted);
        assert_eq!(Kicks::read(&kicks.written(), at(0)), kicks);
        assert_eq!(Kicks::read(&kicks.written(), at(121)).0.len(), 1);
    }

    #[test]
    fn further_messages_of_the_same_person_count_once() {
        let mut kicks = Kicks::default();
        assert_eq!(kicks.admit(at(0), 7, 1), Admission::Counted);
        assert_eq!(kicks.admit(at(0), 7, 1), Admission::Repeated);
        assert_eq!(kicks.admit(at(1), 7, 1), Admission::Excess, "the person came back");
        assert_eq!(kicks.free_at(1, at(1)), at(60));
    }

    #[test]
    fn a_turn_keeps_its_other_steps_and_says_who_stays() {
        let event = Event { id: "e".into(), time: at(0), body: EventBody::Started };
        let mut ctx =
            Context::new(Frame { chat: Some(Chat::group("g", "g")), ..Frame::of(&event, at(0)) });
        assert_eq!(hold(&mut ctx, 1), None);
        assert!(ctx.effects().writes.is_empty(), "a turn without kicks writes nothing");
        for name in ["甲", "乙", "丙"] {
            ctx.kick(&Person::stranger(name, name));
        }
        ctx.reply("再见");
        assert_eq!(hold(&mut ctx, 1), Some(Excess { dropped: 2, until: at(60) }));
        let left: Vec<bool> =
            ctx.effects().steps.iter().map(|step| kicked(step).is_some()).collect();
        assert_eq!(left, [true, false]);
        assert!(ctx.decided().warnings[0].en.ends_with("丙, 乙"), "{:?}", ctx.decided());
        let planned = Planned {
            chat: "g".into(),
            action: Action::Kick { person: Person::stranger("丁", "丁") },
            delay: HOUR,
            is_reply: false,
        };
        ctx.plan(planned);
        assert_eq!(hold(&mut ctx, 1), None, "an hour later");
    }
}
