//! The callers that wait for the outcomes of their actions.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mynah_core::{ActionId, EventId, Outcome, PerformError};
use tokio::sync::oneshot;

/// The answer to one caller.
pub(crate) type Answer = oneshot::Sender<Result<Vec<Outcome>, PerformError>>;

/// The actions that callers wait for, by the events whose turns request them.
#[derive(Debug, Default)]
pub(crate) struct Performing(Mutex<BTreeMap<EventId, Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    answers: Vec<Answer>,
    /// The number of actions, once the turn is committed: a long text becomes several.
    actions: Option<usize>,
    outcomes: BTreeMap<u32, Outcome>,
    /// The number of tries with an unknown outcome: the store allows one more after the first.
    doubts: BTreeMap<u32, u32>,
}

impl Performing {
    /// Adds a caller. Returns whether another one waits for the same action already.
    pub(crate) fn expect(&self, id: &EventId, answer: Answer) -> bool {
        let mut waiting = self.lock();
        let joins = waiting.contains_key(id);
        waiting.entry(id.clone()).or_default().answers.push(answer);
        joins
    }

    /// Ends the wait for an action that was accepted before.
    pub(crate) fn repeated(&self, id: &EventId) {
        let waiting = self.lock().remove(id);
        for answer in waiting.into_iter().flat_map(|waiting| waiting.answers) {
            // The caller may be gone.
            let _ = answer.send(Err(PerformError::Repeated));
        }
    }

    /// Notes that a turn was committed with this number of actions.
    pub(crate) fn committed(&self, id: &EventId, actions: usize) {
        self.note(id, |waiting| waiting.actions = Some(actions));
    }

    /// Notes the outcome of a try.
    pub(crate) fn tried(&self, id: &ActionId, outcome: &Outcome) {
        self.note(&id.event, |waiting| {
            let is_final = match outcome {
                Outcome::NotSent { .. } => false,
                Outcome::Unknown { again_at: Some(_), .. } => {
                    let doubts = waiting.doubts.entry(id.n).or_default();
                    *doubts += 1;
                    *doubts > 1
                }
                _ => true,
            };
            if is_final {
                waiting.outcomes.insert(id.n, outcome.clone());
            }
        });
    }

    /// Changes the state of an action, and answers if all outcomes are known.
    fn note(&self, id: &EventId, change: impl FnOnce(&mut Waiting)) {
        let mut all = self.lock();
        let Some(waiting) = all.get_mut(id) else { return };
        change(waiting);
        if waiting.actions.is_none_or(|actions| waiting.outcomes.len() < actions) {
            return;
        }
        let Some(Waiting { answers, outcomes, .. }) = all.remove(id) else { return };
        let outcomes: Vec<Outcome> = outcomes.into_values().collect();
        for answer in answers {
            // The caller may be gone.
            let _ = answer.send(Ok(outcomes.clone()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<EventId, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use mynah_core::Timestamp;

    use super::*;

    const SAME: &str = "e";

    fn action(n: u32) -> ActionId {
        ActionId { event: SAME.into(), n }
    }

    fn unknown(again: bool) -> Outcome {
        Outcome::Unknown { reason: "?".to_owned(), again_at: again.then(Timestamp::default) }
    }

    #[test]
    fn all_callers_get_all_outcomes_whichever_is_known_first() {
        let (performing, id) = (Performing::default(), EventId::from(SAME));
        let (first, mut first_answer) = oneshot::channel();
        let (second, mut second_answer) = oneshot::channel();
        assert!(!performing.expect(&id, first));
        assert!(performing.expect(&id, second));
        performing.tried(&action(1), &Outcome::Accepted);
        performing.committed(&id, 2);
        performing.tried(&action(0), &unknown(true));
        assert!(first_answer.try_recv().is_err(), "one of them is tried again");
        performing.tried(&action(0), &unknown(true));
        let expected = vec![unknown(true), Outcome::Accepted];
        for answer in [&mut first_answer, &mut second_answer] {
            assert_eq!(answer.try_recv().unwrap(), Ok(expected.clone()));
        }
        assert!(performing.lock().is_empty());
    }

    #[test]
    fn a_turn_without_actions_is_an_answer_and_a_repetition_is_an_error() {
        let (performing, id) = (Performing::default(), EventId::from(SAME));
        let (answer, mut answered) = oneshot::channel();
        performing.expect(&id, answer);
        performing.committed(&id, 0);
        assert_eq!(answered.try_recv().unwrap(), Ok(Vec::new()));
        let (answer, mut answered) = oneshot::channel();
        performing.expect(&id, answer);
        performing.repeated(&id);
        assert_eq!(answered.try_recv().unwrap(), Err(PerformError::Repeated));
    }
}
