//! `answer_as`: a message is searched again as another sentence.

use std::borrow::Cow;

use mynah_core::{Captures, Event, EventBody, Message, MessageKind, Quiet};
use mynah_matching::Text;
use mynah_matching::conditions::Taken;
use mynah_matching::template::{Template, Values};

use super::RuleBook;
use super::chosen::Chosen;
use super::event_facts::{About, EventFacts, Subject, whole_text};
use super::rule::Rule;
use super::scene::{Draws, SceneValues};
use super::search::{MOST_ACTING, Run};
use crate::decision::{Decision, RuleRef, Warning};
use crate::explain::{Failed, Verdict, for_a_part};

/// So many times one message is searched as another sentence.
const MOST_REDIRECTS: usize = 10;

impl<'r> Run<'r, '_> {
    /// Lets a rule with `answer_as` act: its own steps, then the rules for its sentence. Gives the
    /// captures back.
    pub(super) fn redirect(
        &mut self,
        rule: &'r Rule,
        sentence: &Template,
        captures: Captures,
        rest: String,
    ) -> Captures {
        let scene = self.scene(captures, rest, rule.columns());
        let draws = Draws { at: self.at, key: &rule.key, step: usize::MAX };
        let values = SceneValues { scene: &scene, pending: &self.pending, draws };
        let sentence = sentence.render_text(&values);
        if self.redirects == MOST_REDIRECTS || self.acting >= MOST_ACTING {
            self.too_many_redirects(&rule.reference);
            // The decision so far is kept.
            self.out.acted = true;
            return scene.captures;
        }
        let before = (self.out.clone(), self.pending.mark(), self.acted.len(), self.acting);
        self.actor(&scene, &rule.key).perform(&rule.then);
        self.start_brakes(&Chosen::rule(rule));
        self.note_acted(&rule.reference);
        self.acting += usize::from(!rule.then.is_empty());
        if self.trace.is_some() {
            self.tell(&rule.reference, Verdict::Redirected { sentence: sentence.clone() });
        }
        let own = (self.out.steps.len(), self.pending.mark());
        if self.answers_as(&sentence) {
            return scene.captures;
        }
        let (out, writes, acted, acting) = before;
        self.take_back(out, writes, own);
        self.acted.truncate(acted);
        self.acting = acting;
        let failed = Failed { key: "answer_as", expected: sentence, actual: String::new() };
        self.tell(&rule.reference, Verdict::Failed(failed));
        scene.captures
    }

    /// Restores a decision and its first changes. The reply of a brake that held a rule for the sentence stays: it came
    /// after so many steps and changes of the present decision.
    fn take_back(&mut self, before: Decision, changes: usize, (steps, writes): (usize, usize)) {
        let after = std::mem::replace(self.out, before);
        self.out.quiet = after.quiet;
        // Its cooldown has started, with or without a reply.
        let has_failed = after.quiet == Some(Quiet::Fetch);
        if has_failed {
            self.out.warnings = after.warnings;
            self.out.fetches = after.fetches;
        }
        let replies = after.steps.into_iter().skip(steps);
        let length = self.out.steps.len();
        self.out.steps.extend(replies);
        let is_braked = self.out.steps.len() > length || has_failed;
        self.pending.back_to(changes, if is_braked { writes } else { usize::MAX });
    }

    /// Searches the rules from the top for this sentence of the same sender. Returns whether any of them acted.
    fn answers_as(&mut self, sentence: &str) -> bool {
        let Some(message) = self.facts.message else { return false };
        let message = Message { text: sentence.to_owned(), behind_name: None, ..message.clone() };
        let body = EventBody::Message(message);
        let event = Event { id: "answer-as".into(), time: self.at.now, body };
        let whole = whole_text(&event);
        let book = self.book;
        let Some(about) = About::of(&event) else { return false };
        let mut facts =
            EventFacts::new(about, whole.as_deref(), self.at.now, &book.zone, book.hant);
        facts.subject = Subject::Message(MessageKind::Text);
        facts.only = self.facts.only;
        let acted_before = std::mem::replace(&mut self.out.acted, false);
        let mut inner = Run {
            book,
            facts: &facts,
            at: self.at,
            text: facts.text.as_str(),
            pending: self.pending.hand_over(),
            out: self.out,
            search: self.search,
            candidates: None,
            trace: for_a_part(&mut self.trace),
            acting: self.acting,
            acted: std::mem::take(&mut self.acted),
            redirects: self.redirects + 1,
            skipped: None,
        };
        inner.search_all();
        let answered = inner.out.acted;
        inner.out.acted |= acted_before;
        self.acting = inner.acting;
        self.acted = inner.acted;
        self.pending.take_back(inner.pending);
        answered
    }

    fn too_many_redirects(&mut self, rule: &RuleRef) {
        let (id, times) = (&rule.id, self.redirects);
        self.out.warnings.push(Warning {
            en: format!(
                "a message was answered as {times} other sentences; the search ended at {id}"
            ),
            zh: format!("一条消息已转成另外 {times} 句话，到 {id} 为止"),
        });
    }
}

/// The names of a template that depend on the message alone.
struct Known<'t> {
    text: &'t str,
    taken: &'t Taken,
}

impl Known<'_> {
    fn has_all_of(&self, template: &Template) -> bool {
        template.names().all(|used| self.value(used.name).is_some())
    }
}

impl Values for Known<'_> {
    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        match self.taken.captures.get(name) {
            Some(capture) => Some(capture.as_str().into()),
            None if name == "text" => Some(self.text.into()),
            None if name == "rest" => Some(self.taken.rest.as_str().into()),
            None => None,
        }
    }
}

impl RuleBook {
    /// The rules whose sentences lead back to themselves: each with the sentence, or with a message for which that is so.
    pub(crate) fn redirect_loops(&self) -> Vec<(super::RuleInfo, String)> {
        let fixed = |rule: &Rule| {
            let sentence = rule.answer_as.as_ref().filter(|_| !rule.off)?;
            sentence.names().next().is_none().then(|| sentence.to_string())
        };
        let loops = self.rules.iter().enumerate().filter_map(|(start, rule)| {
            let Some(first) = fixed(rule) else {
                return self.looping_message(start).map(|message| (rule.info(), message));
            };
            let (mut sentence, mut passed) = (first.clone(), Vec::new());
            loop {
                let next = self.certain_answer(&sentence)?;
                if next == start {
                    return Some((rule.info(), first));
                }
                // A loop further on is reported there.
                if passed.contains(&next) || passed.len() > MOST_REDIRECTS {
                    return None;
                }
                passed.push(next);
                sentence = fixed(&self.rules[next])?;
            }
        });
        loops.collect()
    }

    /// A message that a rule leads back to itself, again and again, wherever and by whomever it is written. One such
    /// message is enough for a mistake.
    fn looping_message(&self, start: usize) -> Option<String> {
        let rule = &self.rules[start];
        rule.answer_as.as_ref().filter(|_| !rule.off)?;
        let example = rule.text.example().filter(|text| !text.trim().is_empty())?;
        let messages = [format!("{example} y"), example];
        messages.into_iter().find(|message| self.comes_back(start, message).is_some())
    }

    /// Follows a message through rules with `answer_as` until no more are allowed.
    fn comes_back(&self, start: usize, message: &str) -> Option<()> {
        let mut sentence = message.to_owned();
        let mut is_back = false;
        for times in 0..=MOST_REDIRECTS {
            let place = self.certain_answer(&sentence)?;
            let rule = &self.rules[place];
            if times == 0 && place != start {
                return None;
            }
            is_back |= times > 0 && place == start;
            let text = Text::new(&sentence, self.hant);
            let taken = rule.text.check(&text).ok()?;
            let known = Known { text: &sentence, taken: &taken };
            let template = rule.answer_as.as_ref()?;
            if rule.brakes.is_some() || rule.quoted || !known.has_all_of(template) {
                return None;
            }
            sentence = template.render_text(&known);
        }
        is_back.then_some(())
    }

    /// The rule that ends the search for a sentence wherever and by whomever it is written, if that is certain.
    fn certain_answer(&self, sentence: &str) -> Option<usize> {
        let text = Text::new(sentence, self.hant);
        if self.dialogs().iter().any(|dialog| dialog.starts_with(&text)) {
            return None;
        }
        let candidates = self.engine.candidates(&text);
        let mut fitting = candidates.within(0..self.rules.len()).filter(|place| {
            let rule = &self.rules[*place];
            let is_asked = rule.table.as_ref().is_none_or(|table| table.may_answer(&text));
            !rule.off && !rule.go_on && rule.text.check(&text).is_ok() && is_asked
        });
        let is_certain = |rule: &Rule| rule.rest.is_none() && rule.table.is_none();
        fitting.next().filter(|place| is_certain(&self.rules[*place]))
    }
}
