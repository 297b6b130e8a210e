//! `mynah.toml`: how bots are run. Text with places in, a checked [`Config`] or all mistakes at once out.
//!
//! One table (`keys`) lists the keys; `read` walks the file by it. Everything has a default, and `config/mynah.toml` of
//! the repository shows each of them.

mod fetch;
mod handler;
mod keys;
mod places;
mod problem;
mod read;
mod store;

use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mynah_fetch::FetchSettings;
use mynah_programs::Spec;
use mynah_reader::Lang;
use mynah_transports::{Connector, Connectors, Values};

pub(crate) use mynah_reader::Rate;

pub(crate) use self::problem::Problems;
use crate::own_handlers::OwnHandlers;
use crate::telemetry::Logs;

/// Where the configuration is looked for when no `--config` is given.
pub(crate) const USUAL_PLACE: &str = "config/mynah.toml";

/// The folder for the data of accounts that name none.
pub(crate) const DATA: &str = "data";

/// How bots are run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config {
    /// The accounts of this process.
    pub(crate) accounts: Vec<AccountConfig>,
    /// The settings of the process as a whole.
    pub(crate) process: Process,
    /// How fast it speaks.
    pub(crate) pacing: Pacing,
    /// The treatment of messages.
    pub(crate) messages: Messages,
    /// How handlers are run.
    pub(crate) handlers: HandlersConfig,
    /// The handlers in other processes.
    pub(crate) handler: Vec<Spec>,
    /// The hosts to which rules may send requests.
    pub(crate) fetch: FetchSettings,
    /// The receivers of alerts.
    pub(crate) alert: AlertConfig,
    /// The settings of the log.
    pub(crate) logs: Logs,
    /// Where the pages are served.
    pub(crate) listen: Listen,
    /// The database of all accounts.
    pub(crate) store: StoreConfig,
    /// How this process shares the accounts of the database; `None` if it runs all of its own.
    pub(crate) fleet: Option<FleetConfig>,
}

/// One account: a bot, its connection and its data.
#[derive(Debug, Clone)]
pub(crate) struct AccountConfig {
    /// Its name in logs, alerts and metrics.
    pub(crate) name: String,
    /// The bot's folder or file.
    pub(crate) bot: PathBuf,
    /// The folder that keeps everything; by default one named after the account.
    pub(crate) data: Option<PathBuf>,
    /// The service.
    pub(crate) connector: &'static dyn Connector,
    /// The settings that belong to the service.
    pub(crate) values: Values,
    /// Its own pacing, over that of the process.
    pub(crate) pacing: Pacing,
    /// Its own limits for messages, over those of the process.
    pub(crate) messages: Messages,
}

impl Default for AccountConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            bot: PathBuf::new(),
            data: None,
            connector: Connectors::default().usual(),
            values: Values::default(),
            pacing: Pacing::default(),
            messages: Messages::default(),
        }
    }
}

impl PartialEq for AccountConfig {
    fn eq(&self, other: &Self) -> bool {
        let service = |account: &Self| account.connector.name();
        (&self.name, &self.bot, &self.data) == (&other.name, &other.bot, &other.data)
            && (service(self), &self.values) == (service(other), &other.values)
            && (&self.pacing, &self.messages) == (&other.pacing, &other.messages)
    }
}

/// The settings of the process as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    /// Whether Ctrl-C keeps the session for the next start instead of logging out.
    pub(crate) keep_session: bool,
    /// How long an ordered stop may take.
    pub(crate) stop_deadline: Duration,
    /// How long a login prompt waits for a person.
    pub(crate) login_timeout: Duration,
}

/// How fast an account speaks. A value that is not given here is that of the process, else of the service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pacing {
    /// As fast as it can: for tests, never for a real account.
    pub(crate) off: Option<bool>,
    /// Sends in one chat.
    pub(crate) per_chat: Option<Rate>,
    /// Sends of the account.
    pub(crate) account: Option<Rate>,
    /// Sends of the account in a day.
    pub(crate) daily: Option<u32>,
    /// Kicks in an hour.
    pub(crate) kicks: Option<u32>,
    /// A random wait before every send.
    pub(crate) jitter: Option<RangeInclusive<Duration>>,
    /// A reply that could not leave by then expires.
    pub(crate) reply_max_age: Option<Duration>,
    /// Whether a send of unknown outcome is tried once more.
    pub(crate) unknown: Option<Unknown>,
}

impl Pacing {
    /// These values, and those of `base` where none is given here.
    pub(crate) fn over(&self, base: &Self) -> Self {
        Self {
            off: self.off.or(base.off),
            per_chat: self.per_chat.or(base.per_chat),
            account: self.account.or(base.account),
            daily: self.daily.or(base.daily),
            kicks: self.kicks.or(base.kicks),
            jitter: self.jitter.clone().or_else(|| base.jitter.clone()),
            reply_max_age: self.reply_max_age.or(base.reply_max_age),
            unknown: self.unknown.or(base.unknown),
        }
    }
}

/// The treatment of a send whose outcome is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// Once more, with the same id.
    Resend,
    /// It is left.
    Never,
}

/// The treatment of messages. A value that is not given here is that of the process, else the default of the program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Messages {
    /// Older ones are recorded, not answered.
    pub(crate) max_age: Option<Duration>,
    /// When the bot seems to talk to another bot; `None` inside switches it off.
    pub(crate) loop_breaker: Option<Option<Rate>>,
    /// How long the log keeps messages; zero keeps no text.
    pub(crate) keep: Option<Duration>,
    /// How large the log may grow in bytes.
    pub(crate) keep_size: Option<u64>,
}

impl Messages {
    /// These values, and those of `base` where none is given here.
    pub(crate) fn over(&self, base: &Self) -> Self {
        Self {
            max_age: self.max_age.or(base.max_age),
            loop_breaker: self.loop_breaker.or(base.loop_breaker),
            keep: self.keep.or(base.keep),
            keep_size: self.keep_size.or(base.keep_size),
        }
    }
}

/// How handlers are run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HandlersConfig {
    /// How long one may take over one event.
    pub(crate) timeout: Duration,
}

/// The receivers of alerts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AlertConfig {
    /// An address that takes a JSON object by POST.
    pub(crate) webhook: Option<Secret>,
    /// A program with its arguments; gets the same JSON object on standard input.
    pub(crate) command: Option<Vec<String>>,
}

/// Where the pages are served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Listen {
    /// The address; `None` serves nothing.
    pub(crate) address: Option<SocketAddr>,
}

/// The database of all accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StoreConfig {
    /// Its address; `None` keeps the data of each account in its folder.
    pub(crate) url: Option<Secret>,
    /// The file with the password.
    pub(crate) password_file: Option<PathBuf>,
    /// The file with the certificates that its host is verified with.
    pub(crate) certificates: Option<PathBuf>,
}

/// How a process shares the accounts of the database with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FleetConfig {
    /// The name of this node; `None` for that of the machine.
    pub(crate) name: Option<String>,
    /// The nodes with the same address towards the service.
    pub(crate) zone: String,
    /// How long a zone must have been empty before its accounts leave it; `None` for never.
    pub(crate) leave_zone_after: Option<Duration>,
    /// The share in proportion to other nodes.
    pub(crate) weight: u32,
    /// The node is dead after this time without a sign of life.
    pub(crate) ttl: Duration,
    /// Accounts of this node that may resume their sessions.
    pub(crate) starts: Rate,
    /// Accounts of a zone that may log in anew.
    pub(crate) logins: Rate,
}

impl Default for FleetConfig {
    fn default() -> Self {
        Self {
            name: None,
            zone: String::new(),
            leave_zone_after: None,
            weight: 1,
            ttl: Duration::from_secs(6),
            starts: Rate { count: 5, within: Duration::from_secs(1) },
            logins: Rate { count: 1, within: Duration::from_secs(5) },
        }
    }
}

/// Text that is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// Keeps a text from being shown.
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for the one place that needs it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A larger settings file is refused, in bytes.
const LARGEST_FILE: u64 = 32 << 20;

/// The facts outside of the file that its meaning depends on.
pub(crate) struct Outside<'a> {
    /// The environment.
    pub(crate) variable: &'a dyn Fn(&str) -> Option<String>,
    /// The services that accounts can name.
    pub(crate) services: &'a Connectors,
    /// The folder for accounts that name none; `None` if the folders of accounts are not looked at, as they are not run.
    pub(crate) data: Option<&'a Path>,
    /// The handlers of the program that take settings; `None` if they have theirs already, so that their tables are passed
    /// over.
    pub(crate) own: Option<&'a OwnHandlers>,
    /// Whether a missing bot of an account is not a mistake of the file while another account has its bot.
    pub(crate) starts_each: bool,
}

impl<'a> Outside<'a> {
    /// The facts of this process.
    pub(crate) fn new(services: &'a Connectors, data: Option<&'a Path>) -> Self {
        Self {
            variable: &|name| std::env::var(name).ok(),
            services,
            data,
            own: None,
            starts_each: false,
        }
    }

    /// The same, and the handlers of the program that take settings.
    pub(crate) fn with_own(self, own: &'a OwnHandlers) -> Self {
        Self { own: Some(own), ..self }
    }

    /// The same, for a process in which an account without its bot keeps no other from starting.
    pub(crate) fn starting_each(self) -> Self {
        Self { starts_each: true, ..self }
    }
}

impl Config {
    /// Reads the file of `--config`, else the usual one if it is there, else the defaults.
    pub(crate) fn load(given: Option<&Path>, outside: &Outside<'_>) -> Result<Self, Problems> {
        match text(given)? {
            Some((path, text)) => read::read(path, &text, outside),
            None => Ok(Self::default()),
        }
    }

    /// The handlers of a text.
    pub(crate) fn handlers_of(text: &str, outside: &Outside<'_>) -> Result<Vec<Spec>, Problems> {
        read::of_bot(Path::new("mynah.toml"), text, outside).map(|settings| settings.handlers)
    }

    /// Reads only the settings of a bot in the same file, for commands that run no account.
    pub(crate) fn load_bot(
        given: Option<&Path>,
        outside: &Outside<'_>,
    ) -> Result<BotSettings, Problems> {
        match text(given)? {
            Some((path, text)) => read::of_bot(path, &text, outside),
            None => Ok(BotSettings::default()),
        }
    }

    /// Reads only the places of the data in the same file, for commands about the data.
    pub(crate) fn load_places(
        given: Option<&Path>,
        services: &Connectors,
    ) -> Result<DataPlaces, Problems> {
        match text(given)? {
            Some((path, text)) => read::data_places(path, &text, &Outside::new(services, None)),
            None => Ok(DataPlaces::default()),
        }
    }

    /// The file that is read.
    pub(crate) fn file(given: Option<&Path>) -> &Path {
        given.unwrap_or(Path::new(USUAL_PLACE))
    }
}

/// The settings of a bot, apart from those of the accounts that run it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct BotSettings {
    /// The handlers in other processes.
    pub(crate) handlers: Vec<Spec>,
    /// The hosts to which rules may send requests.
    pub(crate) fetch: FetchSettings,
}

/// The places of the data of all accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DataPlaces {
    /// The database.
    pub(crate) store: StoreConfig,
    /// The names of the accounts, with their folders where the file names one.
    pub(crate) accounts: Vec<(String, Option<PathBuf>)>,
    /// The name of this node in the fleet, if the file names it.
    pub(crate) node: Option<String>,
}

/// The path and the text of the settings; `None` if there are none.
fn text(given: Option<&Path>) -> Result<Option<(&Path, String)>, Problems> {
    let path = Config::file(given);
    let read = mynah_files::open(path).and_then(|file| mynah_files::read_text(file, LARGEST_FILE));
    match read {
        Ok(text) => Ok(Some((path, text))),
        Err(error) if given.is_none() && error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Problems::unreadable(path, &error)),
    }
}

/// The JSON Schema of `mynah.toml`, for editors.
pub(crate) fn json_schema(services: &Connectors) -> String {
    let keys = keys::with_services(services);
    mynah_reader::json_schema("mynah.toml", "How Mynah bots are run.", keys)
}

/// The reference page of `mynah.toml`, as Markdown.
pub(crate) fn reference(services: &Connectors, lang: Lang) -> String {
    let head = match lang {
        Lang::En => include_str!("config/reference.en.txt"),
        Lang::Zh => include_str!("config/reference.zh.txt"),
    };
    format!("{head}{}", mynah_reader::reference("mynah.toml", keys::with_services(services), lang))
}

impl Default for Config {
    fn default() -> Self {
        Self {
            accounts: Vec::new(),
            process: Process {
                keep_session: false,
                stop_deadline: Duration::from_secs(10),
                login_timeout: Duration::from_secs(86_400),
            },
            pacing: Pacing::default(),
            messages: Messages::default(),
            handlers: HandlersConfig { timeout: Duration::from_secs(30) },
            handler: Vec::new(),
            fetch: FetchSettings::default(),
            alert: AlertConfig::default(),
            logs: Logs::default(),
            listen: Listen::default(),
            store: StoreConfig::default(),
            fleet: None,
        }
    }
}

/// The meaning of a text, away from the disk.
#[cfg(test)]
fn parse_with(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Config, Problems> {
    let own = OwnHandlers::default();
    let outside = Outside {
        variable,
        services: &Connectors::default(),
        data: None,
        own: Some(&own),
        starts_each: false,
    };
    read::read(Path::new("mynah.toml"), text, &outside)
}

#[cfg(test)]
mod like_rule_files;

#[cfg(test)]
mod places_of_data {
    use super::*;

    fn read(text: &str) -> Result<DataPlaces, Problems> {
        let services = Connectors::default();
        let outside = Outside {
            variable: &|_| None,
            services: &services,
            data: None,
            own: None,
            starts_each: false,
        };
        read::data_places(Path::new("mynah.toml"), text, &outside)
    }

    #[test]
    fn mistakes_that_move_no_data_are_passed_over() {
        let text = "keep_sesion = 1\n[store]\nurl = \"postgres://u@h/d\"\n[[account]]\nname = \"shop\"\nlimits = 3\n\
                    [[account]]\nname = \"mine\"\nbot = \"b\"\ndata = \"d\"\n[alert]\nwebhook = \"${NONE}\"\n";
        let places = read(text).map_err(|problems| problems.render(Lang::En, false)).unwrap();
        assert_eq!(places.store.url.as_ref().map(Secret::reveal), Some("postgres://u@h/d"));
        let accounts = [("shop".to_owned(), None), ("mine".to_owned(), Some("d".into()))];
        assert_eq!(places.accounts, accounts);
    }

    #[test]
    fn mistakes_of_the_database_and_of_syntax_are_reported() {
        for (text, expected) in
            [("[store]\nurl = 7\n", "url"), ("[[account]\nname = \"a\"\n[store", "mynah.toml:")]
        {
            let problems = read(text).unwrap_err().render(Lang::En, false);
            assert!(problems.contains(expected), "{problems}");
        }
    }
}

#[cfg(test)]
mod tests {
    use mynah_reader::{Key, Kind};

    use super::*;

    fn render(problems: &Problems) -> String {
        problems.render(Lang::En, false)
    }

    /// All keys, those of tables inside of tables included.
    fn every_key(keys: &'static [Key]) -> Box<dyn Iterator<Item = &'static Key>> {
        Box::new(keys.iter().flat_map(|key| {
            let inner: &'static [Key] = match key.kind {
                Kind::Section(inner) | Kind::Sections(inner) => inner,
                _ => &[],
            };
            std::iter::once(key).chain(every_key(inner))
        }))
    }

    fn committed() -> String {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/mynah.toml");
        std::fs::read_to_string(file).unwrap()
    }

    fn parse(text: &str) -> Result<Config, Problems> {
        parse_with(text, &|name| (name == "TOKEN").then(|| "s3cret".to_owned()))
    }

    fn problems(text: &str) -> String {
        render(&parse(text).unwrap_err())
    }

    #[test]
    fn the_committed_file_is_exactly_the_defaults() {
        let committed = parse(&committed()).unwrap();
        // Those two are compared with the defaults of runtime and store where accounts are planned.
        let (pacing, messages) = (Pacing::default(), Messages::default());
        assert_eq!(Config { pacing, messages, ..committed }, Config::default());
        assert_eq!(parse("").unwrap(), Config::default());
    }

    /// The lines that are commented out because they have no default are right too.
    #[test]
    fn the_committed_file_shows_every_key() {
        let is_example = |line: &str| {
            let line = line.strip_prefix("# ").unwrap_or("x");
            line.starts_with('[')
                || line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '))
        };
        let all: String = committed()
            .lines()
            .map(|line| if is_example(line) { &line[2..] } else { line })
            .map(|line| format!("{line}\n"))
            .collect();
        let config = parse_with(&all, &|_| Some("http://y".to_owned()));
        let config = config.unwrap_or_else(|problems| panic!("{}", render(&problems)));
        assert_eq!(config.accounts.len(), 1);
        for key in every_key(keys::keys(&Connectors::default())).filter(|key| key.default.is_some())
        {
            let line = format!("{} = {}", key.name, key.default.unwrap_or_default());
            assert!(all.lines().any(|shown| shown == line), "{line} is not shown");
        }
        for key in every_key(keys::keys(&Connectors::default())) {
            let is_shown = |line: &str| {
                let line = line.trim_matches(['[', ']']);
                line.split([' ', '.']).next() == Some(key.name)
                    || line.ends_with(key.name)
                    || line.contains(&format!("{{ {} = ", key.name))
                    || line.contains(&format!(", {} = ", key.name))
            };
            assert!(all.lines().any(is_shown), "{} is not shown", key.name);
        }
    }

    #[test]
    fn values_are_taken_as_meant() {
        let config = parse(
            "keep_session = true\n[[account]]\nname = 'shop'\nbot = 'bots/faq'\ndesktop_token = '${TOKEN}'\n\
             [pacing]\noff = true\ndaily = 7\njitter = '1s'\nunknown = 'never'\n\
             [messages]\nloop_breaker = 'off'\nkeep = '0'\n\
             [alert]\nwebhook = 'https://hooks.example/${TOKEN}'\ncommand = ['notify', '-u']\n\
             [logs]\nlevel = 'debug'\nformat = 'json'\n[listen]\naddress = '127.0.0.1:0'\n",
        )
        .unwrap();
        assert!(config.process.keep_session && config.pacing.off == Some(true));
        assert_eq!(config.accounts[0].name, "shop");
        assert_eq!(config.accounts[0].values.text("desktop_token"), Some("s3cret"));
        assert_eq!(config.pacing.daily, Some(7));
        assert_eq!(config.pacing.jitter, Some(Duration::from_secs(1)..=Duration::from_secs(1)));
        assert_eq!(config.messages.loop_breaker, Some(None));
        assert_eq!(config.alert.webhook.as_ref().unwrap().reveal(), "https://hooks.example/s3cret");
        assert!(config.listen.address.is_some());
        assert!(!format!("{config:?}").contains("s3cret"), "secrets are shown nowhere");
    }

    #[test]
    fn an_address_for_alerts_that_cannot_be_one_is_reported_at_load() {
        for address in [
            "hooks.example/x",
            "ftp://hooks.example",
            "https://",
            "https:///x",
            "https://hooks example/x",
            "http://[::1",
            "http://host:99999/",
            "mailto://a@b",
        ] {
            let told = problems(&format!("[alert]\nwebhook = '{address}'\n"));
            assert!(told.contains("write an http or https address"), "{address}: {told}");
            assert!(told.contains("mynah.toml:2:"), "{told}");
        }
        let good = parse("[alert]\nwebhook = 'http://127.0.0.1:8080/hook'\n").unwrap();
        assert!(good.alert.webhook.is_some());
    }

    #[test]
    fn the_schema_and_the_reference_name_every_key() {
        let schema: serde_json::Value =
            serde_json::from_str(&json_schema(&Connectors::default())).unwrap();
        let account = &schema["properties"]["account"]["items"];
        assert_eq!(account["required"], serde_json::json!(["name", "bot"]));
        assert!(account["properties"]["me"].is_object(), "the keys of every service");
        assert_eq!(schema["properties"]["pacing"]["properties"]["off"]["default"], false);
        for lang in [Lang::En, Lang::Zh] {
            let page = reference(&Connectors::default(), lang);
            for key in every_key(keys::with_services(&Connectors::default())) {
                let is_table = matches!(key.kind, Kind::Section(_) | Kind::Sections(_));
                let shown = format!("| `{}` |", key.name);
                assert!(is_table || page.contains(&shown), "{} is missing", key.name);
            }
        }
    }

    /// To renew them: `MYNAH_UPDATE_DOCS=1 cargo test -p mynah --lib config`.
    #[test]
    fn the_committed_schema_and_reference_are_those_of_the_keys() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let services = &Connectors::default();
        for (file, text) in [
            ("config/settings.schema.json", json_schema(services)),
            ("docs/settings.md", reference(services, Lang::En)),
            ("docs/settings.zh-CN.md", reference(services, Lang::Zh)),
        ] {
            let path = root.join(file);
            if std::env::var_os("MYNAH_UPDATE_DOCS").is_some() {
                std::fs::write(&path, &text).unwrap();
            }
            let committed = std::fs::read_to_string(path).unwrap_or_default();
            assert!(committed == text, "{file} is out of date");
        }
    }

    #[test]
    fn every_mistake_is_told_in_chinese_too() {
        let text = "keep_sesion = true\n[pacing]\nreply_max_age = '半小时'\noff = 'true'\n\
                    [messages]\nkeep = “7d”\n[[account]]\nname = 'a'\n";
        insta::assert_snapshot!(parse(text).unwrap_err().render(Lang::Zh, false));
    }

    #[test]
    fn a_secret_of_the_environment_is_in_no_message() {
        let told = problems("[alert]\nwebhook = '${TOKEN}'\n[pacing]\nunknown = '${TOKEN}'\n");
        assert!(told.contains("webhook") && told.contains("unknown"), "{told}");
        assert!(!told.contains("s3cret"), "{told}");
    }

    #[test]
    fn a_mistake_in_the_settings_drives_no_terminal() {
        let told = problems("keep_\u{9b}2J = true\n\"\u{202e}x\" = 1\n");
        assert!(!told.contains(['\u{9b}', '\u{202e}']), "{told:?}");
    }

    #[test]
    fn all_mistakes_are_told_at_once_in_order() {
        insta::assert_snapshot!(problems(
            "keep_sesion = true\n\n[pacing]\nper_chat = \"2s\"\nper_chet = \"1 per 2s\"\njitter = 2\n\
             daily = -1\n[messges]\nkeep = \"7d\"\n[alert]\nwebhook = \"${NO_SUCH}\"\n\
             [logs]\nlevel = \"喧\" # 话\nformat = \"text\n[listen]\naddress = \"localhost\"\n\
             [[account]]\nname = \"a\"\n"
        ));
    }

    #[test]
    fn two_accounts_have_different_pacing() {
        let config = parse(
            "[pacing]\nper_chat = '1 per 5s'\ndaily = 9\n[messages]\nmax_age = '1h'\n\
             [[account]]\nname = 'a'\nbot = 'x'\n[account.pacing]\ndaily = 7\n[account.messages]\nmax_age = '2h'\n\
             [[account]]\nname = 'b'\nbot = 'y'\n",
        )
        .unwrap();
        let [a, b] = config.accounts.as_slice() else { panic!("two accounts") };
        let daily = |account: &AccountConfig| account.pacing.over(&config.pacing).daily;
        assert_eq!((daily(a), daily(b)), (Some(7), Some(9)));
        let max_age = |account: &AccountConfig| account.messages.over(&config.messages).max_age;
        let hours = |hours: u64| Some(Duration::from_secs(hours * 3600));
        assert_eq!((max_age(a), max_age(b)), (hours(2), hours(1)));
        assert_eq!(a.pacing.over(&config.pacing).per_chat, b.pacing.over(&config.pacing).per_chat);
    }

    #[test]
    fn an_account_is_read_by_the_keys_of_its_service() {
        insta::assert_snapshot!(problems(
            "[[account]]\nname = 'a'\nbot = 'x'\ntransport = 'webw'\n\
             [[account]]\nname = 'b'\nbot = 'x'\nsevrer = 'https://x.example'\n\
             [[account]]\nname = 'c'\nbot = 'x'\nserver = 'x.example'\n\
             [[account]]\nname = 'd'\nbot = 'x'\n[account.pacing]\ndayly = 1\n"
        ));
    }

    #[test]
    fn accounts_do_not_share_names() {
        insta::assert_snapshot!(problems(
            "[[account]]\nname = 'a'\nbot = 'x'\n[[account]]\nname = 'a'\nbot = 'y'\n\
             [[account]]\nname = 'b/c'\nbot = 'y'\n"
        ));
    }
}
