//! Dialogs: questions in order, answers that are kept, one dialog per person and chat.
//!
//! An open dialog is stored in the person's state with everything it needs, its steps included: a reload of the rules
//! does not change a dialog in progress, and a restart continues it. Its timer carries the number of the turn it was
//! set in; by this number, a timer that comes after the answer is recognised as late.

mod script;

use std::collections::BTreeMap;

use mynah_core::{Captures, ChatKind, Due, Scope, StateView, Timer, TimerChange, Timestamp};
use serde::{Deserialize, Serialize};

use crate::decision::{Decision, Moment, Warning};
use crate::explain::Verdict;
use crate::fetching::Fetching;
use crate::model::{self, Shape, Who};
use crate::rule_book::RuleBook;
use crate::rule_book::actions::Actor;
use crate::rule_book::later::{perform, scene_of};
use crate::rule_book::pending::Pending;
use crate::rule_book::search::{Run, SearchFlow};
use mynah_matching::Text;
use mynah_matching::fold::Folding;
use mynah_matching::glob::Glob;
use mynah_matching::keyword::Item;
use mynah_matching::template::Template;

use script::{Judged, Script};

/// The name of the timers of dialogs.
pub(crate) const TIMER: &str = "dialog";

/// The key of a person's open dialog in the state.
const KEY: &str = "dialog:open";

/// A dialog that can begin.
#[derive(Debug)]
pub(crate) struct Dialog {
    starts: Vec<Item>,
    place: Option<ChatKind>,
    groups: Vec<Glob>,
    from: Vec<Who>,
    not_from: Vec<Who>,
    script: Script,
}

/// A dialog in progress.
#[derive(Debug, Serialize, Deserialize)]
struct Open {
    script: Script,
    /// Which question was asked last.
    step: usize,
    /// How many answers to it were wrong.
    wrong: u32,
    answers: BTreeMap<String, String>,
    /// Rises with every message of the dialog.
    turn: u64,
    /// When it runs out. Dialogs of earlier versions do not say.
    #[serde(default)]
    until: Option<Timestamp>,
}

/// How far a dialog in progress is, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenDialog {
    /// The dialog.
    pub id: String,
    /// Which question was asked last, from 1.
    pub question: usize,
    /// How many questions there are.
    pub of: usize,
    /// The id of the question, if it has one.
    pub step: Option<String>,
    /// When it runs out, where that is known.
    pub until: Option<Timestamp>,
    /// The answers so far, by their names.
    pub answers: BTreeMap<String, String>,
}

impl OpenDialog {
    /// The key of a person's state that holds it.
    pub const KEY: &str = KEY;

    /// Reads it from that state; `None` if another version wrote it.
    #[must_use]
    pub fn read(stored: &str) -> Option<Self> {
        serde_json::from_str(stored).ok().map(|open: Open| open.shown())
    }
}

impl Dialog {
    /// Makes a checked dialog ready.
    pub(crate) fn new(dialog: model::Dialog, hant: bool) -> Self {
        let folding = Folding::new(false, hant);
        Self {
            starts: dialog.starts.iter().map(|text| Item::new(text, folding)).collect(),
            place: dialog.place_kind,
            groups: dialog.groups.clone(),
            from: dialog.from.clone(),
            not_from: dialog.not_from.clone(),
            script: Script::new(dialog, hant),
        }
    }

    /// The request after its last answer.
    pub(crate) fn fetch(&self) -> Option<&Fetching> {
        self.script.fetch()
    }

    /// Whether this text begins the dialog where its other conditions hold.
    pub(crate) fn starts_with(&self, text: &Text<'_>) -> bool {
        let folded = text.folded(Folding::new(false, text.hant()));
        self.starts.iter().any(|start| start.is(folded.text()))
    }

    fn begins(&self, run: &mut Run<'_, '_>) -> bool {
        let facts = run.facts;
        self.starts_with(&facts.text)
            && self.place.is_none_or(|place| place == facts.chat.kind)
            && (self.groups.is_empty()
                || self
                    .groups
                    .iter()
                    .any(|glob| facts.chat.is_group() && glob.fits(&facts.chat.name)))
            && facts.only.is_none_or(|only| only.contains(self.script.id()))
            && (self.from.is_empty() || run.mean(&self.from))
            && (self.not_from.is_empty() || !run.mean(&self.not_from))
    }
}

/// Gives a text to the open dialog of its sender, else looks whether it begins one.
pub(crate) fn answer(run: &mut Run<'_, '_>) -> SearchFlow {
    if let Some(open) = opened(&run.pending) {
        return go_on(run, open);
    }
    let book = run.book;
    let Some(dialog) = book.dialogs().iter().find(|dialog| dialog.begins(run)) else {
        return SearchFlow::Continue;
    };
    if keeps_quiet(run, &dialog.script) {
        return SearchFlow::Continue;
    }
    let open = Open::new(dialog.script.clone());
    converse(run, open, |actor, open| open.ask(actor));
    SearchFlow::End
}

/// Begins a dialog because a rule says so. One that is open ends without a word.
pub(crate) fn start_by_rule(actor: &mut Actor<'_, '_>, id: &str) {
    let dialog = actor.book.dialogs().iter().find(|dialog| dialog.script.id() == id);
    let (Some(dialog), Some(_)) = (dialog, actor.scene.person) else {
        actor.out.warnings.push(Warning {
            en: format!("the dialog {id} did not start: there is no person to answer it"),
            zh: format!("对话 {id} 没有开始：这里没有人可以回答"),
        });
        return;
    };
    let turn = opened(actor.pending).map_or(0, |open| open.turn + 1);
    Open { turn, ..Open::new(dialog.script.clone()) }.ask(actor);
}

/// A dialog waited long enough for an answer.
pub(crate) fn timed_out(
    book: &RuleBook,
    due: &Due,
    state: &dyn StateView,
    at: &Moment,
) -> Option<Decision> {
    let open = opened(&Pending::new(state)).filter(|open| open.turn.to_string() == due.data)?;
    let mut scene = scene_of(book, due, at)?;
    scene.captures = open.captures();
    let mut decision = perform(book, state, at, &scene, open.script.id(), |actor| {
        let is_quiet = book.quiet_until(scene.chat, at.now).is_some();
        open.end(actor, open.script.timeout_reply().filter(|_| !is_quiet));
    });
    decision.rule = Some(open.script.reference());
    Some(decision)
}

fn opened(pending: &Pending<'_>) -> Option<Open> {
    let text = pending.get(Scope::Person, KEY)?;
    // A text that cannot be read was written by another version; the dialog then counts as ended.
    serde_json::from_str(&text).ok()
}

fn go_on(run: &mut Run<'_, '_>, mut open: Open) -> SearchFlow {
    if keeps_quiet(run, &open.script) {
        return SearchFlow::Continue;
    }
    let text = run.facts.text.as_str();
    open.turn += 1;
    if open.script.is_cancel(text) {
        converse(run, open, |actor, open| open.end(actor, open.script.cancel_reply()));
        return SearchFlow::End;
    }
    match open.script.judge(open.step, text) {
        Judged::Wrong => converse(run, open, |actor, open| open.wrong(actor)),
        Judged::Restart => {
            let open = Open { turn: open.turn, ..Open::new(open.script) };
            converse(run, open, |actor, open| open.ask(actor));
        }
        Judged::Right { name, answer, next } => {
            open.answers.extend(name.map(|name| (name, answer)));
            (open.step, open.wrong) = (next, 0);
            converse(run, open, |actor, open| open.ask_or_finish(actor));
        }
    }
    SearchFlow::End
}

/// Whether the chat is muted or has quiet hours. The dialog then leaves the message to the rules, of which only silent
/// ones act.
fn keeps_quiet(run: &mut Run<'_, '_>, script: &Script) -> bool {
    let hushed = run.hushed();
    if let Some((brake, until)) = hushed {
        run.out.rule = run.out.rule.take().or(Some(script.reference()));
        run.quiet(&script.reference(), false, brake, until);
    }
    hushed.is_some()
}

/// Lets an open dialog speak in the scene of the message.
fn converse(run: &mut Run<'_, '_>, open: Open, speak: impl FnOnce(&mut Actor<'_, '_>, Open)) {
    let reference = open.script.reference();
    let captures = open.captures();
    run.note_acted(&reference);
    if run.out.rule.is_none() {
        (run.out.rule, run.out.captures) = (Some(reference.clone()), captures.clone());
    }
    let scene = run.scene(captures, String::new(), open.script.names());
    let key = open.script.id().to_owned();
    speak(&mut run.actor(&scene, &key), open);
    if run.is_traced() {
        let open = opened(&run.pending).map(|open| Box::new(open.shown()));
        run.tell(&reference, Verdict::InDialog { open });
    }
}

impl Open {
    fn new(script: Script) -> Self {
        Self { script, step: 0, wrong: 0, answers: BTreeMap::new(), turn: 0, until: None }
    }

    fn captures(&self) -> Captures {
        self.answers.clone()
    }

    fn shown(self) -> OpenDialog {
        OpenDialog {
            id: self.script.id().to_owned(),
            question: self.step + 1,
            of: self.script.questions(),
            step: self.script.step_id(self.step).map(str::to_owned),
            until: self.until,
            answers: self.answers,
        }
    }

    /// Asks the question that is next, and waits for the answer.
    fn ask(self, actor: &mut Actor<'_, '_>) {
        self.say(actor, self.script.ask(self.step));
        self.wait(actor);
    }

    fn ask_or_finish(self, actor: &mut Actor<'_, '_>) {
        if self.step < self.script.questions() {
            return self.ask(actor);
        }
        self.close(actor);
        let done = self.script.done();
        actor.fetch_and_perform(self.script.fetch(), &done);
    }

    fn wrong(mut self, actor: &mut Actor<'_, '_>) {
        self.wrong += 1;
        if self.wrong >= self.script.tries(self.step) {
            return self.end(actor, self.script.cancel_reply());
        }
        let retry = self.script.retry(self.step).unwrap_or(self.script.ask(self.step));
        self.say(actor, retry);
        self.wait(actor);
    }

    /// Says the last words, if there are any, and closes.
    fn end(&self, actor: &mut Actor<'_, '_>, words: Option<&Template>) {
        if let Some(words) = words {
            self.say(actor, words);
        }
        self.close(actor);
    }

    fn say(&self, actor: &mut Actor<'_, '_>, text: &Template) {
        actor.say(text, Shape::default());
    }

    /// Stores the dialog and sets its timer.
    fn wait(mut self, actor: &mut Actor<'_, '_>) {
        let at = actor.at.now + self.script.timeout();
        self.until = Some(at);
        let text = serde_json::to_string(&self).unwrap_or_default();
        actor.pending.set(Scope::Person, KEY, text, None);
        let timer = Timer {
            key: timer_key(actor),
            at,
            chat: Some(actor.scene.chat.clone()),
            person: actor.scene.person.cloned(),
            name: TIMER.to_owned(),
            data: self.turn.to_string(),
        };
        actor.out.timers.push(TimerChange::Set(timer));
    }

    fn close(&self, actor: &mut Actor<'_, '_>) {
        actor.pending.remove(Scope::Person, KEY);
        let chat = Some(actor.scene.chat.id.clone());
        actor.out.timers.push(TimerChange::Cancel { chat, key: timer_key(actor) });
    }
}

fn timer_key(actor: &Actor<'_, '_>) -> String {
    let person = actor.scene.person.map_or("", |person| person.id.as_str());
    format!("{TIMER}:{person}")
}

#[cfg(test)]
mod tests;
