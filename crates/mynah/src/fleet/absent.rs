//! In place of a node of a fleet, in a program that cannot work with a database.

use mynah_core::{StoreError, Stores};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

use crate::account::{Plan, Shared};
use crate::config::FleetConfig;
use crate::operate::{Answer, Request};
use crate::reload::AccountsChange;
use crate::supervisor::Supervisor;
use crate::view::console::OtherNodes;
use crate::{Report, stores};

/// There is none.
pub(crate) enum Node {}

impl Node {
    /// Refuses to share accounts.
    pub(crate) fn new(
        _: &FleetConfig,
        _: (Vec<Plan>, UnboundedReceiver<AccountsChange>),
        _: &Supervisor,
        _: &Shared,
    ) -> Result<Self, Report> {
        Err(stores::without_database())
    }

    pub(crate) fn others(&self) -> Option<OtherNodes> {
        match *self {}
    }

    pub(crate) async fn run(self, _: CancellationToken) -> Result<(), Report> {
        match self {}
    }
}

/// No other node holds an account.
pub(crate) async fn is_held(_: &dyn Stores, _: &str) -> Result<bool, StoreError> {
    Ok(false)
}

/// Refuses to ask one.
pub(crate) async fn ask(_: &dyn Stores, _: &str, _: &Request) -> Result<Answer, Report> {
    Err(stores::without_database())
}

/// No other node has tried to start an account.
pub(crate) async fn trouble(_: &dyn Stores, _: &str) -> Result<Option<String>, StoreError> {
    Ok(None)
}
