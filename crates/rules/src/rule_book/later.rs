//! Timers that are due: dialogs that ran out, schedules, and steps that waited.

use std::time::Duration;

use mynah_core::{Captures, Due, MessageId, Person, Question, StateView, Timer};
use serde::{Deserialize, Serialize};

use super::RuleBook;
use super::actions::Actor;
use super::asked;
use super::pending::Pending;
use super::scene::Scene;
use super::stored_steps::{StoredStep, keep, kept};
use crate::decision::{Decision, Moment, Warning};
use crate::model::Step;
use crate::{dialog, schedule};

/// The name of timers for steps that waited.
const NAME: &str = "steps";

/// The purpose of a timer of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimerKind {
    /// A schedule.
    Schedule,
    /// The end of a dialog's patience.
    DialogTimeOut,
    /// Steps after a `wait`.
    WaitedSteps,
}

impl TimerKind {
    /// The purpose of a timer of this name; `None` if the rules did not set it.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        match name {
            NAME => Some(Self::WaitedSteps),
            dialog::TIMER => Some(Self::DialogTimeOut),
            schedule::TIMER => Some(Self::Schedule),
            _ => None,
        }
    }
}

/// Steps that wait, with all they need.
#[derive(Debug, Serialize, Deserialize)]
struct Waiting {
    key: String,
    steps: Vec<StoredStep>,
    captures: Captures,
    columns: Vec<String>,
    rest: String,
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<MessageId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    joined: Option<Vec<Person>>,
}

/// Decides about a timer that is due. A timer that the rules did not set belongs to a handler.
pub(super) fn due(book: &RuleBook, due: &Due, state: &dyn StateView, at: &Moment) -> Decision {
    match due.name.as_str() {
        NAME => steps(book, due, state, at),
        dialog::TIMER => dialog::timed_out(book, due, state, at).unwrap_or_default(),
        schedule::TIMER => schedule::due(book, due, state, at),
        _ if Question::is_end_of_one(due) => asked::timed_out(due, state),
        _ => Decision::default(),
    }
}

/// The timer for the steps of an actor from that one on, at the end of his delay.
pub(super) fn rest_of_steps(actor: &Actor<'_, '_>, steps: &[Step], from: usize) -> Timer {
    let scene = actor.scene;
    let waiting = Waiting {
        key: actor.key.to_owned(),
        steps: keep(&steps[from..]),
        captures: scene.captures.clone(),
        columns: scene.columns.clone(),
        rest: scene.rest.clone(),
        text: scene.text.to_owned(),
        message: scene.message_id.cloned(),
        joined: scene.joined.map(<[Person]>::to_vec),
    };
    let person = scene.person.map_or("", |person| person.id.as_str());
    Timer {
        key: format!("{NAME}:{}:{person}:{}:{from}", actor.key, actor.at.now.as_millis()),
        at: actor.at.now + actor.delay,
        chat: Some(scene.chat.clone()),
        person: scene.person.cloned(),
        name: NAME.to_owned(),
        data: serde_json::to_string(&waiting).unwrap_or_default(),
    }
}

fn steps(book: &RuleBook, due: &Due, state: &dyn StateView, at: &Moment) -> Decision {
    let waiting: Waiting = match serde_json::from_str(&due.data) {
        Ok(waiting) => waiting,
        Err(error) => return unreadable(due, &error),
    };
    let Some(mut scene) = scene_of(book, due, at) else { return Decision::default() };
    scene.text = &waiting.text;
    scene.captures = waiting.captures;
    scene.columns = waiting.columns;
    scene.rest = waiting.rest;
    scene.message_id = waiting.message.as_ref();
    scene.joined = waiting.joined.as_deref();
    let steps = kept(waiting.steps);
    perform(book, state, at, &scene, &waiting.key, |actor| actor.perform(&steps))
}

/// Steps in a form of another version are not done. The log says so, and why.
fn unreadable(due: &Due, error: &serde_json::Error) -> Decision {
    let warning = Warning {
        en: format!("steps not done: this version cannot read their form ({}: {error})", due.key),
        zh: format!("延后的步骤没有执行：当前版本无法识别其格式（{}：{error}）", due.key),
    };
    let passed_over = Some("steps in an unknown form");
    Decision { passed_over, warnings: vec![warning], ..Decision::default() }
}

/// The scene of a timer: there is no message.
pub(crate) fn scene_of<'s>(book: &'s RuleBook, due: &'s Due, at: &Moment) -> Option<Scene<'s>> {
    let chat = due.chat.as_ref()?;
    Some(Scene {
        chat,
        person: due.person.as_ref(),
        message: None,
        notice: None,
        message_id: None,
        joined: None,
        text: "",
        captures: Captures::new(),
        columns: Vec::new(),
        rest: String::new(),
        table: book.table(chat),
        now: at.now,
        zone: book.zone(),
        is_reply: true,
        vars: &book.vars,
        lang: book.lang(),
    })
}

/// Lets an actor act in a scene and returns the decision.
pub(crate) fn perform(
    book: &RuleBook,
    state: &dyn StateView,
    at: &Moment,
    scene: &Scene<'_>,
    key: &str,
    act: impl FnOnce(&mut Actor<'_, '_>),
) -> Decision {
    let mut pending = Pending::new(state);
    let mut out = Decision { acted: true, ..Decision::default() };
    let delay = Duration::ZERO;
    act(&mut Actor { book, at, scene, key, pending: &mut pending, out: &mut out, delay, step: 0 });
    out.lacks = pending.take_lacks();
    out.writes = pending.into_writes();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_steps_of_every_version_can_be_read() {
        let before =
            r#"{"key":"r","steps":["accept"],"captures":{},"columns":[],"rest":"","text":"t"}"#;
        let waiting: Waiting = serde_json::from_str(before).unwrap();
        assert_eq!((waiting.message, waiting.joined), (None, None));
        let now = r#"{"key":"r","steps":["recall",{"invite":"g"},"kick"],"captures":{},"columns":[],"rest":"","text":"t","message":"m1","joined":[{"id":"p1","name":"Ann"}]}"#;
        let waiting: Waiting = serde_json::from_str(now).unwrap();
        assert_eq!(serde_json::to_string(&waiting).unwrap(), now);
        assert!(matches!(
            kept(waiting.steps).as_slice(),
            [Step::Recall, Step::Invite(_), Step::Kick]
        ));
    }
    use mynah_core::{Chat, Event, EventBody, NoState, Timestamp};

    #[test]
    fn steps_of_another_version_are_reported_and_not_done() {
        let book = super::super::test_book::book("[[rule]]\nkeyword = \"a\"\nreply = \"b\"\n");
        let due = Due {
            key: "steps:r:p:0:1".to_owned(),
            at: Timestamp::default(),
            chat: Some(Chat::group("g", "g")),
            person: None,
            name: NAME.to_owned(),
            data: r#"{"key":"r","steps":[{"dance":"tango"}]}"#.to_owned(),
        };
        let event = Event { id: "e".into(), time: due.at, body: EventBody::Due(due) };
        let decision = book.decide(&event, &NoState, &Moment::at(event.time));
        assert_eq!(decision.passed_over, Some("steps in an unknown form"));
        let [warning] = decision.warnings.as_slice() else { panic!("{:?}", decision.warnings) };
        for words in [&warning.en, &warning.zh] {
            assert!(words.contains("steps:r:p:0:1") && words.contains("dance"), "{words}");
        }
        assert!(!decision.acted && decision.steps.is_empty());
    }
}
