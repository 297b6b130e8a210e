//! The questions of a dialog, with the steps that `next` names.

use super::names::Names;
use super::ways::{StepFacts, Ways};
use super::{Checker, Fields};
use crate::keys::Table;
use crate::model::{Answer, Next, Question};
use crate::problem::{BadValue, Capture, Conflict, Problem, SlashCase, Wanted};
use crate::sources::Spot;
use mynah_matching::fold::Folding;
use mynah_matching::keyword::Item;
use mynah_matching::template::{Template, is_name};
use mynah_reader::{Found, Value, closest};

/// How many wrong answers end a dialog, unless the question says so.
const TRIES: u32 = 3;

/// The word of `next` for the end of the dialog.
const DONE: &str = "done";

/// A step whose texts are not read yet: the names in them depend on the ways that lead to it.
struct Read<'n> {
    fields: Fields<'n>,
    answer: Answer,
    restart_on: Vec<String>,
    save: Option<String>,
}

impl Checker<'_> {
    /// The questions of a dialog, the names for its `done`, and those of all steps.
    pub(super) fn questions(&mut self, fields: &Fields<'_>) -> (Vec<Question>, Names, Names) {
        let is_private = fields.text("in").is_some_and(|text| text.text == "private");
        let mut steps = Vec::new();
        for (node, spot) in fields.tables("step") {
            let fields = Fields::read(Table::Step, node, spot, self.report);
            steps.push(self.step(fields));
        }
        let ids = self.step_ids(&steps);
        let nexts: Vec<Option<Next>> = steps.iter().map(|step| self.next(step, &ids)).collect();
        let ways = self.ways(fields, &steps, &nexts);
        let mut questions = Vec::new();
        for (at, (step, next)) in steps.into_iter().zip(nexts).enumerate() {
            let names = ways.names(at).placed(is_private);
            let ask = self.template_of(&step.fields, "ask", &names);
            let tries = self.whole_number(&step.fields, "tries", 1, 100);
            questions.push(Question {
                id: ids[at].clone(),
                ask: ask.unwrap_or_else(|| Template::plain("")),
                save: step.save,
                answer: step.answer,
                retry: self.template_of(&step.fields, "retry", &names),
                tries: tries.and_then(|tries| u32::try_from(tries).ok()).unwrap_or(TRIES),
                restart_on: step.restart_on,
                next: next.unwrap_or_default(),
            });
        }
        let done = ways.names(questions.len()).placed(is_private);
        let all = ways.all_names().placed(is_private);
        if fields.is_partly_unknown() {
            return (questions, done.partial(), all.partial());
        }
        (questions, done, all)
    }

    fn step<'n>(&mut self, fields: Fields<'n>) -> Read<'n> {
        self.needs(&fields, &["ask"]);
        let answer = self.answer(&fields);
        let restart_on = self.restart_on(&fields, &answer);
        let save = self.saved_name(&fields);
        Read { fields, answer, restart_on, save }
    }

    /// The ids of the steps; says which are there twice, and which mean the end.
    fn step_ids(&mut self, steps: &[Read<'_>]) -> Vec<Option<String>> {
        let mut seen: Vec<(&str, Spot)> = Vec::new();
        let mut ids = Vec::new();
        for step in steps {
            let text = step.fields.text("id");
            let text = text.filter(|text| !self.is_blank("id", text));
            ids.push(text.and_then(|text| {
                let id = text.text.trim();
                match seen.iter().find(|(other, _)| *other == id) {
                    Some((_, first)) => {
                        let other = self.shown(first);
                        self.say(Problem::DuplicateId { id: id.to_owned(), other }, text.spot);
                        return None;
                    }
                    None if id == DONE => {
                        self.say(Problem::Value(BadValue::StepDone), text.spot);
                        return None;
                    }
                    None => seen.push((id, text.spot)),
                }
                Some(id.to_owned())
            }));
        }
        ids
    }

    /// The step after a step; `None` if that is not certain, because of a mistake.
    fn next(&mut self, step: &Read<'_>, ids: &[Option<String>]) -> Option<Next> {
        let fields = &step.fields;
        if fields.is_unreadable("next") {
            return None;
        }
        if let Some(text) = fields.text("next") {
            return self.step_of(text.text, text.spot, ids).map(Next::Step);
        }
        let Some((table, spot)) = fields.table("next") else { return Some(Next::Following) };
        if table.entries.is_empty() {
            self.say(Problem::Empty { key: "next", text: None }, spot);
            return None;
        }
        let mut ways = Vec::new();
        for entry in &table.entries {
            let place = fields.at(entry.node.span.clone());
            self.is_a_choice(step, &entry.key, fields.at(entry.key_span.clone()));
            let Value::Text(id) = &entry.node.value else {
                let found = Found::of(&entry.node.value);
                let name = entry.key.clone();
                self.say(Problem::EntryType { name, wanted: Wanted::Step, found }, place);
                return None;
            };
            ways.push((entry.key.clone(), self.step_of(id, place, ids)?));
        }
        Some(Next::ByAnswer(ways))
    }

    /// The step of an id; reports an unknown one.
    fn step_of(&mut self, id: &str, spot: Spot, ids: &[Option<String>]) -> Option<usize> {
        let id = id.trim();
        if id == DONE {
            return Some(ids.len());
        }
        let found = ids.iter().position(|known| known.as_deref() == Some(id));
        if found.is_none() {
            let known: Vec<String> = ids.iter().flatten().cloned().collect();
            let names = known.iter().map(String::as_str).chain([DONE]);
            let meant = closest(id, names).map(str::to_owned);
            self.say(Problem::UnknownStep { id: id.to_owned(), meant, known }, spot);
        }
        found
    }

    /// Says if an answer in `next` is none of the choices.
    fn is_a_choice(&mut self, step: &Read<'_>, answer: &str, spot: Spot) {
        if let Answer::Choose(choices) = &step.answer
            && !choices.iter().any(|choice| self.is_same(answer, choice))
        {
            self.say(Problem::Conflict(Conflict::NextNotChosen), spot);
        }
    }

    fn is_same(&self, item: &str, text: &str) -> bool {
        let folding = Folding::new(false, self.fold_hant);
        Item::new(item, folding).is(folding.fold(text).text())
    }

    /// The ways through the steps; says which steps none of them reaches.
    fn ways(&mut self, fields: &Fields<'_>, steps: &[Read<'_>], nexts: &[Option<Next>]) -> Ways {
        let facts = steps.iter().zip(nexts).enumerate().map(|(at, (step, next))| {
            let may_save = step.fields.has("save") || step.fields.is_partly_unknown();
            StepFacts {
                save: step.save.clone(),
                is_unsaved: step.save.is_none() && !may_save,
                is_unknown: step.save.is_none() && may_save,
                to: self.steps_after(step, next.as_ref(), at + 1),
            }
        });
        let ways = Ways::through(facts.collect(), nexts.iter().all(Option::is_some));
        for (at, step) in steps.iter().enumerate() {
            if !ways.reach(at) {
                self.say(Problem::StepNotReached, step.fields.spot.clone());
            }
        }
        if let Some((_, spot)) = fields.table("done").filter(|_| !ways.reach(steps.len())) {
            self.say(Problem::DoneNotReached, spot);
        }
        ways
    }

    /// The steps that can come after a step.
    fn steps_after(&self, step: &Read<'_>, next: Option<&Next>, following: usize) -> Vec<usize> {
        let ways = match next {
            None | Some(Next::Following) => return vec![following],
            Some(Next::Step(step)) => return vec![*step],
            Some(Next::ByAnswer(ways)) => ways,
        };
        let goes_elsewhere = |choice: &String| ways.iter().any(|way| self.is_same(&way.0, choice));
        let goes_on = match &step.answer {
            // A choice to restart on leads to no step.
            Answer::Choose(choices) => choices
                .iter()
                .filter(|choice| !step.restart_on.iter().any(|word| self.is_same(word, choice)))
                .any(|choice| !goes_elsewhere(choice)),
            Answer::Any | Answer::Check(_) => true,
        };
        ways.iter().map(|(_, step)| *step).chain(goes_on.then_some(following)).collect()
    }

    fn saved_name(&mut self, fields: &Fields<'_>) -> Option<String> {
        let text = fields.text("save")?;
        let name = text.text.trim();
        if super::names::is_built_in(name) {
            let problem = Problem::Capture(Capture::BuiltIn { name: name.to_owned() });
            self.say(problem, text.spot);
            return None;
        }
        if !is_name(name) || name.contains('.') {
            self.say(Problem::Value(BadValue::Name(name.to_owned())), text.spot);
            return None;
        }
        Some(name.to_owned())
    }

    fn answer(&mut self, fields: &Fields<'_>) -> Answer {
        if fields.has("check") && fields.has("choose") {
            self.conflict(fields, "check", Conflict::CheckAndChoose);
        }
        if let Some(text) = fields.text("check") {
            let regex = if self.is_blank("check", &text) { None } else { self.regex(&text, false) };
            if let Some(regex) = &regex {
                self.slashes(&text, regex, SlashCase::Ignored);
            }
            return regex.map_or(Answer::Any, Answer::Check);
        }
        let choices = self.words(fields, "choose", false);
        self.same_choices(fields, &choices);
        if choices.is_empty() { Answer::Any } else { Answer::Choose(choices) }
    }

    /// Says which choices are the same when they are compared.
    fn same_choices(&mut self, fields: &Fields<'_>, choices: &[String]) {
        for (at, choice) in choices.iter().enumerate() {
            let other = choices[..at].iter().find(|other| self.is_same(choice, other));
            if let Some(other) = other {
                let problem = Problem::SameChoice { text: choice.clone(), other: other.clone() };
                self.say(problem, fields.key_spot("choose"));
            }
        }
    }

    fn restart_on(&mut self, fields: &Fields<'_>, answer: &Answer) -> Vec<String> {
        let words = self.words(fields, "restart_on", false);
        if let Answer::Choose(choices) = answer {
            let is_choice = |word: &String| choices.iter().any(|choice| self.is_same(word, choice));
            if !words.iter().all(is_choice) {
                self.conflict(fields, "restart_on", Conflict::RestartNotChosen);
            }
        }
        words
    }
}
