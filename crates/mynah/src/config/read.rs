//! From the text of `mynah.toml` to a [`Config`], by the table of keys.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use mynah_reader::{
    Key, KeyGrammar, Keys, Lang, Reading, Setting, TableNode, Value as Written, Values as Table,
    Words, parse, say,
};
use mynah_transports::{Connector, Connectors, Value, Values};

use super::keys::{TRANSPORT, keys};
use super::{
    AccountConfig, BotSettings, Config, DataPlaces, FleetConfig, Messages, Outside, Pacing,
    Problems, Secret, Unknown, fetch, handler, places, store,
};
use crate::telemetry::{LogFormat, LogLevel};

/// The meaning of a file's text, or all that is wrong with it.
pub(super) fn read(path: &Path, text: &str, outside: &Outside<'_>) -> Result<Config, Problems> {
    let services = outside.services;
    let keys = keys(services);
    let parsed = parse(text, &KeyGrammar(keys));
    let extra = |header: &str, account: &TableNode| keys_of_service(header, account, services);
    let mut reading = Reading::new(outside.variable, &extra);
    for (syntax, span) in &parsed.problems {
        reading.syntax(syntax, span.clone());
    }
    let top = Keys { header: None, groups: &[keys], are_all: true };
    let values = reading.table(top, &parsed.root, 0..0);
    let accounts: Vec<&Table> = values.sections("account").into_iter().flatten().collect();
    let mut config = config(&values);
    config.accounts = accounts.iter().map(|values| account(values, services)).collect();
    config.handler = handler::all(&values, path, outside.data.is_some(), outside.own, &mut reading);
    config.fetch = fetch::settings(&values, outside.variable, &mut reading);
    share_nothing(&accounts, &config.accounts, &mut reading);
    let store = values.section("store");
    if let Some(store) = store {
        store::check(store, &mut reading);
    }
    if let (Some(fleet), None) = (values.section("fleet"), &config.store.url) {
        let message = Words::fixed("[fleet] needs a database", "[fleet] 需要数据库");
        let hint = Words::fixed(
            "name it with `url` in [store]: nodes share the accounts of a database",
            "在 [store] 里用 `url` 写上：节点分担的是数据库里的账号",
        );
        reading.report("fleet", fleet.span.clone(), message, hint);
    }
    if let Some(root) = outside.data {
        places::check(&accounts, &config.accounts, (root, outside.starts_each), &mut reading);
    }
    if reading.mistakes.is_empty() {
        return Ok(config);
    }
    let shown = match store {
        Some(table) if table.has_key("url") => &store::without(text, table.place("url")),
        _ => text,
    };
    Err(Problems::new(path, shown, reading.mistakes))
}

/// The settings of a bot in a file's text, or all that is wrong with them. Other tables are not looked at.
pub(super) fn of_bot(
    path: &Path,
    text: &str,
    outside: &Outside<'_>,
) -> Result<BotSettings, Problems> {
    let keys = keys(outside.services);
    let mut parsed = parse(text, &KeyGrammar(keys));
    parsed.root.entries.retain(|entry| ["handler", "fetch"].contains(&&*entry.key));
    let mut reading = Reading::new(outside.variable, &|_, _| Some(&[]));
    for (syntax, span) in &parsed.problems {
        reading.syntax(syntax, span.clone());
    }
    let top = Keys { header: None, groups: &[keys], are_all: true };
    let values = reading.table(top, &parsed.root, 0..0);
    let settings = BotSettings {
        handlers: handler::all(&values, path, true, outside.own, &mut reading),
        fetch: fetch::settings(&values, outside.variable, &mut reading),
    };
    if reading.mistakes.is_empty() {
        return Ok(settings);
    }
    Err(Problems::new(path, text, reading.mistakes))
}

/// The places of the data of all accounts in a file's text. Mistakes in other tables, and in the settings of accounts, are
/// passed over: they do not move data.
pub(super) fn data_places(
    path: &Path,
    text: &str,
    outside: &Outside<'_>,
) -> Result<DataPlaces, Problems> {
    let keys = keys(outside.services);
    let parsed = parse(text, &KeyGrammar(keys));
    let top = Keys { header: None, groups: &[keys], are_all: true };
    let only = |tables: &[&str]| {
        let entries = parsed.root.entries.iter();
        let entries = entries.filter(|entry| tables.contains(&&*entry.key)).cloned();
        TableNode { entries: entries.collect(), broken: parsed.root.broken }
    };
    let mut reading = Reading::new(outside.variable, &|_, _| None);
    for (syntax, span) in &parsed.problems {
        reading.syntax(syntax, span.clone());
    }
    let of_process = reading.table(top, &only(&["store", "fleet"]), 0..0);
    if !reading.mistakes.is_empty() {
        return Err(Problems::new(path, text, reading.mistakes));
    }
    let of_accounts = reading.table(top, &only(&["account"]), 0..0);
    let place = |account: &Table| {
        let name = account.text("name")?.to_owned();
        Some((name, account.text("data").map(PathBuf::from)))
    };
    let accounts = of_accounts.sections("account").into_iter().flatten().filter_map(place);
    let node = of_process.section("fleet").and_then(|fleet| fleet.text("name"));
    let node = node.map(str::to_owned);
    Ok(DataPlaces { store: config(&of_process).store, accounts: accounts.collect(), node })
}

/// The keys of the service of an account; `None` if there is no such service.
fn keys_of_service(
    header: &str,
    account: &TableNode,
    services: &Connectors,
) -> Option<&'static [Key]> {
    if header != "[[account]]" {
        return Some(&[]);
    }
    match account.entries.iter().find(|entry| entry.key == TRANSPORT).map(|entry| &entry.node.value)
    {
        None => Some(services.usual().keys()),
        Some(Written::Text(name)) => Some(services.named(name)?.keys()),
        Some(_) => None,
    }
}

fn config(values: &Table) -> Config {
    let mut config = Config::default();
    let process = &mut config.process;
    set(&mut process.keep_session, values.flag("keep_session"));
    set(&mut process.stop_deadline, values.duration("stop_deadline"));
    set(&mut process.login_timeout, values.duration("login_timeout"));
    config.pacing = pacing(values.section("pacing"));
    config.messages = messages(values.section("messages"));
    if let Some(handlers) = values.section("handlers") {
        set(&mut config.handlers.timeout, handlers.duration("timeout"));
    }
    if let Some(alert) = values.section("alert") {
        config.alert.webhook = alert.text("webhook").map(|url| Secret::new(url.to_owned()));
        config.alert.command = alert.texts("command").map(<[String]>::to_vec);
    }
    if let Some(logs) = values.section("logs") {
        set(&mut config.logs.level, logs.text("level").and_then(LogLevel::of).as_ref());
        set(&mut config.logs.format, logs.text("format").map(format).as_ref());
    }
    if let Some(store) = values.section("store") {
        config.store.url = store.text("url").map(|url| Secret::new(url.to_owned()));
        config.store.password_file = store.text("password_file").map(PathBuf::from);
        config.store.certificates = store.text("certificates").map(PathBuf::from);
    }
    config.fleet = values.section("fleet").map(fleet);
    if let Some(listen) = values.section("listen") {
        config.listen.address = listen.text("address").and_then(|text| text.parse().ok());
    }
    config
}

fn set<T: Clone>(place: &mut T, value: Option<&T>) {
    if let Some(value) = value {
        place.clone_from(value);
    }
}

fn format(word: &str) -> LogFormat {
    if word == "json" { LogFormat::Json } else { LogFormat::Text }
}

fn fleet(values: &Table) -> FleetConfig {
    let mut fleet = FleetConfig {
        name: values.text("name").map(str::to_owned),
        zone: values.text("zone").unwrap_or_default().to_owned(),
        leave_zone_after: values.duration("leave_zone_after").copied(),
        ..FleetConfig::default()
    };
    let weight = values.whole("weight").and_then(|weight| u32::try_from(*weight).ok());
    set(&mut fleet.weight, weight.as_ref());
    set(&mut fleet.ttl, values.duration("ttl"));
    set(&mut fleet.starts, values.rate("starts").and_then(Option::as_ref));
    set(&mut fleet.logins, values.rate("logins").and_then(Option::as_ref));
    fleet
}

fn pacing(values: Option<&Table>) -> Pacing {
    let Some(values) = values else { return Pacing::default() };
    Pacing {
        off: values.flag("off").copied(),
        per_chat: values.rate("per_chat").copied().flatten(),
        account: values.rate("account").copied().flatten(),
        daily: values.whole("daily").and_then(|daily| u32::try_from(*daily).ok()),
        kicks: values.whole("kicks").and_then(|kicks| u32::try_from(*kicks).ok()),
        jitter: values.durations("jitter").cloned(),
        reply_max_age: values.duration("reply_max_age").copied(),
        unknown: values.text("unknown").map(|word| match word {
            "never" => Unknown::Never,
            _ => Unknown::Resend,
        }),
    }
}

fn messages(values: Option<&Table>) -> Messages {
    let Some(values) = values else { return Messages::default() };
    Messages {
        max_age: values.duration("max_age").copied(),
        loop_breaker: values.rate("loop_breaker").copied(),
        keep: values.duration("keep").copied(),
        keep_size: values.size("keep_size").copied(),
    }
}

fn account(values: &Table, services: &Connectors) -> AccountConfig {
    let connector = values.text(TRANSPORT).and_then(|name| services.named(name));
    let connector = connector.unwrap_or_else(|| services.usual());
    let text = |key| values.text(key).unwrap_or_default().to_owned();
    AccountConfig {
        name: text("name"),
        bot: text("bot").into(),
        data: values.text("data").map(PathBuf::from),
        connector,
        values: of_service(connector, values),
        pacing: pacing(values.section("pacing")),
        messages: messages(values.section("messages")),
    }
}

/// The values of the keys of a service.
fn of_service(connector: &dyn Connector, values: &Table) -> Values {
    let mut of_service = Values::default();
    for key in connector.keys() {
        let value = match values.get(key.name) {
            Some(Setting::Text(text)) => Value::Text(text.clone()),
            Some(Setting::Duration(duration)) => Value::Duration(*duration),
            Some(Setting::Names(names)) => Value::Names(names.clone()),
            _ => continue,
        };
        of_service.set(key.name, value);
    }
    of_service
}

/// Reports accounts with the same name or resource.
fn share_nothing(tables: &[&Table], accounts: &[AccountConfig], reading: &mut Reading<'_>) {
    let mut names = BTreeSet::new();
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    for (table, account) in tables.iter().zip(accounts) {
        let name = account.name.as_str();
        if !name.is_empty() && !names.insert(name) {
            let message =
                both(|lang| say!(lang, "two accounts are named {name}", "有两个账号都叫 {name}"));
            let hint = Words::fixed("give each its own name", "各取一个名字");
            reading.report("duplicate", table.place("name"), message, hint);
        }
        for resource in account.connector.exclusive(&account.values) {
            let Some(other) = taken.insert(resource.clone(), name) else { continue };
            let message = both(|lang| {
                say!(lang, "{other} uses the same {resource}", "{other} 也用了同一个 {resource}")
            });
            let hint = Words::fixed("one for each account", "每个账号各用一个");
            reading.report("duplicate", table.place(TRANSPORT), message, hint);
        }
    }
}

pub(super) fn both(text: impl Fn(Lang) -> String) -> Words {
    Words::new(text(Lang::En), text(Lang::Zh))
}
