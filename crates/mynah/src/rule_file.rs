//! A bot's rule file: its place, loading it, and showing its mistakes.

use std::path::{Path, PathBuf};

use mynah_core::Capabilities;
use mynah_rules::{Disk, Files, Lang, LoadOptions, Loaded, Severity};
use mynah_transports::{CONNECTORS, Connector, connector, usual_connector};

use crate::{Bot, conversation};

/// The name of a rule file in its folder.
const FILE: &str = "bot.toml";

/// The main file of a bot: the `bot.toml` in a folder, or the file itself.
pub(crate) fn main_file(bot: &Path) -> PathBuf {
    if bot.is_dir() { bot.join(FILE) } else { bot.to_owned() }
}

/// The name of a bot without a configured one: its folder, or its file if that has a name of its own.
pub(crate) fn name_of(bot: &Path) -> String {
    let file = main_file(bot);
    let named = if file.file_name().is_some_and(|name| name == FILE) {
        // Resolved, so that `.` has a name too.
        file.parent().and_then(|folder| std::path::absolute(folder).ok())
    } else {
        Some(file.with_extension(""))
    };
    let name = named.as_deref().and_then(Path::file_name);
    name.map_or_else(|| "bot".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Loads a rule file for a bot that knows these handlers, on a service that can do this.
pub(crate) fn load(main: &Path, handlers: &[String], capabilities: &Capabilities) -> Loaded {
    judged(Some(handlers), Some(capabilities), |options| mynah_rules::load(main, &Disk, options))
}

/// Loads a rule file for the sandbox. The stock program cannot know the handlers that the file is meant for.
pub(crate) fn load_to_try(main: &Path, files: &dyn Files, bot: &Bot) -> Loaded {
    let names = bot.names();
    let handlers = (!bot.is_stock()).then_some(names.as_slice());
    let capabilities = sandbox_service().capabilities();
    let options =
        LoadOptions { handlers, capabilities: Some(&capabilities), ..LoadOptions::default() };
    mynah_rules::load(main, files, &options)
}

/// The service that the sandbox plays.
pub(crate) fn sandbox_service() -> &'static dyn Connector {
    connector("webwx").unwrap_or_else(usual_connector)
}

/// Reads a file with everything that is known of this program: the handlers, the service if it is known, and else those
/// that `[bot] transport` may name.
pub(crate) fn judged<T>(
    handlers: Option<&[String]>,
    capabilities: Option<&Capabilities>,
    read: impl FnOnce(&LoadOptions<'_>) -> T,
) -> T {
    let services: Vec<_> = CONNECTORS.iter().map(|known| known.capabilities()).collect();
    let services: Vec<&Capabilities> = services.iter().map(|known| &**known).collect();
    read(&LoadOptions { handlers, capabilities, services: &services })
}

/// Everything there is to say about a file, for people; notes only if asked for.
pub(crate) fn render(loaded: &Loaded, lang: Lang, colours: bool, notes: bool) -> String {
    let told = loaded.diagnostics.iter().filter(|one| notes || one.severity != Severity::Note);
    told.map(|one| one.render(&loaded.sources, lang, colours)).collect()
}

/// Why a rule file cannot be used: its errors, or its own tests that fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistakes {
    /// The file of the first one.
    pub(crate) file: String,
    /// Its line.
    pub(crate) line: u32,
    /// How many there are.
    pub(crate) count: usize,
    /// All of them, for people.
    pub(crate) report: String,
}

impl Mistakes {
    /// The errors of a file that has no rule book.
    pub(crate) fn of_errors(loaded: &Loaded, lang: Lang) -> Self {
        let mut errors = loaded.diagnostics.iter().filter(|one| one.is_error());
        let first = errors.next();
        Self {
            file: first.map(|one| one.file.to_string()).unwrap_or_default(),
            line: first.map_or(1, |one| one.line),
            count: usize::from(first.is_some()) + errors.count(),
            report: render(loaded, lang, false, false),
        }
    }

    fn add(before: Option<Self>, file: &str, line: u32, report: &str) -> Self {
        match before {
            Some(before) => {
                Self { count: before.count + 1, report: before.report + report, ..before }
            }
            None => Self { file: file.to_owned(), line, count: 1, report: report.to_owned() },
        }
    }
}

/// Why a file cannot be used, if so: it has errors, or one of its own tests fails with the handlers of `bot`.
pub(crate) async fn mistakes(loaded: &Loaded, bot: &Bot, lang: Lang) -> Option<Mistakes> {
    let Some(book) = &loaded.book else { return Some(Mistakes::of_errors(loaded, lang)) };
    let mut found = None;
    for test in &loaded.tests {
        match conversation::play(test, book, bot).await {
            Ok(played) => {
                // A missing handler leaves its replies open, so the failure says nothing about the rules.
                let failure = played.failure.filter(|failure| failure.missing_handlers.is_empty());
                if let Some(failure) = failure {
                    let report = failure.render(lang);
                    found = Some(Mistakes::add(found, &failure.file, failure.line, &report));
                }
            }
            Err(error) => {
                let report = format!("{}:{}: {error}\n", test.file, test.line);
                found = Some(Mistakes::add(found, &test.file, test.line, &report));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bot_is_called_after_its_folder_or_its_own_file() {
        let folder = tempfile::tempdir().unwrap();
        let bot = folder.path().join("shop");
        std::fs::create_dir(&bot).unwrap();
        assert_eq!(main_file(&bot), bot.join("bot.toml"));
        assert_eq!(name_of(&bot), "shop");
        assert_eq!(name_of(&bot.join("bot.toml")), "shop");
        assert_eq!(name_of(&bot.join("night.toml")), "night");
        assert_ne!(name_of(Path::new(".")), "bot");
    }
}
