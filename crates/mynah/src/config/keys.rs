//! The keys of `mynah.toml`, table by table: the one list that reading, hints and tests go by.

use std::collections::BTreeMap;
use std::path::PathBuf;

use mynah_reader::Kind;
use mynah_transports::Value;

use super::values::{duration, range, rate, size};
use super::{
    AccountConfig, AlertConfig, HandlersConfig, Listen, Messages, Pacing, Process, Secret, Unknown,
};
use crate::telemetry::{LogFormat, LogLevel, Logs};

/// A value as given, with `${NAME}` already replaced.
#[derive(Debug)]
pub(super) enum Given {
    /// Text.
    Text(String),
    /// A whole number.
    Whole(i64),
    /// `true` or `false`.
    Truth(bool),
    /// A list of texts.
    Texts(Vec<String>),
    /// A table of texts.
    Names(BTreeMap<String, String>),
    /// Anything else; no key takes it.
    Other,
}

/// A key: its name, what it takes, and where the value goes.
pub(super) struct Key<T> {
    /// Its name.
    pub(super) name: &'static str,
    /// What it takes, with an example.
    pub(super) takes: &'static str,
    /// Puts the value in its place; `None` if it is not what the key takes.
    pub(super) set: fn(&mut T, Given) -> Option<()>,
}

/// A table of the file.
pub(super) struct Table<T: 'static> {
    /// As it is written, for messages.
    pub(super) name: &'static str,
    /// Its keys.
    pub(super) keys: &'static [Key<T>],
}

impl Given {
    fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    fn truth(self) -> Option<bool> {
        match self {
            Self::Truth(truth) => Some(truth),
            _ => None,
        }
    }

    fn whole(self) -> Option<u32> {
        match self {
            Self::Whole(number) => u32::try_from(number).ok(),
            _ => None,
        }
    }

    fn texts(self) -> Option<Vec<String>> {
        match self {
            Self::Texts(texts) => Some(texts).filter(|texts| !texts.is_empty()),
            _ => None,
        }
    }
}

/// A key whose value is read by an expression over `$given`.
macro_rules! key {
    ($name:literal, $takes:literal, |$into:ident, $given:ident| $place:expr => $value:expr) => {
        Key {
            name: $name,
            takes: $takes,
            set: |$into, $given| {
                $place = $value;
                Some(())
            },
        }
    };
}

pub(super) const PROCESS: Table<Process> = Table {
    name: "mynah.toml",
    keys: &[
        key!("keep_session", "true or false", |into, given| into.keep_session => given.truth()?),
        key!("stop_deadline", "a duration like \"10s\"",
            |into, given| into.stop_deadline => duration(&given.text()?)?),
        key!("login_timeout", "a duration like \"1d\"",
            |into, given| into.login_timeout => duration(&given.text()?)?),
    ],
};

/// The key that names the service of an account.
pub(super) const TRANSPORT: &str = "transport";

/// The tables of an account, by the names they are written with.
pub(super) const ACCOUNT_TABLES: [&str; 2] = ["pacing", "messages"];

pub(super) const ACCOUNT: Table<AccountConfig> = Table {
    name: "[[account]]",
    keys: &[
        key!("name", "a name without / and \\, like \"main\"",
            |into, given| into.name => given.text().filter(|name| is_file_name(name))?),
        key!("bot", "the folder or file of a bot, like \"bots/faq\"",
            |into, given| into.bot => path(given)?),
        // Its service was looked up before, since the other keys depend on it.
        Key {
            name: TRANSPORT,
            takes: "the name of a service",
            set: |_, given| given.text().map(drop),
        },
        key!("data", "a folder like \"data/main\"", |into, given| into.data => Some(path(given)?)),
    ],
};

pub(super) const PACING: Table<Pacing> = Table {
    name: "[pacing]",
    keys: &[
        key!("off", "true or false", |into, given| into.off => Some(given.truth()?)),
        key!("per_chat", "a rate like \"1 per 2s\"",
            |into, given| into.per_chat => Some(rate(&given.text()?, "per")?)),
        key!("account", "a rate like \"20 per 1m\"",
            |into, given| into.account => Some(rate(&given.text()?, "per")?)),
        key!("daily", "a whole number from 1",
            |into, given| into.daily => Some(given.whole().filter(|daily| *daily > 0)?)),
        key!("jitter", "a duration or a range like \"0.5s-2s\"",
            |into, given| into.jitter => Some(range(&given.text()?)?)),
        key!("reply_max_age", "a duration like \"15m\"",
            |into, given| into.reply_max_age => Some(duration(&given.text()?)?)),
        key!("unknown", "\"resend\" or \"never\"",
            |into, given| into.unknown => Some(unknown(&given.text()?)?)),
    ],
};

pub(super) const MESSAGES: Table<Messages> = Table {
    name: "[messages]",
    keys: &[
        key!("max_age", "a duration like \"5m\"",
            |into, given| into.max_age => Some(duration(&given.text()?)?)),
        Key {
            name: "loop_breaker",
            takes: "so many answers in so long like \"5 in 30s\", or \"off\"",
            set: |into, given| {
                let text = given.text()?;
                into.loop_breaker =
                    Some(if text == "off" { None } else { Some(rate(&text, "in")?) });
                Some(())
            },
        },
        key!("keep", "a duration like \"7d\", or \"0\" to keep no text",
            |into, given| into.keep => Some(duration(&given.text()?)?)),
        key!("keep_size", "a size like \"500MB\"",
            |into, given| into.keep_size => Some(size(&given.text()?)?)),
    ],
};

pub(super) const HANDLERS: Table<HandlersConfig> = Table {
    name: "[handlers]",
    keys: &[key!("timeout", "a duration like \"30s\"",
        |into, given| into.timeout => duration(&given.text()?).filter(|timeout| !timeout.is_zero())?)],
};

pub(super) const ALERT: Table<AlertConfig> = Table {
    name: "[alert]",
    keys: &[
        key!("webhook", "an http or https address, best from the environment: \"${ALERT_WEBHOOK}\"",
            |into, given| into.webhook => Some(secret(given).filter(|url| is_address(url.reveal()))?)),
        key!("command", "a list: the program and its arguments",
            |into, given| into.command => Some(given.texts()?)),
    ],
};

pub(super) const LOGS: Table<Logs> = Table {
    name: "[logs]",
    keys: &[
        key!("level", "\"error\", \"warn\", \"info\", \"debug\" or \"trace\"",
            |into, given| into.level => LogLevel::of(&given.text()?)?),
        key!("format", "\"text\" or \"json\"",
            |into, given| into.format => format(&given.text()?)?),
    ],
};

pub(super) const LISTEN: Table<Listen> = Table {
    name: "[listen]",
    keys: &[key!("address", "an IP address and a port like \"127.0.0.1:8087\"",
        |into, given| into.address => Some(given.text()?.parse().ok()?))],
};

/// The tables beside the keys at the top, by the names they are written with.
pub(super) const TABLES: [&str; 7] =
    ["account", "pacing", "messages", "handlers", "alert", "logs", "listen"];

/// The value of a key of a service; `None` if it is not what the key takes.
pub(super) fn value_of(kind: Kind, given: Given) -> Option<Value> {
    Some(match kind {
        Kind::Text => Value::Text(given.text().filter(|text| !text.is_empty())?),
        Kind::Url => Value::Text(given.text().filter(|text| is_address(text))?),
        Kind::Duration { .. } => Value::Duration(duration(&given.text()?)?),
        Kind::Names => match given {
            Given::Names(names) => Value::Names(names),
            _ => return None,
        },
        // No service has a key of another kind; a test holds that.
        _ => return None,
    })
}

/// A valid value of a key of a service, as it is written.
pub(super) const fn example(kind: Kind) -> &'static str {
    match kind {
        Kind::Url => "an address like \"https://wx.qq.com\"",
        Kind::Duration { .. } => "a duration like \"30s\"",
        Kind::Names => "a table like { \"Ann\" = \"user-7\" }",
        _ => "text, a secret best from the environment: \"${NAME}\"",
    }
}

/// Every key with its table.
#[cfg(test)]
pub(super) fn all() -> Vec<(&'static str, &'static str)> {
    fn of<T>(table: &Table<T>) -> Vec<(&'static str, &'static str)> {
        table.keys.iter().map(|key| (table.name, key.name)).collect()
    }
    let parts = [of(&PROCESS), of(&ACCOUNT), of(&PACING), of(&MESSAGES), of(&HANDLERS)];
    parts.into_iter().chain([of(&ALERT), of(&LOGS), of(&LISTEN)]).flatten().collect()
}

fn path(given: Given) -> Option<PathBuf> {
    given.text().filter(|text| !text.trim().is_empty()).map(PathBuf::from)
}

fn secret(given: Given) -> Option<Secret> {
    given.text().filter(|text| !text.is_empty()).map(Secret::new)
}

fn unknown(text: &str) -> Option<Unknown> {
    match text {
        "resend" => Some(Unknown::Resend),
        "never" => Some(Unknown::Never),
        _ => None,
    }
}

fn format(text: &str) -> Option<LogFormat> {
    match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}

/// Whether a text is the address of a web server. What is wrong is found when the file is read, not at the first alert.
fn is_address(text: &str) -> bool {
    let has_authority = text.split_once("://").is_some_and(|(_, rest)| !rest.starts_with('/'));
    has_authority
        && reqwest::Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.host_str().is_some_and(|host| !host.is_empty())
        })
}

/// Whether a name can be that of a folder: accounts keep their data in one of their name.
fn is_file_name(name: &str) -> bool {
    !name.trim().is_empty()
        && !name.contains(['/', '\\', ':', '\0'])
        && !name.chars().any(char::is_control)
        && name != "."
        && name != ".."
}

#[cfg(test)]
mod tests {
    use mynah_transports::CONNECTORS;

    use super::*;

    #[test]
    fn every_key_of_a_service_can_be_read() {
        for key in CONNECTORS.iter().flat_map(|connector| connector.keys()) {
            let known =
                matches!(key.kind, Kind::Text | Kind::Url | Kind::Duration { .. } | Kind::Names);
            assert!(known, "{}", key.name);
        }
    }
}
