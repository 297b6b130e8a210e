//! Carries out the steps of rules, dialogs and schedules as effects.

mod forward;
mod members;
mod row;
mod send;
mod speech;
mod web;

use std::path::Path;
use std::time::Duration;

use mynah_core::{
    Action, Call, Captures, Chat, Content, MediaRef, NoticeKind, Planned, Random, Scope, Segment,
    TimerChange, to_map,
};

use super::RuleBook;
use super::pending::Pending;
use super::scene::{Draws, Scene, SceneValues};
use super::{later, mute, variables};
use crate::decision::{Builtin, Decision, Moment, Warning};
use crate::dialog;
use crate::model::{Period, Shape, Step};
use mynah_matching::fold::fold_width;
use mynah_matching::template::Template;

pub(crate) use forward::targets;

/// The most characters of a variable: twice the longest message.
const LONGEST_VARIABLE: usize = 4000;

/// The rule, dialog or schedule that acts: in a scene, at a moment, under a key of its own.
pub(crate) struct Actor<'r, 's> {
    pub(crate) book: &'r RuleBook,
    pub(crate) at: &'r Moment,
    pub(crate) scene: &'r Scene<'s>,
    /// Under which last choices are kept.
    pub(crate) key: &'r str,
    pub(crate) pending: &'r mut Pending<'s>,
    pub(crate) out: &'r mut Decision,
    /// How long the steps so far waited.
    pub(crate) delay: Duration,
    /// The number of the present step.
    pub(crate) step: usize,
}

impl Actor<'_, '_> {
    /// Does these steps in order.
    pub(crate) fn perform(&mut self, steps: &[Step]) {
        self.perform_from(steps, 0);
    }

    /// Does these steps from that one on.
    pub(crate) fn perform_from(&mut self, steps: &[Step], from: usize) {
        for (n, step) in steps.iter().enumerate().skip(from) {
            if let Step::Wait(wait) = step {
                self.delay += *wait;
                // A message can wait in the outbox; a step that must run after the wait needs a turn of its own.
                if steps[n..].iter().any(|step| {
                    matches!(step, Step::Run(_) | Step::RunWith { .. } | Step::Start(_))
                }) {
                    let timer = later::rest_of_steps(self, steps, n + 1);
                    return self.out.timers.push(TimerChange::Set(timer));
                }
            }
            self.step = n;
            self.do_step(step, n);
        }
    }

    fn do_step(&mut self, step: &Step, n: usize) {
        match step {
            Step::Set { scope, key, value } => {
                let value = value.render_text(&self.told(n));
                self.set_variable(*scope, key, value);
            }
            Step::Add { scope, key, by } => self.add(*scope, key, *by),
            Step::AddValue { scope, key, by, negative } => {
                self.add_value(*scope, key, by, *negative);
            }
            Step::Streak { key, per } => self.streak(key, *per),
            Step::Clear { scope, key } => {
                if let Some(key) = variables::stored(*scope, key, self.scene.person) {
                    self.pending.remove(*scope, &key);
                }
            }
            Step::ClearMembers { key } => self.pending.remove_of_all(key),
            Step::Send { what, to } => send::send(self, what, to, n),
            Step::ImageOneOf(paths) => {
                let chosen = self.choose(paths.len(), n);
                self.send_file(Segment::Image, &paths[chosen]);
            }
            Step::Recall => members::recall(self),
            Step::Invite(group) => members::invite(self, group),
            Step::Kick => members::kick(self),
            Step::Accept => self.accept(),
            Step::Say { text, shape } => self.say(text, *shape),
            Step::SayOneOf { texts, shape } => {
                let chosen = self.choose(texts.len(), n);
                self.say(&texts[chosen], *shape);
            }
            Step::SayWeighted { texts, shape } => {
                if let Some(text) = self.draw(texts, n) {
                    self.say(text, *shape);
                }
            }
            Step::Image(path) => self.send_file(Segment::Image, path),
            Step::File(path) => self.send_file(Segment::File, path),
            Step::Web(media) => {
                if let Some(segment) = web::segment(self, media) {
                    self.send(Content(vec![segment]));
                }
            }
            Step::Forward(to) => forward::forward(self, to),
            Step::Save(file) => {
                let action = Action::Save { file: file.clone(), row: row::of(self.scene) };
                self.plan(self.scene.chat, action);
            }
            Step::Start(id) => dialog::start_by_rule(self, id),
            Step::Run(name) => self.run(name, Captures::new()),
            Step::RunWith { name, args } => {
                let told = self.told(n);
                let args = args.iter().map(|(name, text)| (name.clone(), text.render_text(&told)));
                self.run(name, to_map(args));
            }
            Step::Wait(_) => {}
        }
    }

    fn send_file(&mut self, kind: fn(MediaRef) -> Segment, path: &Path) {
        let media = MediaRef::file_inside(&self.book.folder, path);
        self.send(Content(vec![kind(media)]));
    }

    fn told(&self, step: usize) -> SceneValues<'_, '_> {
        let draws = Draws { at: self.at, key: self.key, step };
        SceneValues { scene: self.scene, pending: self.pending, draws }
    }

    /// Sets a variable, cut to the maximum length of variables: texts of people must not fill the state.
    fn set_variable(&mut self, scope: Scope, key: &str, mut value: String) {
        if let Some((end, _)) = value.char_indices().nth(LONGEST_VARIABLE) {
            value.truncate(end);
            self.out.warnings.push(Warning {
                en: format!(
                    "the value of {key} was cut: a variable holds {LONGEST_VARIABLE} characters"
                ),
                zh: format!("变量 {key} 的值已截断：最多保存 {LONGEST_VARIABLE} 个字"),
            });
        }
        if let Some(key) = variables::stored(scope, key, self.scene.person) {
            self.pending.set(scope, &key, value, None);
        }
    }

    /// Adds the number that a text says; nothing if it is not a whole number.
    fn add_value(&mut self, scope: Scope, key: &str, by: &Template, negative: bool) {
        let text = by.render_text(&self.told(self.step));
        let plain: String = text.trim().chars().map(fold_width).collect();
        match plain.parse::<i64>() {
            Ok(by) => self.add(scope, key, if negative { by.saturating_neg() } else { by }),
            Err(_) => self.out.warnings.push(Warning {
                en: format!("nothing was added to {key}: \"{text}\" is not a whole number"),
                zh: format!("变量 {key} 没有增加：“{text}”不是整数"),
            }),
        }
    }

    fn streak(&mut self, key: &str, per: Period) {
        if self.scene.person.is_some() {
            variables::count_streak(self.pending, key, per, &self.scene.clock());
        }
    }

    fn add(&mut self, scope: Scope, key: &str, by: i64) {
        let Some(stored_key) = variables::stored(scope, key, self.scene.person) else { return };
        let stored = self.pending.get(scope, &stored_key);
        match self.scene.preset(scope, key).filter(|_| stored.is_none()) {
            // The value of the `[[group]]` table is not stored yet, so a blind addition would start from 0.
            Some(preset) => {
                let sum = mynah_core::add(Some(preset), by);
                self.pending.set(scope, &stored_key, sum, None);
            }
            None => self.pending.add(scope, &stored_key, by, None),
        }
        if stored.is_some_and(|value| value.trim().parse::<i64>().is_err()) {
            self.out.warnings.push(Warning {
                en: format!("{key} held no whole number when something was added to it"),
                zh: format!("变量 {key} 原来不是整数，却要做加法"),
            });
        }
    }

    fn accept(&mut self) {
        let ticket = self.scene.notice.and_then(|notice| match &notice.kind {
            NoticeKind::FriendRequest { ticket, .. } => Some(ticket.clone()),
            _ => None,
        });
        if let Some(ticket) = ticket {
            self.plan(self.scene.chat, Action::AcceptFriend { ticket });
        }
    }

    /// Says a text in the chat of the scene.
    pub(crate) fn say(&mut self, text: &Template, shape: Shape) {
        let rendered = text.render(&self.told(self.step));
        let segments = speech::shape(rendered, shape, self.scene);
        if !segments.is_empty() {
            self.send(Content(segments));
        }
    }

    /// One of so many, at random, not the one of last time.
    fn choose(&mut self, count: usize, n: usize) -> usize {
        let key = format!("last:{}:{n}", self.key);
        let last = self.pending.get(Scope::Chat, &key).and_then(|last| last.parse::<usize>().ok());
        let last = last.filter(|last| *last < count && count > 1);
        let others = count - usize::from(last.is_some());
        let drawn = random_of(self.at, &key).below(others as u64);
        let drawn = usize::try_from(drawn).unwrap_or(0);
        let chosen = drawn + usize::from(last.is_some_and(|last| drawn >= last));
        self.pending.set(Scope::Chat, &key, chosen.to_string(), None);
        chosen
    }

    /// One of these, with the odds of its weight.
    fn draw<'t>(&self, texts: &'t [(Template, u32)], n: usize) -> Option<&'t Template> {
        let all: u64 = texts.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut left = random_of(self.at, &format!("weight:{}:{n}", self.key)).below(all.max(1));
        let drawn = texts.iter().find(|(_, weight)| {
            let is_here = left < u64::from(*weight);
            left = left.saturating_sub(u64::from(*weight));
            is_here
        });
        drawn.map(|(text, _)| text)
    }

    fn run(&mut self, name: &str, args: Captures) {
        let (name, argument) = name.split_once(' ').unwrap_or((name, ""));
        match name {
            "builtin.mute" => {
                let spoken =
                    self.scene.captures.get("duration").map_or(&*self.scene.rest, String::as_str);
                let lasts = mute::duration(spoken).or_else(|| mute::duration(argument));
                mute::mute(self.pending, self.at.now + lasts.unwrap_or(mute::USUAL));
            }
            "builtin.unmute" => mute::unmute(self.pending),
            "builtin.reload" => self.out.builtin = Some(Builtin::Reload),
            "builtin.status" => self.out.builtin = Some(Builtin::Status),
            _ => self.out.steps.push(mynah_core::Step::Run(Call {
                handler: name.to_owned(),
                captures: to_map(self.scene.captures.clone().into_iter().chain(args)),
            })),
        }
    }

    fn send(&mut self, content: Content) {
        self.plan(self.scene.chat, Action::Send { content });
    }

    fn plan(&mut self, chat: &Chat, action: Action) {
        // A reply that is too late expires; people are removed, and messages recalled, all the same.
        let is_reply = self.scene.is_reply
            && chat.id == self.scene.chat.id
            && !matches!(
                action,
                Action::Kick { .. } | Action::Invite { .. } | Action::Recall { .. }
            );
        let planned = Planned { chat: chat.id.clone(), action, delay: self.delay, is_reply };
        self.out.steps.push(mynah_core::Step::Act(planned));
    }
}

/// Random numbers for one purpose: the same whichever other decisions came before.
pub(crate) fn random_of(at: &Moment, purpose: &str) -> Random {
    let of_event = at.random.clone().next_u64();
    Random::of(of_event, &purpose.into())
}
