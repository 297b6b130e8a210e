//! The stored data of an account, read beside the running bot without holding it up.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mynah_core::{Binding, ChatId, Event, EventId, StoreError, Timestamp};
use mynah_page::view::Problem;
use mynah_rules::mute;
use mynah_store::{Inspector, LogQuery, Logged, StoreStatus, Survey, Waiting};

use crate::unreadable;

/// A survey is made anew when it is so many times older than the making took: a short log is always surveyed afresh, a
/// long one costs a twentieth of a processor at most.
const REST: u32 = 20;

/// Looks into the data of an account.
pub(crate) struct Archive {
    data: Mutex<Inspector>,
    surveyed: tokio::sync::Mutex<Option<Surveyed>>,
}

/// How an account is at this moment.
#[derive(Debug, Default)]
pub(super) struct Present {
    /// Its queues.
    pub(super) status: StoreStatus,
    /// Actions settled since midnight, by outcome.
    pub(super) settled: BTreeMap<String, u64>,
    /// The actions that wait to be sent.
    pub(super) waiting: Vec<Waiting>,
}

/// The last survey.
struct Surveyed {
    survey: Arc<Survey>,
    made: Instant,
    took: Duration,
}

impl Surveyed {
    fn is_fresh(&self) -> bool {
        self.made.elapsed() < self.took * REST
    }
}

impl Archive {
    /// Opens the data in a folder for looking.
    pub(crate) fn open(folder: &Path) -> Result<Self, StoreError> {
        let data = Mutex::new(Inspector::open(folder)?);
        Ok(Self { data, surveyed: tokio::sync::Mutex::default() })
    }

    /// The last events of the log.
    pub(super) async fn last(self: &Arc<Self>, limit: u32) -> Result<Vec<Logged>, Problem> {
        let query = LogQuery { limit: Some(limit), ..LogQuery::default() };
        Ok(unreadable::with_notices(self.look(move |data| data.log(&query)).await?))
    }

    /// The waiting and the sent actions.
    pub(super) async fn present(
        self: &Arc<Self>,
        now: Timestamp,
        midnight: Timestamp,
    ) -> Result<Present, Problem> {
        self.look(move |data| {
            Ok(Present {
                status: data.status(now)?,
                settled: data.settled(midnight)?,
                waiting: data.waiting()?,
            })
        })
        .await
    }

    /// The names of the rule file that are bound to people.
    pub(super) async fn bindings(self: &Arc<Self>) -> Result<Vec<Binding>, Problem> {
        self.look(Inspector::bindings).await
    }

    /// Until when chats are muted, as it is stored.
    pub(super) async fn mutes(
        self: &Arc<Self>,
        now: Timestamp,
    ) -> Result<BTreeMap<ChatId, String>, Problem> {
        self.look(move |data| data.chat_values(mute::KEY, now)).await
    }

    /// These events, as far as the log still has them.
    pub(super) async fn events(
        self: &Arc<Self>,
        ids: Vec<EventId>,
    ) -> Result<BTreeMap<EventId, Event>, Problem> {
        self.look(move |data| {
            let found = ids.into_iter().filter_map(|id| data.event(&id).transpose());
            found.map(|event| event.map(|event| (event.id.clone(), event))).collect()
        })
        .await
    }

    /// The account in numbers, possibly a little old.
    pub(super) async fn survey(self: &Arc<Self>) -> Result<Arc<Survey>, Problem> {
        // Held while it is made, so that many visitors cost no more than one.
        let mut surveyed = self.surveyed.lock().await;
        if let Some(last) = surveyed.as_ref().filter(|last| last.is_fresh()) {
            return Ok(Arc::clone(&last.survey));
        }
        let begun = Instant::now();
        let survey = Arc::new(self.look(Inspector::survey).await?);
        let (made, took) = (Instant::now(), begun.elapsed());
        *surveyed = Some(Surveyed { survey: Arc::clone(&survey), made, took });
        Ok(survey)
    }

    async fn look<T: Send + 'static>(
        self: &Arc<Self>,
        into: impl FnOnce(&Inspector) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let archive = Arc::clone(self);
        let look = move || into(&archive.data.lock().unwrap_or_else(PoisonError::into_inner));
        let seen = tokio::task::spawn_blocking(look).await;
        let seen = seen.map_err(|error| Problem::Refused(error.to_string()))?;
        seen.map_err(|error| Problem::Refused(format!("{error}; {}", error.remedy())))
    }
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive").finish_non_exhaustive()
    }
}
