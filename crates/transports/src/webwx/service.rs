//! Where actions go.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use mynah_core::{
    Action, ActionId, ActionKind, Called, Capabilities, Chat, ChatId, Content, EventKind,
    GroupDelivery, MediaError, MediaRef, MessageId, Outgoing, Pacing, Receipt, Segment, SendError,
    Service, TextUnit, Timestamp, quote,
};
use mynah_webwx::{CallError, ClientMsgId, OutgoingText, UploadKind};
use thiserror::Error;

use super::media::Ticket;
use super::shared::Shared;
use media::Sending;
use verdict::{Failed, NOT_FRIEND};

mod media;
mod members;
mod verdict;

/// Its name in settings.
pub(crate) const TRANSPORT: &str = "webwx";

/// The longest text in characters. The service states no limit; phones stop at about this.
const MAX_TEXT: usize = 2_000;

/// A chat that is not known in this login is looked for again after this.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Acts for one account.
#[derive(Debug)]
pub(crate) struct WebWxService {
    shared: Arc<Shared>,
    capabilities: Arc<Capabilities>,
}

/// The part of an action that one call sends.
enum Part<'a> {
    Text(String),
    Media((UploadKind, &'a MediaRef)),
}

/// The chat has no name in this login yet.
#[derive(Debug, Error)]
#[error(
    "the chat {0} has not been seen since the last login; save the group to the contacts of the phone"
)]
struct NotSeen(ChatId);

impl WebWxService {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, capabilities: Arc::new(capabilities()) }
    }

    /// The service's present name for a chat.
    fn user_name(&self, chat: &ChatId) -> Result<String, SendError> {
        let directory = self.shared.directory();
        let id = chat.as_str();
        let name = match id {
            "me" => Some(directory.me().user_name.as_str()),
            _ => directory.user_name_of_group(id).or_else(|| directory.user_name_of_person(id)),
        };
        name.map(str::to_owned).ok_or_else(|| SendError::NotSent {
            retry_after: Some(LOOK_AGAIN),
            source: Box::new(NotSeen(chat.clone())),
        })
    }

    /// Sends the content: its text, then its media. Each part has an id of its own that is the same on every try, so
    /// that the service can drop duplicates; parts that an earlier try is known to have sent are skipped.
    async fn send(&self, outgoing: &Outgoing, content: &Content) -> Result<Receipt, Failed> {
        let to = self.user_name(&outgoing.chat)?;
        let text = written(content).map(|text| (0, Part::Text(text)));
        let media = content.0.iter().filter_map(uploadable).map(Part::Media);
        let mut last = None;
        for (n, part) in text.into_iter().chain((1..).zip(media)) {
            let id = match self.shared.shown(&outgoing.id, n) {
                Some(id) => id,
                None => {
                    let id = self.send_part(outgoing, n, part, &to).await?;
                    self.shared.remember_shown(&outgoing.id, n, &id);
                    id
                }
            };
            last = Some(id);
        }
        let id = last
            .ok_or_else(|| SendError::Refused { reason: "there is nothing to say".to_owned() })?;
        Ok(Receipt { message: (!id.is_empty()).then(|| MessageId::new(id)) })
    }

    async fn send_part(
        &self,
        outgoing: &Outgoing,
        n: u32,
        part: Part<'_>,
        to: &str,
    ) -> Result<String, Failed> {
        let to = to.to_owned();
        match part {
            Part::Text(text) => {
                let id = client_msg_id(&outgoing.id, n, outgoing.queued);
                let sent = self.shared.client.send_text(&OutgoingText { to, text, id }).await;
                self.taken(sent.map(|sent| sent.msg_id))
            }
            Part::Media((kind, media)) => {
                self.send_media(Sending { outgoing, part: n, kind, media, to }).await
            }
        }
    }

    async fn recall(&self, chat: &ChatId, message: &MessageId) -> Result<Receipt, Failed> {
        let to = self.user_name(chat)?;
        self.shared.client.revoke(&to, message.as_str()).await.map_err(Failed::Call)?;
        Ok(Receipt::default())
    }

    async fn accept(&self, ticket: &str) -> Result<Receipt, Failed> {
        let Some(Ticket { user_name, ticket }) = Ticket::parse(ticket) else {
            return Err(Failed::Settled(SendError::Refused {
                reason: "this is not a ticket of a friend request".to_owned(),
            }));
        };
        self.shared.client.accept_friend(user_name, ticket).await.map_err(Failed::Call)?;
        Ok(Receipt::default())
    }

    /// The outcome of a message, by the service's answer: its id, remembered so that its echo is ignored.
    fn taken(&self, sent: Result<String, CallError>) -> Result<String, Failed> {
        let id = sent.map_err(Failed::Call)?;
        self.shared.remember_sent(&id);
        self.shared.not_throttled();
        Ok(id)
    }

    /// Whether an action may leave at present.
    fn may_leave(&self, outgoing: &Outgoing) -> Result<(), SendError> {
        let kind = outgoing.action.kind();
        if !self.capabilities.actions.contains(&kind) {
            return Err(SendError::Unsupported { transport: TRANSPORT, action: kind });
        }
        if !self.shared.is_online() {
            return Err(SendError::NotLoggedIn);
        }
        if matches!(outgoing.action, Action::Send { .. })
            && self.shared.is_unreachable(&outgoing.chat)
        {
            return Err(SendError::Refused { reason: NOT_FRIEND.to_owned() });
        }
        match self.shared.silent_for() {
            Some(retry_after) => Err(SendError::TooFrequent { retry_after: Some(retry_after) }),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Service for WebWxService {
    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::clone(&self.capabilities)
    }

    fn chats(&self) -> Arc<[Chat]> {
        self.shared.directory().chats()
    }

    fn members(&self, group: &ChatId) -> Vec<String> {
        self.shared.directory().names_of_members(group)
    }

    fn person_called(&self, name: &str) -> Called {
        self.shared.directory().friend_called(name)
    }

    async fn perform(&self, outgoing: &Outgoing) -> Result<Receipt, SendError> {
        self.may_leave(outgoing)?;
        let done = match &outgoing.action {
            Action::Send { content } => self.send(outgoing, content).await,
            Action::Recall { message, sender: None } => self.recall(&outgoing.chat, message).await,
            Action::AcceptFriend { ticket } => self.accept(ticket).await,
            Action::Kick { person } => self.kick(&outgoing.chat, person).await,
            Action::Invite { person } => self.invite(&outgoing.chat, person).await,
            action @ (Action::Save { .. } | Action::Recall { sender: Some(_), .. }) => {
                let action = action.kind();
                Err(Failed::Settled(SendError::Unsupported { transport: TRANSPORT, action }))
            }
        };
        let done = done.map_err(|failed| self.judge(outgoing, failed));
        if matches!(done, Ok(_) | Err(SendError::Refused { .. })) {
            self.shared.forget_tries(&outgoing.id);
        }
        done
    }

    async fn media(&self, media: &MediaRef, limit: u64) -> Result<Bytes, MediaError> {
        self.download(media, limit).await
    }
}

/// The capabilities of WeChat Web.
pub(crate) fn capabilities() -> Capabilities {
    Capabilities {
        transport: TRANSPORT,
        actions: BTreeSet::from([
            ActionKind::Text,
            ActionKind::Image,
            ActionKind::Video,
            ActionKind::File,
            ActionKind::Sticker,
            ActionKind::Link,
            // Only the account's own messages can be revoked (section 7.1 of the protocol reference).
            ActionKind::Recall,
            ActionKind::Kick,
            ActionKind::Invite,
            ActionKind::AcceptFriend,
            // Done by the runner; every transport has it.
            ActionKind::Save,
        ]),
        max_text: MAX_TEXT,
        max_picture: 20 << 20,
        max_file: 50 << 20,
        mention_alerts: false,
        events: EventKind::ALL.iter().copied().collect(),
        counted_in: TextUnit::Chars,
        group_delivery: GroupDelivery::All,
        // A group that is not among the contacts is known once it has spoken.
        lists_chats: false,
        has_names: true,
        // The client's own id of a message is the same on every try.
        drops_copies: true,
        reply_window: None,
        pacing: Pacing::default(),
    }
}

/// The text for content without media: mentions as people type them, a quote as a line before.
fn written(content: &Content) -> Option<String> {
    let mut text = String::new();
    for segment in &content.0 {
        match segment {
            Segment::Text { text: more } => text.push_str(more),
            Segment::Mention { shown, .. } => {
                text.push('@');
                text.push_str(shown);
                text.push('\u{2005}');
            }
            Segment::Quote { sender, text: quoted, .. } => {
                text.push_str(&quote::written(sender, quoted));
            }
            Segment::Link { title, description, url } => {
                let parts = [title, description, url].map(String::as_str);
                let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
                text.push_str(&parts.join("\n"));
            }
            Segment::Card { name } => text.push_str(name),
            Segment::Location { label, .. } => text.push_str(label),
            Segment::Raw { text: more, .. } => text.push_str(more),
            Segment::Image(_)
            | Segment::Voice(_)
            | Segment::Video(_)
            | Segment::File(_)
            | Segment::Sticker(_) => {}
        }
    }
    (!text.trim().is_empty()).then_some(text)
}

/// The client's id of a part of an action: the same on every try, different for different ones, in the genuine form.
fn client_msg_id(id: &ActionId, part: u32, queued: Timestamp) -> ClientMsgId {
    let hash = format!("{id}/{part}").bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let millis = u64::try_from(queued.as_millis()).unwrap_or_default();
    // Many actions are queued in one moment; a few minutes of difference keep them apart and do no harm.
    let spread = (hash >> 32) % 400_000;
    let number = u16::try_from(hash % 10_000).unwrap_or_default();
    ClientMsgId::new(millis.saturating_sub(200_000) + spread, number)
}

/// The media that can be uploaded. Voice messages cannot; the capabilities say so.
fn uploadable(segment: &Segment) -> Option<(UploadKind, &MediaRef)> {
    match segment {
        Segment::Image(media) => Some((UploadKind::Picture, media)),
        Segment::Video(media) => Some((UploadKind::Video, media)),
        Segment::File(media) => Some((UploadKind::File, media)),
        Segment::Sticker(media) => Some((UploadKind::Sticker, media)),
        Segment::Voice(_)
        | Segment::Text { .. }
        | Segment::Mention { .. }
        | Segment::Quote { .. }
        | Segment::Link { .. }
        | Segment::Card { .. }
        | Segment::Location { .. }
        | Segment::Raw { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(event: &str, n: u32) -> ActionId {
        ActionId { event: event.into(), n }
    }

    #[test]
    fn a_retry_has_the_same_id_and_another_action_another() {
        let at = Timestamp::from_secs(1_700_000_000);
        let id = client_msg_id(&action("m1", 0), 0, at);
        assert_eq!(client_msg_id(&action("m1", 0), 0, at), id);
        let mut ids: Vec<String> = (0..1000)
            .map(|n| client_msg_id(&action("m1", n / 2), n % 2, at).as_str().to_owned())
            .collect();
        assert!(ids.iter().all(|id| id.len() == 17));
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 1000);
    }

    #[test]
    fn content_is_written_as_people_type_it() {
        let mention = Segment::Mention { who: None, shown: "小明".to_owned() };
        let content = Content(vec![mention]).with(Segment::Text { text: "你好".to_owned() });
        assert_eq!(written(&content).unwrap(), "@小明\u{2005}你好");
        assert_eq!(written(&Content::text(" ")), None);
        let quote =
            Segment::Quote {
                message: None, sender: "小明".to_owned(), text: "原话".to_owned()
            };
        let quoted =
            written(&Content(vec![quote]).with(Segment::Text { text: "好".to_owned() })).unwrap();
        assert!(quoted.starts_with("「小明：原话」\n") && quoted.ends_with("\n好"), "{quoted}");
    }
}
