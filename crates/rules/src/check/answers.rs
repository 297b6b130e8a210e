//! Answers drawn by weight, arguments of handlers, and `answer_as`.

use super::names::Names;
use super::variables::assignments;
use super::{Checker, Fields, Text};
use crate::keys::Table;
use crate::model::{Conditions, Shape, Step};
use crate::problem::{BadValue, Conflict, Problem};
use mynah_matching::template::{Template, is_name};
use mynah_reader::Value;

/// The largest weight: beyond it the odds of the others would say nothing.
const MOST_WEIGHT: i64 = 1_000_000;

impl Checker<'_> {
    /// `reply_one_of`: texts, or texts with weights.
    pub(super) fn reply_one_of(
        &mut self,
        fields: &Fields<'_>,
        names: &Names,
        shape: Shape,
    ) -> Option<Step> {
        self.is_any_list_empty(fields, &["reply_one_of"]);
        let entry = fields.entry("reply_one_of")?;
        let Value::List(items) = &entry.node.value else { return None };
        let mut texts = Vec::new();
        let mut has_weights = false;
        for item in items {
            let spot = fields.at(item.span.clone());
            match &item.value {
                Value::Text(text) => {
                    let text = self.template("reply_one_of", &Text { text, spot }, names);
                    texts.extend(text.map(|text| (text, 1)));
                }
                Value::Table(table) => {
                    has_weights = true;
                    let item = Fields::read(Table::Weighted, table, spot, self.report);
                    self.needs(&item, &["text"]);
                    let text = self.template_of(&item, "text", names);
                    let weight = self.whole_number(&item, "weight", 0, MOST_WEIGHT);
                    let weight = weight.and_then(|weight| u32::try_from(weight).ok()).unwrap_or(1);
                    texts.extend(text.map(|text| (text, weight)));
                }
                _ => {}
            }
        }
        if !texts.is_empty() && texts.iter().all(|(_, weight)| *weight == 0) {
            self.conflict(fields, "reply_one_of", Conflict::NoWeight);
        }
        match (texts.is_empty(), has_weights) {
            (true, _) => None,
            (false, true) => Some(Step::SayWeighted { texts, shape }),
            (false, false) => {
                let texts = texts.into_iter().map(|(text, _)| text).collect();
                Some(Step::SayOneOf { texts, shape })
            }
        }
    }

    /// `args`: texts for the handler of `run`.
    pub(super) fn args(&mut self, fields: &Fields<'_>, names: &Names) -> Vec<(String, Template)> {
        let is_builtin = fields.text("run").is_some_and(|run| run.text.starts_with("builtin."));
        if fields.has("args") && (is_builtin || !fields.may_have("run")) {
            self.conflict(fields, "args", Conflict::ArgsWithout);
        }
        let mut args = Vec::new();
        for one in assignments(fields, "args") {
            let spot = fields.at(one.place.clone());
            if !is_name(&one.name) || one.name.contains('.') {
                self.say(Problem::Value(BadValue::Name(one.name.clone())), spot);
                continue;
            }
            if names.is_captured(&one.name) {
                self.say(Problem::Value(BadValue::ArgIsCapture(one.name.clone())), spot);
                continue;
            }
            let text = self.variable_text(fields, &one, names);
            args.extend(text.map(|text| (one.name.clone(), text)));
        }
        args
    }

    /// `answer_as`: a sentence of captures and fixed words alone.
    pub(super) fn answer_as(
        &mut self,
        fields: &Fields<'_>,
        when: &Conditions,
        names: &Names,
    ) -> Option<Template> {
        let sentence = self.template_of(fields, "answer_as", &names.of_a_sentence());
        let beside = ["continue", "silent"].into_iter().find(|key| fields.flag(key));
        let beside = beside.or(fields.has("fetch").then_some("fetch"));
        if let Some(key) = beside.filter(|_| fields.has("answer_as")) {
            self.conflict(fields, key, Conflict::AnswerAsAnd(key));
        }
        if fields.has("answer_as") && !when.events.is_empty() {
            self.conflict(fields, "answer_as", Conflict::AnswerAsOfEvent);
        }
        sentence
    }
}
