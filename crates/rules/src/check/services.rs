//! The services that a bot is meant for, and the rules that they never bring an event for.

use mynah_core::{Capabilities, ChatKind, EventKind, GroupDelivery};
use mynah_reader::closest;

use super::{Checker, Fields};
use crate::problem::{Limitation, Problem};

/// Conditions that look at a text which people send.
const TEXT_CONDITIONS: [&str; 5] = ["keyword", "exact", "prefix", "pattern", "regex"];

impl<'a> Checker<'a> {
    /// The services for which the file is checked: the one given by the program, else those of `[bot] transport`, else
    /// the default one.
    pub(super) fn services(&mut self, bot: Option<&Fields<'_>>) -> Vec<&'a Capabilities> {
        let options = self.around.options;
        let known = options.services;
        let named = bot.map(|bot| bot.texts("transport")).unwrap_or_default();
        let mut services = Vec::new();
        for name in named {
            match known.iter().find(|known| known.transport == name.text) {
                Some(found) => services.push(*found),
                None if known.is_empty() => {}
                None => {
                    let known: Vec<&str> = known.iter().map(|known| known.transport).collect();
                    let meant = closest(name.text, known.iter().copied()).map(str::to_owned);
                    let known = known.join(", ");
                    let problem = Problem::NoService { name: name.text.to_owned(), meant, known };
                    self.say(problem, name.spot);
                }
            }
        }
        match options.capabilities {
            Some(told) => vec![told],
            None if services.is_empty() => known.first().copied().into_iter().collect(),
            None => services,
        }
    }

    /// Warns of a rule that waits for something a service never brings.
    pub(super) fn is_brought(&mut self, fields: &Fields<'_>) {
        for service in self.services.clone() {
            for event in fields.texts("event") {
                let kind = EventKind::from_word(event.text);
                let Some(kind) = kind.filter(|kind| !service.events.contains(kind)) else {
                    continue;
                };
                let (event_word, transport) = (kind.word(), service.transport);
                let problem = Limitation::NoEvent { event: event_word, transport };
                self.say(Problem::Transport(problem), event.spot);
            }
            self.is_heard(fields, service);
            self.groups_are_known(fields, "groups", service);
        }
    }

    /// Warns once of a rule about texts in groups of which only calls arrive.
    fn is_heard(&mut self, fields: &Fields<'_>, service: &Capabilities) {
        let is_elsewhere =
            fields.text("in").is_some_and(|place| place.text == word(ChatKind::Private));
        if service.group_delivery != GroupDelivery::Calls || is_elsewhere || fields.flag("at_me") {
            return;
        }
        let Some(key) = TEXT_CONDITIONS.into_iter().find(|key| fields.has(key)) else { return };
        if !std::mem::replace(&mut self.said_only_calls, true) {
            let problem = Limitation::OnlyCalls { key, transport: service.transport };
            self.say(Problem::Transport(problem), fields.key_spot(key));
        }
    }

    /// Warns of names of groups where groups have none, and of groups where there are none.
    pub(super) fn groups_are_known(
        &mut self,
        fields: &Fields<'_>,
        key: &'static str,
        service: &Capabilities,
    ) {
        let transport = service.transport;
        let asks_place = fields.text("in").is_some_and(|place| place.text == word(ChatKind::Group));
        let (key, problem) = match service.group_delivery {
            GroupDelivery::Nothing if fields.has(key) => {
                (key, Limitation::NoGroups { key, transport })
            }
            GroupDelivery::Nothing if asks_place => {
                ("in", Limitation::NoGroups { key: "in", transport })
            }
            GroupDelivery::All | GroupDelivery::Calls if fields.has(key) && !service.has_names => {
                (key, Limitation::NoGroupNames { key, transport })
            }
            _ => return,
        };
        self.say(Problem::Transport(problem), fields.key_spot(key));
    }

    /// The same, for every service that the file is judged for.
    pub(super) fn groups_exist(&mut self, fields: &Fields<'_>, key: &'static str) {
        for service in self.services.clone() {
            self.groups_are_known(fields, key, service);
        }
    }
}

/// The word of `in` for a kind of chat.
const fn word(kind: ChatKind) -> &'static str {
    match kind {
        ChatKind::Group => "group",
        ChatKind::Private => "private",
    }
}
