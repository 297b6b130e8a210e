//! Questions of handlers: the next message of the person comes back to the handler that asked.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Call, Captures, ChatId, Context, Due, PersonId, Scope, Timer, TimerChange, Timestamp};

/// The capture that brings the data of a question back to its handler. No rule can have a capture of this name.
const DATA: &str = "ask:data";

/// A handler that waits for the next message of a person in a chat. It is kept in the state of that person; see
/// [`Context::await_answer`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The name of the handler.
    pub handler: String,
    /// Its data.
    pub data: String,
    /// The end of the time for an answer.
    pub until: Timestamp,
}

impl Question {
    /// The key in the state of the person.
    pub const KEY: &str = "ask:open";

    /// Reads it from that state; `None` if another version wrote it: the question then counts as answered.
    #[must_use]
    pub fn read(stored: &str) -> Option<Self> {
        serde_json::from_str(stored).ok()
    }

    /// Whether a timer is the end of the time of a question: of this one, or of one that was answered or asked again.
    #[must_use]
    pub fn is_end_of_one(due: &Due) -> bool {
        due.key.starts_with("ask:")
    }

    /// The change that cancels the end of its time.
    #[must_use]
    pub fn answered(chat: &ChatId, person: &PersonId) -> TimerChange {
        TimerChange::Cancel { chat: Some(chat.clone()), key: timer_key(person) }
    }

    /// Whether a call is that of a handler which waited.
    #[must_use]
    pub fn is_asked_by(call: &Call) -> bool {
        call.captures.contains_key(DATA)
    }

    /// The call of its handler, with the data.
    #[must_use]
    pub fn call(self) -> Call {
        Call { handler: self.handler, captures: Captures::from([(DATA.to_owned(), self.data)]) }
    }
}

fn timer_key(person: &PersonId) -> String {
    format!("ask:{person}")
}

impl Context {
    /// Waits for the answer to a question, which the handler sends as any other reply: the next message of this person in
    /// this chat comes to the handler of this name ([`Handler::on_message`](crate::Handler::on_message)), in place of
    /// rules and fallbacks. If none comes in time, the handler gets the [`Due`] of its name
    /// ([`Handler::on_event`](crate::Handler::on_event)). In both calls [`awaited`](Self::awaited) is `data`.
    ///
    /// A handler that returns [`Flow::Continue`](crate::Flow::Continue) gives the message back: rules and fallbacks get it
    /// as if no handler had waited. The question is over then, unless the handler asks again before.
    ///
    /// The name is that of a handler which rules run. A person has at most one such question in a chat: a second one takes
    /// the place of the first, whose time-out does not come. The store keeps it, so it survives a restart. Handlers before
    /// the rules, commands of the admins and an open dialog of the rules get the message first. In a muted chat and in
    /// quiet hours the question stays open. Without a person or a chat nothing happens.
    pub fn await_answer(
        &mut self,
        within: Duration,
        name: impl Into<String>,
        data: impl Into<String>,
    ) {
        let (Some(chat), Some(person)) = (self.chat().cloned(), self.person().cloned()) else {
            return;
        };
        let (name, until) = (name.into(), self.now() + within);
        let question = Question { handler: name.clone(), data: data.into(), until };
        // A struct of texts is always JSON.
        let text = serde_json::to_string(&question).unwrap_or_default();
        self.set(Scope::Person, Question::KEY, text);
        self.timer(TimerChange::Set(Timer {
            key: timer_key(&person.id),
            at: until,
            chat: Some(chat),
            person: Some(person),
            name,
            data: question.data,
        }));
    }

    /// The data of the question that this call answers, or whose time is over: `None` if the handler runs for another reason.
    #[must_use]
    pub fn awaited(&self) -> Option<&str> {
        self.capture(DATA)
    }
}
