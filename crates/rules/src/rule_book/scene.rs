//! The values of the names of a template while a rule, dialog or schedule acts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Zoned;
use jiff::tz::TimeZone;
use mynah_core::{
    Captures, Chat, Message, MessageId, Notice, NoticeKind, Person, Random, Scope, Timestamp,
};

use super::actions::random_of;
use super::event_facts::zoned;
use super::pending::Pending;
use super::variables::{self, OF_PERSON};
use super::words;
use crate::computed::{self, Computed};
use crate::decision::Moment;
use crate::model::GroupTable;
use mynah_matching::template::Values;
use mynah_reader::Lang;

/// The chat of an action, the person it is for, and the known facts about both.
#[derive(Debug, Clone)]
pub(crate) struct Scene<'s> {
    pub(crate) chat: &'s Chat,
    pub(crate) person: Option<&'s Person>,
    pub(crate) message: Option<&'s Message>,
    pub(crate) notice: Option<&'s Notice>,
    /// The id of the message, also after a `wait`.
    pub(crate) message_id: Option<&'s MessageId>,
    /// Those who joined, also after a `wait`.
    pub(crate) joined: Option<&'s [Person]>,
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
    /// The values of `[bot] vars`.
    pub(crate) vars: &'s BTreeMap<String, String>,
    /// The language of the bot's own words.
    pub(crate) lang: Lang,
}

impl<'s> Scene<'s> {
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
        let stored = variables::stored(scope, key, self.person)?;
        pending.get(scope, &stored).or_else(|| self.preset(scope, key).map(str::to_owned))
    }

    /// The value of the `[[group]]` table.
    pub(crate) fn preset(&self, scope: Scope, key: &str) -> Option<&str> {
        let vars = match scope {
            Scope::Chat => &self.table?.vars,
            Scope::Bot => self.vars,
            Scope::Person => return None,
        };
        vars.get(key).map(String::as_str)
    }

    /// The people whom `kick` and `invite_to` mean: those who joined, else the sender. The one who brought others into
    /// the group is not meant.
    pub(crate) fn people_meant(&self) -> &'s [Person] {
        self.joined.unwrap_or_else(|| self.person.map(std::slice::from_ref).unwrap_or_default())
    }

    /// Who came or went, as shown.
    pub(crate) fn people(&self) -> Option<String> {
        match &self.notice?.kind {
            NoticeKind::Join { people } | NoticeKind::Leave { people } => {
                let names = people.iter().map(|person| person.name.as_str());
                Some(words::list(names, self.lang))
            }
            _ => None,
        }
    }
}

/// A scene together with the state of the moment.
pub(crate) struct SceneValues<'t, 's> {
    pub(crate) scene: &'t Scene<'s>,
    pub(crate) pending: &'t Pending<'s>,
    pub(crate) draws: Draws<'t>,
}

/// Where random values are drawn: each rule, step and place of a text draws for itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draws<'t> {
    pub(crate) at: &'t Moment,
    pub(crate) key: &'t str,
    pub(crate) step: usize,
}

impl Draws<'_> {
    /// A number below a bound, for a place of a text.
    fn below(self, bound: u64, place: usize) -> u64 {
        self.random(place).below(bound)
    }

    /// Random numbers for a place of a text.
    pub(super) fn random(self, place: usize) -> Random {
        random_of(self.at, &format!("text:{}:{}:{place}", self.key, self.step))
    }

    /// Random numbers that are the same in all places of an answer.
    pub(super) fn random_of_answer(self) -> Random {
        random_of(self.at, &format!("someone:{}", self.key))
    }
}

impl Values for SceneValues<'_, '_> {
    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        let Self { scene, pending, .. } = self;
        if let Some(captured) = scene.captures.get(name) {
            return Some(captured.into());
        }
        let owned = match name {
            "sender" => return scene.person.map(|person| person.name.as_str().into()),
            "group" => return scene.chat.is_group().then(|| scene.chat.name.as_str().into()),
            "text" => return Some(scene.text.into()),
            "rest" => return Some(scene.rest.as_str().into()),
            "joined" => scene.people(),
            "someone" => self.someone(),
            "date" => Some(scene.clock().strftime("%Y-%m-%d").to_string()),
            "time" => Some(scene.clock().strftime("%H:%M").to_string()),
            "weekday" => return Some(words::weekday(scene.clock().weekday(), scene.lang).into()),
            _ => variable(name).and_then(|(scope, key)| scene.variable(scope, &key, pending)),
        };
        owned.map(Cow::Owned)
    }

    fn value_at(&self, name: &str, place: usize) -> Option<Cow<'_, str>> {
        let Some(Ok(computed)) = computed::read(name) else { return self.value(name) };
        Some(match computed {
            Computed::Between(from, to) => {
                let count = from.abs_diff(to).saturating_add(1);
                let drawn = self.draws.below(count, place).cast_signed();
                from.saturating_add(drawn).to_string().into()
            }
            Computed::OneOf(texts) => {
                let drawn = self.draws.below(texts.len() as u64, place);
                let drawn = usize::try_from(drawn).unwrap_or(0);
                texts.get(drawn).copied().unwrap_or_default().to_owned().into()
            }
            Computed::Upper(name) => self.value_at(name, place)?.to_uppercase().into(),
            Computed::Lower(name) => self.value_at(name, place)?.to_lowercase().into(),
            Computed::OfMembers(asked) => self.of_members(asked, place)?.into(),
        })
    }
}

/// The scope and key that a name like `user.x` means.
fn variable(name: &str) -> Option<(Scope, Cow<'_, str>)> {
    let (owner, key) = name.split_once('.')?;
    let scope = match owner {
        "user" => Scope::Person,
        "chat" => Scope::Chat,
        "bot" => Scope::Bot,
        "person" => return Some((Scope::Bot, format!("{OF_PERSON}{key}").into())),
        _ => return None,
    };
    Some((scope, key.into()))
}
