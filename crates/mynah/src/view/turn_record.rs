//! The record of a turn of the sandbox: the event, why each rule answered or not, the actions, the changes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mynah_core::{
    Action, ActionId, Change, Chat, ChatId, Decided, Event, EventBody, Outcome, Scope, Step,
    Timestamp, Turn, Write, add, sort_by,
};
use mynah_page::view::{ActionRow, DialogRow, StateRow, ValueRow, Why};
use mynah_rules::{Lang, OpenDialog};

use super::console::cause_of;
use super::reasons::Reasons;
use crate::rule_file;
use crate::testing::bot_action::shown;

/// Values of state by scope and name.
pub(super) type Values = BTreeMap<(Scope, String), String>;

/// The ids of rules by the keys under which their brakes are kept.
pub(super) type RuleIds = BTreeMap<String, String>;

/// A turn.
#[derive(Debug)]
pub(super) struct TurnRecord {
    /// The event it was about.
    pub(super) event: Event,
    /// The decision.
    pub(super) decided: Decided,
    /// The data collected before the rules ran; empty where they were not asked.
    pub(super) seen: Seen,
    /// The changes of state.
    writes: Vec<Write>,
    /// The actions.
    pub(super) actions: Vec<ActionRecord>,
}

/// The data about an event that is collected before the rules decide about it.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// When.
    pub(super) at: Timestamp,
    /// The outcome of each rule.
    pub(super) reasons: Reasons,
    /// The state before.
    pub(super) before: Values,
    /// The handlers that the rules run, in order.
    pub(super) handlers: Vec<String>,
    /// Handlers that failed, with their errors.
    pub(super) failures: Vec<(String, String)>,
    /// The chats that the account knows.
    pub(super) chats: Arc<[Chat]>,
    /// The rules in use.
    pub(super) rules: Arc<RuleIds>,
}

/// An action of a turn.
#[derive(Debug)]
pub(super) struct ActionRecord {
    /// The chat it is for.
    pub(super) chat: ChatId,
    /// The action.
    pub(super) action: Action,
    /// Not before so long after the turn.
    pub(super) delay: Duration,
    /// Its outcome; none while it waits.
    pub(super) outcome: Option<Outcome>,
}

impl TurnRecord {
    /// A turn as it is committed.
    pub(super) fn new(turn: &Turn, seen: Seen) -> Self {
        let actions = turn.effects.steps.iter().filter_map(|step| match step {
            Step::Act(planned) => Some(ActionRecord {
                chat: planned.chat.clone(),
                action: planned.action.clone(),
                delay: planned.delay,
                outcome: None,
            }),
            Step::Run(_) => None,
        });
        Self {
            event: turn.event.clone(),
            decided: turn.decided.clone(),
            writes: turn.effects.writes.clone(),
            actions: actions.collect(),
            seen,
        }
    }

    /// An action was settled.
    pub(super) fn settled(&mut self, id: &ActionId, outcome: &Outcome) {
        let action = usize::try_from(id.n).ok().and_then(|n| self.actions.get_mut(n));
        if let Some(action) = action {
            action.outcome = Some(outcome.clone());
        }
    }

    /// All of it for the page.
    pub(super) fn why(&self, lang: Lang) -> Why {
        let Seen { at, reasons, .. } = &self.seen;
        Why {
            cause: None,
            decided: Some(self.decided.clone()),
            deciding: reasons.deciding(*at, lang),
            near: reasons.near(*at, lang),
            rest: reasons.rest(*at, lang),
            actions: self.action_rows(),
            problems: self.problems(lang),
            state: self.state(),
        }
    }

    /// When the bot handled the event; where it did not look at it, when it happened.
    pub(super) fn moment(&self) -> Timestamp {
        self.event.time.max(self.seen.at)
    }

    /// The name of a chat, or its id where the account does not know it.
    pub(super) fn chat_name<'a>(&'a self, id: &'a ChatId) -> &'a str {
        let here = self.event.chat().filter(|chat| chat.id == *id);
        let known = here.or_else(|| self.seen.chats.iter().find(|chat| chat.id == *id));
        known.map_or(id.as_str(), |chat| chat.name.as_str())
    }

    fn action_rows(&self) -> Vec<ActionRow> {
        let ran = self.seen.handlers.iter().map(|handler| ActionRow {
            what: "run",
            chat: None,
            text: handler.clone(),
            outcome: if self.has_failed(handler) { "refused" } else { "done" },
            cause: None,
            detail: String::new(),
        });
        ran.chain(self.actions.iter().map(|action| self.action_row(action))).collect()
    }

    fn has_failed(&self, handler: &str) -> bool {
        self.seen.failures.iter().any(|(failed, _)| failed == handler)
    }

    fn action_row(&self, record: &ActionRecord) -> ActionRow {
        let is_here = self.event.chat().is_some_and(|chat| chat.id == record.chat);
        let (what, text) = match &record.action {
            Action::Send { content } => ("send", shown(content)),
            Action::Recall { sender, .. } => {
                ("recall", sender.as_ref().map(|sender| sender.name.clone()).unwrap_or_default())
            }
            Action::Kick { person } => ("kick", person.name.clone()),
            Action::Invite { person } => ("invite", person.name.clone()),
            Action::AcceptFriend { .. } => ("accept_friend", String::new()),
            Action::Save { file, row } => ("save", format!("{file}: {}", row.join(", "))),
        };
        let (outcome, detail) = match &record.outcome {
            None => ("waiting", ""),
            Some(Outcome::Delivered(_) | Outcome::Accepted) => ("done", ""),
            Some(Outcome::NotSent { reason, .. }) => ("again", reason.as_str()),
            Some(Outcome::Refused { reason }) => ("refused", reason.as_str()),
            Some(Outcome::Expired) => ("expired", ""),
            Some(Outcome::Unknown { reason, .. }) => ("unknown", reason.as_str()),
        };
        ActionRow {
            what,
            chat: (!is_here).then(|| self.chat_name(&record.chat).to_owned()),
            text,
            outcome,
            cause: cause_of(detail, rule_file::sandbox_service()),
            detail: detail.to_owned(),
        }
    }

    fn problems(&self, lang: Lang) -> Vec<String> {
        let warnings = self.decided.warnings.iter().map(|warning| warning.of(lang).to_owned());
        let failures = self.seen.failures.iter().map(|(handler, error)| match lang {
            Lang::En => format!("the handler {handler} failed: {error}"),
            Lang::Zh => format!("处理程序 {handler} 出错：{error}"),
        });
        warnings.chain(failures).collect()
    }

    /// The values before and after, those of each owner by name.
    fn state(&self) -> StateRow {
        let mut after = self.seen.before.clone();
        for write in &self.writes {
            let at = (write.scope, write.key.clone());
            match &write.change {
                Change::Set(value) => drop(after.insert(at, value.clone())),
                Change::Add(by) => {
                    let sum = add(after.get(&at).map(String::as_str), *by);
                    after.insert(at, sum);
                }
                Change::Remove | Change::RemoveOfAll => drop(after.remove(&at)),
            }
        }
        let rows = |scope| {
            let before = &self.seen.before;
            let keys = before.keys().chain(after.keys().filter(|key| !before.contains_key(*key)));
            let mut rows: Vec<ValueRow> = keys
                .filter(|(owner, _)| *owner == scope)
                .map(|key| self.value(&key.1, before.get(key), after.get(key)))
                .collect();
            sort_by(&mut rows, |a, b| a.name.cmp(&b.name));
            rows
        };
        StateRow { person: rows(Scope::Person), chat: rows(Scope::Chat), bot: rows(Scope::Bot) }
    }

    fn value(&self, key: &str, before: Option<&String>, after: Option<&String>) -> ValueRow {
        let dialog = after.filter(|_| key == OpenDialog::KEY);
        ValueRow {
            name: named(key, &self.seen.rules),
            before: before.cloned(),
            after: after.cloned(),
            dialog: dialog.and_then(|stored| OpenDialog::read(stored)).map(dialog_row),
        }
    }
}

fn dialog_row(open: OpenDialog) -> DialogRow {
    let OpenDialog { id, question, of, step, until, answers } = open;
    DialogRow { id, question, of, step, until: until.map(Timestamp::as_millis), answers }
}

/// A name of state as people know it: with the rule's id in place of the key under which it is kept, and without the
/// period that a count belongs to.
fn named(name: &str, rules: &RuleIds) -> String {
    let Some((what, rest)) = name.split_once(':') else { return name.to_owned() };
    let key = rest.rsplit_once(':').map_or(rest, |(key, _)| key);
    // Of a table, each question has its own clock.
    let table = rest.rsplit_once('/').map_or(rest, |(table, _)| table);
    let rule = rules.get(rest).or_else(|| rules.get(key)).or_else(|| rules.get(table));
    rule.map_or_else(|| name.to_owned(), |rule| format!("{what}:{rule}"))
}

/// The id that the sandbox has for the message of an event. A notice has the id of its line in the chat.
pub(super) fn message_of(event: &Event) -> Option<&str> {
    match &event.body {
        EventBody::Message(message) => Some(message.id.as_str()),
        EventBody::Notice(_) => event.id.as_str().strip_prefix('n'),
        EventBody::Due(_) | EventBody::Started => None,
    }
}

#[cfg(test)]
mod tests {
    use mynah_core::{Content, Effects, EventId, Message, Origin, Person, Planned};

    use super::*;

    #[test]
    fn state_of_a_rule_is_named_after_it() {
        let rules = BTreeMap::from([("#rule-0a".to_owned(), "bot.toml:7".to_owned())]);
        for (name, expected) in [
            ("cooldown:#rule-0a", "cooldown:bot.toml:7"),
            ("limit:#rule-0a:1795670011", "limit:bot.toml:7"),
            ("cooldown:#rule-0a/0123456789abcdef", "cooldown:bot.toml:7"),
            ("limit:#rule-0b:1795670011", "limit:#rule-0b:1795670011"),
            ("mute:until", "mute:until"),
            ("points", "points"),
        ] {
            assert_eq!(named(name, &rules), expected);
        }
    }

    fn turn(writes: Vec<Write>, steps: Vec<Step>) -> Turn {
        let said = Message {
            id: "1".into(),
            chat: Chat::group("g", "客户一群"),
            sender: Person::stranger("p", "张三"),
            origin: Origin::Person,
            content: Content::text("签到"),
            text: "签到".to_owned(),
            called: false,
            behind_name: None,
        };
        Turn {
            event: Event {
                id: EventId::from("m1"),
                time: Timestamp::default(),
                body: EventBody::Message(said),
            },
            reads: Vec::new(),
            effects: Effects { writes, steps, timers: Vec::new() },
            decided: Decided::default(),
            reply_max_age: None,
        }
    }

    #[test]
    fn a_changed_variable_is_shown_before_and_after() {
        let write = |key: &str, change| Write {
            scope: Scope::Person,
            key: key.to_owned(),
            change,
            expires: None,
        };
        let writes = vec![
            write("points", Change::Add(2)),
            write("level", Change::Set("铜".to_owned())),
            write("old", Change::Remove),
        ];
        let before = [("points", "3"), ("old", "x"), ("same", "y")]
            .map(|(key, value)| ((Scope::Person, key.to_owned()), value.to_owned()));
        let seen = Seen { before: before.into(), ..Seen::default() };
        let state = TurnRecord::new(&turn(writes, Vec::new()), seen).state();
        let shown: Vec<_> = state
            .person
            .iter()
            .map(|row| (row.name.as_str(), row.before.as_deref(), row.after.as_deref()))
            .collect();
        assert_eq!(
            shown,
            [
                ("level", None, Some("铜")),
                ("old", Some("x"), None),
                ("points", Some("3"), Some("5")),
                ("same", Some("y"), Some("y")),
            ]
        );
    }

    #[test]
    fn what_goes_to_another_chat_and_what_is_refused_is_shown() {
        let send = |chat: &str| {
            Step::Act(Planned {
                chat: chat.into(),
                action: Action::Send { content: Content::text("好") },
                delay: Duration::ZERO,
                is_reply: true,
            })
        };
        let seen = Seen { chats: Arc::from([Chat::group("h", "管理群")]), ..Seen::default() };
        let mut record = TurnRecord::new(&turn(Vec::new(), vec![send("g"), send("h")]), seen);
        let id = ActionId { event: EventId::from("m1"), n: 1 };
        record
            .settled(&id, &Outcome::Refused { reason: "the receiver is not a friend".to_owned() });
        let shown: Vec<_> = record
            .action_rows()
            .into_iter()
            .map(|row| (row.chat, row.outcome, row.cause))
            .collect();
        assert_eq!(
            shown,
            [
                (None, "waiting", None),
                (Some("管理群".to_owned()), "refused", Some("cause-not-friend")),
            ]
        );
    }
}
