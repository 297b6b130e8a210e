//! The compiled rules of a process: accounts with the same files share one rule book, also after a reload.
//!
//! Files are compared by content: all that loading asked of the file system is asked again, and the answers must be the same.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use mynah_core::Capabilities;
use mynah_fetch::FetchSettings;
use mynah_rules::{Files, Lang, Loaded, RuleBook};
use tokio::runtime::Handle;

use crate::reload::SharedFiles;
use crate::rule_file::Mistakes;
use crate::{Bot, rule_file};

/// The compiled rules of a process. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct RuleBooks(Arc<Mutex<BTreeMap<Key, Arc<Place>>>>);

/// A main file, and the service that its rules are judged for.
type Key = (PathBuf, &'static str);

/// The rules of one main file for one service. Locked while they are read, so that others who want the same wait for them.
#[derive(Default)]
struct Place(Mutex<Option<Known>>);

/// The request for the rules of an account.
pub(crate) struct RuleSource {
    /// The main rule file.
    pub(crate) main: PathBuf,
    /// Where it and the files beside it are.
    pub(crate) files: Arc<SharedFiles>,
    /// The handlers that rules may run.
    pub(crate) bot: Bot,
    /// The capabilities of the service.
    pub(crate) capabilities: Arc<Capabilities>,
    /// The language of diagnostics, given that of the files.
    pub(crate) lang: Box<dyn Fn(Option<Lang>) -> Lang + Send + Sync>,
}

/// The rules as they were read.
#[derive(Clone)]
pub(crate) struct ReadRules {
    /// The rules, or the mistakes in them.
    pub(crate) book: Result<Arc<RuleBook>, Mistakes>,
    /// The main file had no text, in these words.
    pub(crate) emptied: Option<Mistakes>,
    /// The files that were read.
    pub(crate) files: Vec<PathBuf>,
    /// The language that the files ask for.
    pub(crate) lang: Option<Lang>,
}

/// Rules that were read before.
struct Known {
    /// What the file system answered.
    asked: Vec<(Question, u64)>,
    /// What the rules were judged by.
    grounds: Grounds,
    /// Whether the tests of the files were played.
    are_tested: bool,
    book: Result<Weak<RuleBook>, Mistakes>,
    emptied: Option<Mistakes>,
    files: Vec<PathBuf>,
    lang: Option<Lang>,
}

/// Everything beside the files that the result of loading depends on.
#[derive(PartialEq)]
struct Grounds {
    names: Vec<String>,
    unruled: Vec<(String, &'static str)>,
    tables: Vec<(String, String)>,
    fetch: FetchSettings,
}

impl RuleSource {
    fn grounds(&self) -> Grounds {
        let bot = &self.bot;
        Grounds {
            names: bot.names(),
            unruled: bot.declared().unruled(),
            tables: bot.grounds(),
            fetch: bot.fetch_client().settings().as_ref().clone(),
        }
    }
}

impl RuleBooks {
    /// Reads the rules of an account at its start, and the diagnostics if they were not read before with the same result.
    pub(crate) fn read(&self, source: &RuleSource) -> (ReadRules, Option<Loaded>) {
        self.get(source, None)
    }

    /// Reads the rules and plays the tests of the files; a failed test is a mistake.
    pub(crate) fn read_and_test(&self, source: &RuleSource, runtime: &Handle) -> ReadRules {
        self.get(source, Some(runtime)).0
    }

    fn get(&self, source: &RuleSource, tests: Option<&Handle>) -> (ReadRules, Option<Loaded>) {
        let place = self.place(source);
        let mut known = lock(&place.0);
        let grounds = source.grounds();
        let usable = known.as_ref().filter(|known| known.grounds == grounds);
        let usable = usable.filter(|known| known.are_tested || tests.is_none());
        if let Some(rules) = usable.and_then(|known| known.if_unchanged(&*source.files)) {
            return (rules, None);
        }
        let recorded = Recorded { files: &*source.files, asked: Mutex::default() };
        let RuleSource { main, bot, capabilities, lang, .. } = source;
        let loaded = rule_file::load(main, &recorded, bot, capabilities);
        let lang = lang(loaded.lang);
        let mistakes = match tests {
            Some(runtime) => runtime.block_on(rule_file::mistakes(&loaded, bot, lang)),
            None => loaded.book.is_none().then(|| Mistakes::of_errors(&loaded, lang)),
        };
        let rules = ReadRules {
            book: match (mistakes, &loaded.book) {
                (None, Some(book)) => Ok(Arc::clone(book)),
                (mistakes, _) => {
                    Err(mistakes.unwrap_or_else(|| Mistakes::of_errors(&loaded, lang)))
                }
            },
            emptied: Mistakes::of_empty_file(&loaded, lang),
            files: loaded.sources.files().map(|(_, path)| path.to_owned()).collect(),
            lang: loaded.lang,
        };
        let asked = recorded.asked.into_inner().unwrap_or_else(PoisonError::into_inner);
        *known = Some(Known::new(&rules, asked, grounds, tests.is_some()));
        (rules, Some(loaded))
    }

    fn place(&self, source: &RuleSource) -> Arc<Place> {
        let key = (source.main.clone(), source.capabilities.transport);
        let mut places = lock(&self.0);
        // Of files that no account has any more.
        places.retain(|other, place| {
            *other == key || Arc::strong_count(place) > 1 || place.is_used()
        });
        Arc::clone(places.entry(key).or_default())
    }
}

impl Place {
    /// Whether an account may still have these rules.
    fn is_used(&self) -> bool {
        match &*lock(&self.0) {
            Some(known) => known.book.as_ref().map_or(true, |book| book.strong_count() > 0),
            None => false,
        }
    }
}

impl Known {
    fn new(
        rules: &ReadRules,
        asked: Vec<(Question, u64)>,
        grounds: Grounds,
        are_tested: bool,
    ) -> Self {
        let ReadRules { book, emptied, files, lang } = rules.clone();
        let book = book.map(|book| Arc::downgrade(&book));
        Self { asked, grounds, are_tested, book, emptied, files, lang }
    }

    /// The same rules, if the files are the same and an account still has them.
    fn if_unchanged(&self, files: &SharedFiles) -> Option<ReadRules> {
        let book = match &self.book {
            Ok(book) => Ok(book.upgrade()?),
            Err(mistakes) => Err(mistakes.clone()),
        };
        let is_unchanged =
            self.asked.iter().all(|(question, answer)| question.ask(files) == *answer);
        let (emptied, files, lang) = (self.emptied.clone(), self.files.clone(), self.lang);
        is_unchanged.then_some(ReadRules { book, emptied, files, lang })
    }
}

/// A question to the file system.
enum Question {
    Read(PathBuf),
    ReadInside(PathBuf, PathBuf),
    ReadTable(PathBuf, PathBuf),
    Size(PathBuf, PathBuf),
    List(PathBuf),
}

impl Question {
    /// Asks again.
    fn ask(&self, files: &dyn Files) -> u64 {
        match self {
            Self::Read(path) => answer(&files.read(path)),
            Self::ReadInside(folder, path) => answer(&files.read_inside(folder, path)),
            Self::ReadTable(folder, path) => answer(&files.read_table(folder, path)),
            Self::Size(folder, path) => answer(&files.size(folder, path)),
            Self::List(folder) => list(&files.list(folder)),
        }
    }
}

/// An answer of the file system, as a hash.
fn answer<T: Hash>(answer: &io::Result<T>) -> u64 {
    let mut hasher = DefaultHasher::new();
    answer.as_ref().map_err(|error| (error.kind(), error.to_string())).hash(&mut hasher);
    hasher.finish()
}

/// A listing, which comes in any order.
fn list(found: &io::Result<Vec<PathBuf>>) -> u64 {
    let sorted = found.as_ref().map(|paths| {
        let mut paths: Vec<&PathBuf> = paths.iter().collect();
        paths.sort_unstable();
        paths
    });
    let mut hasher = DefaultHasher::new();
    sorted.map_err(|error| (error.kind(), error.to_string())).hash(&mut hasher);
    hasher.finish()
}

/// Files that keep the questions, with their answers as hashes.
struct Recorded<'a> {
    files: &'a SharedFiles,
    asked: Mutex<Vec<(Question, u64)>>,
}

impl Recorded<'_> {
    fn keep<T: Hash>(&self, question: Question, found: io::Result<T>) -> io::Result<T> {
        lock(&self.asked).push((question, answer(&found)));
        found
    }
}

impl Files for Recorded<'_> {
    fn read(&self, path: &Path) -> io::Result<String> {
        self.keep(Question::Read(path.to_owned()), self.files.read(path))
    }

    fn read_inside(&self, folder: &Path, path: &Path) -> io::Result<String> {
        let question = Question::ReadInside(folder.to_owned(), path.to_owned());
        self.keep(question, self.files.read_inside(folder, path))
    }

    fn read_table(&self, folder: &Path, path: &Path) -> io::Result<Vec<u8>> {
        let question = Question::ReadTable(folder.to_owned(), path.to_owned());
        self.keep(question, self.files.read_table(folder, path))
    }

    fn size(&self, folder: &Path, path: &Path) -> io::Result<u64> {
        let question = Question::Size(folder.to_owned(), path.to_owned());
        self.keep(question, self.files.size(folder, path))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let found = self.files.list(folder);
        lock(&self.asked).push((Question::List(folder.to_owned()), list(&found)));
        found
    }

    fn defaults(&self) -> Vec<(String, String)> {
        self.files.defaults()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use mynah_core::{Flow, handler_fn};
    use mynah_rules::Disk;

    use super::*;

    fn source(main: &Path) -> RuleSource {
        let capabilities = Arc::new(Capabilities::everything("any"));
        let (main, bot) = (main.to_owned(), Bot::new());
        RuleSource { main, files: Arc::new(Disk), bot, capabilities, lang: Box::new(|_| Lang::En) }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_same_files_are_compiled_once_and_changed_ones_anew() {
        let folder = tempfile::tempdir().unwrap();
        let main = folder.path().join("bot.toml");
        let list = folder.path().join("cities.txt");
        let rules = "include = [\"more/*.toml\"]\n[lists]\ncity = { file = \"cities.txt\" }\n[[rule]]\npattern = \"{c:city}\"\nreply = \"a\"\n";
        let test = "[[test]]\nscript = '''\nAnn: Rome\n> b\n'''\n";
        std::fs::write(&main, rules).unwrap();
        std::fs::write(&list, "Rome\n").unwrap();
        let books = RuleBooks::default();
        let book = || books.read(&source(&main)).0.book.unwrap();
        let first = book();
        assert!(books.read(&source(&main)).1.is_none(), "it is not loaded again");
        assert!(Arc::ptr_eq(&first, &book()));
        // Another file that the rules name.
        std::fs::write(&list, "Rome\nOslo\n").unwrap();
        let second = book();
        assert!(!Arc::ptr_eq(&first, &second));
        // A file beside the main one.
        std::fs::create_dir(folder.path().join("more")).unwrap();
        std::fs::write(
            folder.path().join("more/rules.toml"),
            "[[rule]]\nexact = \"x\"\nreply = \"y\"\n",
        )
        .unwrap();
        assert_eq!(book().rules().count(), 2);
        // Other handlers are other grounds.
        let other = RuleSource {
            bot: Bot::new().handler("h", handler_fn(|_, _| Ok(Flow::Stop))),
            ..source(&main)
        };
        let (third, fourth) = (book(), books.read(&other).0.book.unwrap());
        assert!(!Arc::ptr_eq(&third, &fourth));
        // A failed test is a mistake for all, and is found once.
        std::fs::write(&main, format!("{rules}{test}")).unwrap();
        let handle = Handle::current();
        let tested = tokio::task::spawn_blocking(move || {
            let twice = [(); 2].map(|()| books.read_and_test(&source(&main), &handle).book);
            twice.map(|book| book.unwrap_err().count)
        });
        assert_eq!(tested.await.unwrap(), [1, 1]);
    }
}
