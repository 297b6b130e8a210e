//! Logging in: by the phone alone where it remembers this device, else by QR code (section 5 of the protocol
//! reference).

use mynah_core::{ReceiveError, Status};
use mynah_webwx::{CallError, LoginId, LoginState, Tip};
use tokio::time::Instant;

use super::{AwaitPhone, LONG_SHOWN, SPOILT_CODES, Stage, Trouble, WebWxSource};

/// The answer of the service if a login ticket was used twice or too late: no reason to give up.
const STALE_TICKET: &str = "check ticket failed";

/// How often a confirmed login is tried before a new code is shown.
const TICKET_TRIES: u32 = 3;

impl WebWxSource {
    pub(super) async fn push_login(&mut self) -> Result<(), Trouble> {
        self.still_patient()?;
        let login = self.shared.client.push_login().await?;
        self.show(AwaitPhone { login, tip: Tip::Scan, pushed: true });
        Ok(())
    }

    pub(super) async fn request_code(&mut self) -> Result<(), Trouble> {
        self.still_patient()?;
        let login = self.shared.client.request_login().await?;
        self.show(AwaitPhone { login, tip: Tip::Scan, pushed: false });
        Ok(())
    }

    /// Shows the next step for the person.
    fn show(&mut self, await_phone: AwaitPhone) {
        self.told_offline = false;
        self.succeed();
        self.shown_since = Some(Instant::now());
        let prompt = self.prompt(&await_phone);
        self.say(Status::Prompt(prompt));
        self.stage = Stage::AwaitPhone(await_phone);
    }

    pub(super) async fn await_phone(&mut self) -> Result<(), Trouble> {
        self.still_patient()?;
        let Stage::AwaitPhone(AwaitPhone { login, tip, pushed }) = &self.stage else {
            return Ok(());
        };
        let (login, tip, pushed) = (login.clone(), *tip, *pushed);
        let asked = Instant::now();
        let state = self.shared.client.poll_login(&login, tip).await?;
        self.succeed();
        self.phone_says(state, login, tip, pushed, asked);
        Ok(())
    }

    fn phone_says(
        &mut self,
        state: LoginState,
        login: LoginId,
        tip: Tip,
        pushed: bool,
        asked: Instant,
    ) {
        match state {
            LoginState::Waiting => self.do_not_hurry(asked),
            LoginState::Scanned { .. } => {
                self.do_not_hurry(asked);
                if tip == Tip::Scan {
                    let await_phone = AwaitPhone { login, tip: Tip::Confirmation, pushed };
                    if !pushed {
                        let prompt = self.prompt(&await_phone);
                        self.say(Status::Prompt(prompt));
                    }
                    self.stage = Stage::AwaitPhone(await_phone);
                }
            }
            LoginState::Confirmed(confirmed) => {
                self.network.succeed();
                self.stage = Stage::LogIn(confirmed);
            }
            closed => {
                tracing::info!(reason = %closed, "this login came to nothing; a new code follows");
                self.after_spoilt_code(asked);
                self.stage = Stage::RequestCode;
            }
        }
    }

    /// A code that is closed may be followed by another at once; codes that are closed again and again may not.
    pub(super) fn after_spoilt_code(&mut self, asked: Instant) {
        if self.shown_since.take().is_some_and(|since| since.elapsed() >= LONG_SHOWN) {
            self.codes.succeed();
        }
        let wait = self.codes.fail();
        if self.codes.failures() > SPOILT_CODES {
            self.wait(wait);
        } else {
            self.do_not_hurry(asked);
        }
    }

    pub(super) async fn log_in(&mut self) -> Result<(), Trouble> {
        let Stage::LogIn(confirmed) = &self.stage else { return Ok(()) };
        let confirmed = confirmed.clone();
        self.shared.client.log_in(&confirmed).await?;
        self.succeed();
        self.codes.succeed();
        self.waiting_since = None;
        self.stage = Stage::Init { fresh: true };
        Ok(())
    }

    /// The meaning of a failed login: the account is refused, or the ticket is used up, or a retry makes sense.
    pub(super) fn login_failed(&mut self, error: &CallError) -> Result<(), ReceiveError> {
        let stale = error.is_session_over()
            || error.words().is_some_and(|words| words.contains(STALE_TICKET));
        if !stale && error.code().is_some() && !error.is_retryable() {
            let words = error.words().map_or_else(|| error.to_string(), str::to_owned);
            return Err(if error.is_login_refused() {
                ReceiveError::LoginRefused { words }
            } else {
                ReceiveError::Blocked { words }
            });
        }
        let wait = self.network.fail();
        tracing::warn!(
            error = error as &dyn std::error::Error,
            "the confirmed login was not taken"
        );
        if stale || self.network.failures() >= TICKET_TRIES {
            self.stage = Stage::RequestCode;
        }
        self.tell_offline(error, wait);
        Ok(())
    }

    /// No wait for a person is endless.
    fn still_patient(&mut self) -> Result<(), Trouble> {
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        if since.elapsed() <= self.patience {
            return Ok(());
        }
        let reason =
            format!("no scan or confirmation within {} minutes", self.patience.as_secs() / 60);
        Err(Trouble::End(ReceiveError::NotLoggedIn { reason }))
    }
}
