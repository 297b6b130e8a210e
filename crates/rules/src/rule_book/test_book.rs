//! Conversations with a rule book alone, for tests: state, timers and a clock in memory, every decision made twice, by
//! the index and by the ordered scan, and compared.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mynah_core::{
    Action, Change, Chat, ChatId, Content, Due, Event, EventBody, Fetch, FetchAnswer, FetchFailure,
    FetchRequest, MemberValue, MemberValues, Message, MessageId, Notice, NoticeKind, Origin,
    Person, Random, Scope, Segment, StateView, Step, Timer, TimerChange, Timestamp, Write, add,
    kept_name,
};

use crate::decision::{Decision, Moment, RuleRef};
use crate::explain::Verdict;
use crate::inputs::{Fetched, Inputs, Lack};
use crate::rule_book::RuleBook;
use crate::{Files, LoadOptions, load};

/// A file system of one file, in which every other file exists.
struct OneFile<'t>(&'t str);

impl Files for OneFile<'_> {
    fn read(&self, _path: &Path) -> io::Result<String> {
        Ok(self.0.to_owned())
    }

    fn size(&self, _folder: &Path, _path: &Path) -> io::Result<u64> {
        Ok(1)
    }

    fn list(&self, _folder: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(Vec::new())
    }
}

/// The rule book of a text that has no error; in Shanghai unless it says where.
pub(crate) fn book(text: &str) -> Arc<RuleBook> {
    let zone = "[bot]\ntimezone = \"Asia/Shanghai\"\n";
    let text = match text {
        placed if placed.contains("timezone") => placed.to_owned(),
        placed if placed.contains("[bot]") => placed.replace("[bot]", zone),
        _ => format!("{zone}{text}"),
    };
    let loaded = load(Path::new("bot.toml"), &OneFile(&text), &LoadOptions::default());
    loaded.book.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics))
}

/// The mistakes and warnings of a text.
pub(crate) fn diagnostics(text: &str) -> Vec<crate::Diagnostic> {
    load(Path::new("bot.toml"), &OneFile(text), &LoadOptions::default()).diagnostics
}

/// The mistakes and warnings of a text, judged by the settings of a client.
pub(crate) fn diagnostics_by(text: &str, client: &dyn Fetch) -> Vec<crate::Diagnostic> {
    let options = LoadOptions { fetch: Some(client), ..LoadOptions::default() };
    load(Path::new("bot.toml"), &OneFile(text), &options).diagnostics
}

type Owner = (Option<ChatId>, Option<String>);

/// A conversation with a rule book.
pub(crate) struct Talk {
    pub(crate) book: Arc<RuleBook>,
    pub(crate) now: Timestamp,
    pub(crate) seed: u64,
    state: BTreeMap<(Scope, Owner, String), (String, Option<Timestamp>)>,
    /// The number of the last change of each value of a person, and the name of the person then.
    changed: BTreeMap<(Owner, String), (u64, String)>,
    changes: u64,
    timers: BTreeMap<(Option<ChatId>, String), Timer>,
    chats: Vec<Chat>,
    /// The names of the members of every group, as the service knows them.
    pub(crate) members: Vec<String>,
    /// The outcomes of requests, by their lines; any other request times out.
    pub(crate) answers: BTreeMap<String, Fetched>,
    /// The requests that were sent, in order.
    pub(crate) asked: Vec<FetchRequest>,
    said: u64,
    /// The last decision.
    pub(crate) last: Decision,
    /// Why.
    pub(crate) trace: Vec<(RuleRef, Verdict)>,
}

/// The state of one chat and person.
struct View<'t> {
    talk: &'t Talk,
    chat: Option<ChatId>,
    person: Option<String>,
}

impl View<'_> {
    fn owner(&self, scope: Scope) -> Owner {
        match scope {
            Scope::Bot => (None, None),
            Scope::Chat => (self.chat.clone(), None),
            Scope::Person => (self.chat.clone(), self.person.clone()),
        }
    }
}

impl StateView for View<'_> {
    fn get(&self, scope: Scope, key: &str) -> Option<String> {
        let (text, expires) = self.talk.state.get(&(scope, self.owner(scope), key.to_owned()))?;
        expires.is_none_or(|expires| expires > self.talk.now).then(|| text.clone())
    }

    fn expires(&self, scope: Scope, key: &str) -> Option<Timestamp> {
        self.talk
            .state
            .get(&(scope, self.owner(scope), key.to_owned()))
            .and_then(|(_, expires)| *expires)
    }
}

impl Talk {
    /// With the bot of that text, on Monday, 2026-11-23, at noon in Shanghai.
    pub(crate) fn with(text: &str) -> Self {
        let mut talk = Self {
            book: book(text),
            now: Timestamp::from_secs(0),
            seed: 0,
            state: BTreeMap::new(),
            changed: BTreeMap::new(),
            changes: 0,
            timers: BTreeMap::new(),
            chats: Vec::new(),
            members: Vec::new(),
            answers: BTreeMap::new(),
            asked: Vec::new(),
            said: 0,
            last: Decision::default(),
            trace: Vec::new(),
        };
        talk.jump("2026-11-23T12:00:00+08:00");
        talk
    }

    /// Answers a request, named by method and address.
    pub(crate) fn answers(&mut self, line: &str, status: u16, body: &str) {
        let outcome = if (200..300).contains(&status) {
            Fetched::Answer(Arc::new(FetchAnswer { status, body: body.to_owned() }))
        } else {
            Fetched::Failed(FetchFailure::Status(status))
        };
        self.answers.insert(line.to_owned(), outcome);
    }

    /// The lines of the requests that were sent since the last call.
    pub(crate) fn asked(&mut self) -> Vec<String> {
        self.asked.drain(..).map(|request| request.line()).collect()
    }

    /// A variable of a person in the private chat.
    pub(crate) fn value(&mut self, person: &str, key: &str) -> Option<String> {
        let (chat, person) = self.people(person);
        let view =
            View { talk: self, chat: Some(chat.id), person: Some(person.id.as_str().to_owned()) };
        view.get(Scope::Person, key)
    }

    /// Moves the clock without firing anything.
    pub(crate) fn jump(&mut self, to: &str) {
        let instant: jiff::Timestamp = to.parse().expect(to);
        self.now = Timestamp::from_millis(instant.as_millisecond());
    }

    /// The chat of a place like `group/person` or `person`, and the person.
    fn people(&mut self, place: &str) -> (Chat, Person) {
        let (chat, name) = match place.split_once('/') {
            Some((group, name)) => (Chat::group(format!("g:{group}"), group), name),
            None => (Chat::private(format!("p:{place}"), place), place),
        };
        if !self.chats.contains(&chat) {
            self.chats.push(chat.clone());
        }
        // Names with a star are of people who are not friends.
        let person = match name.strip_suffix('*') {
            Some(stranger) => Person::stranger(format!("s:{stranger}"), stranger),
            None => Person::friend(format!("f:{name}"), name),
        };
        (chat, person)
    }

    /// Sends a text of a person; returns the actions of the bot.
    pub(crate) fn say(&mut self, place: &str, text: &str) -> Vec<String> {
        self.say_called(place, text, false)
    }

    /// The same, with a call of the bot.
    pub(crate) fn say_called(&mut self, place: &str, text: &str, called: bool) -> Vec<String> {
        let content = Content::typed(text);
        let own = content.plain_text();
        self.send(place, content, &own, called)
    }

    /// The event of such a text, which is not sent.
    pub(crate) fn event(&mut self, place: &str, text: &str) -> Event {
        let (chat, sender) = self.people(place);
        let (content, text) = (Content::text(text), text.to_owned());
        let (id, origin, called) = ("m".into(), Origin::Person, true);
        let behind_name = None;
        let message = Message { id, chat, sender, origin, content, text, called, behind_name };
        Event { id: "e".into(), time: self.now, body: EventBody::Message(message) }
    }

    /// Sends a message of any content.
    pub(crate) fn send(
        &mut self,
        place: &str,
        content: Content,
        text: &str,
        called: bool,
    ) -> Vec<String> {
        self.send_named(place, content, text, called, None)
    }

    /// A person sends a text that begins with a name of the bot: behind it, from that byte on, are the other words.
    pub(crate) fn send_named(
        &mut self,
        place: &str,
        content: Content,
        text: &str,
        called: bool,
        behind_name: Option<usize>,
    ) -> Vec<String> {
        let (chat, sender) = self.people(place);
        let called = called || behind_name.is_some() || !chat.is_group();
        let id = MessageId::new(format!("m{}", self.said));
        let text = text.to_owned();
        let origin = Origin::Person;
        let message = Message { id, chat, sender, origin, content, text, called, behind_name };
        self.happens(EventBody::Message(message))
    }

    /// Something else happens.
    pub(crate) fn notice(&mut self, place: &str, kind: NoticeKind) -> Vec<String> {
        let (chat, person) = self.people(place);
        self.happens(EventBody::Notice(Notice { chat, person: Some(person), kind }))
    }

    /// Brings the inputs that a decision lacks.
    fn bring(
        &self,
        lacks: Vec<Lack>,
        chat: Option<&Chat>,
        inputs: &mut Inputs,
        asked: &mut Vec<FetchRequest>,
    ) {
        for lack in lacks {
            match lack {
                Lack::Values(key) => {
                    let values = self.of_members(chat, &key);
                    inputs.add_values(key, values);
                }
                Lack::Members => inputs.add_members(self.members.clone()),
                Lack::Fetch(request) => {
                    let failure = Fetched::Failed(FetchFailure::TimedOut);
                    let outcome = self.answers.get(&request.line()).cloned();
                    asked.push((*request).clone());
                    inputs.add_fetched(*request, outcome.unwrap_or(failure));
                }
            }
        }
    }

    /// Anything happens now.
    pub(crate) fn happens(&mut self, body: EventBody) -> Vec<String> {
        let event = Event { id: format!("e{}", self.said).into(), time: self.now, body };
        self.said += 1;
        let mut at = Moment {
            now: self.now,
            random: Random::of(self.seed, &event.id),
            chats: self.chats.clone().into(),
            inputs: Inputs::default(),
        };
        let person = event.person().map(|person| person.id.to_string());
        let mut asked = Vec::new();
        let view = View { talk: self, chat: event.chat().map(|chat| chat.id.clone()), person };
        let (decision, trace) = loop {
            let mut trace = Vec::new();
            let decision = self.book.explain(&event, &view, &at, &mut trace);
            assert_eq!(
                self.book.decide(&event, &view, &at),
                decision,
                "index and scan decide alike"
            );
            if decision.lacks.is_empty() {
                break (decision, trace);
            }
            assert!(!decision.acted && decision.writes.is_empty() && decision.steps.is_empty());
            self.bring(decision.lacks, event.chat(), &mut at.inputs, &mut asked);
        };
        let sender = event.person().map(|person| person.name.clone()).unwrap_or_default();
        let (owner_chat, owner_person) = (view.chat.clone(), view.person.clone());
        self.asked.extend(asked);
        for write in &decision.writes {
            let view = View { talk: self, chat: owner_chat.clone(), person: owner_person.clone() };
            let owner = view.owner(write.scope);
            let before = view.get(write.scope, &write.key);
            self.apply(write, owner, before.as_deref(), &sender);
        }
        for timer in &decision.timers {
            match timer.clone() {
                TimerChange::Set(timer) => {
                    let chat = timer.chat.as_ref().map(|chat| chat.id.clone());
                    self.timers.insert((chat, timer.key.clone()), timer);
                }
                TimerChange::Cancel { chat, key } => drop(self.timers.remove(&(chat, key))),
            }
        }
        let lines =
            decision.steps.iter().map(|step| self.line(step, owner_chat.as_ref())).collect();
        (self.last, self.trace) = (decision, trace);
        lines
    }

    /// The values of all people in a chat, by looking at the whole state.
    pub(crate) fn of_members(&self, chat: Option<&Chat>, wanted: &str) -> MemberValues {
        let mut found = Vec::new();
        for ((scope, owner, key), (text, expires)) in &self.state {
            let (of, Some(person)) = owner else { continue };
            let is_live = expires.is_none_or(|expires| expires > self.now);
            let is_here = of.as_ref() == chat.map(|chat| &chat.id) && *scope == Scope::Person;
            if is_live && is_here && key == wanted {
                let (change, name) = &self.changed[&(owner.clone(), key.clone())];
                let person = person.as_str().into();
                let (name, text) = (kept_name(name), text.clone());
                found.push((change, MemberValue { person, name, text }));
            }
        }
        found.sort_by_key(|(change, _)| *change);
        let values = found.into_iter().map(|(_, value)| value).collect();
        MemberValues { values, is_cut: false }
    }

    fn apply(&mut self, write: &Write, owner: Owner, before: Option<&str>, sender: &str) {
        if write.change == Change::RemoveOfAll {
            return self.state.retain(|(scope, (chat, _), key), _| {
                *scope != Scope::Person || *chat != owner.0 || *key != write.key
            });
        }
        self.changes += 1;
        let change = (self.changes, sender.to_owned());
        self.changed.insert((owner.clone(), write.key.clone()), change);
        let place = (write.scope, owner, write.key.clone());
        let value = match &write.change {
            Change::Set(text) => text.clone(),
            Change::Add(by) => add(before, *by),
            Change::Remove | Change::RemoveOfAll => return drop(self.state.remove(&place)),
        };
        self.state.insert(place, (value, write.expires));
    }

    /// Time passes; everything that is due happens, in order.
    pub(crate) fn pass(&mut self, seconds: u64) -> Vec<String> {
        let end = self.now + Duration::from_secs(seconds);
        let mut lines = Vec::new();
        loop {
            let next = self
                .timers
                .values()
                .min_by_key(|timer| timer.at)
                .filter(|timer| timer.at <= end)
                .cloned();
            let Some(timer) = next else { break };
            self.now = self.now.max(timer.at);
            lines.extend(self.fire(timer));
        }
        self.now = end;
        lines
    }

    fn fire(&mut self, timer: Timer) -> Vec<String> {
        let Timer { key, at, chat, person, name, data } = timer;
        self.timers.remove(&(chat.as_ref().map(|chat| chat.id.clone()), key.clone()));
        self.happens(EventBody::Due(Due { key, at, chat, person, name, data }))
    }

    /// The bot begins to work, perhaps with other rules.
    pub(crate) fn start(&mut self, rules: Option<&str>) {
        if let Some(rules) = rules {
            self.book = book(rules);
        }
        self.happens(EventBody::Started);
    }

    /// Puts a value into the bot's state.
    pub(crate) fn remembers(&mut self, key: &str, value: &str) {
        let place = (Scope::Bot, (None, None), key.to_owned());
        self.state.insert(place, (value.to_owned(), None));
    }

    /// Changes every stored value.
    pub(crate) fn rewrite_state(&mut self, change: impl Fn(&str) -> String) {
        for (value, _) in self.state.values_mut() {
            *value = change(value);
        }
    }

    /// Makes a group known to the account.
    pub(crate) fn knows(&mut self, group: &str) {
        self.people(&format!("{group}/x"));
    }

    /// The moments of all timers, as UTC.
    pub(crate) fn due(&self) -> Vec<String> {
        let mut moments: Vec<_> = self.timers.values().map(|timer| timer.at).collect();
        moments.sort();
        moments
            .iter()
            .map(|at| {
                jiff::Timestamp::from_millisecond(at.as_millis()).expect("in range").to_string()
            })
            .collect()
    }

    fn line(&self, step: &Step, here: Option<&ChatId>) -> String {
        let planned = match step {
            Step::Run(call) => return format!("=> run {} {:?}", call.handler, call.captures),
            Step::Act(planned) => planned,
        };
        let wait =
            if planned.delay.is_zero() { String::new() } else { format!("[{:?}] ", planned.delay) };
        let what = match &planned.action {
            Action::Send { content } => shown(content),
            Action::AcceptFriend { ticket } => return format!("=> accept {ticket}"),
            Action::Save { file, row } => return format!("=> save {file} {}", row.join("|")),
            Action::Recall { sender, .. } => {
                let sender = sender.as_ref().map_or("the bot", |sender| &sender.name);
                return format!("{wait}=> recall {sender}");
            }
            Action::Kick { person } => return format!("{wait}=> kick {}", person.name),
            Action::Invite { person } => {
                let group = self.chats.iter().find(|chat| chat.id == planned.chat);
                let group = group.map_or("?", |chat| chat.name.as_str());
                return format!("{wait}=> invite {}: {group}", person.name);
            }
        };
        if Some(&planned.chat) == here {
            return format!("{wait}{what}");
        }
        let name = self
            .chats
            .iter()
            .find(|chat| chat.id == planned.chat)
            .map_or("?", |chat| chat.name.as_str());
        format!("{wait}=> {name}: {what}")
    }
}

fn shown(content: &Content) -> String {
    let pieces = content.0.iter().map(|segment| match segment {
        Segment::Text { text } => text.clone(),
        Segment::Mention { shown, .. } => format!("@{shown} "),
        Segment::Quote { sender, text, .. } => format!("「{sender}：{text}」"),
        Segment::Image(media) => format!("[image {}]", media.name.as_deref().unwrap_or("")),
        Segment::File(media) => format!("[file {}]", media.name.as_deref().unwrap_or("")),
        other => format!("{other:?}"),
    });
    pieces.collect()
}
