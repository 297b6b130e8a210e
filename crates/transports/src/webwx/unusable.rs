//! The source and service of a transport that cannot be set up: it reports the reason at the first try.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use mynah_core::{
    Capabilities, Chat, Incoming, MediaError, MediaRef, Outgoing, Receipt, ReceiveError, Records,
    SendError, Service, Source,
};
use mynah_webwx::BuildError;

/// A source that only says why there is none.
#[derive(Debug)]
pub(crate) struct Unusable {
    error: Option<BuildError>,
}

/// The service beside it.
#[derive(Debug)]
pub(crate) struct NoService;

impl Unusable {
    pub(crate) fn new(error: BuildError) -> (Self, NoService) {
        (Self { error: Some(error) }, NoService)
    }
}

#[async_trait]
impl Source for Unusable {
    async fn receive(&mut self) -> Result<Incoming, ReceiveError> {
        Err(match self.error.take() {
            Some(error) => ReceiveError::Unusable(Box::new(error)),
            None => ReceiveError::NotLoggedIn {
                reason: "the connection could not be set up".to_owned(),
            },
        })
    }

    async fn log_out(&mut self) -> Records {
        Records::new()
    }
}

#[async_trait]
impl Service for NoService {
    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::new(super::service::capabilities())
    }

    fn chats(&self) -> Arc<[Chat]> {
        Arc::from([])
    }

    async fn perform(&self, _: &Outgoing) -> Result<Receipt, SendError> {
        Err(SendError::NotLoggedIn)
    }

    async fn media(&self, _: &MediaRef, _: u64) -> Result<Bytes, MediaError> {
        Err(MediaError::Unavailable)
    }
}
