//! The options of every command.

use std::io::IsTerminal;

use clap::{Args, ValueEnum};
use mynah_rules::Lang;

use crate::telemetry::{HEADING, LogArgs};

/// The flags of every command.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Common {
    #[command(flatten)]
    pub(crate) log: LogArgs,
    /// The language of messages about rule files; by default that of the locale.
    #[arg(long, value_enum, global = true, value_name = "LANG", help_heading = HEADING)]
    lang: Option<Language>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    En,
    // As people write it.
    #[value(alias = "cn", alias = "zh-CN", alias = "zh_CN", alias = "zh-cn")]
    Zh,
}

impl Common {
    /// The language to speak.
    pub(crate) fn lang(&self) -> Lang {
        match self.lang {
            Some(Language::En) => Lang::En,
            Some(Language::Zh) => Lang::Zh,
            None => of_locale(|name| std::env::var(name).ok()),
        }
    }

    /// Whether notes are shown too.
    pub(crate) fn shows_notes(&self) -> bool {
        self.log.verbose > 0
    }

    /// Whether standard error takes colours.
    pub(crate) fn colours_on_stderr() -> bool {
        std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
    }

    /// Whether standard output takes colours.
    pub(crate) fn colours_on_stdout() -> bool {
        std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
    }
}

/// The language of the locale; the first variable that is set and not empty decides, as POSIX says.
fn of_locale(variable: impl Fn(&str) -> Option<String>) -> Lang {
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()));
    match locale {
        Some(locale) if locale.to_ascii_lowercase().starts_with("zh") => Lang::Zh,
        _ => Lang::En,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_decides_the_language() {
        let of = |pairs: &[(&str, &str)]| {
            of_locale(|name| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned()))
        };
        assert_eq!(of(&[]), Lang::En);
        assert_eq!(of(&[("LANG", "zh_CN.UTF-8")]), Lang::Zh);
        assert_eq!(of(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C")]), Lang::En);
        assert_eq!(of(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "")]), Lang::Zh);
    }
}
