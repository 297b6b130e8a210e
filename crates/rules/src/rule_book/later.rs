//! Timers that are due: dialogs that ran out, schedules, and steps that waited.

use std::time::Duration;

use mynah_core::{Captures, Due, StateView, Timer};
use serde::{Deserialize, Serialize};

use super::RuleBook;
use super::act::Actor;
use super::kept::{Kept, keep, kept};
use super::pending::Pending;
use super::scene::Scene;
use crate::decision::{Decision, Moment};
use crate::model::Step;
use crate::{dialog, schedule};

/// The name of timers for steps that waited.
const NAME: &str = "steps";

/// What the rules set a timer for.
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
    /// What a timer of this name is for; `None` if the rules did not set it.
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
    steps: Vec<Kept>,
    captures: Captures,
    columns: Vec<String>,
    rest: String,
    text: String,
}

/// Decides about a timer that is due. One that the rules did not set is somebody else's.
pub(super) fn due(book: &RuleBook, due: &Due, state: &dyn StateView, at: &Moment) -> Decision {
    match due.name.as_str() {
        NAME => steps(book, due, state, at).unwrap_or_default(),
        dialog::TIMER => dialog::timed_out(book, due, state, at).unwrap_or_default(),
        schedule::TIMER => schedule::due(book, due, state, at),
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

fn steps(book: &RuleBook, due: &Due, state: &dyn StateView, at: &Moment) -> Option<Decision> {
    let waiting: Waiting = serde_json::from_str(&due.data).ok()?;
    let mut scene = scene_of(book, due, at)?;
    scene.text = &waiting.text;
    scene.captures = waiting.captures;
    scene.columns = waiting.columns;
    scene.rest = waiting.rest;
    let steps = kept(waiting.steps);
    Some(perform(book, state, at, &scene, &waiting.key, |actor| actor.perform(&steps)))
}

/// The scene of a timer: nobody says anything just now.
pub(crate) fn scene_of<'s>(book: &'s RuleBook, due: &'s Due, at: &Moment) -> Option<Scene<'s>> {
    let chat = due.chat.as_ref()?;
    Some(Scene {
        chat,
        person: due.person.as_ref(),
        message: None,
        notice: None,
        text: "",
        captures: Captures::new(),
        columns: Vec::new(),
        rest: String::new(),
        table: book.table(chat),
        now: at.now,
        zone: book.zone(),
        is_reply: true,
    })
}

/// Lets somebody act in a scene; what comes of it is the decision.
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
    act(&mut Actor { book, at, scene, key, pending: &mut pending, out: &mut out, delay });
    out.writes = pending.into_writes();
    out
}
