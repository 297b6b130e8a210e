//! One account put together: rules, handlers, store, transport, and who watches them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mynah_core::{CalledBy, Clock, Store, StoreError, StoreReader, Stores, Transport, with_causes};
use mynah_page::{Condition, Pages};
use mynah_rules::{Disk, Lang, RuleBook};
use mynah_runtime::{Account, Control, Ended as RunEnded, Settings};
use mynah_transports::{Connector, SettingError, Surroundings, Value, Values};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::alert::{Alert, AlertKind, Alerts};
use crate::boxed::boxed;
use crate::cli::Common;
use crate::handlers::{AccountHandlers, HandlerAccount};
use crate::login::{LoginScreen, PromptOutput};
use crate::observer::{AccountObserver, Moments};
use crate::operate::{self, OperatorApi, OperatorCommands, keep_service};
use crate::reload::{FileWatcher, Reloader};
use crate::rule_books::{RuleBooks, RuleSource};
use crate::rule_handler::{ActiveRules, RuleHandler};
use crate::stop::{AccountStop, FirstAsk, OpenService, Stop};
use crate::stores::{Options, ProcessStores};
use crate::supervisor::{LoginPace, RunEnd};
use crate::view::console::{AccountView, Archive, ConsoleFeed, Live};
use crate::{Bot, Ended, Report, secrets, url_media};

/// The settings of an account.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Its name in logs, alerts and metrics.
    pub(crate) name: String,
    /// The main rule file.
    pub(crate) main: PathBuf,
    /// The folder that keeps everything.
    pub(crate) data: PathBuf,
    /// The service.
    pub(crate) connector: &'static dyn Connector,
    /// The settings that belong to the service.
    pub(crate) values: Values,
    /// How long a login prompt waits for a person.
    pub(crate) login_timeout: Duration,
    /// How it is run.
    pub(crate) settings: Settings,
    /// How long its log is kept, and how large it may grow.
    pub(crate) store: Options,
    /// How long it waits before it first asks the service; its queues are served at once.
    pub(crate) first_ask_after: Duration,
}

/// The common state of all accounts of a process.
#[derive(Clone)]
pub(crate) struct Shared {
    /// The handlers that rules may run.
    pub(crate) bot: Bot,
    /// The places of the data of the accounts.
    pub(crate) stores: ProcessStores,
    /// The language of prompts and diagnostics.
    pub(crate) lang: Lang,
    /// The compiled rules.
    pub(crate) books: RuleBooks,
    /// The watcher of all rule files.
    pub(crate) watcher: FileWatcher,
    /// Where login prompts are printed.
    pub(crate) prompts: PromptOutput,
    /// Health and metrics.
    pub(crate) pages: Pages,
    /// Receives the alerts that a person is needed.
    pub(crate) alerts: Alerts,
    /// Receives the news for the console.
    pub(crate) feed: ConsoleFeed,
    /// How the process is stopped.
    pub(crate) stop: Stop,
    /// Notified when an account has taken new rules.
    pub(crate) swapped: Arc<Notify>,
}

/// An account that is ready to run: its data is open, nothing was sent yet.
pub(crate) struct Ready {
    account: Account,
    control: Control,
    watch: Arc<AccountObserver>,
    reloader: Arc<Reloader>,
    handlers: AccountHandlers,
    operator_api: Arc<OperatorApi>,
    data: PathBuf,
    watcher: FileWatcher,
    view: Arc<AccountView>,
    left_behind: Arc<AtomicBool>,
    connector: &'static dyn Connector,
    values: Values,
    lang: Lang,
}

/// The parts of an account that are there before it is put together.
pub(crate) struct Opening<'a> {
    /// Its rules.
    pub(crate) book: Arc<RuleBook>,
    /// The files of the rules.
    pub(crate) files: &'a [PathBuf],
    /// The store, if it is open already.
    pub(crate) store: Option<Arc<dyn Store>>,
    /// How it is stopped.
    pub(crate) stop: AccountStop,
    /// The pace of logins.
    pub(crate) pace: Arc<LoginPace>,
}

/// The common state of the parts of an account.
struct Parts<'a> {
    plan: &'a Plan,
    shared: &'a Shared,
    stores: Arc<dyn Stores>,
    store: Arc<dyn Store>,
    reader: Arc<dyn StoreReader>,
    clock: Arc<dyn Clock>,
    active_rules: Arc<ActiveRules>,
    called_by: CalledBy,
    control: Control,
    service: OpenService,
    stop: AccountStop,
    pace: Arc<LoginPace>,
    live: Arc<Live>,
}

impl Plan {
    /// Opens the account's data and puts everything together. Nothing is sent before [`Ready::run`].
    pub(crate) async fn open(
        &self,
        Opening { book, files, store, stop, pace }: Opening<'_>,
        shared: &Shared,
    ) -> Result<Ready, Report> {
        let values = self.values_with_secrets()?;
        let stores = shared.stores.of(&self.name, &self.data, &self.store);
        let place = shared.stores.place(&self.data);
        let store = match store {
            Some(store) => store,
            None => self.open_store(&*stores, &place).await?,
        };
        let parts = Parts {
            plan: self,
            shared,
            store,
            reader: reader(&self.name, &place, &*stores).await?,
            stores,
            clock: shared.bot.running_clock(),
            called_by: CalledBy::new(book.names().iter().cloned()),
            active_rules: Arc::new(ActiveRules::new(book)),
            control: Control::new(),
            service: OpenService::default(),
            stop,
            pace,
            live: Arc::new(Live::new(&self.name, shared.feed.clone())),
        };
        let transport = parts.transport(&values)?;
        let reloader = Arc::new(parts.reloader(files));
        let watch = Arc::new(parts.watch());
        let handlers = parts.handlers(Arc::clone(&reloader));
        let operator_api = Arc::new(parts.operator_api(Arc::clone(&reloader)));
        Ok(Ready {
            account: parts.account(transport, &handlers, Arc::clone(&watch)),
            handlers,
            control: parts.control.clone(),
            view: Arc::new(parts.account_view(&operator_api)),
            operator_api,
            data: self.data.clone(),
            watcher: shared.watcher.clone(),
            left_behind: shared.bot.left_behind(),
            connector: self.connector,
            values,
            lang: shared.lang,
            watch,
            reloader,
        })
    }

    /// The request for its rules.
    pub(crate) fn rules(&self, bot: &Bot, common: &Common) -> RuleSource {
        let common = common.clone();
        RuleSource {
            main: self.main.clone(),
            files: Arc::new(Disk),
            bot: bot.clone(),
            capabilities: self.connector.capabilities(),
            lang: Box::new(move |of_files| common.for_file(of_files).lang()),
        }
    }

    async fn open_store(&self, stores: &dyn Stores, place: &str) -> Result<Arc<dyn Store>, Report> {
        let opened = stores.open(&self.name).await;
        opened.map_err(|error| failed_to_open(&self.name, place, error))
    }

    /// The settings of its service, with the secrets of the environment and of its folder.
    fn values_with_secrets(&self) -> Result<Values, Report> {
        let mut values = self.values.clone();
        for source in self.connector.secrets() {
            if !values.has(source.key)
                && let Some(secret) = secrets::find(source, &self.data)?
            {
                values.set(source.key, Value::Text(secret.reveal().to_owned()));
            }
        }
        Ok(values)
    }
}

impl Parts<'_> {
    fn handlers(&self, reloader: Arc<Reloader>) -> AccountHandlers {
        let rules = Arc::new(RuleHandler::new(
            Arc::clone(&self.active_rules),
            reloader,
            self.shared.bot.new_fetcher(),
        ));
        let bot = self.shared.bot.clone().first("operator", OperatorCommands);
        let Plan { name, data, .. } = self.plan;
        let of_account = HandlerAccount::new(
            name,
            Arc::clone(&self.active_rules),
            data,
            Some(Arc::clone(&self.reader)),
        );
        bot.account_handlers(rules, &of_account)
    }

    fn account(
        &self,
        transport: Box<dyn Transport>,
        handlers: &AccountHandlers,
        watch: Arc<AccountObserver>,
    ) -> Account {
        Account {
            name: self.plan.name.clone(),
            store: Arc::clone(&self.store),
            transport: url_media::fetching(
                self.stop.guard(transport, &self.service, self.first_ask()),
                self.shared.bot.fetch_client(),
                &self.plan.data,
            ),
            handlers: handlers.all(),
            clock: Arc::clone(&self.clock),
            settings: self.plan.settings.clone(),
            observer: watch,
        }
    }

    fn first_ask(&self) -> FirstAsk {
        let Plan { first_ask_after, connector, .. } = *self.plan;
        FirstAsk { after: first_ask_after, connector, pace: Arc::clone(&self.pace) }
    }

    fn reloader(&self, files: &[PathBuf]) -> Reloader {
        Reloader {
            account: self.plan.name.clone(),
            main: self.plan.main.clone(),
            files: Arc::new(Disk),
            bot: self.shared.bot.clone(),
            capabilities: self.plan.connector.capabilities(),
            active_rules: Arc::clone(&self.active_rules),
            books: self.shared.books.clone(),
            called_by: self.called_by.clone(),
            control: self.control.clone(),
            alerts: self.shared.alerts.clone(),
            pages: self.shared.pages.clone(),
            live: Arc::clone(&self.live),
            clock: Arc::clone(&self.clock),
            lang: self.shared.lang,
            read: files.to_owned().into(),
            swapped: Arc::clone(&self.shared.swapped),
        }
    }

    fn watch(&self) -> AccountObserver {
        let Plan { name, data, settings, connector, .. } = self.plan;
        let watch = AccountObserver {
            account: name.clone(),
            pages: self.shared.pages.clone(),
            alerts: self.shared.alerts.clone(),
            screen: Some(LoginScreen::new(
                name,
                data,
                (self.shared.lang, self.shared.prompts),
                *connector,
            )),
            lang: self.shared.lang,
            clock: Arc::clone(&self.clock),
            dry_run: settings.dry_run,
            rules: Some((Arc::clone(&self.active_rules), Arc::clone(&self.service))),
            moments: Arc::<Moments>::default(),
            programs: self.shared.bot.programs().clone(),
            live: Arc::clone(&self.live),
        };
        watch.register_gauges(Some(Arc::clone(&self.reader)));
        self.shared.pages.health.set(name, Condition::Starting, self.clock.now());
        watch
    }

    fn operator_api(&self, reloader: Arc<Reloader>) -> OperatorApi {
        OperatorApi {
            account: self.plan.name.clone(),
            store: Arc::clone(&self.store),
            reader: Arc::clone(&self.reader),
            control: self.control.clone(),
            service: Arc::clone(&self.service),
            active_rules: Arc::clone(&self.active_rules),
            reloader,
            pages: self.shared.pages.clone(),
            stop: self.stop.clone(),
            clock: Arc::clone(&self.clock),
            connector: self.plan.connector,
            programs: self.shared.bot.programs().clone(),
        }
    }

    fn account_view(&self, operator_api: &Arc<OperatorApi>) -> AccountView {
        AccountView {
            name: self.plan.name.clone(),
            live: Arc::clone(&self.live),
            archive: Archive::new(&self.plan.name, Arc::clone(&self.stores)),
            active_rules: Arc::clone(&self.active_rules),
            service: Arc::clone(&self.service),
            control: self.control.clone(),
            connector: self.plan.connector,
            operator_api: Arc::downgrade(operator_api),
        }
    }

    fn transport(&self, values: &Values) -> Result<Box<dyn Transport>, Report> {
        let around = Surroundings {
            called_by: self.called_by.clone(),
            clock: Arc::clone(&self.clock),
            patience: self.plan.login_timeout,
            is_at_rest: false,
        };
        let opened = self.plan.connector.open(values, &around);
        opened.map_err(|error| wrong_setting(&self.plan.name, &error, self.shared.lang))
    }
}

impl Ready {
    /// Reloads its rules.
    pub(crate) fn reloader(&self) -> Arc<Reloader> {
        Arc::clone(&self.reloader)
    }

    /// What changed settings reach while it runs.
    pub(crate) fn reloads(&self) -> (Arc<Reloader>, AccountHandlers) {
        (self.reloader(), self.handlers.clone())
    }

    /// The view of it for the console.
    pub(crate) fn view(&self) -> Arc<AccountView> {
        Arc::clone(&self.view)
    }

    /// Runs it until it is stopped or its session is over, and says how it ended.
    pub(crate) async fn run(self) -> RunEnd {
        let stop = self.operator_api.stop.token().clone();
        let name = self.account.name.clone();
        let reloader = self.reloader();
        let store = Arc::clone(&self.operator_api.store);
        let mut beside = JoinSet::new();
        beside.spawn(boxed(self.reloader.follow(self.watcher, stop.clone())));
        beside.spawn(boxed(operate::serve(self.data.clone(), self.operator_api, stop.clone())));
        tracing::info!(account = name, "starting");
        if let Err(error) = keep_service(&*store, self.connector, self.watch.clock.now()).await {
            tracing::warn!(
                account = name,
                error = &error as &dyn std::error::Error,
                "the name of the service was not stored"
            );
        }
        reloader.announce().await;
        let control = self.control.clone();
        let ended = Box::pin(mynah_runtime::run(self.account, self.control, stop.clone())).await;
        if control.has_left_behind() {
            self.left_behind.store(true, Ordering::Relaxed);
        }
        stop.cancel();
        while let Some(done) = beside.join_next().await {
            if let Err(error) = done {
                tracing::error!(%error, account = name, "something beside the account failed");
            }
        }
        complete(&name, store).await;
        let refused = |words: &str| {
            let words = self.connector.refused_login(words, &self.values, &self.data);
            words.of(self.lang).to_owned()
        };
        let is_passing = matches!(&ended, RunEnded::Storage(error) if error.is_passing());
        RunEnd { ended: tell(&self.watch, &ended, refused), is_passing }
    }
}

/// Leaves the data in one file, which can be copied and moved as it is.
async fn complete(account: &str, store: Arc<dyn Store>) {
    if let Err(error) = store.close().await {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(
            account,
            error,
            "the data was not written into one file; mynah.db-wal belongs to it"
        );
    }
}

/// The report about a setting of an account that its service cannot use.
fn wrong_setting(account: &str, error: &SettingError, lang: Lang) -> Report {
    let words = error.words.of(lang);
    Report::new(Ended::Usage, format!("{account}: {}: {words}", error.key))
}

/// A reader of the data of an account whose store is open.
async fn reader(
    account: &str,
    place: &str,
    stores: &dyn Stores,
) -> Result<Arc<dyn StoreReader>, Report> {
    let reader = stores
        .reader(account)
        .await
        .and_then(|reader| reader.ok_or_else(|| StoreError::Gone { place: place.to_owned() }));
    reader.map_err(|error| failed_to_open(account, place, error))
}

fn failed_to_open(account: &str, place: &str, error: StoreError) -> Report {
    Report::of_store(&format!("open the data of {account} in {place}"), error)
}

/// Reports how an account ended: log, health, alert, and its exit status.
fn tell(
    watch: &AccountObserver,
    ended: &RunEnded,
    refused_login: impl Fn(&str) -> String,
) -> Ended {
    let account = watch.account.as_str();
    let (status, kind, text) = match ended {
        RunEnded::Stopped => {
            tracing::info!(account, "stopped");
            watch.ended("stopped");
            return Ended::Fine;
        }
        RunEnded::Finished => {
            tracing::info!(account, "the input ended, and everything is answered");
            watch.ended("finished");
            return Ended::Fine;
        }
        RunEnded::Storage(error @ StoreError::LeaseLost) => {
            tracing::warn!(account, "ended: {error}");
            watch.ended(&error.to_string());
            return Ended::Storage;
        }
        RunEnded::LoggedOut { reason } => (
            Ended::LoggedOut,
            AlertKind::LoggedOut,
            format!("the account was logged out: {reason}"),
        ),
        RunEnded::Blocked { words } => (
            Ended::Blocked,
            AlertKind::Blocked,
            format!("the service refuses this account: {words}"),
        ),
        RunEnded::LoginRefused { words } => {
            (Ended::Blocked, AlertKind::Blocked, refused_login(words))
        }
        RunEnded::NotLoggedIn { reason } => (
            Ended::NobodyLoggedIn,
            AlertKind::NotLoggedIn,
            format!("the login timed out: {reason}"),
        ),
        RunEnded::Storage(error) => (
            Ended::Storage,
            AlertKind::Storage,
            format!("{}; {}", with_causes(error), error.remedy()),
        ),
        RunEnded::Unusable(error) => (
            Ended::Unusable,
            AlertKind::Unusable,
            format!("the service could not be used: {}", with_causes(&**error)),
        ),
    };
    tracing::error!(account, reason = text, status = status.code(), "ended");
    watch.ended(&text);
    let now = watch.clock.now();
    watch.alerts.send(Alert::new(kind, account, text, now), now);
    status
}
