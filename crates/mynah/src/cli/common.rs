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
    /// The language of messages about rule files; by default that of the locale, else `lang` of the file.
    #[arg(long, value_enum, global = true, value_name = "LANG", help_heading = HEADING)]
    lang: Option<Language>,
    /// The language that the rule file at hand asks for.
    #[arg(skip)]
    of_file: Option<Lang>,
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
        let asked = self.lang.map(|lang| match lang {
            Language::En => Lang::En,
            Language::Zh => Lang::Zh,
        });
        asked.or_else(of_person).or(self.of_file).unwrap_or_default()
    }

    /// The same options for messages about a file with this `lang`.
    pub(crate) fn for_file(&self, lang: Option<Lang>) -> Self {
        Self { of_file: lang, ..self.clone() }
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

/// The language of the person, as far as the system knows it.
fn of_person() -> Option<Lang> {
    of_environment(|name| std::env::var(name).ok()).or_else(of_windows)
}

/// The language of the environment; the first variable that is set and not empty decides, as POSIX says.
fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Option<Lang> {
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()));
    of_locale(&locale?)
}

/// The language of a locale; C and POSIX name none.
fn of_locale(locale: &str) -> Option<Lang> {
    let language = locale.split(['_', '-', '.', '@']).next().unwrap_or_default();
    match language.to_ascii_lowercase().as_str() {
        "" | "c" | "posix" => None,
        "zh" => Some(Lang::Zh),
        _ => Some(Lang::En),
    }
}

/// The language of Windows, which has no such variables. Not tested: no test runs on Windows.
#[cfg(windows)]
fn of_windows() -> Option<Lang> {
    of_locale(&sys_locale::get_locale()?)
}

#[cfg(not(windows))]
fn of_windows() -> Option<Lang> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_decides_the_language_unless_it_names_none() {
        let of = |pairs: &[(&str, &str)]| {
            of_environment(|name| {
                pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned())
            })
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("LANG", "zh_CN.UTF-8")]), Some(Lang::Zh));
        assert_eq!(of(&[("LANG", "zh-Hans-CN")]), Some(Lang::Zh));
        assert_eq!(of(&[("LANG", "de_DE@euro")]), Some(Lang::En));
        assert_eq!(of(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C.UTF-8")]), None);
        assert_eq!(of(&[("LANG", "POSIX")]), None);
        assert_eq!(of(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "")]), Some(Lang::Zh));
    }
}
