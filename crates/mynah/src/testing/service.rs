//! A chat service that only records its actions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use mynah_core::{
    Action, Capabilities, Chat, ChatId, Event, EventBody, MediaError, MediaRef, MediaSource,
    MessageId, NoticeKind, Outgoing, Receipt, SendError, Service,
};

/// Does nothing and remembers everything.
#[derive(Debug)]
pub(crate) struct RecordingService {
    pages: Mutex<Pages>,
}

#[derive(Debug)]
struct Pages {
    chats: BTreeMap<ChatId, Chat>,
    /// The names of the members of groups, as far as they spoke or joined.
    members: BTreeMap<ChatId, BTreeSet<String>>,
    /// The same as a list: it is asked for at every turn.
    listed: Option<Arc<[Chat]>>,
    performed: Vec<Outgoing>,
    /// The media of people: the bytes behind the references of their messages.
    media: Vec<Bytes>,
}

impl RecordingService {
    /// An account without friends.
    pub(crate) fn new() -> Self {
        let pages = Pages {
            chats: BTreeMap::new(),
            members: BTreeMap::new(),
            listed: None,
            performed: Vec::new(),
            media: Vec::new(),
        };
        Self { pages: Mutex::new(pages) }
    }

    /// Makes a chat known, as a service does when a chat is first seen.
    pub(crate) fn meet(&self, chat: &Chat) {
        let mut pages = self.pages();
        if !pages.chats.contains_key(&chat.id) {
            pages.chats.insert(chat.id.clone(), chat.clone());
            pages.listed = None;
        }
    }

    /// Notes which members of its group an event makes known, and which leave.
    pub(crate) fn meet_people(&self, event: &Event) {
        let Some(chat) = event.chat().filter(|chat| chat.is_group()) else { return };
        let mut pages = self.pages();
        let members = pages.members.entry(chat.id.clone()).or_default();
        members.extend(event.person().map(|person| person.name.clone()));
        let EventBody::Notice(notice) = &event.body else { return };
        match &notice.kind {
            NoticeKind::Join { people } => {
                members.extend(people.iter().map(|person| person.name.clone()));
            }
            NoticeKind::Leave { people } => {
                members.retain(|name| people.iter().all(|person| person.name != *name));
            }
            _ => {}
        }
    }

    /// The name of a chat.
    pub(crate) fn name_of(&self, chat: &ChatId) -> String {
        let known = self.pages().chats.get(chat).map(|chat| chat.name.clone());
        known.unwrap_or_else(|| chat.to_string())
    }

    /// Takes in a sent file, and returns the reference for its message.
    pub(crate) fn keep(&self, name: &str, bytes: Bytes) -> MediaRef {
        let mut pages = self.pages();
        let size = Some(bytes.len() as u64);
        pages.media.push(bytes);
        let source = MediaSource::Service((pages.media.len() - 1).to_string());
        MediaRef { source, name: Some(name.to_owned()), size }
    }

    /// The actions since the last call, in order.
    pub(crate) fn take(&self) -> Vec<Outgoing> {
        std::mem::take(&mut self.pages().performed)
    }

    /// The number of messages since the last call of `take`.
    pub(crate) fn said(&self) -> usize {
        let pages = self.pages();
        pages.performed.iter().filter(|one| matches!(one.action, Action::Send { .. })).count()
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Service for RecordingService {
    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::new(everything())
    }

    fn chats(&self) -> Arc<[Chat]> {
        let Pages { chats, listed, .. } = &mut *self.pages();
        let listed = listed.get_or_insert_with(|| chats.values().cloned().collect());
        Arc::clone(listed)
    }

    fn members(&self, group: &ChatId) -> Vec<String> {
        let pages = self.pages();
        pages.members.get(group).into_iter().flatten().cloned().collect()
    }

    async fn perform(&self, outgoing: &Outgoing) -> Result<Receipt, SendError> {
        self.pages().performed.push(outgoing.clone());
        Ok(Receipt { message: Some(MessageId::new(format!("sent:{}", outgoing.id))) })
    }

    async fn media(&self, media: &MediaRef, limit: u64) -> Result<Bytes, MediaError> {
        let MediaSource::Service(place) = &media.source else {
            return Err(MediaError::Unavailable);
        };
        let place: usize = place.parse().map_err(|_| MediaError::Unavailable)?;
        let bytes = self.pages().media.get(place).cloned().ok_or(MediaError::Gone)?;
        if bytes.len() as u64 > limit {
            return Err(MediaError::TooLarge { limit });
        }
        Ok(bytes)
    }
}

/// No action is refused: limits of a real transport are reported when the file is checked for that transport.
fn everything() -> Capabilities {
    Capabilities { max_text: 2_000, ..Capabilities::everything("test") }
}
