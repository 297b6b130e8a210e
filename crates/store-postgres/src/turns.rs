//! A turn as the parameters of a commit: a list for each column.

use std::borrow::Cow;

use mynah_core::{
    Action, Change, ClaimRequest, Due, Event, EventBody, Lane, Planned, Read, Scope, Step,
    StoreError, Timer, TimerChange, Timestamp, Turn, Write, kept_name,
};

use crate::arguments::{json, millis, text};
use crate::link::Parameter;

/// The parameters of a commit.
#[derive(Debug)]
pub(crate) struct Commit<'a> {
    event: Cow<'a, str>,
    lane: String,
    reads: Reads<'a>,
    writes: Writes<'a>,
    actions: Actions<'a>,
    timers: Timers<'a>,
    decided: Option<String>,
    keeps_text: bool,
    rules: Vec<Cow<'a, str>>,
    chat: Option<Cow<'a, str>>,
    token: i64,
    until: i64,
    now: i64,
}

impl<'a> Commit<'a> {
    pub(crate) fn new(
        turn: &'a Turn,
        claim: Option<&'a ClaimRequest>,
        keeps_text: bool,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let event = &turn.event;
        let fired = turn.decided.rule.as_deref().filter(|_| turn.decided.quiet.is_none());
        Ok(Self {
            event: text(event.id.as_str()),
            lane: text(event.lane().as_str()).into_owned(),
            reads: Reads::new(event, &turn.reads),
            writes: Writes::new(event, &turn.effects.writes),
            actions: Actions::new(turn, now)?,
            timers: Timers::new(&turn.effects.timers)?,
            decided: if keeps_text { Some(json(&turn.decided)?) } else { None },
            keeps_text,
            // An empty name counts all turns.
            rules: std::iter::once("").chain(fired).map(text).collect(),
            chat: claim.map(|request| text(request.chat.as_str())),
            token: claim.map_or(0, |request| request.token.0.cast_signed()),
            until: claim.map_or(0, |request| request.until.as_millis()),
            now: now.as_millis(),
        })
    }

    /// In the order of `commit_1`.
    pub(crate) fn parameters(&self) -> Vec<Parameter<'_>> {
        let Self { reads, writes, actions, timers, .. } = self;
        let mut all: Vec<Parameter<'_>> = vec![&self.event, &self.lane, &writes.name];
        all.extend(reads.places.parameters());
        all.extend([&reads.versions as Parameter<'_>, &writes.ops]);
        all.extend(writes.places.parameters());
        all.extend([&writes.texts as Parameter<'_>, &writes.adds, &writes.expires]);
        all.extend([&actions.chats as Parameter<'_>, &actions.bodies, &actions.delays]);
        all.extend([&actions.expires as Parameter<'_>, &actions.saves]);
        all.extend([&timers.chats as Parameter<'_>, &timers.keys, &timers.ats, &timers.persons]);
        all.extend([&timers.lanes as Parameter<'_>, &timers.ids, &timers.events, &timers.bodies]);
        all.extend([&self.decided as Parameter<'_>, &self.keeps_text, &self.rules, &self.chat]);
        all.extend([&self.token as Parameter<'_>, &self.until, &self.now]);
        all
    }
}

/// The number of a scope in the tables.
pub(crate) const fn number(scope: Scope) -> i16 {
    match scope {
        Scope::Bot => 0,
        Scope::Chat => 1,
        Scope::Person => 2,
    }
}

/// The owners and keys of values.
#[derive(Debug, Default)]
struct Places<'a> {
    scopes: Vec<i16>,
    chats: Vec<Cow<'a, str>>,
    persons: Vec<Cow<'a, str>>,
    keys: Vec<Cow<'a, str>>,
}

impl<'a> Places<'a> {
    /// Adds the place of a value. Returns false, and adds nothing, if the event does not have the scope.
    fn add(&mut self, event: &'a Event, scope: Scope, key: &'a str) -> bool {
        let chat = event.chat().map(|chat| chat.id.as_str());
        let person = event.person().map(|person| person.id.as_str());
        let owner = match scope {
            Scope::Bot => Some(("", "")),
            Scope::Chat => chat.map(|chat| (chat, "")),
            Scope::Person => chat.zip(person),
        };
        let Some((chat, person)) = owner else { return false };
        self.push(scope, chat, person, key);
        true
    }

    fn push(&mut self, scope: Scope, chat: &'a str, person: &'a str, key: &'a str) {
        self.scopes.push(number(scope));
        self.chats.push(text(chat));
        self.persons.push(text(person));
        self.keys.push(text(key));
    }

    fn parameters(&self) -> [Parameter<'_>; 4] {
        [&self.scopes, &self.chats, &self.persons, &self.keys]
    }
}

/// The values that a turn read.
#[derive(Debug, Default)]
struct Reads<'a> {
    places: Places<'a>,
    versions: Vec<Option<i64>>,
}

impl<'a> Reads<'a> {
    fn new(event: &'a Event, reads: &'a [Read]) -> Self {
        let mut found = Self::default();
        for read in reads {
            if found.places.add(event, read.scope, &read.key) {
                found.versions.push(read.version.map(u64::cast_signed));
            }
        }
        found
    }
}

/// The changes of state.
#[derive(Debug, Default)]
struct Writes<'a> {
    places: Places<'a>,
    ops: Vec<i16>,
    texts: Vec<Option<Cow<'a, str>>>,
    adds: Vec<Option<i64>>,
    expires: Vec<Option<i64>>,
    /// The name of the person, for values of the person.
    name: Option<String>,
}

impl<'a> Writes<'a> {
    /// The changes of an event. A change of a scope that the event does not have is left out, with a warning.
    fn new(event: &'a Event, writes: &'a [Write]) -> Self {
        let name = event.person().map(|person| text(&kept_name(&person.name)).into_owned());
        let mut found = Self { name, ..Self::default() };
        for write in writes {
            let is_of_all = write.change == Change::RemoveOfAll && write.scope == Scope::Person;
            let has_place = match event.chat().filter(|_| is_of_all) {
                Some(chat) => {
                    found.places.push(write.scope, chat.id.as_str(), "", &write.key);
                    true
                }
                None => found.places.add(event, write.scope, &write.key),
            };
            if has_place {
                found.add(write, is_of_all);
            } else if !is_of_all {
                tracing::warn!(event = %event.id, key = write.key, "state of a scope that this event does not have");
            }
        }
        found
    }

    fn add(&mut self, write: &'a Write, is_of_all: bool) {
        let (op, set, by) = match &write.change {
            Change::Set(value) => (0, Some(text(value)), None),
            Change::Add(by) => (1, None, Some(*by)),
            Change::RemoveOfAll if is_of_all => (3, None, None),
            Change::Remove | Change::RemoveOfAll => (2, None, None),
        };
        self.ops.push(op);
        self.texts.push(set);
        self.adds.push(by);
        self.expires.push(millis(write.expires));
    }
}

/// The actions of a turn.
#[derive(Debug, Default)]
struct Actions<'a> {
    chats: Vec<Cow<'a, str>>,
    bodies: Vec<String>,
    delays: Vec<i64>,
    expires: Vec<Option<i64>>,
    saves: Vec<bool>,
}

impl<'a> Actions<'a> {
    fn new(turn: &'a Turn, now: Timestamp) -> Result<Self, StoreError> {
        let mut found = Self::default();
        for step in &turn.effects.steps {
            // The handlers between the actions have run.
            let Step::Act(planned) = step else { continue };
            found.add(turn, planned, now)?;
        }
        Ok(found)
    }

    fn add(&mut self, turn: &Turn, planned: &'a Planned, now: Timestamp) -> Result<(), StoreError> {
        let saves = matches!(planned.action, Action::Save { .. });
        let from = now + planned.delay;
        let expires =
            turn.reply_max_age.filter(|_| planned.is_reply && !saves).map(|age| from + age);
        self.chats.push(text(planned.chat.as_str()));
        self.bodies.push(json(&planned.action)?);
        self.delays.push(from.as_millis() - now.as_millis());
        self.expires.push(millis(expires));
        self.saves.push(saves);
        Ok(())
    }
}

/// The changes of timers. A timer without a time is cancelled.
#[derive(Debug, Default)]
struct Timers<'a> {
    chats: Vec<Cow<'a, str>>,
    keys: Vec<Cow<'a, str>>,
    ats: Vec<Option<i64>>,
    persons: Vec<Option<Cow<'a, str>>>,
    lanes: Vec<Option<String>>,
    ids: Vec<Option<String>>,
    events: Vec<Option<String>>,
    bodies: Vec<Option<String>>,
}

impl<'a> Timers<'a> {
    fn new(changes: &'a [TimerChange]) -> Result<Self, StoreError> {
        let mut found = Self::default();
        for change in changes {
            match change {
                TimerChange::Set(timer) => found.set(timer)?,
                TimerChange::Cancel { chat, key } => {
                    found.place(chat.as_ref().map_or("", |chat| chat.as_str()), key);
                    found.ats.push(None);
                    found.persons.push(None);
                    for list in
                        [&mut found.lanes, &mut found.ids, &mut found.events, &mut found.bodies]
                    {
                        list.push(None);
                    }
                }
            }
        }
        Ok(found)
    }

    fn place(&mut self, chat: &'a str, key: &'a str) {
        self.chats.push(text(chat));
        self.keys.push(text(key));
    }

    fn set(&mut self, timer: &'a Timer) -> Result<(), StoreError> {
        self.place(timer.chat.as_ref().map_or("", |chat| chat.id.as_str()), &timer.key);
        let event = into_event(timer.clone());
        let lane: Lane = event.lane();
        self.ats.push(Some(timer.at.as_millis()));
        self.persons.push(timer.person.as_ref().map(|person| text(person.id.as_str())));
        self.lanes.push(Some(text(lane.as_str()).into_owned()));
        self.ids.push(Some(text(event.id.as_str()).into_owned()));
        self.events.push(Some(json(&event.body)?));
        self.bodies.push(Some(json(timer)?));
        Ok(())
    }
}

pub(crate) fn into_event(timer: Timer) -> Event {
    let Timer { key, at, chat, person, name, data } = timer;
    let id = Event::id_of_due(chat.as_ref().map(|chat| &chat.id), &key, at);
    Event { id, time: at, body: EventBody::Due(Due { key, at, chat, person, name, data }) }
}
