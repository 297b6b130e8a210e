//! One `[[dialog]]` with its questions.

use std::time::Duration;

use super::conditions::people;
use super::{Checker, Fields, values};
use crate::keys::Table;
use crate::model::{Dialog, Step};
use crate::problem::{BadValue, Conflict};
use crate::sources::Spot;
use mynah_reader::TableNode;

/// How long an answer is waited for, unless the dialog says so.
const TIMEOUT: Duration = Duration::from_secs(600);

impl Checker<'_> {
    pub(super) fn dialog(&mut self, node: &TableNode, spot: Spot) -> Dialog {
        let fields = Fields::read(Table::Dialog, node, spot, self.report);
        let id = self.dialog_id(&fields);
        self.needs(&fields, &["step"]);
        self.groups_exist(&fields, "groups");
        self.contradictions_of_place(&fields);
        let (questions, done_names, all_names) = self.questions(&fields);
        self.is_guarded = fields.may_have("from");
        let done = fields.table("done").map(|(node, spot)| {
            let done = Fields::read(Table::Done, node, spot, self.report);
            let (fetch, known) = self.fetch(&done, &done_names);
            let steps = self.actions(&done, &known);
            self.members_fit_after(&fields, &done, &steps);
            (fetch, steps)
        });
        let (fetch, done) = done.unwrap_or_default();
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
            fetch,
            done,
        }
    }

    /// Says which of `recall` and `kick` could never do anything after the last answer.
    fn members_fit_after(&mut self, dialog: &Fields<'_>, done: &Fields<'_>, steps: &[Step]) {
        let key = |key| if done.has(key) { key } else { "do" };
        if steps.iter().any(|step| matches!(step, Step::Recall)) {
            self.conflict(done, key("recall"), Conflict::RecallInDone);
        }
        let in_private = dialog.text("in").is_some_and(|text| text.text == "private");
        if in_private && steps.iter().any(|step| matches!(step, Step::Kick)) {
            self.conflict(done, key("kick"), Conflict::KickInPrivate);
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
}
