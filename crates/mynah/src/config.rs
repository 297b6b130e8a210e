//! `mynah.toml`: how bots are run. Text with places in, a checked [`Config`] or all mistakes at once out.
//!
//! One table of keys (`keys`) says what there is; `read` walks the file by it. Everything has a default, and
//! `config/mynah.toml` of the repository shows each of them.

mod keys;
mod problem;
mod read;
mod values;

use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) use self::problem::Problems;
pub(crate) use self::values::{Rate, duration};
use crate::telemetry::Logs;

/// Where the configuration is looked for when no `--config` is given.
pub(crate) const USUAL_PLACE: &str = "config/mynah.toml";

/// How bots are run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config {
    /// The accounts of this process.
    pub(crate) accounts: Vec<AccountConfig>,
    /// What concerns the process as a whole.
    pub(crate) process: Process,
    /// How fast it speaks.
    pub(crate) pacing: Pacing,
    /// What becomes of messages.
    pub(crate) messages: Messages,
    /// How handlers are run.
    pub(crate) handlers: HandlersConfig,
    /// Who is told when a person is needed.
    pub(crate) alert: AlertConfig,
    /// What is logged.
    pub(crate) logs: Logs,
    /// Where the pages are served.
    pub(crate) listen: Listen,
}

/// One account: a bot, its connection and its data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AccountConfig {
    /// Its name in logs, alerts and metrics.
    pub(crate) name: String,
    /// The bot's folder or file.
    pub(crate) bot: PathBuf,
    /// The server's base address, where it is not the service's own.
    pub(crate) server: Option<String>,
    /// The folder that keeps everything; by default one named after the account.
    pub(crate) data: Option<PathBuf>,
    /// The token of the desktop client, for accounts that the plain web login refuses.
    pub(crate) desktop: Option<Secret>,
}

/// What concerns the process as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    /// Whether Ctrl-C keeps the session for the next start instead of logging out.
    pub(crate) keep_session: bool,
    /// How long an ordered stop may take.
    pub(crate) stop_deadline: Duration,
    /// How long a login prompt waits for somebody.
    pub(crate) login_timeout: Duration,
}

/// How fast an account speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pacing {
    /// As fast as it can: for tests, never for a real account.
    pub(crate) off: bool,
    /// Sends in one chat.
    pub(crate) per_chat: Rate,
    /// Sends of the account.
    pub(crate) account: Rate,
    /// Sends of the account in a day.
    pub(crate) daily: u32,
    /// A random wait before every send.
    pub(crate) jitter: RangeInclusive<Duration>,
    /// A reply that could not leave by then expires.
    pub(crate) reply_max_age: Duration,
    /// Whether a send that nobody knows the outcome of is tried once more.
    pub(crate) unknown: Unknown,
}

/// What becomes of a send that nobody knows the outcome of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// Once more, with the same id.
    Resend,
    /// It is left.
    Never,
}

/// What becomes of messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Messages {
    /// Older ones are recorded, not answered.
    pub(crate) max_age: Duration,
    /// When the bot seems to talk to another bot; `None` switches it off.
    pub(crate) loop_breaker: Option<Rate>,
    /// How long the log keeps messages; zero keeps no text.
    pub(crate) keep: Duration,
    /// How large the log may grow in bytes.
    pub(crate) keep_size: u64,
}

/// How handlers are run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HandlersConfig {
    /// How long one may take over one event.
    pub(crate) timeout: Duration,
}

/// Who is told when a person is needed.
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

impl Config {
    /// Reads the file of `--config`, else the usual one if it is there, else the defaults.
    pub(crate) fn load(given: Option<&Path>) -> Result<Self, Problems> {
        let path = given.unwrap_or(Path::new(USUAL_PLACE));
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text, &|name| std::env::var(name).ok()),
            Err(error) if given.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Self::default())
            }
            Err(error) => Err(Problems::unreadable(path, &error)),
        }
    }

    /// The meaning of a file's text; `variable` gives the environment.
    fn parse(
        path: &Path,
        text: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Problems> {
        read::read(path, text, variable)
    }
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
            alert: AlertConfig::default(),
            logs: Logs::default(),
            listen: Listen::default(),
        }
    }
}

impl Default for Pacing {
    fn default() -> Self {
        Self {
            off: false,
            per_chat: Rate { count: 1, within: Duration::from_secs(2) },
            account: Rate { count: 20, within: Duration::from_secs(60) },
            daily: 400,
            jitter: Duration::from_millis(500)..=Duration::from_secs(2),
            reply_max_age: Duration::from_secs(15 * 60),
            unknown: Unknown::Resend,
        }
    }
}

impl Default for Messages {
    fn default() -> Self {
        Self {
            max_age: Duration::from_secs(5 * 60),
            loop_breaker: Some(Rate { count: 5, within: Duration::from_secs(30) }),
            keep: Duration::from_secs(7 * 86_400),
            keep_size: 1 << 30,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committed() -> String {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/mynah.toml");
        std::fs::read_to_string(file).unwrap()
    }

    fn parse(text: &str) -> Result<Config, Problems> {
        Config::parse(Path::new("mynah.toml"), text, &|name| {
            (name == "TOKEN").then(|| "s3cret".to_owned())
        })
    }

    fn problems(text: &str) -> String {
        parse(text).unwrap_err().render(false)
    }

    #[test]
    fn the_committed_file_is_exactly_the_defaults() {
        assert_eq!(parse(&committed()).unwrap(), Config::default());
        assert_eq!(parse("").unwrap(), Config::default());
    }

    /// The lines that are commented out because they have no default are right too.
    #[test]
    fn the_committed_file_shows_every_key() {
        let is_example = |line: &str| {
            let line = line.strip_prefix("# ").unwrap_or("x");
            line.starts_with("[[")
                || line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '))
        };
        let all: String = committed()
            .lines()
            .map(|line| if is_example(line) { &line[2..] } else { line })
            .map(|line| format!("{line}\n"))
            .collect();
        let config = Config::parse(Path::new("mynah.toml"), &all, &|_| Some("http://y".to_owned()));
        let config = config.unwrap_or_else(|problems| panic!("{}", problems.render(false)));
        assert_eq!(config.accounts.len(), 1);
        for (table, key) in keys::all() {
            let missing = format!("{key} of {table} is not shown");
            assert!(all.lines().any(|line| line.split(" = ").next() == Some(key)), "{missing}");
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
        assert!(config.process.keep_session && config.pacing.off);
        assert_eq!(config.accounts[0].name, "shop");
        assert_eq!(config.accounts[0].desktop.as_ref().unwrap().reveal(), "s3cret");
        assert_eq!(config.pacing.daily, 7);
        assert_eq!(config.pacing.jitter, Duration::from_secs(1)..=Duration::from_secs(1));
        assert_eq!(config.messages.loop_breaker, None);
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
    fn accounts_do_not_share_names_or_data() {
        insta::assert_snapshot!(problems(
            "[[account]]\nname = 'a'\nbot = 'x'\n[[account]]\nname = 'a'\nbot = 'y'\n\
             [[account]]\nname = 'b/c'\nbot = 'y'\ndata = 'd'\n[[account]]\nname = 'c'\nbot = 'y'\ndata = 'd'\n"
        ));
    }
}
