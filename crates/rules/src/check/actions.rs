//! Checks the actions of rules, dialogs and schedules.

use mynah_core::ActionKind;

use super::names::Names;
use super::{Checker, Fields, values};
use crate::keys::{Key, Role, Table};
use crate::model::{Sent, Shape, Step};
use crate::problem::{BadValue, Conflict, Limitation, Problem};
use mynah_matching::template::Template;
use mynah_reader::closest;

/// The handlers that are built in.
pub(crate) const BUILTINS: [&str; 4] =
    ["builtin.mute", "builtin.unmute", "builtin.reload", "builtin.status"];

impl Checker<'_> {
    /// The actions of a table in the order in which they happen; says if there are none.
    pub(super) fn actions(&mut self, fields: &Fields<'_>, names: &Names) -> Vec<Step> {
        let given = action_keys(fields.table).filter(|key| fields.may_have(key.name)).count();
        let is_loud = || fields.entry("silent").is_some() && !fields.flag("silent");
        if given == 0 && (!fields.has("silent") || is_loud()) {
            self.say(Problem::NoAction { table: fields.table }, fields.spot.clone());
        }
        self.transport_has(fields);
        self.unread.sets |= ["set", "add", "streak"].iter().any(|key| fields.is_unreadable(key));
        self.unread.starts |= fields.is_unreadable("start");
        if fields.table != Table::Do && fields.has("do") {
            return self.listed_actions(fields, names);
        }
        self.usual_actions(fields, names)
    }

    /// `do = […]`: the order is that of the list.
    fn listed_actions(&mut self, fields: &Fields<'_>, names: &Names) -> Vec<Step> {
        if let Some(other) =
            action_keys(fields.table).find(|key| !goes_with_do(key) && fields.has(key.name))
        {
            self.conflict(fields, other.name, Conflict::DoAndOthers(other.name));
            // They are not read then.
            self.unread.sets |= ["set", "add", "streak"].iter().any(|key| fields.has(key));
        }
        self.is_any_list_empty(fields, &["do"]);
        let mut steps = Vec::new();
        for (node, spot) in fields.tables("do") {
            let item = Fields::read(Table::Do, node, spot, self.report);
            steps.extend(self.actions(&item, names));
            let wait = item.text("wait");
            let wait = wait.and_then(|text| {
                self.value(&text, values::duration(text.text).map_err(BadValue::Duration))
            });
            steps.extend(wait.map(Step::Wait));
        }
        let only_waits = steps.iter().all(|step| matches!(step, Step::Wait(_)));
        let has_others = ["answer_as", "fetch"].iter().any(|key| fields.may_have(key));
        if !steps.is_empty() && only_waits && !has_others && !fields.is_unreadable("do") {
            self.say(Problem::OnlyWaits, fields.key_spot("do"));
        }
        steps
    }

    fn usual_actions(&mut self, fields: &Fields<'_>, names: &Names) -> Vec<Step> {
        let mut steps = Vec::new();
        if fields.flag("recall") {
            steps.push(Step::Recall);
        }
        steps.extend(self.sets(fields, names));
        steps.extend(self.additions(fields, names));
        steps.extend(self.streaks(fields));
        if fields.flag("accept") {
            steps.push(Step::Accept);
        }
        steps.extend(self.replies(fields, names));
        if let Some(text) = fields.text("image") {
            match self.web_media(&text, true, names) {
                Some(media) => steps.extend(media.ok().map(|media| self.web_or(fields, media))),
                None => {
                    let path = self.media("image", &text, ActionKind::Image);
                    steps.extend(
                        path.map(|path| self.sent_or(fields, path, Sent::Image, Step::Image)),
                    );
                }
            }
        }
        steps.extend(self.image_one_of(fields));
        if let Some(text) = fields.text("file") {
            match self.web_media(&text, false, names) {
                Some(media) => steps.extend(media.ok().map(|media| self.web_or(fields, media))),
                None => {
                    let path = self.media("file", &text, ActionKind::File);
                    steps.extend(
                        path.map(|path| self.sent_or(fields, path, Sent::File, Step::File)),
                    );
                }
            }
        }
        steps.extend(self.sends(fields, names));
        if fields.entry("forward_to").is_some() {
            steps.push(Step::Forward(self.globs(fields, "forward_to")));
        }
        steps.extend(self.save_to(fields).map(Step::Save));
        steps.extend(self.clears(fields));
        steps.extend(self.invitation(fields).map(Step::Invite));
        if fields.flag("kick") {
            steps.push(Step::Kick);
        }
        if let Some(id) = fields.text("start").filter(|_| fields.table != Table::Dialog) {
            self.starts.push((id.text.to_owned(), id.spot));
            steps.push(Step::Start(id.text.to_owned()));
        }
        let args = self.args(fields, names);
        steps.extend(self.handler(fields).map(|name| {
            if args.is_empty() { Step::Run(name) } else { Step::RunWith { name, args } }
        }));
        steps
    }

    fn replies(&mut self, fields: &Fields<'_>, names: &Names) -> Vec<Step> {
        let shape = Shape { at_sender: fields.flag("at_sender"), quote: fields.flag("quote") };
        if shape.at_sender {
            let spot = fields.key_spot("at_sender");
            self.plain_mention("at_sender", spot);
        }
        let mut steps = Vec::new();
        // A schedule has no chat of its own: `send` speaks in each of its chats.
        let keys: &[&'static str] =
            if fields.table == Table::Schedule { &["send"] } else { &["reply"] };
        for key in keys {
            steps
                .extend(self.template_of(fields, key, names).map(|text| Step::Say { text, shape }));
        }
        steps.extend(self.reply_one_of(fields, names, shape));
        for (index, text) in self.templates(fields, "reply_all_of", names).into_iter().enumerate() {
            let shape = if index == 0 { shape } else { Shape::default() };
            steps.push(Step::Say { text, shape });
        }
        steps
    }

    fn templates(
        &mut self,
        fields: &Fields<'_>,
        key: &'static str,
        names: &Names,
    ) -> Vec<Template> {
        self.is_any_list_empty(fields, &[key]);
        let texts = fields.texts(key);
        texts.iter().filter_map(|text| self.template(key, text, names)).collect()
    }

    /// `invite_to`: the name of one group.
    fn invitation(&mut self, fields: &Fields<'_>) -> Option<String> {
        let text = fields.text("invite_to")?;
        if self.is_blank("invite_to", &text) {
            return None;
        }
        let name = text.text.trim();
        if name.contains(['*', '?']) || name.starts_with(['@', '＠']) {
            self.say(Problem::Value(BadValue::OneGroup(name.to_owned())), text.spot);
            return None;
        }
        Some(name.to_owned())
    }

    fn save_to(&mut self, fields: &Fields<'_>) -> Option<String> {
        let text = fields.text("save_to")?;
        let name = text.text;
        let stem = name.strip_suffix(".csv").unwrap_or_default();
        let is_plain = !stem.is_empty()
            && !stem.starts_with('.')
            && !name.contains(['/', '\\', ':', '*', '?', '"', '<', '>', '|'])
            && !name.chars().any(char::is_control);
        if is_plain {
            return Some(name.to_owned());
        }
        self.say(Problem::Value(BadValue::FileName(name.to_owned())), text.spot);
        None
    }

    fn handler(&mut self, fields: &Fields<'_>) -> Option<String> {
        let text = fields.text("run")?;
        let name = text.text.to_owned();
        if BUILTINS.contains(&text.text) {
            return Some(name);
        }
        if self.is_blank("run", &text) {
            return None;
        }
        if let Some(lasts) = name.strip_prefix("builtin.mute ") {
            return self
                .value(&text, values::duration(lasts).map_err(BadValue::Duration))
                .map(|_| name);
        }
        self.runs_handlers = true;
        let registered = self.around.options.handlers;
        match registered {
            _ if name.starts_with("builtin.") => {
                let registered: Vec<String> =
                    BUILTINS.iter().map(|name| (*name).to_owned()).collect();
                self.no_handler(name.clone(), registered, text.spot);
            }
            None => {
                let meant = BUILTINS
                    .into_iter()
                    .find(|known| known.strip_prefix("builtin.") == Some(&name));
                self.say(Problem::HandlerUnknown { name: name.clone(), meant }, text.spot);
            }
            Some(known) if known.contains(&name) => {}
            Some(_) if let Some(role) = self.role_of(&name) => {
                self.say(Problem::HandlerRole { name: name.clone(), role }, text.spot);
            }
            Some(known) => self.no_handler(name.clone(), known.to_vec(), text.spot),
        }
        Some(name)
    }

    /// The role of a handler that rules do not run.
    fn role_of(&self, name: &str) -> Option<&'static str> {
        let mut unruled = self.around.options.unruled.iter();
        unruled.find(|(known, _)| known == name).map(|(_, role)| *role)
    }

    fn no_handler(&mut self, name: String, registered: Vec<String>, spot: crate::sources::Spot) {
        let meant = closest(&name, registered.iter().map(String::as_str)).map(str::to_owned);
        self.say(Problem::NoHandler { name, registered, meant }, spot);
    }

    /// Says which actions the transport lacks.
    fn transport_has(&mut self, fields: &Fields<'_>) {
        let kinds = [
            ("image", ActionKind::Image),
            ("image_one_of", ActionKind::Image),
            ("file", ActionKind::File),
            ("accept", ActionKind::AcceptFriend),
            ("recall", ActionKind::RecallOfOthers),
            ("invite_to", ActionKind::Invite),
            ("kick", ActionKind::Kick),
            ("reply", ActionKind::Text),
            ("reply_one_of", ActionKind::Text),
            ("reply_all_of", ActionKind::Text),
            ("send", ActionKind::Text),
            ("ask", ActionKind::Text),
        ];
        self.service_has(fields, &kinds);
    }

    /// Says which of these keys a service does not have.
    pub(super) fn service_has(
        &mut self,
        fields: &Fields<'_>,
        kinds: &[(&'static str, ActionKind)],
    ) {
        for service in self.services.clone() {
            for (key, kind) in kinds.iter().copied() {
                if fields.has(key) && !service.actions.contains(&kind) {
                    let problem = Limitation::NoAction { key, transport: service.transport };
                    self.say(Problem::Transport(problem), fields.key_spot(key));
                }
            }
        }
    }
}

/// Whether a key may stand beside `do`.
fn goes_with_do(key: &Key) -> bool {
    matches!(key.name, "do" | "fetch")
}

fn action_keys(table: Table) -> impl Iterator<Item = &'static Key> {
    table.keys().filter(|key| key.role == Role::Action)
}
