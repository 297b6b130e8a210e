//! The other side in tests: uses a transport as the runtime does, and keeps the records as a store would.

use std::sync::Arc;
use std::time::Duration;

use mynah_core::{
    Action, ActionId, CalledBy, ChatId, Content, Event, EventBody, Incoming, Message, Notice,
    Outgoing, Prompt, Receipt, ReceiveError, Records, SendError, Service, Source, Status,
    Timestamp, Transport,
};
use mynah_transports::webwx::{Options, WebWx};

/// No wait in a test takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Bot {
    pub(crate) source: Box<dyn Source>,
    pub(crate) service: Arc<dyn Service>,
    pub(crate) records: Records,
    pub(crate) statuses: Vec<Status>,
    pub(crate) events: Vec<Event>,
}

impl Bot {
    pub(crate) fn new(url: String, records: Records) -> Self {
        let options = Options {
            server: Some(url),
            names: CalledBy::new(["八哥".to_owned()]),
            call_timeout: Some(Duration::from_secs(2)),
            ..Options::default()
        };
        let (source, service) = Box::new(WebWx::new(options)).open(records.clone());
        Self { source, service, records, statuses: Vec::new(), events: Vec::new() }
    }

    /// Starts and waits until it is online.
    pub(crate) async fn online(url: String, records: Records) -> Self {
        let mut bot = Self::new(url, records);
        bot.until_online().await;
        bot
    }

    pub(crate) async fn receive(&mut self) -> Result<(), ReceiveError> {
        let incoming = tokio::time::timeout(PATIENCE, self.source.receive())
            .await
            .expect("something comes in time")?;
        self.take(incoming);
        Ok(())
    }

    pub(crate) fn take(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Batch(batch) => {
                self.events.extend(batch.events);
                for (key, value) in batch.records {
                    if value.is_empty() {
                        self.records.remove(&key)
                    } else {
                        self.records.insert(key, value)
                    };
                }
            }
            Incoming::Status(status) => self.statuses.push(status),
            Incoming::End => panic!("WeChat Web has no end"),
        }
    }

    pub(crate) async fn until_online(&mut self) {
        self.until(|bot| matches!(bot.statuses.last(), Some(Status::Online { .. }))).await;
    }

    pub(crate) async fn until(&mut self, done: impl Fn(&Self) -> bool) {
        while !done(self) {
            self.receive().await.unwrap();
        }
    }

    /// Receives until there are so many events.
    pub(crate) async fn events(&mut self, count: usize) -> &[Event] {
        self.until(|bot| bot.events.len() >= count).await;
        &self.events
    }

    pub(crate) async fn message(&mut self, n: usize) -> Message {
        match &self.events(n + 1).await[n].body {
            EventBody::Message(message) => message.clone(),
            other => panic!("no message: {other:?}"),
        }
    }

    pub(crate) async fn notice(&mut self, n: usize) -> Notice {
        match &self.events(n + 1).await[n].body {
            EventBody::Notice(notice) => notice.clone(),
            other => panic!("no notice: {other:?}"),
        }
    }

    pub(crate) fn scans(&self) -> Vec<&str> {
        let scans = self.statuses.iter().filter_map(|status| match status {
            Status::Prompt(Prompt::Scan { url }) => Some(url.as_str()),
            _ => None,
        });
        scans.collect()
    }

    pub(crate) async fn act(
        &self,
        chat: &ChatId,
        action: Action,
        attempt: u32,
    ) -> Result<Receipt, SendError> {
        let id = ActionId { event: "m1".into(), n: 0 };
        let queued = Timestamp::from_secs(1_700_000_000);
        self.service.perform(&Outgoing { id, chat: chat.clone(), action, queued, attempt }).await
    }

    pub(crate) async fn say(&self, chat: &ChatId, text: &str) -> Result<Receipt, SendError> {
        self.act(chat, Action::Send { content: Content::text(text) }, 1).await
    }

    pub(crate) fn chat(&self, name: &str) -> ChatId {
        let chats = self.service.chats();
        let found: Vec<_> = chats.iter().filter(|chat| chat.name == name).collect();
        assert_eq!(found.len(), 1, "{name} in {chats:?}");
        found[0].id.clone()
    }
}
