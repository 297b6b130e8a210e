//! This process among the others: a row with an expiry that it renews, and a lock that its control connection holds.
//!
//! The row decides. The lock only shows others early that the process has ended: it is free then, and stays held by a
//! process that hangs.

use std::sync::Arc;
use std::time::Duration;

use mynah_core::StoreError;
use tokio::task::AbortHandle;

use crate::error::failed;
use crate::link::{Links, mark};

/// A node renews its row this often.
const BEAT: Duration = Duration::from_secs(2);

/// A row is good for this long.
pub(crate) const TTL: Duration = Duration::from_secs(6);

const BEAT_SQL: &str = "SELECT mynah.beat_1($1::text::uuid, $2, $3, $4)";

/// One incarnation of this process. Ends with it.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) id: Arc<str>,
    beats: AbortHandle,
}

impl Node {
    /// Registers a new incarnation and keeps its row alive.
    pub(crate) async fn start(links: Arc<Links>, name: String) -> Result<Self, StoreError> {
        let rows = links.control.query("SELECT gen_random_uuid()::text", &[]).await?;
        let id: Arc<str> = rows[0].get::<_, String>(0).into();
        beat(&links, &id, &name).await?;
        let beats = tokio::spawn({
            let id = Arc::clone(&id);
            async move {
                loop {
                    tokio::time::sleep(BEAT).await;
                    if let Err(error) = beat(&links, &id, &name).await {
                        tracing::warn!(%error, "the database was not reached in time");
                    }
                }
            }
        });
        Ok(Self { id, beats: beats.abort_handle() })
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.beats.abort();
    }
}

/// Renews the row, and takes the lock if the connection is new.
async fn beat(links: &Links, id: &str, name: &str) -> Result<(), StoreError> {
    let ttl = i64::try_from(TTL.as_millis()).unwrap_or(i64::MAX);
    let version = env!("CARGO_PKG_VERSION");
    let rows = links.control.query(BEAT_SQL, &[&id, &name, &version, &ttl]).await?;
    let number: i32 = rows[0].get(0);
    let failed = |error| failed(error, links.control.place());
    let session = links.control.session().await.map_err(failed)?;
    if !mark(&session) {
        let lock = format!("SELECT pg_advisory_lock_shared(1298030851, {number})");
        session.execute(&lock).await.map_err(failed)?;
    }
    Ok(())
}
