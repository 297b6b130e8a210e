//! A bot's rule file: its place, loading it, and showing its mistakes.

use std::path::{Path, PathBuf};

use mynah_core::{Capabilities, Timestamp};
use mynah_page::RejectedFile;
use mynah_reader::say;
use mynah_rules::{Files, Lang, LoadOptions, Loaded, RuleBook, Severity};
use mynah_transports::{Connector, Connectors};

use crate::{Bot, Ended, Report, conversation};

/// The name of a rule file in its folder.
const FILE: &str = "bot.toml";

/// The main file of a bot: the `bot.toml` in a folder, or the file itself.
pub(crate) fn main_file(bot: &Path) -> PathBuf {
    if bot.is_dir() { bot.join(FILE) } else { bot.to_owned() }
}

/// The main file of a bot that may not be there yet: without an extension it will be a folder.
pub(crate) fn expected_main_file(bot: &Path) -> PathBuf {
    let is_folder = !bot.exists() && bot.extension().is_none();
    if is_folder { bot.join(FILE) } else { main_file(bot) }
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

/// Loads a rule file for this bot, on a service that can do this.
pub(crate) fn load(
    main: &Path,
    files: &dyn Files,
    bot: &Bot,
    capabilities: &Capabilities,
) -> Loaded {
    let names = bot.names();
    let client = bot.account_fetch();
    judged(Some(&names), Some(capabilities), bot, |options| {
        let options = LoadOptions { fetch: Some(&*client), ..*options };
        mynah_rules::load(main, &bot.files(files), &options)
    })
}

/// Loads a rule file to check or try it, for a service or else for those that it names. The stock program cannot know the
/// handlers that the file is meant for.
pub(crate) fn load_to_try(
    main: &Path,
    files: &dyn Files,
    bot: &Bot,
    judged_for: Option<&dyn Connector>,
) -> Loaded {
    let names = bot.names();
    let handlers = (!bot.is_stock()).then_some(names.as_slice());
    let capabilities = judged_for.map(Connector::capabilities);
    judged(handlers, capabilities.as_deref(), bot, |options| {
        mynah_rules::load(main, &bot.files(files), options)
    })
}

/// The service that the sandbox plays, whichever the bot is judged for. No other place of this crate names a service.
pub(crate) fn sandbox_service() -> &'static dyn Connector {
    let services = Connectors::default();
    services.named("webwx").unwrap_or_else(|| services.usual())
}

/// Reads a file with everything that is known of this program: the handlers, the service if it is known, and else those
/// that `[bot] transport` may name.
pub(crate) fn judged<T>(
    handlers: Option<&[String]>,
    capabilities: Option<&Capabilities>,
    bot: &Bot,
    read: impl FnOnce(&LoadOptions<'_>) -> T,
) -> T {
    let services: Vec<_> = bot.services().iter().map(Connector::capabilities).collect();
    let services: Vec<&Capabilities> = services.iter().map(|known| &**known).collect();
    let grounds = bot.grounds();
    let unruled = bot.declared().unruled();
    let client = bot.judging_fetch();
    let fetch = client.as_deref();
    read(&LoadOptions {
        handlers,
        unruled: &unruled,
        capabilities,
        fetch,
        services: &services,
        grounds: &grounds,
    })
}

/// Everything there is to say about a file, for people; notes only if asked for.
pub(crate) fn render(loaded: &Loaded, lang: Lang, colours: bool, notes: bool) -> String {
    let told = loaded.diagnostics.iter().filter(|one| notes || one.severity != Severity::Note);
    told.map(|one| one.render(&loaded.sources, lang, colours)).collect()
}

/// The report about a file without a rule book, for a program.
pub(crate) fn unusable(loaded: &Loaded) -> Report {
    let told = render(loaded, Lang::En, false, false);
    Report::new(Ended::No, format!("the rules cannot be used:\n{told}"))
}

/// Why a rule file cannot be used: its errors, or its own tests that fail. Also why settings cannot be used.
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

    /// The mistake of a main file without any text in place of these rules. Editors empty a file before they write it, and a
    /// full disk leaves it so.
    pub(crate) fn of_emptied(loaded: &Loaded, old: &RuleBook, lang: Lang) -> Option<Self> {
        Self::of_empty_file(loaded, lang).filter(|_| has_rules(old))
    }

    /// The mistake of a main file without any text, if there were rules before.
    pub(crate) fn of_empty_file(loaded: &Loaded, lang: Lang) -> Option<Self> {
        if !loaded.sources.main_is_empty() {
            return None;
        }
        let file = loaded.sources.files().next().map(|(name, _)| name.to_owned());
        let file = file.unwrap_or_else(|| FILE.to_owned());
        let report = say!(
            lang,
            "{file}:1:1: the file is empty; to switch all rules off, leave a comment in it\n",
            "{file}:1:1: 文件是空的；要停用全部规则，请在里面留一行注释\n"
        );
        Some(Self { file, line: 1, count: 1, report })
    }

    /// One mistake of a file without a place in it.
    pub(crate) fn of_file(file: &Path, report: String) -> Self {
        let file = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
        Self { file, line: 1, count: 1, report }
    }

    /// The file as one that is rejected from now on.
    pub(crate) fn rejected(self, now: Timestamp) -> RejectedFile {
        let Self { file, line, count, report } = self;
        let since = now.as_millis().div_euclid(1000);
        RejectedFile { file, line, mistakes: count, report, since }
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

/// Whether a book has anything to do.
pub(crate) fn has_rules(book: &RuleBook) -> bool {
    let reach = book.summary();
    reach.rules + reach.dialogs + reach.schedules > 0
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
    use std::collections::BTreeMap;
    use std::time::Duration;

    use mynah_programs::{Role, Source, Spec, Who};
    use mynah_rules::Disk;

    use super::*;
    use crate::testing::files::OneFile;

    /// The sandbox and its page read a file by the same rules as `check`.
    #[test]
    fn a_file_is_tried_for_the_service_that_it_is_meant_for() {
        let bot = Bot::new();
        let folder = tempfile::tempdir().unwrap();
        let main = folder.path().join(FILE);
        let notes = |head: &str, judged_for: Option<&dyn Connector>| {
            let rules = "[[rule]]\nkeyword = \"a\"\nreply = \"b\"\nat_sender = true\n";
            std::fs::write(&main, format!("{head}{rules}")).unwrap();
            let loaded = load_to_try(&main, &Disk, &bot, judged_for);
            assert!(loaded.book.is_some());
            loaded.diagnostics.iter().any(|one| one.code == "transport")
        };
        for service in bot.services().iter() {
            let is_noted = !service.capabilities().mention_alerts;
            assert_eq!(notes("", Some(service)), is_noted);
            let head = format!("[bot]\ntransport = \"{}\"\n\n", service.name());
            assert_eq!(notes(&head, None), is_noted);
        }
    }

    #[test]
    fn a_rule_cannot_run_a_fallback_of_the_settings() {
        let spec = |name: &str, role| Spec {
            name: name.to_owned(),
            source: Source::Model(Box::default()),
            role,
            reads: Vec::new(),
            timeout: Duration::from_secs(1),
            at_once: 1,
            settings: BTreeMap::new(),
            media: None,
        };
        let specs = vec![
            spec("run", Role::Run),
            spec("rest", Role::Fallback(Who::default())),
            spec("first", Role::Before(Who::default())),
        ];
        let bot = Bot::new().declare(specs).unwrap();
        let errors = |name: &str| {
            let file = OneFile(format!("[[rule]]\nkeyword = 'a'\nrun = '{name}'\n"));
            let loaded = load_to_try(Path::new(OneFile::NAME), &file, &bot, None);
            render(&loaded, Lang::En, false, false)
        };
        assert_eq!(errors("run"), "");
        assert!(errors("rest").contains("it is a fallback"), "{}", errors("rest"));
        assert!(errors("first").contains("before the rules"), "{}", errors("first"));
        assert!(errors("other").contains("registered: run"), "{}", errors("other"));
    }

    #[test]
    fn a_file_that_asks_is_used_only_with_its_hosts_and_secrets() {
        let rule = |url: &str| {
            format!("[[rule]]\nkeyword = \"a\"\nfetch = {{ url = \"{url}\" }}\nreply = \"b\"\n")
        };
        let plain = rule("https://api.example.com/x");
        let secret = rule("https://api.example.com/?k=${KEY}");
        let (elsewhere, unsafe_secret) =
            (rule("https://other.example.com/?k=${KEY}"), rule("http://api.example.com/?k=${KEY}"));
        let path = rule("https://api.example.com/?k=${PATH}");
        let hosts = |hosts: &[&str]| hosts.iter().map(|host| host.parse().unwrap()).collect();
        let key = mynah_fetch::HostSecret {
            host: "api.example.com".parse().unwrap(),
            value: mynah_fetch::SecretText::new("s3cret"),
        };
        let opened = mynah_fetch::FetchSettings {
            hosts: hosts(&["api.example.com", "other.example.com"]),
            secrets: [("KEY".to_owned(), key)].into(),
            ..mynah_fetch::FetchSettings::default()
        };
        let (closed, opened) = (Bot::new(), Bot::new().fetching(opened));
        let folder = tempfile::tempdir().unwrap();
        let main = folder.path().join(FILE);
        let service = sandbox_service().capabilities();
        let opens =
            "if the bot may ask it, add to mynah.toml: [fetch] hosts = [\"api.example.com\"]";
        let gives = |name: &str, host: &str| {
            format!("the operator did not give the secret {name} to {host}")
        };
        for (rules, bot, expected) in [
            (&plain, &closed, Some(opens.to_owned())),
            (&plain, &opened, None),
            (&secret, &opened, None),
            (&path, &opened, Some(gives("PATH", "api.example.com"))),
            (&elsewhere, &opened, Some(gives("KEY", "other.example.com"))),
            (&unsafe_secret, &opened, Some(gives("KEY", "api.example.com"))),
        ] {
            std::fs::write(&main, rules).unwrap();
            let loaded = load(&main, &Disk, bot, &service);
            let report = render(&loaded, Lang::En, false, false);
            assert_eq!(loaded.book.is_none(), expected.is_some(), "{rules}\n{report}");
            assert!(report.contains(&expected.unwrap_or_default()), "{rules}\n{report}");
            // The sandbox and `check` without settings show the request.
            assert!(load_to_try(&main, &Disk, bot, None).book.is_some(), "{rules}");
            // With settings on its command line, `check` says what `run` says.
            let judging = bot.clone().judging_hosts(true);
            let is_refused = load_to_try(&main, &Disk, &judging, None).book.is_none();
            assert_eq!(is_refused, loaded.book.is_none(), "{rules}");
        }
    }

    #[test]
    fn an_emptied_file_is_a_mistake_where_there_were_rules() {
        let folder = tempfile::tempdir().unwrap();
        let main = folder.path().join(FILE);
        let load = |text: &str| {
            std::fs::write(&main, text).unwrap();
            load_to_try(&main, &Disk, &Bot::new(), None)
        };
        let rule = "[[rule]]\nkeyword = \"a\"\nreply = \"b\"\n";
        let schedule = "[[schedule]]\nevery = \"1h\"\nto = \"g\"\nsend = \"b\"\n";
        for (old, new, expected) in [
            (rule, "", true),
            (schedule, "", true),
            (rule, "# off\n", false),
            (rule, "\n", false),
            ("# off\n", "", false),
        ] {
            let old = load(old).book.unwrap();
            let new = load(new);
            for (lang, words) in [(Lang::En, "the file is empty"), (Lang::Zh, "文件是空的")] {
                let mistakes = Mistakes::of_emptied(&new, &old, lang);
                let is_told = |found: &Mistakes| found.count == 1 && found.report.contains(words);
                assert_eq!(mistakes.as_ref().is_some_and(is_told), expected);
                assert_eq!(mistakes.is_some(), expected);
            }
        }
    }

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
