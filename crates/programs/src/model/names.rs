//! The names of people, which do not leave the machine.

use std::collections::BTreeSet;

use mynah_core::{Context, Message, Segment};

/// Takes the place of a name.
const HIDDEN: &str = "…";

/// The names of the people around a message, the longest first.
pub(crate) struct Names(Vec<String>);

impl Names {
    /// The names of the sender, of the mentioned people and of the known members of the group.
    pub(crate) fn of(ctx: &Context, message: &Message) -> Self {
        let sender = &message.sender;
        let given = sender.certain_names.iter().chain(&sender.chosen_names).chain([&sender.name]);
        let mentioned = message.content.0.iter().filter_map(|segment| match segment {
            Segment::Mention { shown, .. } => Some(shown.clone()),
            _ => None,
        });
        let all: BTreeSet<String> = given
            .cloned()
            .chain(mentioned)
            .chain(ctx.members())
            .map(|name| name.trim().into())
            .collect();
        let mut all: Vec<String> = all.into_iter().filter(|name| !name.is_empty()).collect();
        all.sort_by_key(|name| std::cmp::Reverse(name.len()));
        Self(all)
    }

    /// The words of a person without the names that are mentioned in them. Other names stay: they may be words.
    pub(crate) fn out_of_mentions(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, name| {
            ['@', '＠'].iter().fold(text, |text, sign| {
                if text.contains(*sign) {
                    text.replace(&format!("{sign}{name}"), &format!("{sign}{HIDDEN}"))
                } else {
                    text
                }
            })
        })
    }

    /// The words of the bot without any name: rules greet people by their names. A name of one letter may be any word.
    pub(crate) fn out_of_answer(&self, text: &str) -> String {
        let names = self.0.iter().filter(|name| name.chars().nth(1).is_some());
        names.fold(text.to_owned(), |text, name| text.replace(name.as_str(), HIDDEN))
    }
}
