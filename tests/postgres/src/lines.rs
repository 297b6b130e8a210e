//! The service of the example `own_service`, with accounts that wait for more lines where those of the example end. Many of
//! them fit into one process, and the files outlive it.

use std::sync::Arc;
use std::time::Duration;

use mynah::core::Records;
use mynah::core::{
    Capabilities, Incoming, Prompt, ReceiveError, Service, Source, Transport, Words,
};
use mynah::prelude::*;
use mynah::transports::{self, Connector, SettingError, Surroundings, Values};

use own_service::Notes;

#[expect(dead_code, reason = "`main` is that of the example")]
#[path = "../../../crates/mynah/examples/own_service.rs"]
mod own_service;

/// The pause between two looks at the file.
const PAUSE: Duration = Duration::from_millis(20);

/// The service in the table of services.
pub(crate) struct Lines;

impl Connector for Lines {
    fn name(&self) -> &'static str {
        Notes.name()
    }

    fn title(&self) -> Words {
        Notes.title()
    }

    fn keys(&self) -> &'static [transports::Key] {
        Notes.keys()
    }

    fn capabilities(&self) -> Arc<Capabilities> {
        Notes.capabilities()
    }

    fn has_login(&self) -> bool {
        Notes.has_login()
    }

    fn login_words(&self, prompt: &Prompt) -> Words {
        Notes.login_words(prompt)
    }

    fn open(
        &self,
        account: &Values,
        around: &Surroundings,
    ) -> Result<Box<dyn Transport>, SettingError> {
        Ok(Box::new(Waiting(Notes.open(account, around)?)))
    }
}

/// An account, or its messages, without an end.
struct Waiting<T: ?Sized>(Box<T>);

impl Transport for Waiting<dyn Transport> {
    fn open(self: Box<Self>, records: Records) -> (Box<dyn Source>, Arc<dyn Service>) {
        let (source, service) = self.0.open(records);
        (Box::new(Waiting(source)), service)
    }
}

#[async_trait]
impl Source for Waiting<dyn Source> {
    async fn receive(&mut self) -> Result<Incoming, ReceiveError> {
        loop {
            match self.0.receive().await {
                Ok(Incoming::End) => tokio::time::sleep(PAUSE).await,
                news => return news,
            }
        }
    }

    async fn log_out(&mut self) -> Records {
        self.0.log_out().await
    }
}
