//! Walks the spanned tree of `mynah.toml` by the table of keys and collects every mistake.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use mynah_transports::{CONNECTORS, Connector, connector};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{
    ACCOUNT, ACCOUNT_TABLES, ALERT, Given, HANDLERS, Key, LISTEN, LOGS, MESSAGES, PACING, PROCESS,
    TABLES, TRANSPORT, Table, example, value_of,
};
use super::problem::Problem;
use super::{AccountConfig, Config, Problems};
use mynah_reader::closest;

/// The meaning of a file's text, or all that is wrong with it.
pub(super) fn read(
    path: &Path,
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Config, Problems> {
    let (tree, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { variable, list: Vec::new() };
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        reader.report("syntax", span, error.message().to_owned(), "see https://toml.io".to_owned());
    }
    let config = reader.file(tree.get_ref());
    if reader.list.is_empty() {
        return Ok(config);
    }
    Err(Problems { path: path.to_owned(), text: text.to_owned(), list: reader.list })
}

struct Reader<'v> {
    variable: &'v dyn Fn(&str) -> Option<String>,
    list: Vec<Problem>,
}

impl Reader<'_> {
    fn report(&mut self, code: &'static str, span: Range<usize>, message: String, hint: String) {
        self.list.push(Problem { code, span, message, hint });
    }

    fn file(&mut self, tree: &DeTable<'_>) -> Config {
        let mut config = Config::default();
        for (key, value) in tree.iter() {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("account", DeValue::Array(list)) => self.accounts(list, &mut config.accounts),
                ("pacing", DeValue::Table(table)) => self.table(&PACING, table, &mut config.pacing),
                ("messages", DeValue::Table(table)) => {
                    self.table(&MESSAGES, table, &mut config.messages);
                }
                ("handlers", DeValue::Table(table)) => {
                    self.table(&HANDLERS, table, &mut config.handlers);
                }
                ("alert", DeValue::Table(table)) => self.table(&ALERT, table, &mut config.alert),
                ("logs", DeValue::Table(table)) => self.table(&LOGS, table, &mut config.logs),
                ("listen", DeValue::Table(table)) => self.table(&LISTEN, table, &mut config.listen),
                (name, _) if TABLES.contains(&name) => self.no_table(name, key.span()),
                (name, found) => match PROCESS.keys.iter().find(|known| known.name == name) {
                    Some(known) => self.value(known, value.span(), found, &mut config.process),
                    None => {
                        let known = PROCESS.keys.iter().map(|key| key.name).chain(TABLES);
                        self.unknown_key(name, key.span(), PROCESS.name, known);
                    }
                },
            }
        }
        config
    }

    fn no_table(&mut self, name: &str, span: Range<usize>) {
        let written =
            if name == "account" { "[[account]]".to_owned() } else { format!("[{name}]") };
        self.report("type", span, format!("{name} must be a table"), format!("write {written}"));
    }

    fn table<T>(&mut self, known: &Table<T>, table: &DeTable<'_>, into: &mut T) {
        for (key, value) in table.iter() {
            let name = key.get_ref().as_ref();
            match known.keys.iter().find(|known| known.name == name) {
                Some(known) => self.value(known, value.span(), value.get_ref(), into),
                None => {
                    let names = known.keys.iter().map(|key| key.name);
                    self.unknown_key(name, key.span(), known.name, names);
                }
            }
        }
    }

    fn unknown_key<'k>(
        &mut self,
        name: &str,
        span: Range<usize>,
        table: &str,
        known: impl Iterator<Item = &'k str> + Clone,
    ) {
        let hint = match closest(name, known.clone()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("known: {}", known.collect::<Vec<_>>().join(", ")),
        };
        self.report("unknown-key", span, format!("`{name}` is not a key of {table}"), hint);
    }

    fn value<T>(&mut self, key: &Key<T>, span: Range<usize>, value: &DeValue<'_>, into: &mut T) {
        let Some(given) = self.given(&span, value) else { return };
        if (key.set)(into, given).is_none() {
            self.wrong(key.name, key.takes, span, value);
        }
    }

    fn wrong(&mut self, key: &str, takes: &str, span: Range<usize>, value: &DeValue<'_>) {
        let found = kind_of(value);
        // The value itself may come from the environment and be a secret: only its kind is told.
        let from = if names_variable(value) { " from the environment" } else { "" };
        let message = format!("{key} does not take this {found}{from}");
        self.report("value", span, message, format!("write {takes}"));
    }

    /// The value with its variables replaced; `None` if one is missing, which is reported.
    fn given(&mut self, span: &Range<usize>, value: &DeValue<'_>) -> Option<Given> {
        Some(match value {
            DeValue::String(text) => Given::Text(self.filled(text, span)?),
            DeValue::Boolean(truth) => Given::Truth(*truth),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(Given::Other, Given::Whole),
            DeValue::Array(items) => {
                let mut texts = Vec::new();
                for item in items.iter() {
                    match item.get_ref() {
                        DeValue::String(text) => texts.push(self.filled(text, &item.span())?),
                        _ => return Some(Given::Other),
                    }
                }
                Given::Texts(texts)
            }
            DeValue::Table(table) => return self.names(table),
            DeValue::Float(_) | DeValue::Datetime(_) => Given::Other,
        })
    }

    /// A table of texts with their variables replaced.
    fn names(&mut self, table: &DeTable<'_>) -> Option<Given> {
        let mut names = BTreeMap::new();
        for (key, value) in table.iter() {
            let DeValue::String(text) = value.get_ref() else { return Some(Given::Other) };
            names.insert(key.get_ref().to_string(), self.filled(text, &value.span())?);
        }
        Some(Given::Names(names))
    }

    fn filled(&mut self, text: &str, span: &Range<usize>) -> Option<String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}') else {
                let hint = "write ${NAME}".to_owned();
                self.report("variable", span.clone(), "${ without its }".to_owned(), hint);
                return None;
            };
            let Some(value) = (self.variable)(name) else {
                let message = format!("the environment variable {name} is not set");
                self.report("variable", span.clone(), message, format!("export {name}=…"));
                return None;
            };
            filled.push_str(before);
            filled.push_str(&value);
            rest = after;
        }
        filled.push_str(rest);
        Some(filled)
    }

    fn accounts(&mut self, list: &[Spanned<DeValue<'_>>], into: &mut Vec<AccountConfig>) {
        let mut names = BTreeSet::new();
        let mut folders: BTreeMap<PathBuf, String> = BTreeMap::new();
        let mut resources: BTreeMap<String, String> = BTreeMap::new();
        for entry in list {
            let DeValue::Table(table) = entry.get_ref() else {
                self.no_table("account", entry.span());
                continue;
            };
            let account = self.account(table, entry.span());
            if !account.name.is_empty() && !names.insert(account.name.clone()) {
                let message = format!("two accounts are named {}", account.name);
                let hint = "give each its own name".to_owned();
                self.report("duplicate", place(table, "name", entry), message, hint);
            }
            if let Some(data) = &account.data
                && let Some(other) = folders.insert(data.clone(), account.name.clone())
            {
                let other = if other.is_empty() { "another account".to_owned() } else { other };
                let message = format!("{other} keeps its data there too");
                let hint = "one folder per account".to_owned();
                self.report("duplicate", place(table, "data", entry), message, hint);
            }
            for resource in account.connector.exclusive(&account.values) {
                if let Some(other) = resources.insert(resource.clone(), account.name.clone()) {
                    let message = format!("{other} uses the same {resource}");
                    let hint = "run one of them in another process, or give it its own".to_owned();
                    self.report("duplicate", place(table, TRANSPORT, entry), message, hint);
                }
            }
            into.push(account);
        }
    }

    fn account(&mut self, table: &DeTable<'_>, span: Range<usize>) -> AccountConfig {
        let mut account = AccountConfig::default();
        let Some(connector) = self.connector(table) else { return account };
        account.connector = connector;
        for (key, value) in table.iter() {
            self.account_key(key, value, &mut account);
        }
        let of_all = ["name", "bot"].into_iter().map(|needed| {
            let takes = ACCOUNT.keys.iter().find(|key| key.name == needed);
            (needed, takes.map_or("", |key| key.takes))
        });
        let of_service = connector.keys().iter().filter(|key| key.required);
        let of_service = of_service.map(|key| (key.name, example(key.kind)));
        for (needed, takes) in of_all.chain(of_service) {
            if !table.iter().any(|(key, _)| key.get_ref().as_ref() == needed) {
                let message = format!("this [[account]] has no {needed}");
                self.report("missing", span.clone(), message, format!("add {needed} = …: {takes}"));
            }
        }
        account
    }

    /// The service that an account names; `None` if there is no such service, which is reported.
    fn connector(&mut self, table: &DeTable<'_>) -> Option<&'static dyn Connector> {
        let given = table.iter().find(|(key, _)| key.get_ref().as_ref() == TRANSPORT);
        let Some((_, value)) = given else { return Some(AccountConfig::default().connector) };
        let DeValue::String(name) = value.get_ref() else {
            let names: Vec<&str> = CONNECTORS.iter().map(|known| known.name()).collect();
            self.wrong(TRANSPORT, &names.join(" or "), value.span(), value.get_ref());
            return None;
        };
        let name = self.filled(name, &value.span())?;
        let found = connector(&name);
        if found.is_none() {
            let names = CONNECTORS.iter().map(|known| known.name());
            let hint = match closest(&name, names.clone()) {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None => format!("known: {}", names.collect::<Vec<_>>().join(", ")),
            };
            let message = format!("there is no service \"{name}\"");
            self.report("value", value.span(), message, hint);
        }
        found
    }

    /// A key of an account: one of every account, a table, or one of its service.
    fn account_key(
        &mut self,
        key: &Spanned<Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        account: &mut AccountConfig,
    ) {
        let name = key.get_ref().as_ref();
        match (name, value.get_ref()) {
            ("pacing", DeValue::Table(table)) => {
                let known = Table { name: "[account.pacing]", keys: PACING.keys };
                return self.table(&known, table, &mut account.pacing);
            }
            ("messages", DeValue::Table(table)) => {
                let known = Table { name: "[account.messages]", keys: MESSAGES.keys };
                return self.table(&known, table, &mut account.messages);
            }
            _ => {}
        }
        if ACCOUNT_TABLES.contains(&name) {
            let (message, hint) =
                (format!("{name} must be a table"), format!("write [account.{name}]"));
            return self.report("type", key.span(), message, hint);
        }
        if let Some(known) = ACCOUNT.keys.iter().find(|known| known.name == name) {
            return self.value(known, value.span(), value.get_ref(), account);
        }
        let of_service = account.connector.keys();
        let Some(known) = of_service.iter().find(|known| known.name == name) else {
            let names = ACCOUNT.keys.iter().map(|key| key.name).chain(ACCOUNT_TABLES);
            let names = names.chain(of_service.iter().map(|key| key.name));
            return self.unknown_key(name, key.span(), ACCOUNT.name, names);
        };
        let Some(given) = self.given(&value.span(), value.get_ref()) else { return };
        match value_of(known.kind, given) {
            Some(checked) => account.values.set(known.name, checked),
            None => self.wrong(known.name, example(known.kind), value.span(), value.get_ref()),
        }
    }
}

/// Whether a part of the value comes from the environment.
fn names_variable(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::String(text) => text.contains("${"),
        DeValue::Array(items) => items.iter().any(|item| names_variable(item.get_ref())),
        _ => false,
    }
}

/// The place of a key's value in a table, else of the table.
fn place(table: &DeTable<'_>, name: &str, entry: &Spanned<DeValue<'_>>) -> Range<usize> {
    let found = table.iter().find(|(key, _)| key.get_ref().as_ref() == name);
    found.map_or(entry.span(), |(_, value)| value.span())
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "number",
        DeValue::Float(_) => "fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "date",
        DeValue::Array(_) => "list",
        DeValue::Table(_) => "table",
    }
}
