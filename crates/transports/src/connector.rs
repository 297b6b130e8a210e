//! The table of services: everything the program asks about a service before an account of it is open.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mynah_core::{CalledBy, Capabilities, Clock, Prompt, Records, SystemClock, Transport, Words};
use mynah_reader::Key;
use thiserror::Error;

use crate::settings::Values;
use crate::stdio::StdioConnector;
use crate::webwx::WebWxConnector;

/// A chat service that accounts can connect to.
pub trait Connector: Send + Sync {
    /// Its name in `transport = "…"`.
    fn name(&self) -> &'static str;

    /// Its name for people.
    fn title(&self) -> Words;

    /// Its keys of `[[account]]`, beside those of every service.
    fn keys(&self) -> &'static [Key];

    /// The abilities of an account that is not open yet.
    fn capabilities(&self) -> Arc<Capabilities>;

    /// The secrets of [`keys`](Self::keys) that may also be given outside of the settings.
    fn secrets(&self) -> &'static [SecretSource] {
        &[]
    }

    /// Whether an account logs in. Without a login there is no session that could be ended.
    fn has_login(&self) -> bool {
        true
    }

    /// The request to a person who has to log in.
    fn login_words(&self, prompt: &Prompt) -> Words;

    /// The meaning of a login that the service refused, and the remedy. `words` are those of the service, `data` is the
    /// folder with the data of the account.
    fn refused_login(&self, words: &str, account: &Values, data: &Path) -> Words {
        let _ = (account, data);
        Words::new(
            format!("the service does not let this account log in: {words}"),
            format!("该服务不允许此账号登录：{words}"),
        )
    }

    /// The cause that a reason names, in the words of this service or of its connection. Reasons are kept as text, those
    /// of earlier versions too.
    fn cause(&self, reason: &str) -> Option<Cause> {
        let _ = reason;
        None
    }

    /// Whether a session is stored that the next start resumes. Only the service knows whether it still holds.
    fn has_session(&self, records: &Records) -> bool {
        let _ = records;
        false
    }

    /// The resources that two accounts cannot share, e.g. a token, a port, [`STANDARD_STREAMS`]: an account that names
    /// the same resource as another is a mistake at load.
    fn exclusive(&self, account: &Values) -> Vec<String> {
        let _ = account;
        Vec::new()
    }

    /// A connection with these settings, ready to be opened.
    ///
    /// # Errors
    ///
    /// [`SettingError`] names the key that is wrong.
    fn open(
        &self,
        account: &Values,
        around: &Surroundings,
    ) -> Result<Box<dyn Transport>, SettingError>;
}

impl fmt::Debug for dyn Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connector").field(&self.name()).finish()
    }
}

/// A secret that may be given in an environment variable or in a file of the data folder. It is never an argument of the
/// command line: all users of a machine see those in `ps`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretSource {
    /// The key of the account; a value in the settings wins.
    pub key: &'static str,
    /// The environment variable, which counts before the file.
    pub variable: &'static str,
    /// The name of the file in the data folder.
    pub file: &'static str,
}

/// Why a connection or an action failed, as far as a reason says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The account was logged out.
    LoggedOut,
    /// Another login took the place of the session.
    Replaced,
    /// The session has expired.
    SessionOver,
    /// The service does not let the account log in.
    LoginRefused,
    /// The account sends too often.
    TooFrequent,
    /// The receiver is not a friend.
    NotFriend,
    /// The account does not own the group.
    NotOwner,
    /// The service cannot be reached.
    Unreachable,
    /// The process has no file descriptor left for a connection.
    NoDescriptors,
    /// The service did not answer in time.
    TimedOut,
    /// The connection broke.
    Interrupted,
    /// The service has a fault of its own.
    ServiceFailed,
    /// The service refused the request.
    Refused,
    /// A file could not be read.
    File,
}

/// The services of this crate. The first is that of an account which names none.
pub const CONNECTORS: &[&dyn Connector] = &[&WebWxConnector, &StdioConnector];

/// Standard input and output, as a resource of [`Connector::exclusive`]: nothing else may read or print there.
pub const STANDARD_STREAMS: &str = "standard input";

/// The services that a program can use: those of this crate, and its own.
///
/// ```
/// use mynah_transports::Connectors;
///
/// let services = Connectors::default();
/// assert_eq!(services.usual().name(), "webwx");
/// assert!(services.named("stdio").is_some() && services.named("telegraph").is_none());
/// ```
#[derive(Debug, Clone)]
pub struct Connectors(Vec<&'static dyn Connector>);

impl Default for Connectors {
    fn default() -> Self {
        Self(CONNECTORS.to_vec())
    }
}

impl Connectors {
    /// Adds a service. It takes the place of one with the same name.
    pub fn add(&mut self, connector: &'static dyn Connector) {
        match self.0.iter_mut().find(|known| known.name() == connector.name()) {
            Some(known) => *known = connector,
            None => self.0.push(connector),
        }
    }

    /// All services.
    pub fn iter(&self) -> impl Iterator<Item = &'static dyn Connector> {
        self.0.iter().copied()
    }

    /// The names of all services.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.iter().map(Connector::name)
    }

    /// The service of that name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&'static dyn Connector> {
        self.iter().find(|connector| connector.name() == name)
    }

    /// The service of an account which names none.
    #[must_use]
    pub fn usual(&self) -> &'static dyn Connector {
        self.0.first().copied().unwrap_or(CONNECTORS[0])
    }
}

/// The parts of the program that a connection uses.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The names of the rule file that call the bot.
    pub called_by: CalledBy,
    /// How long a login prompt waits for a person.
    pub patience: Duration,
    /// The account does not run: it is opened to read its stored data or to end the session, which counts with the
    /// server that it was made with.
    pub is_at_rest: bool,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            called_by: CalledBy::default(),
            // A session that drops at night waits until a person is at the phone.
            patience: Duration::from_secs(24 * 60 * 60),
            is_at_rest: false,
        }
    }
}

/// A setting that is wrong together with others or in this process; each value by itself was checked before.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{key}: {}", words.en)]
pub struct SettingError {
    /// The key.
    pub key: &'static str,
    /// The mistake and its remedy.
    pub words: Words,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_service_is_found_by_its_one_name() {
        let names: BTreeSet<&str> = CONNECTORS.iter().map(|one| one.name()).collect();
        assert_eq!(names.len(), CONNECTORS.len());
        for one in CONNECTORS {
            let found = Connectors::default().named(one.name());
            assert_eq!(found.map(Connector::name), Some(one.name()));
            assert_eq!(one.capabilities().transport, one.name());
        }
    }

    #[test]
    fn a_service_takes_the_place_of_one_with_its_name() {
        let mut services = Connectors::default();
        services.add(&StdioConnector);
        assert!(services.names().eq(Connectors::default().names()));
    }

    #[test]
    fn every_secret_source_belongs_to_a_secret_key() {
        for one in CONNECTORS {
            for source in one.secrets() {
                let key = one.keys().iter().find(|key| key.name == source.key);
                assert!(key.is_some_and(|key| key.secret), "{} of {}", source.key, one.name());
            }
        }
    }

    /// `[[account]]` has keys of its own; a service cannot give them another meaning.
    #[test]
    fn no_service_takes_a_key_of_every_account() {
        for one in CONNECTORS {
            for key in one.keys() {
                let taken = ["name", "bot", "transport", "data", "pacing", "messages"];
                assert!(!taken.contains(&key.name), "{} of {}", key.name, one.name());
            }
        }
    }
}
