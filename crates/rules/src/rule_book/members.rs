//! The values of names about all people in a chat. What the decision changed so far counts.

use std::cmp::Reverse;
use std::sync::Arc;

use mynah_core::{Change, MemberValue, MemberValues, Random, Scope, kept_name};

use super::scene::SceneValues;
use super::words;
use crate::comparison::Number;
use crate::computed::of_members::{MOST_NAMES, OfMembers, Question};

/// The name of a person whose name is not known.
const NAMELESS: &str = "?";

impl SceneValues<'_, '_> {
    /// The text of a question about all people in the chat; `None` if no person can be named.
    pub(super) fn of_members(&self, asked: OfMembers<'_>, place: usize) -> Option<String> {
        let all = self.values_of_all(asked.key)?;
        let present = all.values.iter().filter(|value| !value.text.is_empty());
        let text = match asked.question {
            Question::Top(most) => top(&all, most),
            Question::Rank => self.rank(&all)?.to_string(),
            Question::Count => present.count().to_string(),
            Question::Who => words::list(present.take(MOST_NAMES).map(shown), self.scene.lang),
            Question::Pick(count) => {
                let drawn = drawn(present.collect(), count, self.draws.random(place));
                words::list(drawn.into_iter().map(shown), self.scene.lang)
            }
        };
        Some(text)
    }

    /// A known member of the group: the same in all places of an answer.
    pub(super) fn someone(&self) -> Option<String> {
        if !self.scene.chat.is_group() {
            return None;
        }
        let names = self.draws.at.inputs.members();
        let names = names.map_err(|lack| self.pending.lack(lack)).ok()?;
        let drawn = self.draws.random_of_answer().below(names.len() as u64);
        names.get(usize::try_from(drawn).ok()?).map(|name| kept_name(name))
    }

    /// The values under a key, with the changes of this decision; `None` if they are not at hand.
    fn values_of_all(&self, key: &str) -> Option<Arc<MemberValues>> {
        let values = self.draws.at.inputs.values(key);
        let mut values = values.map_err(|lack| self.pending.lack(lack)).ok()?;
        let writes = self.pending.writes().iter();
        for write in writes.filter(|write| write.scope == Scope::Person && write.key == key) {
            // Without a person only the removal of all values has an effect.
            if self.scene.person.is_some() || write.change == Change::RemoveOfAll {
                Arc::make_mut(&mut values).apply(key, self.scene.person, write);
            }
        }
        Some(values)
    }

    /// One more than the people with a larger number; `None` if the person has no number.
    fn rank(&self, all: &MemberValues) -> Option<usize> {
        let person = self.scene.person?;
        let own = all.values.iter().find(|value| value.person == person.id)?;
        let own = Number::read(&own.text)?;
        let larger = all.values.iter().filter_map(|value| Number::read(&value.text));
        Some(1 + larger.filter(|number| *number > own).count())
    }
}

/// A line for each of the largest numbers.
fn top(all: &MemberValues, most: usize) -> String {
    let numbers = all.values.iter().filter_map(|value| Some((Number::read(&value.text)?, value)));
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_by(|(one, a), (other, b)| {
        (Reverse(one), &a.name, &a.person).cmp(&(Reverse(other), &b.name, &b.person))
    });
    let lines = numbers.iter().take(most).enumerate().map(|(place, (_, value))| {
        format!("{}. {} {}", place + 1, shown(value), value.text.trim())
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// So many of them, each at most once.
fn drawn(mut from: Vec<&MemberValue>, count: usize, mut random: Random) -> Vec<&MemberValue> {
    let count = count.min(from.len());
    for place in 0..count {
        let drawn = random.below((from.len() - place) as u64);
        from.swap(place, place + usize::try_from(drawn).unwrap_or(0));
    }
    from.truncate(count);
    from
}

fn shown(value: &MemberValue) -> &str {
    if value.name.is_empty() { NAMELESS } else { &value.name }
}

#[cfg(test)]
mod tests;
