//! `send` and `to`, and pictures of which one is drawn.

use std::path::PathBuf;

use mynah_core::ActionKind;

use super::names::Names;
use super::{Checker, Fields};
use crate::keys::Table;
use crate::model::{Sent, Step, Target, WebMedia};
use crate::problem::{BadValue, Conflict, Problem};
use mynah_matching::glob::Glob;

impl Checker<'_> {
    /// A text for other chats.
    pub(super) fn sends(&mut self, fields: &Fields<'_>, names: &Names) -> Vec<Step> {
        if fields.table == Table::Schedule {
            return Vec::new();
        }
        let may_send_files = fields.table == Table::Do;
        let sends = fields.may_have("send")
            || (may_send_files && (fields.has("image") || fields.has("file")));
        if fields.has("to") && !sends {
            self.conflict(fields, "to", Conflict::ToWithout);
        }
        if fields.entry("send").is_some() && !fields.may_have("to") {
            self.conflict(fields, "send", Conflict::SendWithout);
        }
        let text = self.template_of(fields, "send", names);
        let to = self.targets(fields);
        text.map(|text| Step::Send { what: Sent::Text(text), to }).into_iter().collect()
    }

    /// A file for other chats if there is a `to`, else for this chat.
    pub(super) fn sent_or(
        &mut self,
        fields: &Fields<'_>,
        path: PathBuf,
        sent: fn(PathBuf) -> Sent,
        here: fn(PathBuf) -> Step,
    ) -> Step {
        if fields.table == Table::Do && fields.has("to") {
            return Step::Send { what: sent(path), to: self.targets(fields) };
        }
        here(path)
    }

    /// A picture or file of the web, here or for the chats in `to`.
    pub(super) fn web_or(&mut self, fields: &Fields<'_>, media: WebMedia) -> Step {
        if fields.table == Table::Do && fields.has("to") {
            return Step::Send { what: Sent::Web(media), to: self.targets(fields) };
        }
        Step::Web(media)
    }

    /// One of several pictures.
    pub(super) fn image_one_of(&mut self, fields: &Fields<'_>) -> Option<Step> {
        self.is_any_list_empty(fields, &["image_one_of"]);
        let texts = fields.texts("image_one_of");
        let paths =
            texts.iter().filter_map(|text| self.media("image_one_of", text, ActionKind::Image));
        let paths: Vec<PathBuf> = paths.collect();
        (!paths.is_empty()).then_some(Step::ImageOneOf(paths))
    }

    /// The chats in `to`.
    fn targets(&mut self, fields: &Fields<'_>) -> Vec<Target> {
        let written: Vec<_> = self.words(fields, "to", true);
        let mut targets = Vec::new();
        for text in fields.texts("to") {
            let name = text.text.trim();
            if !written.iter().any(|known| known == text.text) {
                continue;
            }
            match name.strip_prefix(['@', '＠']) {
                Some("sender") => targets.push(Target::Sender),
                Some("admins") => {
                    if !self.has_admins {
                        self.say(Problem::NoAdmins, text.spot);
                    }
                    targets.push(Target::Admins);
                }
                Some(_) => {
                    let value = BadValue::Target(text.text.to_owned());
                    self.say(Problem::Value(value), text.spot);
                }
                None => {
                    let glob = Glob::new(text.text);
                    if !glob.is_plain() && !self.is_guarded {
                        let problem = Problem::OpenBroadcast { to: text.text.to_owned() };
                        self.say(problem, text.spot);
                    }
                    targets.push(Target::Named(glob));
                }
            }
        }
        targets
    }
}
