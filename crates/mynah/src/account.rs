//! One account put together: rules, handlers, store, transport, and who watches them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mynah_core::{Clock, SystemClock};
use mynah_page::{Condition, Pages};
use mynah_rules::{Lang, Loaded, RuleBook};
use mynah_runtime::{Account, Control, Ended as RunEnded, Settings};
use mynah_store::{Inspector, SqliteStore};
use mynah_transports::webwx::{self, CalledBy, WebWx};
use tokio::task::JoinSet;

use crate::alert::{Alert, AlertKind, Alerts};
use crate::config::Secret;
use crate::login::LoginScreen;
use crate::observer::{Moments, Watch};
use crate::operate::{self, Desk, Voice};
use crate::reload::Reloader;
use crate::rule_handler::{RuleHandler, Shelf};
use crate::stop::{OpenService, Stop};
use crate::{Bot, Ended, Report};

/// What an account is to be.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Its name in logs, alerts and metrics.
    pub(crate) name: String,
    /// The main rule file.
    pub(crate) main: PathBuf,
    /// The folder that keeps everything.
    pub(crate) data: PathBuf,
    /// The server's base address, where it is not the service's own.
    pub(crate) server: Option<String>,
    /// The token of the desktop client.
    pub(crate) desktop: Option<Secret>,
    /// How long a login prompt waits for somebody.
    pub(crate) login_timeout: Duration,
    /// How it is run.
    pub(crate) settings: Settings,
    /// How long its log is kept, and how large it may grow.
    pub(crate) store: mynah_store::Options,
}

/// What all accounts of a process share.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    /// The handlers that rules may run.
    pub(crate) bot: Bot,
    /// The language of prompts and diagnostics.
    pub(crate) lang: Lang,
    /// Health and metrics.
    pub(crate) pages: Pages,
    /// Who is told when a person is needed.
    pub(crate) alerts: Alerts,
    /// How the process is stopped.
    pub(crate) stop: Stop,
}

/// An account that is ready to run: its data is open, nothing was sent yet.
pub(crate) struct Ready {
    account: Account,
    control: Control,
    watch: Arc<Watch>,
    reloader: Arc<Reloader>,
    desk: Arc<Desk>,
    data: PathBuf,
}

impl Plan {
    /// Opens the account's data and puts everything together. Nothing is sent before [`Ready::run`].
    pub(crate) fn open(
        self,
        loaded: &Loaded,
        book: Arc<RuleBook>,
        shared: &Shared,
    ) -> Result<Ready, Report> {
        let store = Arc::new(open_store(&self).inspect_err(|failure| {
            let now = SystemClock.now();
            let alert = Alert::new(AlertKind::Storage, &self.name, failure.to_string(), now);
            shared.alerts.send(alert, now);
        })?);
        let stop = shared.stop.account();
        let service = OpenService::default();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let called_by = CalledBy::new(book.names().iter().cloned());
        let shelf = Arc::new(Shelf::new(book));
        let control = Control::new();
        let reloader = Arc::new(Reloader {
            account: self.name.clone(),
            main: self.main.clone(),
            bot: shared.bot.clone(),
            capabilities: Arc::new(WebWx::capabilities()),
            shelf: Arc::clone(&shelf),
            called_by: called_by.clone(),
            control: control.clone(),
            alerts: shared.alerts.clone(),
            pages: shared.pages.clone(),
            clock: Arc::clone(&clock),
            lang: shared.lang,
            read: loaded
                .sources
                .files()
                .map(|(_, path)| path.to_owned())
                .collect::<Vec<_>>()
                .into(),
        });
        let watch =
            Arc::new(self.watch(shared, &clock, (Arc::clone(&shelf), Arc::clone(&service))));
        let desk = Arc::new(Desk {
            account: self.name.clone(),
            store: Arc::clone(&store),
            control: control.clone(),
            service: Arc::clone(&service),
            pages: shared.pages.clone(),
            stop: stop.clone(),
            clock: Arc::clone(&clock),
        });
        let rules = Arc::new(RuleHandler::new(shelf, Arc::clone(&reloader) as _));
        let account = Account {
            name: self.name.clone(),
            store,
            transport: stop.guard(Box::new(self.transport(called_by, &clock)), &service),
            handlers: shared.bot.clone().first("operator", Voice).handlers(rules),
            clock,
            settings: self.settings,
            observer: Arc::clone(&watch) as _,
        };
        Ok(Ready { account, control, watch, reloader, desk, data: self.data })
    }

    fn watch(
        &self,
        shared: &Shared,
        clock: &Arc<dyn Clock>,
        rules: (Arc<Shelf>, OpenService),
    ) -> Watch {
        let watch = Watch {
            account: self.name.clone(),
            pages: shared.pages.clone(),
            alerts: shared.alerts.clone(),
            screen: Some(LoginScreen::new(&self.name, &self.data, shared.lang)),
            clock: Arc::clone(clock),
            dry_run: self.settings.dry_run,
            rules: Some(rules),
            moments: Arc::<Moments>::default(),
        };
        watch.register_gauges(Inspector::open(&self.data).ok());
        shared.pages.health.set(&self.name, Condition::Starting, clock.now());
        watch
    }

    fn transport(&self, names: CalledBy, clock: &Arc<dyn Clock>) -> WebWx {
        WebWx::new(webwx::Options {
            server: self.server.clone(),
            desktop: self.desktop.as_ref().map(|token| webwx::DesktopToken::new(token.reveal())),
            names,
            clock: Arc::clone(clock),
            patience: self.login_timeout,
            ..webwx::Options::default()
        })
    }
}

fn open_store(plan: &Plan) -> Result<SqliteStore, Report> {
    SqliteStore::open(&plan.data, plan.store.clone()).map_err(|error| {
        let hint = error.remedy();
        let what = format!("failed to open the data of {} in {}", plan.name, plan.data.display());
        Report::new(Ended::Storage, what).because(error).hint(hint)
    })
}

impl Ready {
    /// What reloads its rules.
    pub(crate) fn reloader(&self) -> Arc<Reloader> {
        Arc::clone(&self.reloader)
    }

    /// Runs it until it is stopped or its session is over, and says how it ended.
    pub(crate) async fn run(self) -> Ended {
        let stop = self.desk.stop.token().clone();
        let name = self.account.name.clone();
        let reloader = self.reloader();
        let mut beside = JoinSet::new();
        beside.spawn(self.reloader.follow(stop.clone()));
        beside.spawn(operate::serve(self.data, self.desk, stop.clone()));
        tracing::info!(account = name, "starting");
        reloader.announce().await;
        let ended = Box::pin(mynah_runtime::run(self.account, self.control, stop.clone())).await;
        stop.cancel();
        while let Some(done) = beside.join_next().await {
            if let Err(error) = done {
                tracing::error!(%error, account = name, "something beside the account failed");
            }
        }
        tell(&self.watch, &ended)
    }
}

/// Tells how an account ended: log, health, alert, and the exit status that belongs to it.
fn tell(watch: &Watch, ended: &RunEnded) -> Ended {
    let account = watch.account.as_str();
    let (status, kind, text) = match ended {
        RunEnded::Stopped => {
            tracing::info!(account, "stopped");
            watch.ended("stopped");
            return Ended::Fine;
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
        RunEnded::NotLoggedIn { reason } => {
            (Ended::NobodyLoggedIn, AlertKind::NotLoggedIn, format!("nobody logged in: {reason}"))
        }
        RunEnded::Storage(error) => {
            (Ended::Storage, AlertKind::Storage, format!("{}; {}", chain(error), error.remedy()))
        }
        RunEnded::Unusable(error) => (
            Ended::Unusable,
            AlertKind::Unusable,
            format!("the service could not be used: {}", chain(&**error)),
        ),
    };
    tracing::error!(account, reason = text, status = status.code(), "ended");
    watch.ended(&text);
    let now = watch.clock.now();
    watch.alerts.send(Alert::new(kind, account, text, now), now);
    status
}

/// An error with all its causes on one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
