//! The values of the names of a template while a rule, dialog or schedule acts.

use std::borrow::Cow;

use jiff::Zoned;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use mynah_core::{Captures, Chat, Message, Notice, NoticeKind, Person, Scope, Timestamp};

use super::event_facts::zoned;
use super::pending::Pending;
use crate::model::GroupTable;
use mynah_matching::template::Values;

/// The chat of an action, the person it is for, and the known facts about both.
#[derive(Debug, Clone)]
pub(crate) struct Scene<'s> {
    pub(crate) chat: &'s Chat,
    pub(crate) person: Option<&'s Person>,
    pub(crate) message: Option<&'s Message>,
    pub(crate) notice: Option<&'s Notice>,
    pub(crate) text: &'s str,
    pub(crate) captures: Captures,
    /// The names of the captures in the order of the rule, for rows of a table.
    pub(crate) columns: Vec<String>,
    pub(crate) rest: String,
    pub(crate) table: Option<&'s GroupTable>,
    pub(crate) now: Timestamp,
    pub(crate) zone: &'s TimeZone,
    /// Whether a text sent here is a reply to a person; announcements are not.
    pub(crate) is_reply: bool,
}

impl Scene<'_> {
    /// Clock and calendar of the bot. Few templates ask for them, and they take longer than the rest.
    pub(crate) fn clock(&self) -> Zoned {
        zoned(self.now, self.zone)
    }

    /// A variable; a value set at run time wins over that of the `[[group]]` table.
    pub(crate) fn variable(
        &self,
        scope: Scope,
        key: &str,
        pending: &Pending<'_>,
    ) -> Option<String> {
        pending.get(scope, key).or_else(|| self.preset(scope, key).map(str::to_owned))
    }

    /// The value of the `[[group]]` table.
    pub(crate) fn preset(&self, scope: Scope, key: &str) -> Option<&str> {
        let table = self.table.filter(|_| scope == Scope::Chat)?;
        table.vars.get(key).map(String::as_str)
    }

    /// Who came or went, as shown.
    pub(crate) fn people(&self) -> Option<String> {
        match &self.notice?.kind {
            NoticeKind::Join { people } | NoticeKind::Leave { people } => Some(
                people.iter().map(|person| person.name.as_str()).collect::<Vec<_>>().join("、"),
            ),
            _ => None,
        }
    }
}

/// A scene together with the state of the moment.
pub(crate) struct SceneValues<'t, 's> {
    pub(crate) scene: &'t Scene<'s>,
    pub(crate) pending: &'t Pending<'s>,
}

impl Values for SceneValues<'_, '_> {
    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        let Self { scene, pending } = self;
        if let Some(captured) = scene.captures.get(name) {
            return Some(captured.into());
        }
        let owned = match name {
            "sender" => return scene.person.map(|person| person.name.as_str().into()),
            "group" => return scene.chat.is_group().then(|| scene.chat.name.as_str().into()),
            "text" => return Some(scene.text.into()),
            "rest" => return Some(scene.rest.as_str().into()),
            "joined" => scene.people(),
            "date" => Some(scene.clock().strftime("%Y-%m-%d").to_string()),
            "time" => Some(scene.clock().strftime("%H:%M").to_string()),
            "weekday" => return Some(weekday(scene.clock().weekday()).into()),
            _ => variable(name).and_then(|(scope, key)| scene.variable(scope, key, pending)),
        };
        owned.map(Cow::Owned)
    }
}

/// The scope and key that a name like `user.x` means.
fn variable(name: &str) -> Option<(Scope, &str)> {
    let (owner, key) = name.split_once('.')?;
    let scope = match owner {
        "user" => Scope::Person,
        "chat" => Scope::Chat,
        "bot" => Scope::Bot,
        _ => return None,
    };
    Some((scope, key))
}

fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "星期一",
        Weekday::Tuesday => "星期二",
        Weekday::Wednesday => "星期三",
        Weekday::Thursday => "星期四",
        Weekday::Friday => "星期五",
        Weekday::Saturday => "星期六",
        Weekday::Sunday => "星期日",
    }
}
