//! The messages that were recalled lately, so that a turn that begins after the recall arrived gives no answer.
//!
//! A message and its recall often arrive together: after a time offline, or while another turn of the chat takes long. The
//! recalls are in memory: a start forgets them, and then a message that was accepted before it may be answered. The recall
//! itself is an event like others, handled after its message.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mynah_core::{ChatId, Event, EventBody, MessageId, NoticeKind};

/// The largest number of recalls that are kept; the oldest are forgotten first.
const KEPT: usize = 256;

/// The recalls of the last time.
#[derive(Debug, Default)]
pub(crate) struct Recalls(Mutex<VecDeque<(ChatId, MessageId)>>);

impl Recalls {
    /// Notes the recalls among these events, before one of them can be handled.
    pub(crate) fn note(&self, events: &[Event]) {
        for event in events {
            let EventBody::Notice(notice) = &event.body else { continue };
            let NoticeKind::Recall { message, .. } = &notice.kind else { continue };
            let mut kept = self.kept();
            if kept.len() == KEPT {
                kept.pop_front();
            }
            kept.push_back((notice.chat.id.clone(), message.clone()));
        }
    }

    /// The reason to pass an event over, if it is a message that was recalled.
    pub(crate) fn passed_over(&self, event: &Event) -> Option<&'static str> {
        let message = event.message()?;
        let is_recalled =
            self.kept().iter().any(|(chat, id)| *id == message.id && *chat == message.chat.id);
        is_recalled.then_some("recalled message")
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<(ChatId, MessageId)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
