//! The search for the rules that answer a message or notice: builtin ones, dialogs, then the others in order.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use mynah_core::{
    Captures, Event, EventBody, MessageKind, Notice, NoticeKind, Origin, Person, Quiet, StateView,
    Timestamp,
};

use mynah_matching::conditions::Taken;
use mynah_matching::engine::Candidates;

use super::actions::{Actor, random_of};
use super::after;
use super::asked;
use super::brakes::{self, At};
use super::chosen::Chosen;
use super::conditions::{self, FailedCondition, Held};
use super::event_facts::{About, EventFacts, Subject, whole_text};
use super::fetch::Outcome;
use super::pending::Pending;
use super::rule::{Rest, Rule};
use super::scene::Scene;
use super::{RuleBook, mute};
use crate::decision::{Decision, Moment, RuleRef, Warning};
use crate::dialog;
use crate::explain::{Trace, Verdict, for_a_part};
use crate::fetching::Fetching;
use crate::model::{Shape, Who};

/// So many rules act on one message at most: a chain of `continue` is not to become a flood.
pub(super) const MOST_ACTING: usize = 5;

/// How rules are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Search {
    /// One by one from the top.
    Ordered,
    /// Those that the index proposes.
    Indexed,
}

/// Whether the search goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SearchFlow {
    Continue,
    End,
}

/// Decides about a message or notice, into an empty decision: it is large to copy.
pub(super) fn answer(
    book: &RuleBook,
    event: &Event,
    state: &dyn StateView,
    at: &Moment,
    search: Search,
    mut trace: Option<&mut dyn Trace>,
    out: &mut Decision,
) {
    let whole = if book.has_quoted { whole_text(event) } else { None };
    let Some(about) = About::of(event) else { return };
    let mut facts = EventFacts::new(about, whole.as_deref(), at.now, &book.zone, book.hant);
    facts.only = book.table(facts.chat).and_then(|table| table.only.as_ref());
    let mut run = Run::new(book, &facts, state, at, search, for_a_part(&mut trace), out);
    run.out.passed_over = run.passed_over(event);
    if run.out.passed_over.is_none() {
        run.search_all();
    }
    run.finish();
}

/// Those who joined, if the notice reports it.
fn joined(notice: &Notice) -> Option<&[Person]> {
    if let NoticeKind::Join { people } = &notice.kind { Some(people) } else { None }
}

/// One search.
pub(crate) struct Run<'r, 't> {
    pub(crate) book: &'r RuleBook,
    pub(crate) facts: &'r EventFacts<'r>,
    pub(crate) at: &'r Moment,
    pub(crate) pending: Pending<'r>,
    pub(crate) out: &'t mut Decision,
    pub(super) search: Search,
    /// The candidates of the index, once it was asked.
    pub(super) candidates: Option<Candidates>,
    /// The words of the sender in the form that the present rule looks at.
    pub(super) text: &'r str,
    pub(super) trace: Option<&'t mut dyn Trace>,
    pub(super) acting: usize,
    /// The ids of the rules and dialogs that acted, if any rule asks for the last of them.
    pub(super) acted: Vec<Arc<str>>,
    /// How many rules with `answer_as` led here.
    pub(super) redirects: usize,
    pub(super) skipped: Option<Quiet>,
}

impl<'r, 't> Run<'r, 't> {
    pub(super) fn new(
        book: &'r RuleBook,
        facts: &'r EventFacts<'r>,
        state: &'r dyn StateView,
        at: &'r Moment,
        search: Search,
        trace: Option<&'t mut dyn Trace>,
        out: &'t mut Decision,
    ) -> Self {
        Self {
            book,
            facts,
            at,
            pending: Pending::new(state),
            out,
            search,
            text: facts.text.as_str(),
            candidates: None,
            trace,
            acting: 0,
            acted: Vec::new(),
            redirects: 0,
            skipped: None,
        }
    }

    pub(super) fn passed_over(&mut self, event: &Event) -> Option<&'static str> {
        if let EventBody::Message(message) = &event.body {
            match message.origin {
                Origin::Person => {}
                Origin::Oneself => return Some("own message"),
                Origin::Official => return Some("official account"),
                Origin::System => return Some("message of the service"),
            }
        }
        if !self.book.looks_at(self.facts.chat) {
            return Some("chat not looked at");
        }
        let ignored = self
            .facts
            .person
            .is_some_and(|person| self.book.people.ignores(person, &mut self.pending));
        ignored.then_some("ignored person")
    }

    pub(super) fn search_all(&mut self) {
        let (builtins, all) = (self.book.builtins, self.book.rules.len());
        if builtins > 0 && self.ask(0..builtins) == SearchFlow::End {
            return;
        }
        self.text = self.facts.text.as_str();
        let is_text = self.facts.subject == Subject::Message(MessageKind::Text);
        if is_text && dialog::answer(self) == SearchFlow::End {
            return;
        }
        if self.facts.message.is_some() && asked::answer(self) == SearchFlow::End {
            return;
        }
        self.ask(builtins..all);
    }

    /// Asks the rules at these places, in order.
    fn ask(&mut self, places: Range<usize>) -> SearchFlow {
        if self.search == Search::Ordered {
            return self.ask_each(places, false);
        }
        let candidates = self.candidates.take().unwrap_or_else(|| self.propose());
        let goes = self.ask_each(candidates.within(places), candidates.are_certain());
        self.candidates = Some(candidates);
        goes
    }

    /// The rules that the index proposes: for the words of the sender, and for quoted words if any rule looks at them.
    fn propose(&self) -> Candidates {
        let mut candidates = self.book.engine.candidates(&self.facts.text);
        if let Some(behind) = self.facts.text_behind_name(false) {
            candidates.add(&self.book.engine.candidates(behind));
        }
        if let Some(whole) = self.facts.whole.as_deref().filter(|_| self.book.has_quoted) {
            candidates.add(&self.book.engine.candidates(whole));
        }
        candidates
    }

    fn ask_each(
        &mut self,
        mut places: impl Iterator<Item = usize>,
        are_certain: bool,
    ) -> SearchFlow {
        let goes = places.find_map(|place| {
            let rule = &self.book.rules[place];
            let goes = self.ask_one(rule, are_certain && rule.found_is_proof);
            (goes == SearchFlow::End).then_some(SearchFlow::End)
        });
        goes.unwrap_or(SearchFlow::Continue)
    }

    fn ask_one(&mut self, rule: &'r Rule, text_holds: bool) -> SearchFlow {
        let checked = conditions::check(rule, self.facts, text_holds, self.search)
            .and_then(|held| self.check_state(rule, held));
        let Held { taken: Taken { captures, rest }, question } = match checked {
            Ok(held) => held,
            Err(fails) => {
                let why = self.trace.is_some().then(|| self.describe(fails, rule));
                if let (Some(trace), Some(why)) = (&mut self.trace, why) {
                    if conditions::is_near(fails, rule, self.facts) {
                        trace.nearly(&rule.reference);
                    }
                    trace.looked_at(&rule.reference, why);
                }
                return SearchFlow::Continue;
            }
        };
        self.text = conditions::fitting_text(rule, self.facts);
        let chosen = Chosen::of(rule, question, self.facts.chat, self.at);
        let is_first = self.out.rule.is_none();
        if is_first {
            self.out.rule = Some(chosen.reference().clone());
        }
        let (goes, captures) = if self.keeps_quiet(&chosen, &captures, &rest) {
            (if rule.go_on { SearchFlow::Continue } else { SearchFlow::End }, captures)
        } else {
            self.act(&chosen, captures, rest)
        };
        let did_nothing = rule.answer_as.is_some() && !self.out.acted && self.out.quiet.is_none();
        if is_first && did_nothing {
            self.out.rule = None;
        } else if is_first {
            self.out.captures = captures;
        }
        goes
    }

    /// Checks the conditions that need state or randomness: people, values and chance.
    fn check_state(&mut self, rule: &Rule, held: Held) -> Result<Held, FailedCondition> {
        let Some(rest) = &rule.rest else { return Ok(held) };
        self.check_person(rest)?;
        if rest.similar.as_ref().is_some_and(|similar| !self.is_similar(similar)) {
            return Err(FailedCondition::Similar);
        }
        after::check(rest, &self.pending, self.at.now)?;
        self.check_values(rule, rest, &held.taken)?;
        self.check_chance(rule, rest)?;
        Ok(held)
    }

    pub(super) fn check_person(&mut self, rest: &Rest) -> Result<(), FailedCondition> {
        let book = self.book;
        if !rest.from.is_empty() {
            let meant = self
                .facts
                .person
                .is_some_and(|person| book.people.mean(&rest.from, person, &mut self.pending));
            if !meant {
                self.warn_of_pretence(&rest.from);
                return Err(FailedCondition::From);
            }
        }
        if !rest.not_from.is_empty() {
            let meant = self
                .facts
                .person
                .is_some_and(|person| book.people.mean(&rest.not_from, person, &mut self.pending));
            (!meant).then_some(()).ok_or(FailedCondition::NotFrom)?;
            self.warn_of_pretence(&rest.not_from);
        }
        Ok(())
    }

    fn check_chance(&self, rule: &Rule, rest: &Rest) -> Result<(), FailedCondition> {
        match rest.chance {
            Some(chance)
                if random_of(self.at, &format!("chance:{}", rule.key)).unit() >= chance =>
            {
                Err(FailedCondition::Chance)
            }
            _ => Ok(()),
        }
    }

    fn warn_of_pretence(&mut self, who: &[Who]) {
        let name = self.facts.person.and_then(|person| self.book.people.pretended(who, person));
        if let Some(name) = name {
            let warning = Warning {
                en: format!(
                    "the sender shows the name {name} but is not the friend whom it means: a remark {name} counts, and a \
                     nickname only while one friend has it and it is not bound to another person"
                ),
                zh: format!(
                    "发送人显示为“{name}”，但不是这个名字所指的好友：备注名优先；昵称只在没有重名、也没有指定给别人时才算"
                ),
            };
            if !self.out.warnings.contains(&warning) {
                self.out.warnings.push(warning);
            }
        }
    }

    /// Whether a brake holds; says so once.
    fn keeps_quiet(&mut self, chosen: &Chosen<'r>, captures: &Captures, rest: &str) -> bool {
        let rule = chosen.rule;
        let acts_always = rule.builtin || rule.silent;
        if let Some((brake, until)) = self.hushed().filter(|_| !acts_always) {
            self.quiet(chosen.reference(), rule.go_on, brake, until);
            return true;
        }
        let Some(brakes) = &rule.brakes else { return false };
        let at = self.brakes_at(chosen);
        let Some(holds) = brakes::holding(brakes, &at, &self.pending) else { return false };
        if let Some(reply) = holds.reply {
            holds.remember(&mut self.pending);
            let scene = self.scene(captures.clone(), rest.to_owned(), Vec::new());
            self.actor(&scene, &rule.key).say(reply, Shape::default());
        }
        self.quiet(chosen.reference(), rule.go_on, holds.quiet, holds.until);
        true
    }

    /// Writes down that a brake holds. With `continue` only if nothing else answers.
    pub(crate) fn quiet(&mut self, rule: &RuleRef, goes_on: bool, brake: Quiet, until: Timestamp) {
        let place = if goes_on { &mut self.skipped } else { &mut self.out.quiet };
        *place = place.or(Some(brake));
        let left = until.since(self.at.now);
        if let Some(trace) = &mut self.trace {
            trace.looked_at(rule, Verdict::Quiet { brake, left: Some(left), goes_on });
        }
    }

    /// Lets a rule act; gives its captures back.
    fn act(
        &mut self,
        chosen: &Chosen<'r>,
        captures: Captures,
        rest: String,
    ) -> (SearchFlow, Captures) {
        let rule = chosen.rule;
        if let Some(sentence) = &rule.answer_as {
            return (SearchFlow::End, self.redirect(rule, sentence, captures, rest));
        }
        let mut scene = self.scene(captures, rest, rule.columns());
        if let Some(fetch) = &rule.fetch {
            match self.fetch(chosen, fetch, &scene) {
                Outcome::Taken(taken) => scene.captures.extend(taken),
                Outcome::Lacking | Outcome::Failed => return (SearchFlow::End, scene.captures),
            }
        }
        self.actor(&scene, &rule.key).perform(&chosen.steps());
        self.start_brakes(chosen);
        self.note_acted(&rule.reference);
        self.acting += 1;
        let full = self.acting >= MOST_ACTING;
        if full && rule.go_on {
            let id = &chosen.reference().id;
            self.out.warnings.push(Warning {
                en: format!("{MOST_ACTING} rules acted on one message; the search ended at {id}"),
                zh: format!("一条消息已有 {MOST_ACTING} 条规则处理，到 {id} 为止"),
            });
        }
        let goes = if rule.go_on && !full { SearchFlow::Continue } else { SearchFlow::End };
        if let Some(trace) = &mut self.trace {
            let verdict = Verdict::Acted { goes_on: goes == SearchFlow::Continue };
            trace.looked_at(chosen.reference(), verdict);
        }
        (goes, scene.captures)
    }

    /// Takes values of an answer for a rule. Without one, the rule is quiet, and only its cooldown starts.
    fn fetch(&mut self, chosen: &Chosen<'r>, fetching: &Fetching, scene: &Scene<'r>) -> Outcome {
        let outcome = self.actor(scene, &chosen.rule.key).fetch(fetching);
        if let (Some(trace), Some(fetches)) = (&mut self.trace, &self.out.fetches) {
            fetches
                .last_verdict()
                .into_iter()
                .for_each(|verdict| trace.looked_at(chosen.reference(), verdict));
        }
        if matches!(outcome, Outcome::Failed) {
            if let Some(brakes) = &chosen.rule.brakes {
                let at = self.brakes_at(chosen);
                brakes::start_cooldown(brakes, &at, &mut self.pending);
            }
            let verdict = Verdict::Quiet { brake: Quiet::Fetch, left: None, goes_on: false };
            self.tell(chosen.reference(), verdict);
        }
        outcome
    }

    /// Starts the clocks of a rule that acts.
    pub(super) fn start_brakes(&mut self, chosen: &Chosen<'r>) {
        if let Some(brakes) = &chosen.rule.brakes {
            let at = self.brakes_at(chosen);
            brakes::start(brakes, &at, &mut self.pending);
        }
    }

    fn brakes_at<'c>(&self, chosen: &'c Chosen<'r>) -> At<'c>
    where
        'r: 'c,
    {
        At {
            rule: &chosen.rule.key,
            question: chosen.state_key(),
            now: self.at.now,
            clock: self.facts.clock(),
            has_person: self.facts.person.is_some(),
        }
    }

    /// The scene of this event.
    pub(crate) fn scene(
        &self,
        captures: Captures,
        rest: String,
        columns: Vec<String>,
    ) -> Scene<'r> {
        Scene {
            chat: self.facts.chat,
            person: self.facts.person,
            message: self.facts.message,
            notice: self.facts.notice,
            message_id: self.facts.message.map(|message| &message.id),
            joined: self.facts.notice.and_then(joined),
            text: self.text,
            captures,
            columns,
            rest,
            table: self.book.table(self.facts.chat),
            now: self.at.now,
            zone: &self.book.zone,
            is_reply: true,
            vars: &self.book.vars,
            lang: self.book.lang(),
        }
    }

    /// An actor in a scene.
    pub(crate) fn actor<'a>(&'a mut self, scene: &'a Scene<'r>, key: &'a str) -> Actor<'a, 'r> {
        Actor {
            book: self.book,
            at: self.at,
            scene,
            key,
            pending: &mut self.pending,
            out: self.out,
            delay: Duration::ZERO,
            step: 0,
        }
    }

    /// Whether this person is one of those meant.
    pub(crate) fn mean(&mut self, who: &[Who]) -> bool {
        let book = self.book;
        self.facts.person.is_some_and(|person| book.people.mean(who, person, &mut self.pending))
    }

    /// What keeps every answer in this chat back, and until when: a mute, or quiet hours.
    pub(crate) fn hushed(&self) -> Option<(Quiet, Timestamp)> {
        let muted = mute::until(&self.pending, self.at.now).map(|until| (Quiet::Mute, until));
        let quiet = || self.book.quiet_until(self.facts.chat, self.at.now);
        muted.or_else(|| quiet().map(|until| (Quiet::Hours, until)))
    }

    /// Whether the verdicts are reported.
    pub(crate) fn is_traced(&self) -> bool {
        self.trace.is_some()
    }

    /// Reports to the trace, if there is one.
    pub(crate) fn tell(&mut self, rule: &RuleRef, verdict: Verdict) {
        if let Some(trace) = &mut self.trace {
            trace.looked_at(rule, verdict);
        }
    }

    /// Notes that a rule or dialog acted on this message.
    pub(crate) fn note_acted(&mut self, rule: &RuleRef) {
        self.out.acted = true;
        if self.book.marked.is_used() {
            self.acted.push(Arc::clone(&rule.id));
        }
    }

    fn finish(mut self) {
        let is_message = self.facts.message.is_some() && self.facts.person.is_some();
        if is_message && !self.acted.is_empty() {
            self.book.marked.note(&self.acted, &mut self.pending, self.at.now);
        }
        if !self.out.acted && self.out.quiet.is_none() {
            self.out.quiet = self.skipped;
        }
        self.out.lacks = self.pending.take_lacks();
        self.out.writes = self.pending.into_writes();
    }
}
