//! One `[[dialog]]` with its questions.

use std::time::Duration;

use super::conditions::people;
use super::names::Names;
use super::{Checker, Fields, values};
use crate::keys::Table;
use crate::model::{Answer, Dialog, Question};
use crate::problem::{BadValue, Capture, Conflict, Problem, SlashCase};
use crate::sources::Spot;
use mynah_matching::fold::Folding;
use mynah_matching::template::{Template, is_name};
use mynah_reader::TableNode;

/// How long an answer is waited for, unless the dialog says so.
const TIMEOUT: Duration = Duration::from_secs(600);

/// How many wrong answers end a dialog, unless the question says so.
const TRIES: u32 = 3;

impl Checker<'_> {
    pub(super) fn dialog(&mut self, node: &TableNode, spot: Spot) -> Dialog {
        let fields = Fields::read(Table::Dialog, node, spot, self.report);
        let id = self.dialog_id(&fields);
        self.needs(&fields, &["step"]);
        self.groups_exist(&fields, "groups");
        self.contradictions_of_place(&fields);
        let steps: Vec<(&TableNode, Spot)> = fields.tables("step");
        let mut names = Names::of_a_reply();
        let mut all_names = names.clone();
        let mut questions = Vec::new();
        for (node, spot) in steps {
            questions.extend(self.question(node, spot, &mut names));
        }
        all_names.clone_from(&names);
        if fields.is_partly_unknown() {
            all_names = all_names.partial();
        }
        self.is_guarded = fields.may_have("from");
        let done = fields.table("done").map(|(node, spot)| {
            let done = Fields::read(Table::Done, node, spot, self.report);
            self.actions(&done, &all_names)
        });
        let starts = self.words(&fields, "start", false);
        self.begun_by.extend(starts.iter().map(|text| (text.clone(), id.clone())));
        Dialog {
            place: self.place(&fields.spot),
            id,
            starts,
            place_kind: self.chat_kind(&fields),
            groups: self.globs(&fields, "groups"),
            from: people(&fields, "from"),
            not_from: people(&fields, "not_from"),
            timeout: self.duration_of(&fields, "timeout").unwrap_or(TIMEOUT),
            timeout_reply: self.template_of(&fields, "timeout_reply", &all_names),
            cancel: self.words(&fields, "cancel", false),
            cancel_reply: self.template_of(&fields, "cancel_reply", &all_names),
            steps: questions,
            done: done.unwrap_or_default(),
        }
    }

    fn contradictions_of_place(&mut self, fields: &Fields<'_>) {
        self.is_any_list_empty(fields, &["from", "not_from"]);
        self.blank_names(fields);
        let in_private = fields.text("in").is_some_and(|text| text.text == "private");
        if in_private && fields.has("groups") {
            self.conflict(fields, "groups", Conflict::GroupsInPrivate);
        }
    }

    fn dialog_id(&mut self, fields: &Fields<'_>) -> String {
        self.needs(fields, &["id"]);
        let name = self.name(fields, "dialog");
        match name.id {
            Some(id) => {
                self.dialogs.insert(id.clone());
                if !fields.may_have("start") {
                    self.startless.push((id.clone(), fields.spot.clone()));
                }
                id
            }
            None => {
                self.unread.ids = true;
                name.key
            }
        }
    }

    /// A time span, if it is there and right.
    pub(super) fn duration_of(&mut self, fields: &Fields<'_>, key: &str) -> Option<Duration> {
        let text = fields.text(key)?;
        self.value(&text, values::duration(text.text).map_err(BadValue::Duration))
    }

    fn question(&mut self, node: &TableNode, spot: Spot, names: &mut Names) -> Option<Question> {
        let fields = Fields::read(Table::Step, node, spot, self.report);
        self.needs(&fields, &["ask"]);
        let ask = self.template_of(&fields, "ask", names);
        let retry = self.template_of(&fields, "retry", names);
        let answer = self.answer(&fields);
        let restart_on = self.restart_on(&fields, &answer);
        let tries = self.whole_number(&fields, "tries", 1, 100);
        let save = self.saved_name(&fields);
        match &save {
            Some(name) => names.add(name),
            None if fields.has("save") || fields.is_partly_unknown() => {
                *names = std::mem::take(names).partial();
            }
            None => names.asked_unsaved(),
        }
        Some(Question {
            ask: ask.unwrap_or_else(|| Template::plain("")),
            save,
            answer,
            retry,
            tries: tries.and_then(|tries| u32::try_from(tries).ok()).unwrap_or(TRIES),
            restart_on,
        })
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
        if choices.is_empty() { Answer::Any } else { Answer::Choose(choices) }
    }

    fn restart_on(&mut self, fields: &Fields<'_>, answer: &Answer) -> Vec<String> {
        let words = self.words(fields, "restart_on", false);
        let folding = Folding::new(false, self.fold_hant);
        let folded = |text: &str| folding.fold(text).text().trim().to_owned();
        if let Answer::Choose(choices) = answer {
            let is_choice =
                |word: &String| choices.iter().any(|choice| folded(choice) == folded(word));
            if !words.iter().all(is_choice) {
                self.conflict(fields, "restart_on", Conflict::RestartNotChosen);
            }
        }
        words
    }
}
