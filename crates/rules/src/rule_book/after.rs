//! `after`: which rules answered the last message of a person.

use std::collections::BTreeSet;
use std::time::Duration;

use mynah_core::{Scope, Timestamp};
use serde::{Deserialize, Serialize};

use super::conditions::FailedCondition;
use super::pending::Pending;
use super::rule::Rest;
use crate::explain::{Failed, Verdict};
use crate::model::{After, Bot};

/// The key of a person's state in a chat under which the last answer is noted.
const KEY: &str = "after";

/// The last message of a person on which rules acted.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    at: Timestamp,
    /// The ids of those of them that any `after` names.
    by: Vec<String>,
}

/// The ids that any `after` of a bot names, and how long a mark can matter.
#[derive(Debug, Default)]
pub(super) struct Marked {
    ids: BTreeSet<String>,
    longest: Duration,
}

impl Marked {
    pub(super) fn of(bot: &Bot) -> Self {
        let all = || {
            bot.rules.iter().filter(|rule| !rule.off).filter_map(|rule| rule.when.after.as_ref())
        };
        Self {
            ids: all().flat_map(|after| after.ids.iter().cloned()).collect(),
            longest: all().map(|after| after.within).max().unwrap_or_default(),
        }
    }

    /// Whether any rule asks for the last answer: else no mark is written.
    pub(super) fn is_used(&self) -> bool {
        !self.ids.is_empty()
    }

    /// Notes which rules and dialogs acted on a message.
    pub(super) fn note(
        &self,
        acted: &[impl AsRef<str>],
        pending: &mut Pending<'_>,
        now: Timestamp,
    ) {
        let known = acted.iter().map(AsRef::as_ref).filter(|id| self.ids.contains(*id));
        let by: Vec<String> = known.map(str::to_owned).collect();
        if by.is_empty() {
            if pending.get(Scope::Person, KEY).is_some() {
                pending.remove(Scope::Person, KEY);
            }
            return;
        }
        let mark = serde_json::to_string(&Mark { at: now, by }).unwrap_or_default();
        let until = now + self.longest + Duration::from_millis(1);
        pending.set(Scope::Person, KEY, mark, Some(until));
    }
}

fn mark(pending: &Pending<'_>) -> Option<Mark> {
    serde_json::from_str(&pending.get(Scope::Person, KEY)?).ok()
}

/// Checks that the last answer was one of those, at most so long ago.
pub(super) fn check(
    rest: &Rest,
    pending: &Pending<'_>,
    now: Timestamp,
) -> Result<(), FailedCondition> {
    let Some(After { ids, within }) = &rest.after else { return Ok(()) };
    let holds = mark(pending).is_some_and(|mark| {
        now.since(mark.at) <= *within && mark.by.iter().any(|by| ids.contains(by))
    });
    holds.then_some(()).ok_or(FailedCondition::After)
}

/// The words for an `after` that does not hold.
pub(super) fn describe(after: &After, pending: &Pending<'_>, now: Timestamp) -> Verdict {
    let mark = mark(pending).filter(|mark| now.since(mark.at) <= after.within);
    Verdict::Failed(Failed {
        key: "after",
        expected: after.ids.join(", "),
        actual: mark.map(|mark| mark.by.join(", ")).unwrap_or_default(),
    })
}
