//! The accounts of other nodes: what their nodes have published, and actions on them, which their nodes carry out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mynah_core::{Fleet, Stores, Timestamp};
use mynah_page::view::{AccountRow, MuteRow, Problem};
use tokio::time::{Instant, timeout_at};

use super::names::Names;
use super::rows;
use super::{Archive, FoundChats};
use crate::fleet::{LastSeen, ask_holder};
use crate::operate::{Answer, Request};

/// How long a search for chats may look into accounts of other nodes.
const PATIENCE: Duration = Duration::from_secs(2);

/// The accounts of the nodes of a fleet, for the pages of one node.
pub(crate) struct OtherNodes {
    fleet: Arc<dyn Fleet>,
    stores: Arc<dyn Stores>,
    seen: LastSeen,
    /// The data of the accounts that a search has looked into, by name.
    archives: Mutex<BTreeMap<String, Arc<Archive>>>,
}

impl OtherNodes {
    /// The fleet as this node has last seen it, with the data of its accounts.
    pub(crate) fn new(fleet: Arc<dyn Fleet>, stores: Arc<dyn Stores>, seen: LastSeen) -> Self {
        Self { fleet, stores, seen, archives: Mutex::default() }
    }

    /// All accounts but those that this node runs.
    pub(super) fn rows(&self, is_here: impl Fn(&str) -> bool) -> Vec<AccountRow> {
        let status = self.seen.get();
        let elsewhere = status.overview.accounts.iter().filter(|one| !is_here(&one.account));
        elsewhere.map(|account| rows::elsewhere(&status, account)).collect()
    }

    /// Has the node that holds an account carry out a request, and returns its answer; a refusal is a problem.
    pub(super) async fn order(&self, account: &str, request: Request) -> Result<String, Problem> {
        let status = self.seen.get();
        if !status.overview.accounts.iter().any(|one| one.account == account) {
            return Err(Problem::NotFound("there is no such account".to_owned()));
        }
        let answered = ask_holder(&*self.fleet, account, &request, "console").await;
        match answered.map_err(|report| Problem::Refused(report.to_string()))? {
            Answer { ok: true, text, .. } => Ok(text),
            Answer { text, .. } => Err(Problem::Refused(text)),
        }
    }

    /// The chats of accounts that live nodes hold whose name has this text, as the log knows them.
    pub(super) async fn chats(
        &self,
        query: &str,
        now: Timestamp,
        is_here: impl Fn(&str) -> bool,
    ) -> Result<FoundChats, Problem> {
        let (status, until) = (self.seen.get(), Instant::now() + PATIENCE);
        let held = status.overview.accounts.iter().filter(|one| status.holder(one).is_some());
        let mut found = FoundChats::default();
        for name in held.map(|one| &one.account).filter(|name| !is_here(name)) {
            // What one search has read, the next one need not read again.
            match timeout_at(until, self.chats_of(name, query, now)).await {
                Ok(rows) => found.rows.extend(rows?),
                Err(_) => found.missed += 1,
            }
        }
        Ok(found)
    }

    async fn chats_of(
        &self,
        account: &str,
        query: &str,
        now: Timestamp,
    ) -> Result<Vec<MuteRow>, Problem> {
        let archive = self.archive(account);
        let names = Names::new(&archive.survey().await?.chats, &[]);
        Ok(rows::mute_rows(account, &names, &archive.mutes(now).await?, query, now))
    }

    fn archive(&self, account: &str) -> Arc<Archive> {
        let mut archives = self.archives.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Archive::new(account, Arc::clone(&self.stores)));
        Arc::clone(archives.entry(account.to_owned()).or_insert_with(new))
    }
}
