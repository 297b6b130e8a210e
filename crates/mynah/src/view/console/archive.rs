//! The stored data of an account, read beside the running bot without holding it up.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mynah_core::{
    Binding, ChatId, Event, EventId, LogQuery, Logged, StoreError, StoreReader, StoreStatus,
    Stores, Survey, Timestamp, Waiting,
};
use mynah_page::view::Problem;
use mynah_rules::mute;
use tokio::sync::OnceCell;

use crate::unreadable;

/// A survey is made anew when it is so many times older than the making took: a short log is always surveyed afresh, a
/// long one costs a twentieth of a processor at most.
const REST: u32 = 20;

/// Looks into the data of an account, with a reader of its own: a survey of a long log must not delay `mynah status` and the
/// gauges.
pub(crate) struct Archive {
    account: String,
    stores: Arc<dyn Stores>,
    /// Opened at the first look: most accounts of a large process are seldom looked at.
    reader: OnceCell<Arc<dyn StoreReader>>,
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
    /// Looks into the data of an account whose store is open.
    pub(crate) fn new(account: &str, stores: Arc<dyn Stores>) -> Self {
        let (account, reader) = (account.to_owned(), OnceCell::new());
        Self { account, stores, reader, surveyed: tokio::sync::Mutex::default() }
    }

    async fn reader(&self) -> Result<&Arc<dyn StoreReader>, Problem> {
        let open = async || {
            let opened = self.stores.reader(&self.account).await;
            let gone = || Problem::NotFound("the data of the account is gone".to_owned());
            opened.map_err(|error| problem(&error))?.ok_or_else(gone)
        };
        self.reader.get_or_try_init(open).await
    }

    /// The last events of the log.
    pub(super) async fn last(&self, limit: u32) -> Result<Vec<Logged>, Problem> {
        let query = LogQuery { limit, ..LogQuery::default() };
        Ok(unreadable::with_notices(
            self.reader().await?.log(&query).await.map_err(|error| problem(&error))?,
        ))
    }

    /// The waiting and the sent actions.
    pub(super) async fn present(
        &self,
        now: Timestamp,
        midnight: Timestamp,
    ) -> Result<Present, Problem> {
        Ok(Present {
            status: self.reader().await?.status(now).await.map_err(|error| problem(&error))?,
            settled: self
                .reader()
                .await?
                .settled(midnight)
                .await
                .map_err(|error| problem(&error))?,
            waiting: self.reader().await?.waiting().await.map_err(|error| problem(&error))?,
        })
    }

    /// The names of the rule file that are bound to people.
    pub(super) async fn bindings(&self) -> Result<Vec<Binding>, Problem> {
        self.reader().await?.bindings().await.map_err(|error| problem(&error))
    }

    /// Until when chats are muted, as it is stored.
    pub(super) async fn mutes(&self, now: Timestamp) -> Result<BTreeMap<ChatId, String>, Problem> {
        self.reader().await?.chat_values(mute::KEY, now).await.map_err(|error| problem(&error))
    }

    /// These events, as far as the log still has them.
    pub(super) async fn events(
        &self,
        ids: Vec<EventId>,
    ) -> Result<BTreeMap<EventId, Event>, Problem> {
        let mut events = BTreeMap::new();
        for id in ids {
            // The id of a message can be equal to that of another event.
            let query = LogQuery { id: Some(id.to_string()), ..LogQuery::default() };
            let page = self.reader().await?.log(&query).await.map_err(|error| problem(&error))?;
            let found = page.entries.into_iter().map(|entry| entry.event);
            events.extend(found.filter(|event| event.id == id).map(|event| (id.clone(), event)));
        }
        Ok(events)
    }

    /// The account in numbers, possibly a little old.
    pub(super) async fn survey(&self) -> Result<Arc<Survey>, Problem> {
        // Held while it is made, so that many visitors cost no more than one.
        let mut surveyed = self.surveyed.lock().await;
        if let Some(last) = surveyed.as_ref().filter(|last| last.is_fresh()) {
            return Ok(Arc::clone(&last.survey));
        }
        let begun = Instant::now();
        let survey =
            Arc::new(self.reader().await?.survey().await.map_err(|error| problem(&error))?);
        let (made, took) = (Instant::now(), begun.elapsed());
        *surveyed = Some(Surveyed { survey: Arc::clone(&survey), made, took });
        Ok(survey)
    }
}

fn problem(error: &StoreError) -> Problem {
    Problem::Refused(format!("{error}; {}", error.remedy()))
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive").finish_non_exhaustive()
    }
}
