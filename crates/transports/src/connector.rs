//! The table of services: everything the program asks about a service before an account of it is open.

use std::fmt;
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

    /// The request to a person who has to log in.
    fn login_words(&self, prompt: &Prompt) -> Words;

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

/// All services. The first is that of an account which names none.
pub const CONNECTORS: &[&dyn Connector] = &[&WebWxConnector, &StdioConnector];

/// Standard input and output, as a resource of [`Connector::exclusive`]: nothing else may read or print there.
pub const STANDARD_STREAMS: &str = "standard input";

/// The service of that name.
#[must_use]
pub fn connector(name: &str) -> Option<&'static dyn Connector> {
    CONNECTORS.iter().copied().find(|connector| connector.name() == name)
}

/// The service of an account which names none.
#[must_use]
pub fn usual_connector() -> &'static dyn Connector {
    CONNECTORS[0]
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
            assert_eq!(connector(one.name()).map(Connector::name), Some(one.name()));
            assert_eq!(one.capabilities().transport, one.name());
        }
        assert!(connector("telegraph").is_none());
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
