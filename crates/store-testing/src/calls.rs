//! Random calls: compares the answers of a store with the answers of the model.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use mynah_core::{
    ActionId, Batch, Change, Claim, ClaimRequest, ClaimToken, Committed, Effects, Event, Lane,
    MemberQuery, Outcome, Read, Records, Scope, Snapshot, StateView, Step, StoreError, TimerChange,
    Timestamp, Turn, Write,
};
use proptest::prelude::{Just, Strategy, any, prop_oneof};

use crate::Ground;
use crate::samples::{NOW, UNTIL, message, save, send, timer, token, turn, write};

const CHATS: [&str; 2] = ["a", "b"];
const PEOPLE: [&str; 2] = ["p", "q"];
const KEYS: [&str; 2] = ["k", "l"];
const SCOPES: [Scope; 3] = [Scope::Bot, Scope::Chat, Scope::Person];

/// A call of a store, with small numbers for events, chats, people and keys.
#[derive(Debug, Clone)]
pub enum Call {
    /// Accepts events with these ids and a record, and begins so many lanes.
    Accept(Vec<u8>, u8, u8),
    /// Begins the next event of a lane and remembers it.
    Begin(u8),
    /// Commits the last event that was begun in this lane, and claims an action of this chat.
    Commit(u8, Wanted, Option<u8>),
    /// Fires the due timers.
    Fire,
    /// Claims an action.
    Claim(u8),
    /// Settles one of the last claimed actions.
    Settle(u8, u8),
    /// Reads the last claims.
    RecentClaims,
    /// Reads the values of all people in a chat.
    MemberValues(u8),
    /// Does housekeeping.
    Tidy,
    /// Moves the clock by seconds, forward or back.
    Wait(i8),
    /// The process dies; another one recovers.
    Crash,
}

/// The effects of a turn.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Whether the turn read the values that it writes.
    reads: bool,
    /// Scope, key, kind of change, and seconds until it expires.
    writes: Vec<(u8, u8, u8, u8)>,
    /// Chat, delay, and whether it is an announcement, a reply or a row.
    actions: Vec<(u8, u8, u8)>,
    /// Chat, key, and seconds until the timer is due; `None` cancels it.
    timers: Vec<(u8, u8, Option<u8>)>,
}

/// A sequence of random calls. True repeats a call, as after a lost answer.
pub fn calls() -> impl Strategy<Value = Vec<(Call, bool)>> {
    proptest::collection::vec((call(), proptest::bool::weighted(0.2)), 1..200)
}

fn call() -> impl Strategy<Value = Call> {
    let events = proptest::collection::vec(0..60_u8, 0..4);
    prop_oneof![
        4 => (events, any::<u8>(), 0..3_u8)
            .prop_map(|(events, record, begin)| Call::Accept(events, record, begin)),
        6 => (0..2_u8).prop_map(Call::Begin),
        6 => (0..2_u8, wanted(), proptest::option::of(0..2_u8))
            .prop_map(|(lane, wanted, claim)| Call::Commit(lane, wanted, claim)),
        2 => Just(Call::Fire),
        5 => (0..2_u8).prop_map(Call::Claim),
        5 => (0..2_u8, 0..6_u8).prop_map(|(which, outcome)| Call::Settle(which, outcome)),
        1 => Just(Call::RecentClaims),
        2 => (0..2_u8).prop_map(Call::MemberValues),
        1 => Just(Call::Tidy),
        3 => (-2..9_i8).prop_map(Call::Wait),
        2 => Just(Call::Crash),
    ]
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let writes = proptest::collection::vec((0..3_u8, 0..2_u8, 0..5_u8, 0..4_u8), 0..3);
    let actions = proptest::collection::vec((0..3_u8, 0..3_u8, 0..4_u8), 0..3);
    let timers = proptest::collection::vec((0..3_u8, 0..2_u8, proptest::option::of(0..6_u8)), 0..2);
    (proptest::bool::weighted(0.8), writes, actions, timers)
        .prop_map(|(reads, writes, actions, timers)| Wanted { reads, writes, actions, timers })
}

/// Makes the calls and returns each call with its answer as text. Versions of values are left out, since they differ
/// between stores.
///
/// # Errors
///
/// If the store fails.
pub async fn play(
    ground: &mut dyn Ground,
    calls: &[(Call, bool)],
) -> Result<Vec<String>, StoreError> {
    let mut player = Player {
        ground,
        now: NOW,
        begun: BTreeMap::new(),
        claimed: Vec::new(),
        answers: Vec::new(),
    };
    for (call, twice) in calls {
        player.play(call, *twice).await?;
    }
    Ok(player.answers)
}

struct Player<'a> {
    ground: &'a mut dyn Ground,
    now: Timestamp,
    /// The last event that was begun in each lane, with the values that it read.
    begun: BTreeMap<u8, (Event, Snapshot)>,
    claimed: Vec<ActionId>,
    answers: Vec<String>,
}

impl Player<'_> {
    async fn play(&mut self, call: &Call, twice: bool) -> Result<(), StoreError> {
        let token = token();
        for _ in 0..=u8::from(twice) {
            let answer = match call {
                Call::Begin(lane) => self.begin(*lane).await?,
                Call::Claim(chat) => self.claim(*chat, token).await?,
                Call::Commit(lane, wanted, claim) => {
                    self.commit(*lane, wanted, *claim, token).await?
                }
                Call::Crash => self.crash().await?,
                Call::Wait(secs) => {
                    self.now = moment(self.now, *secs);
                    continue;
                }
                _ => self.ask(call).await?,
            };
            self.answers.push(format!("{call:?}: {answer}"));
        }
        Ok(())
    }

    async fn begin(&mut self, lane: u8) -> Result<String, StoreError> {
        let begun = self.ground.store().begin(&Lane::new(name(&CHATS, lane)), self.now).await?;
        let Some((event, seen)) = begun else { return Ok(String::new()) };
        let answer = text(&(&event, values(&seen)));
        self.begun.insert(lane, (event, seen));
        Ok(answer)
    }

    async fn claim(&mut self, chat: u8, token: ClaimToken) -> Result<String, StoreError> {
        let chat = name(&CHATS, chat).into();
        let claim = self.ground.store().claim(&chat, token, UNTIL, self.now).await?;
        if let Claim::Send(outgoing) = &claim {
            self.claimed.push(outgoing.id.clone());
        }
        Ok(text(&claim))
    }

    async fn commit(
        &mut self,
        lane: u8,
        wanted: &Wanted,
        claim: Option<u8>,
        token: ClaimToken,
    ) -> Result<String, StoreError> {
        let Some((event, seen)) = self.begun.get(&lane) else { return Ok(String::new()) };
        let turn = wanted.turn(event, seen, self.now);
        let request = |chat| ClaimRequest { chat: name(&CHATS, chat).into(), token, until: UNTIL };
        let store = self.ground.store();
        let committed =
            store.commit_and_claim(Arc::new(turn), claim.map(request), self.now).await?;
        let answer = text(&committed);
        if let Committed::Done { claim: Some(claim), .. } = committed
            && let Claim::Send(outgoing) = *claim
        {
            self.claimed.push(outgoing.id);
        }
        Ok(answer)
    }

    async fn crash(&mut self) -> Result<String, StoreError> {
        self.ground.crash().await;
        let first = self.ground.store().recover(self.now).await?;
        Ok(text(&(first, self.ground.store().recover(self.now).await?)))
    }

    /// Makes one of the calls that leave the player unchanged.
    async fn ask(&self, call: &Call) -> Result<String, StoreError> {
        let (store, now) = (self.ground.store(), self.now);
        Ok(match call {
            Call::Accept(events, record, begin) => {
                let batch = batch(events, *record);
                let accepted = store.accept_and_begin(batch, usize::from(*begin), now).await?;
                let begun = accepted.begun.iter().map(|(event, seen)| (event, values(seen)));
                let begun: Vec<_> = begun.collect();
                text(&(&accepted.lanes, begun, store.records().await?))
            }
            Call::Settle(which, kind) => match self.claimed.iter().rev().nth(usize::from(*which)) {
                Some(id) => text(&store.settle(id, outcome(*kind, now), now).await?),
                None => String::new(),
            },
            Call::Fire => text(&store.fire(now).await?),
            Call::RecentClaims => {
                let mut claims = store.recent_claims(NOW, 1000).await?;
                claims.sort();
                text(&claims)
            }
            Call::MemberValues(chat) => {
                let keys = KEYS.map(str::to_owned).to_vec();
                let query = MemberQuery { chat: name(&CHATS, *chat).into(), keys };
                text(&store.member_values(&query, now).await?)
            }
            Call::Tidy => text(&store.tidy(now).await?),
            Call::Begin(_) | Call::Commit(..) | Call::Claim(_) | Call::Wait(_) | Call::Crash => {
                String::new()
            }
        })
    }
}

fn text(answer: &dyn Debug) -> String {
    format!("{answer:?}")
}

impl Wanted {
    fn turn(&self, event: &Event, seen: &Snapshot, now: Timestamp) -> Turn {
        let effects = Effects {
            writes: self.writes.iter().map(|write| change(write, now)).collect(),
            steps: self.actions.iter().map(action).collect(),
            timers: self.timers.iter().map(|change| timer_change(change, now)).collect(),
        };
        let reads = if self.reads { reads(seen, &effects.writes) } else { Vec::new() };
        Turn { reads, ..turn(event.clone(), effects) }
    }
}

/// The reads of a turn that read the values which it writes.
fn reads(seen: &Snapshot, writes: &[Write]) -> Vec<Read> {
    for write in writes {
        let _ = seen.get(write.scope, &write.key);
    }
    seen.reads()
}

fn change((scope, key, kind, expires): &(u8, u8, u8, u8), now: Timestamp) -> Write {
    let change = match kind {
        0 => Change::Remove,
        1 => Change::Set(format!("set at {now}")),
        2 => Change::RemoveOfAll,
        by => Change::Add(i64::from(*by)),
    };
    let expires = (*expires > 0).then(|| now + Duration::from_secs(u64::from(*expires) * 2));
    write(SCOPES[usize::from(*scope)], name(&KEYS, *key), change, expires)
}

fn action((chat, delay, kind): &(u8, u8, u8)) -> Step {
    let (chat, delay) = (name(&CHATS, *chat), Duration::from_secs(u64::from(*delay) * 20));
    match kind {
        0 => save(chat, delay),
        kind => send(chat, "text", delay, *kind > 1),
    }
}

fn timer_change((chat, key, after): &(u8, u8, Option<u8>), now: Timestamp) -> TimerChange {
    let (chat, key) = (name(&CHATS, *chat), name(&KEYS, *key));
    match after {
        Some(after) => {
            let at = now + Duration::from_secs(u64::from(*after));
            TimerChange::Set(timer(chat, key, at))
        }
        None => TimerChange::Cancel { chat: Some(chat.into()), key: key.to_owned() },
    }
}

fn batch(events: &[u8], record: u8) -> Batch {
    // An id always has the same chat and person.
    let event = |id: &u8| message(&id.to_string(), name(&CHATS, id % 2), name(&PEOPLE, id / 2));
    let value = if record.is_multiple_of(4) { String::new() } else { record.to_string() };
    let records = Records::from([(format!("record {}", record % 3), value)]);
    Batch { events: events.iter().map(event).collect(), records, ..Batch::default() }
}

fn outcome(kind: u8, now: Timestamp) -> Outcome {
    let (reason, soon) = ("why".to_owned(), now + Duration::from_secs(2));
    match kind {
        0 => Outcome::Delivered("sent".into()),
        1 => Outcome::Accepted,
        2 => Outcome::NotSent { retry_at: soon, reason },
        3 => Outcome::Refused { reason },
        4 => Outcome::Unknown { reason, again_at: Some(soon) },
        _ => Outcome::Unknown { reason, again_at: None },
    }
}

/// The values of a snapshot without their versions.
fn values(seen: &Snapshot) -> Vec<(Scope, String, String, Option<Timestamp>)> {
    let of = |scope| {
        let values = seen.values(scope).into_iter();
        values.map(move |(key, value)| (scope, key, value.text, value.expires))
    };
    SCOPES.into_iter().flat_map(of).collect()
}

fn name<'a>(names: &[&'a str], n: u8) -> &'a str {
    names[usize::from(n) % names.len()]
}

fn moment(now: Timestamp, secs: i8) -> Timestamp {
    Timestamp::from_millis(now.as_millis() + i64::from(secs) * 5000)
}
