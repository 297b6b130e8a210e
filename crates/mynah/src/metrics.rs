//! The counters and gauges of a running bot.

use mynah_page::{Kind, Metric};

pub(crate) const MESSAGES: Metric = Metric {
    name: "mynah_messages_total",
    help: "Messages handled.",
    kind: Kind::Counter,
    labels: &["account"],
};
pub(crate) const EVENTS: Metric = Metric {
    name: "mynah_events_total",
    help: "Events handled other than messages, by kind.",
    kind: Kind::Counter,
    labels: &["account", "kind"],
};
pub(crate) const DECISIONS: Metric = Metric {
    name: "mynah_decisions_total",
    help: "Rules that answered or were held back by a brake (outcome: answered, cooldown, limit, mute, hours, fetch).",
    kind: Kind::Counter,
    labels: &["account", "rule", "outcome"],
};
pub(crate) const PASSED_OVER: Metric = Metric {
    name: "mynah_passed_over_total",
    help: "Events that were not handled as usual: too old, own, a failed handler.",
    kind: Kind::Counter,
    labels: &["account"],
};
pub(crate) const WARNINGS: Metric = Metric {
    name: "mynah_warnings_total",
    help: "Parts of decisions that could not be carried out as written: a missing chat, an admin who was spared.",
    kind: Kind::Counter,
    labels: &["account"],
};
pub(crate) const SENDS: Metric = Metric {
    name: "mynah_sends_total",
    help: "Tries to send, by outcome.",
    kind: Kind::Counter,
    labels: &["account", "outcome"],
};
pub(crate) const TROUBLES: Metric = Metric {
    name: "mynah_troubles_total",
    help: "What went wrong without ending the account, by kind.",
    kind: Kind::Counter,
    labels: &["account", "kind"],
};
pub(crate) const TURN: Metric = Metric {
    name: "mynah_turn_seconds",
    help: "What turns took.",
    kind: Kind::Histogram,
    labels: &["account"],
};
pub(crate) const LAG: Metric = Metric {
    name: "mynah_lag_seconds",
    help: "From an event, by the clock of the service, to the end of its turn.",
    kind: Kind::Histogram,
    labels: &["account"],
};
pub(crate) const SEND: Metric = Metric {
    name: "mynah_send_seconds",
    help: "What the service took for a send.",
    kind: Kind::Histogram,
    labels: &["account"],
};
pub(crate) const WAIT: Metric = Metric {
    name: "mynah_send_wait_seconds",
    help: "From the decision to the end of the send: the pace, and waiting for the service.",
    kind: Kind::Histogram,
    labels: &["account"],
};
pub(crate) const ONLINE: Metric = Metric {
    name: "mynah_online",
    help: "1 while the account is online.",
    kind: Kind::Gauge,
    labels: &["account"],
};
pub(crate) const SYNC_DELAY: Metric = Metric {
    name: "mynah_sync_delay_seconds",
    help: "Time since the service last brought anything.",
    kind: Kind::Gauge,
    labels: &["account"],
};
pub(crate) const SESSION_AGE: Metric = Metric {
    name: "mynah_session_age_seconds",
    help: "Time since the account came online.",
    kind: Kind::Gauge,
    labels: &["account"],
};
pub(crate) const QUEUE: Metric = Metric {
    name: "mynah_queue",
    help: "What waits: events to be handled (inbox), actions to be sent (outbox).",
    kind: Kind::Gauge,
    labels: &["account", "queue"],
};
pub(crate) const RULES_REJECTED: Metric = Metric {
    name: "mynah_rules_rejected",
    help: "1 while the saved rule file has mistakes and the rules before it are in use.",
    kind: Kind::Gauge,
    labels: &["account"],
};
pub(crate) const SETTINGS_REJECTED: Metric = Metric {
    name: "mynah_settings_rejected",
    help: "1 while the saved settings have mistakes and the settings before them are in use.",
    kind: Kind::Gauge,
    labels: &["account"],
};
pub(crate) const RELOADS: Metric = Metric {
    name: "mynah_reloads_total",
    help: "Reloads of the rules, by outcome (swapped, refused, unchanged).",
    kind: Kind::Counter,
    labels: &["account", "outcome"],
};
