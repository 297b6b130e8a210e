//! Standard input and output as a chat service: for scripts, for bridges in any language, and for tests.
//!
//! A program writes messages and other events, one JSON object a line, and reads the actions of the bot, one JSON object a
//! line. `docs/stdio.md` describes the lines, `config/stdio.schema.json` is their schema. [`Stdio`] opens into a source,
//! which reads, and a service, which writes; `line` holds the forms that come in, `written` those that go out.
//!
//! Two threads of their own read and write, since neither can be interrupted: a stop does not wait for them.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use mynah_core::{CalledBy, Clock, Records, Service, Source, SystemClock, Transport};

mod connector;
mod line;
mod people;
mod service;
mod shared;
mod source;
mod streams;
mod written;

pub use connector::StdioConnector;
pub use line::{Line, LineError};

use people::People;
use service::StdioService;
use shared::Shared;
use source::StdioSource;
use streams::Input;

/// How to connect an account.
#[derive(Debug, Clone)]
pub struct Options {
    /// The name of the account, which calls the bot.
    pub me: Option<String>,
    /// The friends: the id of the person whom a name in the rule file means.
    pub friends: BTreeMap<String, String>,
    /// How long an action waits for the line with its outcome; without it, an action counts as accepted when its line is
    /// written.
    pub outcomes: Option<Duration>,
    /// The names that count as a call of the bot, beside its own.
    pub names: CalledBy,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            me: None,
            friends: BTreeMap::new(),
            outcomes: None,
            names: CalledBy::default(),
            clock: Arc::new(SystemClock),
        }
    }
}

/// An account that reads and writes lines.
pub struct Stdio {
    options: Options,
    input: Input,
    output: Box<dyn Write + Send>,
}

impl std::fmt::Debug for Stdio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stdio").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Stdio {
    /// An account on the standard streams of this process. Lines that an earlier one has not taken are left for it.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { options, input: Input::Standard, output: Box::new(std::io::stdout()) }
    }

    /// An account on other streams.
    #[must_use]
    pub fn over(
        options: Options,
        input: impl Read + Send + 'static,
        output: impl Write + Send + 'static,
    ) -> Self {
        Self { options, input: Input::Other(Box::new(input)), output: Box::new(output) }
    }
}

impl Transport for Stdio {
    fn open(self: Box<Self>, records: Records) -> (Box<dyn Source>, Arc<dyn Service>) {
        let Self { options, input, output } = *self;
        let Options { me, friends, outcomes, names, clock } = options;
        let people = People::new(me, friends, names);
        let shared = Arc::new(Shared::new(people, outcomes, &records));
        let service = StdioService::new(Arc::clone(&shared), output);
        (Box::new(StdioSource::new(shared, clock, input, &records)), Arc::new(service))
    }
}

#[cfg(test)]
mod tests;
