//! The bot in the sandbox: the real transport and the real runtime, with everything in memory and without pacing.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mynah_core::{
    CalledBy, Clock as _, Decided, Event, EventBody, EventId, MessageId, Outcome, Outgoing, Status,
    StoreReader, Timestamp, Transport,
};
use mynah_page::view::News;
use mynah_rules::{Lang, RuleBook};
use mynah_runtime::{Account, Control, Ended as RunEnded, Observer, Pacing, Settings, Trouble};
use mynah_transports::{Surroundings, Value, Values};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::ledger::{Ledger, Open};
use super::remark::{Remark, Remarks};
use super::saves::SaveFolder;
use crate::fetcher::Fetcher;
use crate::handlers::{AccountHandlers, HandlerAccount};
use crate::rule_handler::{ActiveRules, RuleHandler};
use crate::view::clock::AheadClock;
use crate::view::recorder::EventRecorder;
use crate::view::sandbox::{FileState, news};
use crate::{Bot, Ended, Report, rule_file, stores, url_media};

/// A bot that is logged in, or about to be.
#[derive(Debug)]
pub(super) struct Live {
    run: JoinHandle<RunEnded>,
    stop: CancellationToken,
    online: watch::Receiver<bool>,
    open: watch::Receiver<Open>,
    saves: SaveFolder,
    remark: Remarks,
    session: SandboxSession,
    handlers: AccountHandlers,
}

/// The parts of the bot that the web page needs.
#[derive(Debug, Clone)]
pub(super) struct SandboxSession {
    /// The rules that turns begin with.
    pub(super) active_rules: Arc<ActiveRules>,
    /// The names by which the bot is called.
    pub(super) called_by: CalledBy,
    /// The running account.
    pub(super) control: Control,
    /// Its clock.
    pub(super) clock: Arc<AheadClock>,
    /// Whether the rule file could be used.
    pub(super) rules: Arc<FileState>,
    /// How the requests of the rules are answered.
    pub(super) fetcher: Fetcher,
    /// Who knows why it answered.
    pub(super) recorder: Arc<EventRecorder>,
    /// The channel of its news.
    pub(super) news: broadcast::Sender<Arc<News>>,
}

impl SandboxSession {
    fn of(book: &Arc<RuleBook>, bot: &Bot) -> Self {
        let fetcher = bot.new_fetcher();
        let active_rules = Arc::new(ActiveRules::new(Arc::clone(book)));
        Self {
            called_by: CalledBy::new(book.names().iter().cloned()),
            control: Control::new(),
            clock: Arc::default(),
            rules: Arc::default(),
            recorder: Arc::new(EventRecorder::new(Arc::clone(&active_rules), fetcher.clone())),
            fetcher,
            news: news(),
            active_rules,
        }
    }
}

impl Live {
    /// Lets the bot with the rules of this file log in to the server at `url`. Beside it: where remarks arrive.
    pub(super) async fn start(
        bot: &Bot,
        (book, main): (&Arc<RuleBook>, &Path),
        url: &str,
        saves: SaveFolder,
        lang: Lang,
    ) -> Result<(Self, mpsc::UnboundedReceiver<Remark>), Report> {
        let session = SandboxSession::of(book, bot);
        let (remark, remarks) = Remarks::new(session.news.clone(), lang, saves.path(), main);
        let store = stores::in_memory();
        let log: Arc<dyn StoreReader> = Arc::clone(&store) as _;
        let ledger = Ledger::new(store, Arc::clone(&session.recorder), remark.clone());
        let open = ledger.open();
        let (lamp, online) = SandboxObserver::new(session.clone(), remark.clone());
        let rules =
            Arc::new(RuleHandler::on(Arc::clone(&session.active_rules), session.fetcher.clone()));
        let active_rules = Arc::clone(&session.active_rules);
        let of_account = HandlerAccount::new("sandbox", active_rules, saves.path(), Some(log));
        let handlers = bot
            .clone()
            .first("recorder", Arc::clone(&session.recorder))
            .account_handlers(rules, &of_account);
        let account = Account {
            name: "sandbox".to_owned(),
            store: Arc::new(ledger),
            transport: url_media::fetching(
                transport(url, &session)?,
                bot.fetch_client(),
                saves.path(),
            ),
            handlers: handlers.all(),
            clock: Arc::clone(&session.clock) as _,
            settings: settings(saves.path()),
            observer: Arc::new(lamp),
        };
        let stop = CancellationToken::new();
        let run = tokio::spawn(mynah_runtime::run(account, session.control.clone(), stop.clone()));
        start_schedules(&session.control, session.clock.now()).await;
        Ok((Self { run, stop, online, open, saves, remark, session, handlers }, remarks))
    }

    /// The parts of the bot that the web page needs.
    pub(super) fn session(&self) -> &SandboxSession {
        &self.session
    }

    /// Its handlers, which are put together again when those of the settings change.
    pub(super) fn handlers(&self) -> AccountHandlers {
        self.handlers.clone()
    }

    /// Where remarks about it are made.
    pub(super) fn remarks(&self) -> Remarks {
        self.remark.clone()
    }

    /// Whether the bot does anything in answer to that message, which was handled.
    pub(super) fn answers(&self, message: &MessageId) -> bool {
        self.open.borrow().promised_for(message)
    }

    /// Waits until the bot is online.
    pub(super) async fn online(&mut self) -> Result<(), Report> {
        tokio::select! {
            // Its other end is in the run, so the other branch explains an error better.
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
        self.saves.leave();
        match ended {
            Ok(RunEnded::Stopped | RunEnded::Finished) => Ok(()),
            other => Err(ended_early(other)),
        }
    }
}

/// Lets the rules set their schedules.
async fn start_schedules(control: &Control, time: Timestamp) {
    let event = Event { id: EventId::new("started"), time, body: EventBody::Started };
    // Only a bot that has ended already takes no events, which is reported elsewhere.
    let _ = control.inject(vec![event]).await;
}

/// A connection to the server of the sandbox.
fn transport(url: &str, session: &SandboxSession) -> Result<Box<dyn Transport>, Report> {
    let mut values = Values::default();
    values.set("server", Value::Text(url.to_owned()));
    let around = Surroundings {
        called_by: session.called_by.clone(),
        clock: Arc::clone(&session.clock) as _,
        ..Surroundings::default()
    };
    rule_file::sandbox_service().open(&values, &around).map_err(|error| {
        Report::new(Ended::Unusable, "failed to connect the bot to the sandbox").because(error)
    })
}

/// Nothing is slowed down: the sandbox blocks no client, and a person who tries things repeats the same messages.
fn settings(saves: &Path) -> Settings {
    Settings {
        pacing: Pacing::off(),
        reply_max_age: None,
        loop_breaker: None,
        log_out_at_stop: true,
        save_folder: Some(saves.to_owned()),
        ..Settings::default()
    }
}

fn ended_early(ended: Result<RunEnded, tokio::task::JoinError>) -> Report {
    let what = |why: &str| format!("the bot has left the sandbox: {why}");
    match ended {
        Ok(RunEnded::Stopped | RunEnded::Finished) => {
            Report::new(Ended::Unusable, what("it was stopped"))
        }
        Ok(RunEnded::LoggedOut { reason }) => Report::new(Ended::LoggedOut, what(&reason)),
        Ok(RunEnded::Blocked { words } | RunEnded::LoginRefused { words }) => {
            Report::new(Ended::Blocked, what(&words))
        }
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

/// Shows whether the bot is online, reports its decisions, and remarks on faults.
struct SandboxObserver {
    online: watch::Sender<bool>,
    session: SandboxSession,
    remarks: Remarks,
}

impl SandboxObserver {
    fn new(session: SandboxSession, remarks: Remarks) -> (Self, watch::Receiver<bool>) {
        let (online, receiver) = watch::channel(false);
        (Self { online, session, remarks }, receiver)
    }
}

impl SandboxObserver {
    /// There is more to be said about the message of an event.
    fn tell_decided(&self, event: &EventId) {
        if let Some(message) = self.session.recorder.subject(event) {
            // Fails if no page is open, which is fine.
            let _ = self.session.news.send(Arc::new(News::Decided { message }));
        }
    }
}

impl Observer for SandboxObserver {
    fn status(&self, status: &Status) {
        tracing::debug!(?status, "connection");
        self.online.send_replace(matches!(status, Status::Online { .. }));
        let _ = self.session.news.send(Arc::new(News::Status));
    }

    fn turn(&self, event: &Event, _decided: &Decided) {
        self.tell_decided(&event.id);
        if let Some(message) = event.message() {
            self.remarks.handled(message.id.clone(), event.id.clone());
        }
    }

    fn sent(&self, outgoing: &Outgoing, outcome: &Outcome, _took: Duration) {
        if let Outcome::Delivered(message) = outcome {
            let message = message.as_str().to_owned();
            let cause = self.session.recorder.cause(&message);
            let _ = self.session.news.send(Arc::new(News::Caused { message, cause }));
        }
        self.tell_decided(&outgoing.id.event);
    }

    fn trouble(&self, trouble: &Trouble) {
        let _ = self.session.news.send(Arc::new(News::Status));
        if let Trouble::HandlerFailed { handler, event, error } = trouble {
            self.session.recorder.failed(event, handler, error);
        }
        self.remarks.trouble(trouble);
    }
}
