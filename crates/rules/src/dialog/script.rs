//! The questions and actions of a dialog, in the form in which an open dialog stores them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::decision::RuleRef;
use crate::fetching::Fetching;
use crate::model::{self, Next, Step};
use crate::rule_book::stored_steps::{StoredStep, keep, kept};
use mynah_matching::fold::Folding;
use mynah_matching::keyword::{Item, without_final_signs};
use mynah_matching::regex::RegexCondition;
use mynah_matching::template::Template;

/// The questions and actions of a dialog.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Script {
    id: String,
    file: String,
    line: u32,
    hant: bool,
    timeout: Duration,
    timeout_reply: Option<Template>,
    cancel: Vec<String>,
    cancel_reply: Option<Template>,
    questions: Vec<Question>,
    done: Vec<StoredStep>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fetch: Option<Box<Fetching>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Question {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    ask: Template,
    save: Option<String>,
    answer: Answer,
    retry: Option<Template>,
    tries: u32,
    restart_on: Vec<String>,
    /// Dialogs of earlier versions do not have it.
    #[serde(default)]
    next: Next,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Any,
    Check(RegexCondition),
    Choose(Vec<String>),
}

/// The result of checking an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// It is none.
    Wrong,
    /// It is right; the name under which it is kept, the text that is, and the step after it.
    Right { name: Option<String>, answer: String, next: usize },
    /// It is right, and the dialog begins anew.
    Restart,
}

impl Script {
    pub(super) fn new(dialog: model::Dialog, hant: bool) -> Self {
        let questions = dialog.steps.into_iter().map(|question| Question {
            id: question.id,
            ask: question.ask,
            save: question.save,
            answer: match question.answer {
                model::Answer::Any => Answer::Any,
                model::Answer::Check(regex) => Answer::Check(regex),
                model::Answer::Choose(list) => Answer::Choose(list),
            },
            retry: question.retry,
            tries: question.tries,
            restart_on: question.restart_on,
            next: question.next,
        });
        Self {
            id: dialog.id,
            file: dialog.place.file.to_string(),
            line: dialog.place.line,
            hant,
            timeout: dialog.timeout,
            timeout_reply: dialog.timeout_reply,
            cancel: dialog.cancel,
            cancel_reply: dialog.cancel_reply,
            questions: questions.collect(),
            done: keep(&dialog.done),
            fetch: dialog.fetch,
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn reference(&self) -> RuleRef {
        RuleRef { id: self.id.as_str().into(), file: self.file.as_str().into(), line: self.line }
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(super) fn timeout_reply(&self) -> Option<&Template> {
        self.timeout_reply.as_ref()
    }

    pub(super) fn cancel_reply(&self) -> Option<&Template> {
        self.cancel_reply.as_ref()
    }

    /// How many questions there are.
    pub(super) fn questions(&self) -> usize {
        self.questions.len()
    }

    /// The id of a question that has one.
    pub(super) fn step_id(&self, step: usize) -> Option<&str> {
        self.questions.get(step)?.id.as_deref()
    }

    pub(super) fn ask(&self, step: usize) -> &Template {
        &self.questions[step].ask
    }

    pub(super) fn retry(&self, step: usize) -> Option<&Template> {
        self.questions[step].retry.as_ref()
    }

    pub(super) fn tries(&self, step: usize) -> u32 {
        self.questions[step].tries
    }

    pub(super) fn done(&self) -> Vec<Step> {
        kept(self.done.clone())
    }

    /// The request before them.
    pub(super) fn fetch(&self) -> Option<&Fetching> {
        self.fetch.as_deref()
    }

    /// The names under which answers are kept, in order, each once: steps on different ways may share one. Then the names of
    /// the values that are fetched.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        let saved = self.questions.iter().filter_map(|question| question.save.as_deref());
        for name in saved.chain(self.fetch.iter().flat_map(|fetch| fetch.taken())) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        names
    }

    /// Whether a text ends the dialog.
    pub(super) fn is_cancel(&self, text: &str) -> bool {
        self.is_one_of(&self.cancel, text).is_some()
    }

    /// Checks a text as the answer to a question.
    pub(super) fn judge(&self, step: usize, text: &str) -> Judged {
        let question = &self.questions[step];
        let answer = match &question.answer {
            _ if text.trim().is_empty() => None,
            Answer::Any => Some(text),
            Answer::Check(regex) => regex.find(&Folding::WIDTH.fold(text)).map(|_| text),
            Answer::Choose(list) => self.chosen(list, text),
        };
        match answer {
            None => Judged::Wrong,
            Some(answer) if self.is_one_of(&question.restart_on, answer).is_some() => {
                Judged::Restart
            }
            Some(answer) => Judged::Right {
                name: question.save.clone(),
                answer: answer.to_owned(),
                next: self.next(step, answer),
            },
        }
    }

    /// The step after a right answer; [`Script::questions`] is the end.
    fn next(&self, step: usize, answer: &str) -> usize {
        let following = step + 1;
        match &self.questions[step].next {
            Next::Following => following,
            Next::Step(step) => *step,
            Next::ByAnswer(ways) => {
                let is_answer = |way: &&(String, usize)| self.is(&way.0, answer);
                ways.iter().find(is_answer).map_or(following, |(_, step)| *step)
            }
        }
    }

    /// The item that a text means: itself, or its number from 1; final punctuation does not matter.
    fn chosen<'l>(&self, list: &'l [String], text: &str) -> Option<&'l str> {
        let by_number = || {
            let folded = self.folding().fold(text);
            let number: usize = without_final_signs(folded.text()).trim().parse().ok()?;
            list.get(number.checked_sub(1)?)
        };
        self.is_one_of(list, text).or_else(by_number).map(String::as_str)
    }

    fn is_one_of<'l>(&self, list: &'l [String], text: &str) -> Option<&'l String> {
        list.iter().find(|item| self.is(item, text))
    }

    /// Whether a text is this item, apart from case, blanks around it and final punctuation.
    fn is(&self, item: &str, text: &str) -> bool {
        Item::new(item, self.folding()).is(self.folding().fold(text).text())
    }

    fn folding(&self) -> Folding {
        Folding::new(false, self.hant)
    }
}
