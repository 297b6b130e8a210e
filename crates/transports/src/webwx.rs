//! WeChat Web as a transport.
//!
//! [`WebWx`] opens into a source, which logs in and reads, and a service, which acts; their common state is in
//! `shared`. The service's words end in `events`; `directory` recognises people across logins.
//!
//! # Login
//!
//! A stored session is resumed without a scan. If it has ended, the phone that knows this device is asked to confirm;
//! else a QR code is shown, and a new one whenever it expires. A session that ends later takes the same way.
//!
//! # Failures
//!
//! Network errors, 5xx and answers that make no sense are tried again after 1 s, 2 s, 4 s … 60 s; "too frequent" after
//! 15 s, 30 s … 30 min. Success resets both. Ten refusals in a row end the session, and the account logs in anew. A
//! session that ends within two minutes of its login counts as a failure of the login, so that an account which is
//! thrown out at once is not logged in again and again.

use std::sync::Arc;
use std::time::Duration;

use mynah_core::{CalledBy, Capabilities, Clock, Records, Service, Source, SystemClock, Transport};
use mynah_webwx as webwx;
use serde::de::DeserializeOwned;

mod backoff;
mod connector;
mod content;
mod directory;
mod earlier;
mod events;
mod media;
mod needs;
mod service;
mod shared;
mod source;
mod system_text;
mod system_xml;
mod unusable;

pub use connector::WebWxConnector;
pub use webwx::DesktopToken;

use directory::Directory;
use service::WebWxService;
use shared::Shared;
use source::{POSITION, SESSION, WebWxSource};
use unusable::Unusable;

/// How to connect an account.
#[derive(Debug, Clone)]
pub struct Options {
    /// Another server in place of all hosts of the service, e.g. `http://127.0.0.1:8086`; `None` is the real one.
    pub server: Option<String>,
    /// Where no other server is named, a stored session is reached at the server that it was made with.
    pub server_of_session: bool,
    /// Log in as the desktop client does, with this token.
    pub desktop: Option<DesktopToken>,
    /// The names that count as a call of the bot, beside its own.
    pub names: CalledBy,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// How long a login prompt is shown, renewed when it expires, before the account counts as not logged in.
    pub patience: Duration,
    /// No call takes longer than this, however patient it would be by itself. For tests.
    pub call_timeout: Option<Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            server: None,
            server_of_session: false,
            desktop: None,
            names: CalledBy::default(),
            clock: Arc::new(SystemClock),
            // A session that drops at night waits until a person is at the phone.
            patience: Duration::from_secs(24 * 60 * 60),
            call_timeout: None,
        }
    }
}

/// A WeChat account over the web protocol.
///
/// ```
/// use mynah_core::ActionKind;
/// use mynah_transports::webwx::{Options, WebWx};
///
/// let transport = WebWx::new(Options { server: Some("http://127.0.0.1:8086".to_owned()), ..Options::default() });
/// assert!(!WebWx::capabilities().actions.contains(&ActionKind::Voice), "a web client sends no voice");
/// # let _ = transport;
/// ```
///
/// The front page of the crate opens one and logs in to a sandbox.
#[derive(Debug)]
pub struct WebWx {
    options: Options,
}

impl WebWx {
    /// An account to be connected like this.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { options }
    }

    /// The capabilities of WeChat Web, without connecting.
    #[must_use]
    pub fn capabilities() -> Capabilities {
        service::capabilities()
    }
}

impl Transport for WebWx {
    fn open(self: Box<Self>, records: Records) -> (Box<dyn Source>, Arc<dyn Service>) {
        let Options { server, server_of_session, desktop, names, clock, patience, call_timeout } =
            self.options;
        let session = stored_session(&records);
        let made_with = || session.server().filter(|_| server_of_session).map(str::to_owned);
        let server = server.or_else(made_with);
        let mut options = webwx::Options { server, desktop, ..webwx::Options::default() };
        options.at_most = call_timeout.unwrap_or(options.at_most);
        let client = match webwx::Client::resume(options, session) {
            Ok(client) => client,
            Err(error) => {
                let (source, service) = Unusable::new(error);
                return (Box::new(source), Arc::new(service));
            }
        };
        let directory = Directory::from_records(&records);
        let shared = Arc::new(Shared::new(client, names, clock, directory));
        let source = WebWxSource::new(Arc::clone(&shared), patience);
        (Box::new(source), Arc::new(WebWxService::new(shared)))
    }
}

/// The session of the records; none where there is none that can be read, so that a person logs in anew.
fn stored_session(records: &Records) -> webwx::Session {
    let mut session: webwx::Session = stored(records, SESSION);
    // Versions before 0.2 kept the position within the session.
    if session.sync_key().is_empty() {
        session.resume_at(stored(records, POSITION));
    }
    session
}

/// A record; the default where there is none that can be read.
fn stored<T: Default + DeserializeOwned>(records: &Records, key: &'static str) -> T {
    let Some(json) = records.get(key) else { return T::default() };
    serde_json::from_str(json).unwrap_or_else(|error| {
        // Not the error's own words: they could quote a secret.
        tracing::warn!(
            record = key,
            line = error.line(),
            column = error.column(),
            "the stored session cannot be read"
        );
        T::default()
    })
}
