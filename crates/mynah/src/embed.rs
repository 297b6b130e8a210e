//! A bot inside of another program: built in code, run as a future, stopped by another one.
//!
//! The program brings the runtime, the connection ([`Transport`]) and the store ([`Store`]). Nothing of the process is
//! touched: no command line, no settings file, no signal handler, no global log subscriber (messages go to `tracing`). A run
//! leaves nothing behind, so several bots run side by side, and one after the other in the same process.
//!
//! `examples/embedded.rs` of this crate runs as a test.
//!
//! ```
//! use std::sync::Arc;
//!
//! use mynah::core::Transport;
//! use mynah::embed::Ended;
//! use mynah::prelude::*;
//! use mynah::store::SqliteStore;
//!
//! # type Error = Box<dyn std::error::Error>;
//! async fn serve(transport: Box<dyn Transport>, stop: impl Future<Output = ()>) -> Result<Ended, Error> {
//!     let store = Arc::new(SqliteStore::in_memory());
//!     let rules = "[[rule]]\nkeyword = \"price\"\nreply = \"See the list.\"\n";
//!     let bot = Bot::new().embed("shop", store)?.rules(rules)?;
//!     Ok(bot.run_until(transport, stop).await)
//! }
//! ```

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mynah_core::{CalledBy, Capabilities, Records, Service, Source, Store, Transport, with_causes};
use mynah_page::Pages;
use mynah_rules::{Disk, Lang};
use mynah_runtime::Account;
use mynah_transports::Surroundings;
use tokio_util::sync::CancellationToken;

pub use mynah_runtime::{
    Control, Ended, LoopBreaker, NotRunning, Observer, Pacing, Rate, Settings, Trouble,
    UnknownPolicy,
};

use crate::alert::Alerts;
use crate::handlers::HandlerAccount;
use crate::observer::{AccountObserver, Moments};
use crate::reload::{Reloader, SharedFiles};
use crate::rule_books::RuleBooks;
use crate::rule_handler::{ActiveRules, RuleHandler};
use crate::stop::OpenService;
use crate::testing::files::OneFile;
use crate::view::console::Live;
use crate::{Bot, Report, rule_file, url_media};

/// A bot inside of another program; see the [module](self). Made by [`Bot::embed`].
///
/// One account. Without [`rules`](Self::rules) only the default rules of the bot, handlers before the rules and fallbacks
/// answer.
pub struct Embedded {
    bot: Bot,
    name: String,
    store: Arc<dyn Store>,
    settings: Settings,
    observers: Vec<Arc<dyn Observer>>,
    control: Control,
    rules: LoadedRules,
}

/// The folder for files of messages on their way.
enum MediaFolder {
    /// The one of the settings.
    Given(PathBuf),
    /// One for this run, removed at its end.
    Own(PathBuf),
}

impl MediaFolder {
    fn of(settings: &Settings) -> Self {
        /// Other runs in this process have folders of their own.
        static RUNS: AtomicU64 = AtomicU64::new(0);
        if let Some(folder) = &settings.save_folder {
            return Self::Given(folder.clone());
        }
        let name = || {
            let run = RUNS.fetch_add(1, Ordering::Relaxed);
            std::env::temp_dir().join(format!("mynah-run-{}-{run}", std::process::id()))
        };
        loop {
            let folder = name();
            match mynah_files::new_private_folder(&folder) {
                Ok(()) => return Self::Own(folder),
                // One of another process that had this id before, or of another user.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    let shown = folder.display();
                    tracing::warn!(%error, folder = %shown, "files of messages cannot be kept");
                    return Self::Given(folder);
                }
            }
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Given(folder) | Self::Own(folder) => folder,
        }
    }
}

impl Drop for MediaFolder {
    fn drop(&mut self) {
        if let Self::Own(folder) = self
            && let Err(error) = std::fs::remove_dir_all(&*folder)
        {
            tracing::warn!(%error, folder = %folder.display(), "the files of messages were not removed");
        }
    }
}

/// The rules, and where they were read.
struct LoadedRules {
    main: PathBuf,
    files: Arc<SharedFiles>,
    read: Vec<PathBuf>,
    active: Arc<ActiveRules>,
    called_by: CalledBy,
    lang: Lang,
}

impl Embedded {
    pub(crate) fn new(bot: Bot, name: String, store: Arc<dyn Store>) -> Result<Self, Report> {
        let none = Arc::new(OneFile(String::new()));
        let bot = bot.all_configured()?;
        let rules = LoadedRules::load(&bot, Path::new(OneFile::NAME), none)?;
        let (settings, control) = (Settings::default(), Control::new());
        Ok(Self { bot, name, store, settings, observers: Vec::new(), control, rules })
    }

    /// The rules, as the text of a `bot.toml`.
    ///
    /// # Errors
    ///
    /// If the text has mistakes; the report holds them all.
    pub fn rules(self, text: impl Into<String>) -> Result<Self, Report> {
        self.load(Path::new(OneFile::NAME), Arc::new(OneFile(text.into())))
    }

    /// The rules of a folder with a `bot.toml`, or of a rule file. They are read now, and again at `builtin.reload`.
    ///
    /// # Errors
    ///
    /// If the file has mistakes; the report holds them all.
    pub fn rules_from(self, path: impl AsRef<Path>) -> Result<Self, Report> {
        self.load(&rule_file::main_file(path.as_ref()), Arc::new(Disk))
    }

    /// The settings of the run; by default [`Settings::default`], whose pacing suits a real account. At the stop the session
    /// is kept, unless they say otherwise.
    #[must_use]
    pub fn settings(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    /// Adds an observer: it gets login prompts and the state of the connection, all turns, sends and problems.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observers.push(observer);
        self
    }

    /// A handle to the run, also while it goes on: to perform actions of the program
    /// ([`Perform`](mynah_core::Perform)), and to wait until all is answered ([`Control::idle`]).
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// For [`Connector::open`](mynah_transports::Connector::open): the clock of the bot, and the names that call it.
    #[must_use]
    pub fn surroundings(&self) -> Surroundings {
        let called_by = self.rules.called_by.clone();
        Surroundings { clock: self.bot.running_clock(), called_by, ..Surroundings::default() }
    }

    /// Runs the bot until `stop` is ready, the session is over or the source ends, and returns how it ended. After `stop`
    /// work under way may go on until the deadline of the settings; everything else waits in the store for the next run.
    ///
    /// The `[[handler]]` tables of [`Bot::settings`] are started at its beginning and stopped at its end. A language model among
    /// them has no memory here. Files of messages on their way are in the `save_folder` of the settings; without one they
    /// are in a folder of their own among the temporary files, which is removed at the end.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future is like the death of the process: nothing is lost, but actions in flight are in doubt.
    pub async fn run_until(
        self,
        transport: Box<dyn Transport>,
        stop: impl Future<Output = ()>,
    ) -> Ended {
        let (name, store) = (self.name.clone(), Arc::clone(&self.store));
        let control = self.control.clone();
        let bot = match self.bot.clone().start_handlers(false) {
            Ok(bot) => bot,
            Err(report) => return Ended::Unusable(report.to_string().into()),
        };
        let programs = bot.programs().clone();
        let media = MediaFolder::of(&self.settings);
        let (account, reloader) = Self { bot, ..self }.account(transport, media.path());
        reloader.announce().await;
        let stopping = CancellationToken::new();
        let mut run = Box::pin(mynah_runtime::run(account, control, stopping.clone()));
        let ended = tokio::select! {
            ended = &mut run => ended,
            () = stop => {
                stopping.cancel();
                run.await
            }
        };
        programs.stop().await;
        if let Err(error) = store.close().await {
            tracing::warn!(account = name, error = with_causes(&error), "the data was not closed");
        }
        ended
    }

    fn load(mut self, main: &Path, files: Arc<SharedFiles>) -> Result<Self, Report> {
        self.rules = LoadedRules::load(&self.bot, main, files)?;
        Ok(self)
    }

    /// Puts the account together.
    fn account(self, transport: Box<dyn Transport>, media: &Path) -> (Account, Arc<Reloader>) {
        let Self { bot, name, store, settings, mut observers, control, rules } = self;
        let clock = bot.running_clock();
        let (pages, live) = (Pages::default(), Arc::new(Live::default()));
        let service = OpenService::default();
        observers.insert(
            0,
            Arc::new(AccountObserver {
                account: name.clone(),
                pages: pages.clone(),
                alerts: Alerts::none(),
                screen: None,
                lang: rules.lang,
                clock: Arc::clone(&clock),
                dry_run: settings.dry_run,
                rules: Some((Arc::clone(&rules.active), Arc::clone(&service))),
                moments: Arc::<Moments>::default(),
                programs: bot.programs().clone(),
                live: Arc::clone(&live),
            }),
        );
        let of_account = HandlerAccount::new(&name, Arc::clone(&rules.active), media, None);
        let active = Arc::clone(&rules.active);
        let reloader = Arc::new(rules.reloader(&bot, (&name, &control), (pages, live)));
        let handler =
            Arc::new(RuleHandler::new(active, Arc::clone(&reloader) as _, bot.new_fetcher()));
        let account = Account {
            store,
            transport: url_media::fetching(
                Box::new(Shown { inner: transport, service }),
                bot.fetch_client(),
                media,
            ),
            handlers: bot.handlers(handler, &of_account),
            clock,
            settings,
            observer: Arc::new(observers),
            name,
        };
        (account, reloader)
    }
}

impl LoadedRules {
    fn load(bot: &Bot, main: &Path, files: Arc<SharedFiles>) -> Result<Self, Report> {
        let loaded = rule_file::load(main, &*files, bot, &capabilities());
        let lang = loaded.lang.unwrap_or_default();
        let Some(book) = &loaded.book else { return Err(rule_file::unusable(&loaded)) };
        Ok(Self {
            main: main.to_owned(),
            read: loaded.sources.files().map(|(_, path)| path.to_owned()).collect(),
            called_by: CalledBy::new(book.names().iter().cloned()),
            active: Arc::new(ActiveRules::new(Arc::clone(book))),
            files,
            lang,
        })
    }

    fn reloader(
        self,
        bot: &Bot,
        (account, control): (&str, &Control),
        (pages, live): (Pages, Arc<Live>),
    ) -> Reloader {
        let Self { main, files, read, active, called_by, lang } = self;
        Reloader {
            account: account.to_owned(),
            main,
            files,
            bot: bot.clone(),
            capabilities: capabilities(),
            active_rules: active,
            books: RuleBooks::default(),
            called_by,
            control: control.clone(),
            alerts: Alerts::none(),
            pages,
            live,
            clock: bot.running_clock(),
            lang,
            read: read.into(),
            swapped: Arc::default(),
        }
    }
}

/// The rules are judged before the transport is open, so for a service that can do everything.
fn capabilities() -> Arc<Capabilities> {
    Arc::new(Capabilities::everything("embedded"))
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bot, name, .. } = self;
        f.debug_struct("Embedded").field("name", name).field("bot", bot).finish_non_exhaustive()
    }
}

/// A transport whose service others see once it is open.
struct Shown {
    inner: Box<dyn Transport>,
    service: OpenService,
}

impl Transport for Shown {
    fn open(self: Box<Self>, records: Records) -> (Box<dyn Source>, Arc<dyn Service>) {
        let (source, service) = self.inner.open(records);
        // A transport is opened once.
        let _ = self.service.set(Arc::clone(&service));
        (source, service)
    }
}
