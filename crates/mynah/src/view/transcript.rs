//! A conversation of the sandbox written down as a `[[test]]`: the events, and the actions of the bot.

use std::fmt::Write;

use jiff::tz::TimeZone;
use mynah_core::{Action, ChatId, Event, EventBody, MessageKind, Notice, NoticeKind};

use super::turn_record::{ActionRecord, TurnRecord};
use crate::testing::bot_action::shown;

/// An entry of a conversation: an action of a person with the immediate actions of the bot, or a later action of the
/// bot.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// Its name within the conversation.
    pub(super) id: String,
    /// When, in milliseconds since 1970.
    pub(super) time: i64,
    /// The line for a person's action; none where the clock made the bot act.
    pub(super) happened: Option<String>,
    /// The actions of the bot.
    pub(super) did: Vec<ActionLine>,
}

/// An action of the bot, as the line of a test that expects it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ActionLine {
    /// A message in the chat of the conversation.
    Here(String),
    /// Anything else; the whole line.
    Elsewhere(String),
}

impl Entry {
    /// The part of a turn in the conversation of a chat: one entry, and one for each action that waited.
    pub(super) fn of(turn: &TurnRecord, chat: &ChatId) -> Vec<Self> {
        let time = turn.moment().as_millis();
        let id = turn.event.id.as_str().to_owned();
        let is_here = turn.event.chat().is_some_and(|its| its.id == *chat);
        let happened = is_here.then(|| line_of(&turn.event)).flatten();
        let mut entries = vec![Self { id: id.clone(), time, happened, did: Vec::new() }];
        for (n, action) in turn.actions.iter().enumerate() {
            let Some(did) = did(turn, action, chat) else { continue };
            let delay = i64::try_from(action.delay.as_millis()).unwrap_or(i64::MAX);
            if delay == 0 {
                entries[0].did.push(did);
            } else {
                let (id, time) = (format!("{id}#{n}"), time.saturating_add(delay));
                entries.push(Self { id, time, happened: None, did: vec![did] });
            }
        }
        entries.retain(|entry| entry.happened.is_some() || !entry.did.is_empty());
        entries
    }

    /// The entry in one line, to be chosen by.
    pub(super) fn label(&self) -> String {
        let first = self.did.first().map(|did| match did {
            ActionLine::Here(text) => format!("> {text}"),
            ActionLine::Elsewhere(line) => line.clone(),
        });
        self.happened.clone().or(first).unwrap_or_default()
    }
}

/// The line of a script for a person's action; `None` if a script has no line for it.
fn line_of(event: &Event) -> Option<String> {
    let chat = event.chat()?;
    let place = if chat.is_group() { format!("{}/", chat.name) } else { String::new() };
    match &event.body {
        EventBody::Message(message) => {
            let content = match message.kind() {
                MessageKind::Text => on_one_line(&shown(&message.content)),
                kind => format!("[{}]", kind.word()),
            };
            Some(format!("{place}{}: {content}", message.sender.name))
        }
        EventBody::Notice(notice) => notice_line(notice, &place),
        EventBody::Due(_) | EventBody::Started => None,
    }
}

fn notice_line(notice: &Notice, place: &str) -> Option<String> {
    let word = notice.kind.word();
    let names = |people: &[mynah_core::Person]| {
        people.iter().map(|person| person.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let person = notice.person.as_ref().map(|person| person.name.as_str());
    let with = |text: &str| {
        let text = if text.is_empty() { String::new() } else { format!(": {}", on_one_line(text)) };
        person.map(|person| format!("! {word} {place}{person}{text}"))
    };
    match &notice.kind {
        NoticeKind::Join { people } | NoticeKind::Leave { people } => {
            Some(format!("! {word} {place}{}", names(people)))
        }
        NoticeKind::Rename { name } => with(name),
        NoticeKind::Recall { original, .. } => {
            with(&original.as_ref().map(|it| shown(&it.content)).unwrap_or_default())
        }
        NoticeKind::FriendRequest { greeting, .. } => with(greeting),
        NoticeKind::Pat { me: true, .. } | NoticeKind::RedPacket => with(""),
        NoticeKind::Pat { me: false, .. } | NoticeKind::Raw { .. } => None,
    }
}

/// An action in the words of a test; `None` if a test does not see it.
fn did(turn: &TurnRecord, record: &ActionRecord, chat: &ChatId) -> Option<ActionLine> {
    match &record.action {
        Action::Send { content } => {
            let text = on_one_line(&shown(content));
            if record.chat == *chat {
                return Some(ActionLine::Here(text));
            }
            let name = turn.chat_name(&record.chat);
            Some(ActionLine::Elsewhere(format!("=> {name}: {text}")))
        }
        Action::AcceptFriend { .. } => {
            let person = turn.event.person()?;
            Some(ActionLine::Elsewhere(format!("=> accept {}", person.name)))
        }
        Action::Kick { person } => Some(ActionLine::Elsewhere(format!("=> kick {}", person.name))),
        Action::Invite { person } => {
            let group = turn.chat_name(&record.chat);
            Some(ActionLine::Elsewhere(format!("=> invite {}: {group}", person.name)))
        }
        Action::Recall { sender: Some(sender), .. } => {
            Some(ActionLine::Elsewhere(format!("=> recall {}", sender.name)))
        }
        Action::Save { .. } | Action::Recall { sender: None, .. } => None,
    }
}

fn on_one_line(text: &str) -> String {
    text.replace(['\r', '\u{0}'], "").replace('\n', "\\n")
}

/// The test that plays this conversation in a chat of that name.
pub(super) fn to_test(chat: &str, entries: &[Entry], zone: &TimeZone) -> String {
    let script = Script::new(chat, zone).write(entries);
    // Text in ''' needs no escapes, unless it holds the quotes themselves.
    if script.contains("'''") {
        let escaped = script.replace('\\', "\\\\").replace('"', "\\\"");
        format!("[[test]]\nscript = \"\"\"\n{escaped}\"\"\"\n")
    } else {
        format!("[[test]]\nscript = '''\n{script}'''\n")
    }
}

/// A script in the writing.
struct Script<'a> {
    chat: &'a str,
    zone: &'a TimeZone,
    text: String,
    /// The moment that the lines so far have reached, in milliseconds.
    now: Option<i64>,
    /// Whether a person has done something: before that an answer has no place.
    has_happened: bool,
}

impl<'a> Script<'a> {
    fn new(chat: &'a str, zone: &'a TimeZone) -> Self {
        Self { chat, zone, text: String::new(), now: None, has_happened: false }
    }

    fn write(mut self, entries: &[Entry]) -> String {
        for entry in entries {
            self.pass(entry);
            if let Some(happened) = &entry.happened {
                self.line(happened);
                self.has_happened = true;
                if entry.did.is_empty() {
                    self.line("> -");
                }
            }
            for did in &entry.did {
                match did {
                    ActionLine::Here(text) if self.has_happened => self.line(&format!("> {text}")),
                    ActionLine::Here(text) => self.line(&format!("=> {}: {text}", self.chat)),
                    ActionLine::Elsewhere(line) => self.line(line),
                }
            }
        }
        self.text
    }

    fn line(&mut self, line: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{line}");
    }

    /// Lets time pass up to an entry: to the moment of the first one, then in whole seconds. Actions caused by the
    /// clock come when their time is reached, so those seconds are rounded up.
    fn pass(&mut self, entry: &Entry) {
        let is_timer = entry.happened.is_none();
        let Some(now) = self.now else {
            let start = entry.time.div_euclid(1000) * 1000 - i64::from(is_timer) * 1000;
            self.start(start);
            self.now = Some(start);
            if is_timer {
                self.pass(entry);
            }
            return;
        };
        let millis = (entry.time - now).max(0);
        let seconds = if is_timer { (millis + 999) / 1000 } else { millis / 1000 };
        if seconds > 0 {
            self.line(&format!("+{}", span(seconds)));
            self.now = Some(now + seconds * 1000);
        }
    }

    fn start(&mut self, at: i64) {
        let Ok(at) = jiff::Timestamp::from_millisecond(at) else { return };
        let at = at.to_zoned(self.zone.clone());
        let form = if at.second() == 0 { "@ %Y-%m-%d %H:%M" } else { "@ %Y-%m-%d %H:%M:%S" };
        self.line(&at.strftime(form).to_string());
    }
}

/// A time in the largest unit that says it exactly.
fn span(seconds: i64) -> String {
    match seconds {
        _ if seconds % 86_400 == 0 => format!("{}d", seconds / 86_400),
        _ if seconds % 3600 == 0 => format!("{}h", seconds / 3600),
        _ if seconds % 60 == 0 => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_795_406_400_000;

    fn entry(happened: Option<&str>, did: &[&str], time: i64) -> Entry {
        let did = did.iter().map(|did| match did.strip_prefix("=> ") {
            Some(_) => ActionLine::Elsewhere((*did).to_owned()),
            None => ActionLine::Here((*did).to_owned()),
        });
        let happened = happened.map(str::to_owned);
        Entry { id: time.to_string(), time, happened, did: did.collect() }
    }

    fn script(entries: &[Entry]) -> String {
        let test = to_test("客户一群", entries, &TimeZone::UTC);
        let table: toml::Table = test.parse().unwrap();
        table["test"][0]["script"].as_str().unwrap().to_owned()
    }

    #[test]
    fn joins_pats_waits_and_other_chats_become_lines_of_a_test() {
        let entries = [
            entry(Some("客户一群/张三: 多少钱"), &["一\\n二"], NOON + 400),
            entry(Some("! join 客户一群/小明, 小红"), &["欢迎", "=> 管理群: 来了"], NOON + 61_400),
            entry(None, &["三分钟到了"], NOON + 241_500),
            entry(Some("! pat 客户一群/李四"), &[], NOON + 241_600),
        ];
        assert_eq!(
            script(&entries),
            "@ 2026-11-23 04:00\n客户一群/张三: 多少钱\n> 一\\n二\n+61s\n! join 客户一群/小明, 小红\n> 欢迎\n\
             => 管理群: 来了\n+181s\n> 三分钟到了\n! pat 客户一群/李四\n> -\n"
        );
    }

    #[test]
    fn what_a_schedule_says_first_is_expected_after_its_time() {
        let entries = [entry(None, &["早上好"], NOON + 20)];
        assert_eq!(script(&entries), "@ 2026-11-23 03:59:59\n+2s\n=> 客户一群: 早上好\n");
    }

    #[test]
    fn times_are_written_in_the_largest_unit_that_fits() {
        for (seconds, expected) in [(61, "61s"), (180, "3m"), (7200, "2h"), (86_400, "1d")] {
            assert_eq!(span(seconds), expected);
        }
    }

    #[test]
    fn quotes_of_toml_in_a_text_are_escaped() {
        let entries = [entry(Some(r#"a: '''"\"#), &[], 0)];
        assert!(script(&entries).contains(r#"a: '''"\"#));
    }
}
