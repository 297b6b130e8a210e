//! `[bot]`.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::{Checker, Fields};
use crate::keys::Table;
use crate::model::Bot;
use crate::problem::{BadInclude, BadValue, Problem};
use mynah_matching::glob::Glob;
use mynah_reader::Lang;

impl Checker<'_> {
    /// The settings of the main file; an included file must have none.
    pub(super) fn bot(&mut self, main: Option<&Fields<'_>>) -> Bot {
        let mut bot = Bot {
            folder: self.around.folder.to_owned(),
            names: Vec::new(),
            admins: Vec::new(),
            groups: Vec::new(),
            private: true,
            ignore: Vec::new(),
            zone: TimeZone::system(),
            fold_hant: false,
            lang: None,
            quiet: Vec::new(),
            vars: BTreeMap::new(),
            rules: Vec::new(),
            tables: Vec::new(),
            dialogs: Vec::new(),
            schedules: Vec::new(),
        };
        if let Some((node, spot)) = main.and_then(|main| main.table("bot")) {
            let fields = Fields::read(Table::Bot, node, spot, self.report);
            self.services = self.services(Some(&fields));
            self.groups_exist(&fields, "groups");
            self.fold_hant = fields.flag("fold_hant");
            bot.names = self.words_if_any(&fields, "names", false);
            self.compared_names(&fields);
            bot.admins = self.words_if_any(&fields, "admins", true);
            bot.ignore = self.words_if_any(&fields, "ignore", true);
            bot.groups = self.globs(&fields, "groups");
            bot.private = fields.flag_or("private", true);
            bot.fold_hant = self.fold_hant;
            bot.lang = match self.word(&fields, "lang") {
                Some("zh") => Some(Lang::Zh),
                Some(_) => Some(Lang::En),
                None => None,
            };
            self.is_any_list_empty(&fields, &["quiet"]);
            bot.quiet = self.windows(&fields, "quiet");
            if bot.quiet.iter().any(|window| window.from == window.to) {
                self.say(Problem::AlwaysQuiet, fields.key_spot("quiet"));
            }
            self.unread.sets |= fields.is_unreadable("vars");
            bot.vars = self.vars(&fields, "bot");
            bot.zone = self.zone(&fields).unwrap_or(bot.zone);
            self.has_admins = fields.may_have("admins");
        }
        if let Some(main) = main.filter(|main| main.table("bot").is_none()) {
            self.has_admins = main.may_have("bot");
            self.services = self.services(None);
        }
        self.own_names.clone_from(&bot.names);
        if bot.groups.is_empty() {
            bot.groups.push(Glob::new("*"));
        }
        bot
    }

    /// Says that an included file has no say in the settings.
    pub(super) fn no_bot(&mut self, included: &Fields<'_>) {
        if included.has("bot") {
            self.say(Problem::Include(BadInclude::BotTable), included.key_spot("bot"));
        }
    }

    fn zone(&mut self, fields: &Fields<'_>) -> Option<TimeZone> {
        let text = fields.text("timezone")?;
        let zone =
            TimeZone::get(text.text.trim()).map_err(|_| BadValue::Zone(text.text.to_owned()));
        self.value(&text, zone)
    }
}
