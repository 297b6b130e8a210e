//! What a node shows of its accounts to the others.

use std::collections::BTreeMap;

use mynah_core::{Clock, Fleet, LiveRow, SystemClock, Timestamp, to_map};
use mynah_page::{Condition, Pages};
use serde::{Deserialize, Serialize};

use crate::supervisor::Supervisor;

/// All accounts are published again after this time, since the database may have lost the rows.
const AGAIN: i64 = 10_000;

/// What is shown of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shown {
    /// How it is.
    pub(crate) condition: Condition,
    /// The address to scan for a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) prompt: Option<String>,
    /// The rule file that was rejected, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rules: Option<String>,
}

/// Publishes the accounts of this node: what has changed at once, everything from time to time.
pub(crate) struct Published {
    pages: Pages,
    supervisor: Supervisor,
    last: BTreeMap<String, String>,
    all_at: Timestamp,
}

impl Published {
    pub(crate) fn new(pages: Pages, supervisor: Supervisor) -> Self {
        Self { pages, supervisor, last: BTreeMap::new(), all_at: Timestamp::default() }
    }

    pub(super) async fn publish(&mut self, fleet: &dyn Fleet) {
        let now = SystemClock.now();
        let is_all = now.as_millis() - self.all_at.as_millis() >= AGAIN;
        let names = self.supervisor.names();
        let bodies = to_map(names.into_iter().filter_map(|name| self.body(name)));
        let is_new = |name: &str, body: &str| self.last.get(name).is_none_or(|last| last != body);
        let rows: Vec<LiveRow> = bodies
            .iter()
            .filter(|(name, body)| is_all || is_new(name, body))
            .map(|(account, body)| LiveRow { account: account.clone(), body: body.clone() })
            .collect();
        if !rows.is_empty() {
            if let Err(error) = fleet.publish(rows).await {
                // The next time publishes it.
                return tracing::debug!(%error, "the accounts were not published");
            }
            if is_all {
                self.all_at = now;
            }
        }
        self.last = bodies;
    }

    fn body(&self, name: String) -> Option<(String, String)> {
        let health = &self.pages.health;
        let condition = health.of(&name)?;
        let rules = health.rejected_rules(&name);
        let rules = rules.map(|rules| format!("{}:{}", rules.file, rules.line));
        let prompt = self.supervisor.prompt(&name);
        let body = serde_json::to_string(&Shown { condition, prompt, rules }).ok()?;
        Some((name, body))
    }
}
