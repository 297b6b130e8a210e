//! The recent conversation with one person in one chat, for the model.

use std::time::Duration;

use mynah::prelude::*;
use serde::{Deserialize, Serialize};

use crate::model::{Line, Role};

/// The key in the state of the person in the chat, so that `mynah forget` deletes the conversation too. After this time
/// of silence, the conversation starts again.
const TALK: Key<Talk> =
    Key::new(Scope::Person, "assistant.talk").kept_for(Duration::from_secs(30 * 60));

/// The most lines, questions and answers together.
const LINES: usize = 12;

/// The most characters of all lines: the model has to read them each time.
const CHARACTERS: usize = 4_000;

/// The most characters of one line.
const LONGEST_LINE: usize = 1_000;

/// The lines so far, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Talk(Vec<Line>);

impl Talk {
    /// The conversation with the sender of this message. An unreadable one starts again.
    pub(crate) fn of(ctx: &Context) -> Self {
        ctx.load(&TALK).ok().flatten().unwrap_or_default()
    }

    /// Adds a line, and drops the oldest lines if the conversation becomes too long.
    pub(crate) fn add(&mut self, role: Role, text: &str) {
        let content: String = text.chars().take(LONGEST_LINE).collect();
        self.0.push(Line { role, content });
        let mut characters = 0;
        let kept = self.0.iter().rev().take(LINES).take_while(|line| {
            characters += line.content.chars().count();
            characters <= CHARACTERS
        });
        let gone = self.0.len() - kept.count();
        self.0.drain(..gone);
    }

    /// The question for the model: the instruction and the conversation.
    pub(crate) fn question(&self, about: &str) -> Vec<Line> {
        let system = Line { role: Role::System, content: about.to_owned() };
        std::iter::once(system).chain(self.0.iter().cloned()).collect()
    }

    /// Stores the conversation until the person has been silent for a while. It is committed together with the reply.
    pub(crate) fn keep(&self, ctx: &mut Context) -> Result<(), HandlerError> {
        Ok(ctx.store(&TALK, self)?)
    }

    /// Deletes the conversation.
    pub(crate) fn forget(ctx: &mut Context) {
        ctx.clear(&TALK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_talk_keeps_its_end() {
        let mut talk = Talk::default();
        for n in 0..100 {
            talk.add(Role::User, &format!("{n}"));
        }
        assert_eq!(talk.0.len(), LINES);
        assert_eq!(talk.0.last().unwrap().content, "99");
        for _ in 0..5 {
            talk.add(Role::User, &"长".repeat(10_000));
        }
        let characters: usize = talk.0.iter().map(|line| line.content.chars().count()).sum();
        assert_eq!((talk.0.len(), characters), (4, CHARACTERS));
    }
}
