//! Where events come from: logs in, stays logged in, and reads the account's log.
//!
//! A state machine of [`Stage`]s. Each step makes one call to the service and changes the state only after its answer,
//! so a step that is dropped half way is simply made again. Results for the runtime wait in a queue.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mynah_core::{
    Batch, Event, Incoming, OfflineCause, Prompt, ReceiveError, Records, Source, Status, Throttled,
    Timestamp, with_causes,
};
use mynah_webwx::{CallError, Confirmed, Failure, LoginId, Position, Session, Tip};
use serde::Serialize;
use tokio::time::Instant;

use super::backoff::Backoff;
use super::shared::Shared;
use contact_list::Listed;
use reading::{AskedFor, Pending, Wanted};
use service_clock::ServiceClock;
use unread_joins::UnreadJoins;

mod contact_list;
mod login;
mod reading;
mod service_clock;
mod unread_joins;

/// The record that holds the session.
pub(crate) const SESSION: &str = "session";

/// The record that holds the read position. Apart from the session, as it changes with every batch.
pub(crate) const POSITION: &str = "position";

/// A poll that comes back sooner than this is not held by the server; asking again at once would be a busy loop.
const HURRIED: Duration = Duration::from_millis(200);

/// Failed polls are tried again after this at the latest while syncs work: a sync brings the same news as a poll.
const POLL_PAUSE: Duration = Duration::from_secs(5);

/// Login codes in a row that may come to nothing before there is a pause: people press the wrong button.
const SPOILT_CODES: u32 = 3;

/// A code that was shown for so long did not come to nothing at once.
const LONG_SHOWN: Duration = Duration::from_secs(60);

/// So many syncs in a row may bring nothing although there was to be news.
const EMPTY_SYNCS: u32 = 3;

/// A session that ends sooner than this after its login counts as a failed login.
const SHORT_SESSION: Duration = Duration::from_secs(120);

/// So many refusals in a row, which no retry mends, end the session: another login may get past them.
const REFUSALS: u32 = 10;

/// So often a login without a scan may fail before a code is shown.
const PUSH_TRIES: u32 = 3;

/// A session that is resumed so often without lasting is given up: one that webwxinit honours and reading does not.
const MOST_RESUMES: u32 = 2;

/// The next step.
#[derive(Debug)]
enum Stage {
    /// Ask the phone to confirm a login without a scan.
    PushLogin,
    /// Get a QR code.
    RequestCode,
    /// Wait until the phone has scanned or confirmed.
    AwaitPhone(AwaitPhone),
    /// Make a session of the confirmed login.
    LogIn(Confirmed),
    /// Ask who the account is; `fresh` after a login, not fresh when a stored session is resumed.
    Init { fresh: bool },
    /// Tell the phone that this session is ready.
    Announce { fresh: bool },
    /// Read the contact list.
    Contacts { seq: u64, gathered: Vec<Listed> },
    /// Fetch new messages.
    Sync,
    /// Identify the people and groups in the fetched data, then hand the events out.
    Translate(Box<Pending>),
    /// Wait for news.
    Poll,
}

#[derive(Debug)]
struct AwaitPhone {
    login: LoginId,
    tip: Tip,
    /// The phone was asked directly, without a scan.
    pushed: bool,
}

/// A step that came to nothing.
enum Trouble {
    /// A call failed.
    Call(CallError),
    /// There is nothing more to receive.
    End(ReceiveError),
}

impl From<CallError> for Trouble {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

/// Receives for one account.
#[derive(Debug)]
pub(crate) struct WebWxSource {
    shared: Arc<Shared>,
    stage: Stage,
    /// The results that wait to be received.
    ready: VecDeque<Incoming>,
    /// Not before this moment is anything asked.
    not_before: Option<Instant>,
    network: Backoff,
    too_frequent: Backoff,
    logins: Backoff,
    /// Syncs in a row that brought nothing although there was to be news.
    empty_syncs: Backoff,
    /// Polls in a row that were answered at once.
    hurried: Backoff,
    /// Login codes in a row that came to nothing at once.
    codes: Backoff,
    /// Whether the runtime was informed that the service cannot be reached.
    told_offline: bool,
    /// The last poll failed. Syncs that work meanwhile do not shorten the waits between polls.
    poll_failed: bool,
    /// The session has worked since it was last doubted, so it is worth resuming.
    proven: bool,
    online_since: Option<Instant>,
    /// How often the session was resumed without lasting.
    resumes: u32,
    /// How long to show QR codes before giving up.
    patience: Duration,
    waiting_since: Option<Instant>,
    /// Since when the present login code is shown.
    shown_since: Option<Instant>,
    /// The session as it was last written down.
    written: Session,
    /// The read position in the records.
    written_position: Position,
    clock: ServiceClock,
    wanted: Wanted,
    asked_for: AskedFor,
    unread_joins: UnreadJoins,
    /// The conversations that webwxinit named, until the contact list is read.
    first_contacts: Vec<Listed>,
    /// Pages of the contact list read so far.
    pages: u64,
}

impl WebWxSource {
    pub(crate) fn new(shared: Arc<Shared>, patience: Duration) -> Self {
        let session = shared.client.session();
        let stage = if session.is_logged_in() {
            Stage::Init { fresh: false }
        } else if session.can_push_login() {
            Stage::PushLogin
        } else {
            Stage::RequestCode
        };
        Self {
            shared,
            stage,
            ready: VecDeque::new(),
            not_before: None,
            network: Backoff::network(),
            too_frequent: Backoff::too_frequent(),
            logins: Backoff::network(),
            empty_syncs: Backoff::nonsense(),
            hurried: Backoff::hurried(),
            codes: Backoff::network(),
            told_offline: false,
            poll_failed: false,
            proven: false,
            online_since: None,
            resumes: 0,
            patience,
            waiting_since: None,
            shown_since: None,
            written: Session::default(),
            written_position: Position::default(),
            clock: ServiceClock::default(),
            wanted: Wanted::default(),
            asked_for: AskedFor::default(),
            unread_joins: UnreadJoins::default(),
            first_contacts: Vec::new(),
            pages: 0,
        }
    }

    /// Makes one step. A step either finishes its stage or leaves it as it is.
    async fn step(&mut self) -> Result<(), Trouble> {
        if matches!(self.stage, Stage::Poll) && self.shared.is_doubted() {
            // A sync is answered at once, so it shows sooner than a held poll whether the session is over.
            self.stage = Stage::Sync;
        }
        match &self.stage {
            Stage::PushLogin => self.push_login().await,
            Stage::RequestCode => self.request_code().await,
            Stage::AwaitPhone(_) => self.await_phone().await,
            Stage::LogIn(_) => self.log_in().await,
            Stage::Init { fresh } => self.init(*fresh).await,
            Stage::Announce { fresh } => self.announce(*fresh).await,
            Stage::Contacts { .. } => self.read_contacts().await,
            Stage::Sync => self.sync().await,
            Stage::Translate(_) => self.translate().await,
            Stage::Poll => self.poll().await,
        }
    }

    /// Whether the present call can prove that the session is over. After such an answer to any other call, one of
    /// these has to confirm it: single calls have answered so in sessions that went on for hours.
    fn judges_session(&self) -> bool {
        matches!(self.stage, Stage::Init { .. } | Stage::Sync | Stage::Poll)
    }

    // -- When a step came to nothing.

    fn fail(&mut self, error: &CallError) -> Result<(), ReceiveError> {
        if error.is_session_over() && self.judges_session() {
            self.session_over(&error.to_string());
            return Ok(());
        }
        if matches!(self.stage, Stage::LogIn(_)) {
            return self.login_failed(error);
        }
        if !self.is_logging_in() && !error.is_retryable() && self.network.failures() >= REFUSALS {
            self.network.succeed();
            self.session_over(&error.to_string());
            return Ok(());
        }
        if matches!(self.stage, Stage::PushLogin) && self.is_no_push(error) {
            tracing::info!(error = error as &dyn std::error::Error, "no login without a scan");
            self.stage = Stage::RequestCode;
            return Ok(());
        }
        if self.skips_contacts(error) {
            return Ok(());
        }
        let backoff =
            if error.is_too_frequent() { &mut self.too_frequent } else { &mut self.network };
        let mut wait = backoff.fail();
        let polling = matches!(self.stage, Stage::Poll);
        if polling && self.poll_failed && !error.is_too_frequent() {
            wait = wait.min(POLL_PAUSE);
        }
        if polling && self.poll_failed {
            // A sync worked since the last poll: the service is there, and answers can leave.
            tracing::warn!(
                error = error as &dyn std::error::Error,
                ?wait,
                "the service failed; it is tried again"
            );
            self.wait(wait);
        } else {
            self.tell_offline(error, wait);
        }
        if polling {
            // A sync answers at once, so it shows sooner than a held poll that the service is back.
            self.stage = Stage::Sync;
            self.poll_failed = true;
        }
        Ok(())
    }

    /// Whether the service offers no login without a scan: it says so, or its answer is of no use again and again.
    fn is_no_push(&self, error: &CallError) -> bool {
        let is_reached =
            !matches!(error.failure, Failure::Unreachable(_) | Failure::NoDescriptors(_));
        error.code().is_some()
            || !error.is_retryable()
            || (is_reached && self.network.failures() + 1 >= PUSH_TRIES)
    }

    fn is_logging_in(&self) -> bool {
        matches!(
            self.stage,
            Stage::PushLogin | Stage::RequestCode | Stage::AwaitPhone(_) | Stage::LogIn(_)
        )
    }

    fn tell_offline(&mut self, error: &CallError, wait: Duration) {
        self.wait(wait);
        self.told_offline = true;
        let cause = cause_of(error);
        self.say(Status::Offline { cause, detail: with_causes(error), retry_in: Some(wait) });
    }

    /// Something worked.
    fn succeed(&mut self) {
        self.network.succeed();
        self.too_frequent.succeed();
        self.poll_failed = false;
        self.is_back();
    }

    /// If the runtime was informed that the service is gone, informs it that it is back.
    fn is_back(&mut self) {
        if std::mem::take(&mut self.told_offline) {
            match &self.stage {
                Stage::AwaitPhone(await_phone) => {
                    let prompt = self.prompt(await_phone);
                    self.say(Status::Prompt(prompt));
                }
                Stage::Sync | Stage::Translate(_) | Stage::Poll => self.say_online(),
                _ => {}
            }
        }
    }

    // -- The session ends.

    /// The session is over: resume it if it worked until now, else log in anew.
    fn session_over(&mut self, reason: &str) {
        self.shared.set_online(false);
        if self.online_since.is_some_and(|since| since.elapsed() >= SHORT_SESSION) {
            self.resumes = 0;
        }
        if std::mem::take(&mut self.proven) && self.resumes < MOST_RESUMES {
            self.resumes += 1;
            self.told_offline = true;
            self.say(session_over(reason, Duration::ZERO));
            self.stage = Stage::Init { fresh: false };
            return;
        }
        self.log_in_anew(reason);
    }

    /// Gives the session up. A session that was short is followed by a longer and longer wait, so that an account that
    /// is thrown out at once is not logged in again and again.
    fn log_in_anew(&mut self, reason: &str) {
        let online = self.online_since.take().map(|since| since.elapsed());
        // The end of a stored session does not count as a failed login.
        let was_stored = online.is_none() && self.logins.failures() == 0;
        let wait = if online.is_some_and(|online| online >= SHORT_SESSION) {
            self.logins.succeed();
            Duration::ZERO
        } else {
            let wait = self.logins.fail();
            if was_stored { Duration::ZERO } else { wait }
        };
        self.wait(wait);
        self.resumes = 0;
        self.shared.client.forget_login();
        self.give(Vec::new());
        self.told_offline = true;
        self.say(session_over(reason, wait));
        self.stage = match self.shared.client.session().can_push_login() {
            true => Stage::PushLogin,
            false => Stage::RequestCode,
        };
    }

    // -- Results for the runtime.

    fn say(&mut self, status: Status) {
        self.ready.push_back(Incoming::Status(status));
    }

    fn say_online(&mut self) {
        let name = self.shared.directory().me().nick.clone();
        self.say(Status::Online { name });
    }

    /// Queues events with the records that belong to them.
    fn give(&mut self, events: Vec<Event>) {
        self.give_news(events, Vec::new());
    }

    /// The same, with requests to send less.
    fn give_news(&mut self, events: Vec<Event>, throttled: Vec<Throttled>) {
        let mut records = self.shared.directory().take_changes();
        self.add_session(&mut records);
        let service_time = Some(self.service_time());
        self.ready.push_back(Incoming::Batch(Batch { events, records, service_time, throttled }));
    }

    /// Queues records alone if the service renewed cookies or keys.
    fn give_renewed(&mut self) {
        let client = &self.shared.client;
        if !client.is_session(&self.written) || client.position() != self.written_position {
            self.give(Vec::new());
        }
    }

    /// Adds the session and the read position to the records, each only if it has changed.
    fn add_session(&mut self, records: &mut Records) {
        let client = &self.shared.client;
        if !client.is_session(&self.written) {
            self.written = client.session();
            self.written.take_position();
            records.insert(SESSION.to_owned(), as_json(&self.written));
        }
        let position = client.position();
        if position != self.written_position {
            let record = if position.is_empty() { String::new() } else { as_json(&position) };
            records.insert(POSITION.to_owned(), record);
            self.written_position = position;
        }
    }

    /// The present moment by the service's clock.
    fn service_time(&self) -> Timestamp {
        self.clock.at(self.shared.clock.now())
    }

    fn prompt(&self, await_phone: &AwaitPhone) -> Prompt {
        match (await_phone.tip, await_phone.pushed) {
            (Tip::Confirmation, false) => Prompt::Confirm { scanned: true },
            (_, true) => Prompt::Confirm { scanned: false },
            (Tip::Scan, false) => {
                Prompt::Scan { url: self.shared.client.qr_text(&await_phone.login) }
            }
        }
    }

    // -- Waiting.

    fn wait(&mut self, wait: Duration) {
        self.not_before = Some(Instant::now() + wait);
    }

    /// Waits a moment if a poll was answered at once, and longer if that happens again and again.
    fn do_not_hurry(&mut self, asked: Instant) {
        if asked.elapsed() < HURRIED {
            let wait = self.hurried.fail();
            self.wait(wait);
        } else {
            self.hurried.succeed();
        }
    }
}

#[async_trait]
impl Source for WebWxSource {
    async fn receive(&mut self) -> Result<Incoming, ReceiveError> {
        loop {
            if let Some(incoming) = self.ready.pop_front() {
                return Ok(incoming);
            }
            if let Some(moment) = self.not_before {
                tokio::time::sleep_until(moment).await;
                self.not_before = None;
            }
            match self.step().await {
                Ok(()) => {}
                Err(Trouble::Call(error)) => self.fail(&error)?,
                Err(Trouble::End(end)) => return Err(end),
            }
        }
    }

    async fn log_out(&mut self) -> Records {
        self.shared.set_online(false);
        if !self.shared.client.session().is_logged_in() {
            return Records::new();
        }
        if let Err(error) = self.shared.client.log_out().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the logout did not reach the service"
            );
        }
        // The login is forgotten, whether or not the service confirms the logout.
        let mut records = self.shared.directory().take_changes();
        self.add_session(&mut records);
        records
    }
}

/// The text of a record; empty, which removes it, if it cannot be written.
fn as_json(record: &impl Serialize) -> String {
    serde_json::to_string(record).unwrap_or_else(|error| {
        tracing::error!(%error, "the session cannot be written down");
        String::new()
    })
}

/// The kind of a failure that is tried again.
fn cause_of(error: &CallError) -> OfflineCause {
    if error.is_too_frequent() {
        return OfflineCause::Throttled;
    }
    match error.failure {
        Failure::NoDescriptors(_) => OfflineCause::NoDescriptors,
        Failure::Unreachable(_) | Failure::TimedOut | Failure::Interrupted(_) => {
            OfflineCause::Unreachable
        }
        _ => OfflineCause::ServiceFailed,
    }
}

fn session_over(reason: &str, wait: Duration) -> Status {
    let (cause, detail) = (OfflineCause::SessionOver, reason.to_owned());
    Status::Offline { cause, detail, retry_in: Some(wait) }
}

#[cfg(test)]
mod tests;
