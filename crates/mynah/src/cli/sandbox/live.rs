//! The bot in the sandbox: the real transport and the real runtime, with everything in memory and without pacing.

use std::path::PathBuf;
use std::sync::Arc;

use mynah_core::{MessageId, Status, SystemClock};
use mynah_rules::RuleBook;
use mynah_runtime::{Account, Control, Ended as RunEnded, Observer, Pacing, Settings, Trouble};
use mynah_store::SqliteStore;
use mynah_transports::webwx::{CalledBy, Options, WebWx};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::ledger::{Ledger, Open};
use crate::rule_handler::RuleHandler;
use crate::{Bot, Ended, Report};

/// A bot that is logged in, or about to be.
#[derive(Debug)]
pub(super) struct Live {
    run: JoinHandle<RunEnded>,
    stop: CancellationToken,
    online: watch::Receiver<bool>,
    open: watch::Receiver<Open>,
    saves: PathBuf,
}

impl Live {
    /// Lets the bot log in to the server at `url`.
    pub(super) fn start(bot: &Bot, book: &Arc<RuleBook>, url: &str) -> Self {
        let ledger = Ledger::new(SqliteStore::in_memory());
        let open = ledger.open();
        let (lamp, online) = Lamp::new();
        let saves = std::env::temp_dir().join(format!("mynah-sandbox-{}", std::process::id()));
        let names = CalledBy::new(book.names().iter().cloned());
        let account = Account {
            name: "sandbox".to_owned(),
            store: Arc::new(ledger),
            transport: Box::new(WebWx::new(Options {
                server: Some(url.to_owned()),
                names,
                ..Options::default()
            })),
            handlers: bot.handlers(Arc::new(RuleHandler::alone(Arc::clone(book)))),
            clock: Arc::new(SystemClock),
            settings: settings(saves.clone()),
            observer: Arc::new(lamp),
        };
        let stop = CancellationToken::new();
        let run = tokio::spawn(mynah_runtime::run(account, Control::new(), stop.clone()));
        Self { run, stop, online, open, saves }
    }

    /// Waits until the bot is on line.
    pub(super) async fn online(&mut self) -> Result<(), Report> {
        tokio::select! {
            // Its other end lives in the run, so an error means what the other branch says better.
            Ok(_) = self.online.wait_for(|online| *online) => Ok(()),
            ended = &mut self.run => Err(ended_early(ended)),
        }
    }

    /// Waits until that message was handled and nothing is left to answer.
    pub(super) async fn settled(&mut self, message: &MessageId) -> Result<(), Report> {
        tokio::select! {
            Ok(_) = self.open.wait_for(|open| open.is_over(message)) => Ok(()),
            ended = &mut self.run => Err(ended_early(ended)),
        }
    }

    /// Waits until the bot ends by itself, which only trouble makes it do.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(super) async fn ended(&mut self) -> Report {
        ended_early((&mut self.run).await)
    }

    /// Logs out and ends in order.
    pub(super) async fn stop(self) -> Result<(), Report> {
        self.stop.cancel();
        let ended = self.run.await;
        // Only there if something was saved.
        let _ = std::fs::remove_dir_all(&self.saves);
        match ended {
            Ok(RunEnded::Stopped) => Ok(()),
            other => Err(ended_early(other)),
        }
    }
}

/// Nothing is slowed down: the sandbox blocks nobody, and a person who tries things repeats himself.
fn settings(saves: PathBuf) -> Settings {
    Settings {
        pacing: Pacing::off(),
        reply_max_age: None,
        loop_breaker: None,
        log_out_at_stop: true,
        save_folder: Some(saves),
        ..Settings::default()
    }
}

fn ended_early(ended: Result<RunEnded, tokio::task::JoinError>) -> Report {
    let what = |why: &str| format!("the bot has left the sandbox: {why}");
    match ended {
        Ok(RunEnded::Stopped) => Report::new(Ended::Unusable, what("it was stopped")),
        Ok(RunEnded::LoggedOut { reason }) => Report::new(Ended::LoggedOut, what(&reason)),
        Ok(RunEnded::Blocked { words }) => Report::new(Ended::Blocked, what(&words)),
        Ok(RunEnded::NotLoggedIn { reason }) => Report::new(Ended::NobodyLoggedIn, what(&reason)),
        Ok(RunEnded::Storage(error)) => {
            Report::new(Ended::Storage, what("its store failed")).because(error)
        }
        Ok(RunEnded::Unusable(error)) => {
            Report::new(Ended::Unusable, what("it cannot use this server")).because(error)
        }
        Err(error) => Report::new(Ended::Unusable, what("it broke down")).because(error),
    }
}

/// Shows whether the bot is on line, and logs what goes wrong.
struct Lamp(watch::Sender<bool>);

impl Lamp {
    fn new() -> (Self, watch::Receiver<bool>) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), receiver)
    }
}

impl Observer for Lamp {
    fn status(&self, status: &Status) {
        tracing::debug!(?status, "connection");
        self.0.send_replace(matches!(status, Status::Online { .. }));
    }

    fn trouble(&self, trouble: &Trouble) {
        match trouble {
            Trouble::HandlerFailed { handler, error, .. } => {
                tracing::error!(handler, error, "a handler failed; its effects are dropped");
            }
            other => tracing::warn!(trouble = ?other, "trouble"),
        }
    }
}
