//! Logs: `tracing` to standard error, as text or JSON, at a level chosen by flag, environment or configuration.

mod diverted;
mod fields;
mod json_lines;

use std::io::IsTerminal;

use clap::{ArgAction, Args, ValueEnum};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::prelude::*;

use self::diverted::Lines;
pub(crate) use self::diverted::divert;
use self::fields::Escaped;
use self::json_lines::JsonLines;

/// The environment variable with a level or with filter directives (`debug`, `info,my_bot=trace`).
pub(crate) const VARIABLE: &str = "MYNAH_LOG";

/// The heading of flags that every command has.
pub(crate) const HEADING: &str = "Logs and language";

/// Crates whose debug messages drown everything else.
const NOISY: [&str; 6] = ["hyper", "hyper_util", "reqwest", "rustls", "notify", "mio"];

/// The flags about logs; every command takes them.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct LogArgs {
    /// Say more: notes, and every call to the service; twice for everything.
    #[arg(short, long, action = ArgAction::Count, global = true, help_heading = HEADING)]
    pub(crate) verbose: u8,
    /// Say less: warnings and errors only; twice for errors only.
    #[arg(short, long, action = ArgAction::Count, global = true, conflicts_with = "verbose", help_heading = HEADING)]
    pub(crate) quiet: u8,
    /// The form of the logs on standard error.
    #[arg(long, value_enum, global = true, value_name = "FORM", help_heading = HEADING)]
    pub(crate) log_format: Option<LogFormat>,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LogLevel {
    /// A person must look.
    Error,
    /// Handled, but unusual.
    Warn,
    /// The life of the bot.
    Info,
    /// Every message and every call.
    Debug,
    /// The wire.
    Trace,
}

impl LogLevel {
    const ALL: [Self; 5] = [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// Its word.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }

    /// The level of a word.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.word() == word)
    }

    fn moved(self, steps: i32) -> Self {
        let at = Self::ALL.iter().position(|level| *level == self).unwrap_or_default();
        let last = Self::ALL.len() - 1;
        let moved = i32::try_from(at).unwrap_or(0).saturating_add(steps).max(0);
        Self::ALL[usize::try_from(moved).unwrap_or(0).min(last)]
    }
}

/// The log level unless flags or the environment set another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Logs {
    /// How much.
    pub(crate) level: LogLevel,
    /// In which form.
    pub(crate) format: LogFormat,
}

impl Default for Logs {
    fn default() -> Self {
        Self { level: LogLevel::Info, format: LogFormat::Text }
    }
}

/// Installs the logs of this process. Flags win over the environment, the environment over `logs`. A second call
/// changes nothing, so that several bots can run in one process.
pub(crate) fn install(arguments: &LogArgs, logs: Logs) {
    let variable = std::env::var(VARIABLE).ok();
    let directives = directives(arguments, variable.as_deref(), logs.level);
    let (filter, refused) = filter(&directives, logs.level);
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(|| Lines)
        .with_target(false)
        // A closed standard error must not end the bot; by default it panics.
        .log_internal_errors(false)
        .with_ansi(colours);
    let registry = tracing_subscriber::registry().with(filter);
    // Fails only if logs are installed already, by an earlier call or by the bot's author: those stay.
    let _ = match arguments.log_format.unwrap_or(logs.format) {
        LogFormat::Text => registry.with(lines.fmt_fields(Escaped)).try_init(),
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true).with_span_list(false);
            let lines = lines.fmt_fields(JsonFields::new());
            registry.with(lines.with_writer(|| JsonLines(std::io::stderr()))).try_init()
        }
    };
    for directive in refused {
        // As an error, which no valid directive hides by accident.
        tracing::error!(
            directive,
            "{VARIABLE} has an invalid filter directive, write `debug` or `info,my_bot=trace`"
        );
    }
}

/// The filter of the valid directives, and the invalid ones. Targets without a directive log errors only; if no directive is
/// valid, they log at `level`.
fn filter(directives: &str, level: LogLevel) -> (Targets, Vec<&str>) {
    // A misspelled level has the form of a target.
    let is_lone_word = !directives.contains(['=', ',']);
    let is_good = |directive: &&str| {
        directive.parse::<Targets>().is_ok()
            && (!is_lone_word || directive.parse::<LevelFilter>().is_ok())
    };
    let (good, refused): (Vec<_>, Vec<_>) = directives
        .split(',')
        .map(str::trim)
        .filter(|directive| !directive.is_empty())
        .partition(is_good);
    let all = match good.as_slice() {
        [] => quietened(level),
        good => format!("{},{}", LogLevel::Error.word(), good.join(",")),
    };
    (all.parse().unwrap_or_default(), refused)
}

/// The filter that flags, environment and configuration ask for.
fn directives(arguments: &LogArgs, variable: Option<&str>, level: LogLevel) -> String {
    let steps = i32::from(arguments.verbose) - i32::from(arguments.quiet);
    match variable.map(str::trim).filter(|text| !text.is_empty() && steps == 0) {
        Some(text) => LogLevel::of(&text.to_lowercase()).map_or_else(|| text.to_owned(), quietened),
        None => quietened(level.moved(steps)),
    }
}

fn quietened(level: LogLevel) -> String {
    let cap = level.min(LogLevel::Info).word();
    let noisy = NOISY.iter().map(|name| format!(",{name}={cap}"));
    noisy.fold(level.word().to_owned(), |filter, directive| filter + &directive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_configuration() {
        let first = |verbose, quiet, variable, level| {
            let arguments = LogArgs { verbose, quiet, log_format: None };
            let all = directives(&arguments, variable, level);
            all.split(',').next().unwrap().to_owned()
        };
        assert_eq!(first(0, 0, None, LogLevel::Info), "info");
        assert_eq!(first(1, 0, None, LogLevel::Info), "debug");
        assert_eq!(first(9, 0, None, LogLevel::Info), "trace");
        assert_eq!(first(0, 2, None, LogLevel::Info), "error");
        assert_eq!(first(0, 0, Some("trace"), LogLevel::Info), "trace");
        assert_eq!(first(1, 0, Some("error"), LogLevel::Info), "debug");
        assert_eq!(first(0, 0, Some("my_bot=trace,info"), LogLevel::Info), "my_bot=trace");
    }

    #[test]
    fn directives_choose_by_crate_and_a_wrong_one_is_named() {
        use tracing::Level;
        let (chosen, refused) = filter("my_bot=trace, ,my_bot=loud,hyper=off", LogLevel::Info);
        assert_eq!(refused, ["my_bot=loud"]);
        for (target, level, expected) in [
            ("my_bot::parts", Level::TRACE, true),
            ("hyper", Level::ERROR, false),
            ("mynah", Level::ERROR, true),
            ("mynah", Level::WARN, false),
        ] {
            assert_eq!(chosen.would_enable(target, &level), expected, "{target} {level}");
        }
        let (chosen, _) = filter(&quietened(LogLevel::Debug), LogLevel::Info);
        assert!(chosen.would_enable("mynah", &Level::DEBUG));
        assert!(!chosen.would_enable("hyper::proto", &Level::DEBUG));
    }

    #[test]
    fn a_misspelled_level_does_not_silence_the_log() {
        use tracing::Level;
        for text in ["dbug", "mynah=foo", "mynah==info", ","] {
            let directives = directives(&LogArgs::default(), Some(text), LogLevel::Info);
            let (chosen, refused) = filter(&directives, LogLevel::Info);
            assert!(chosen.would_enable("mynah", &Level::INFO), "{text}");
            assert!(!chosen.would_enable("mynah", &Level::DEBUG), "{text}");
            assert_eq!(refused.is_empty(), text == ",", "{text}");
        }
        let (chosen, refused) = filter("off", LogLevel::Info);
        assert!(!chosen.would_enable("mynah", &Level::ERROR) && refused.is_empty());
    }

    #[test]
    fn other_peoples_crates_stay_quiet() {
        assert!(quietened(LogLevel::Debug).contains("hyper=info"));
        assert!(quietened(LogLevel::Error).contains("hyper=error"));
    }
}
