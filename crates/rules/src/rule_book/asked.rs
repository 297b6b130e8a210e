//! Questions of handlers: the next message of the person goes to the handler that asked, as an answer in a dialog does.

use mynah_core::{Due, Question, Scope, StateView, Step};

use super::pending::Pending;
use super::search::{Run, SearchFlow};
use crate::decision::Decision;

/// Gives a message to the handler that waits for the answer of its sender.
pub(super) fn answer(run: &mut Run<'_, '_>) -> SearchFlow {
    let question = open(&run.pending).filter(|open| run.at.now < open.until);
    let (Some(question), Some(person)) = (question, run.facts.person) else {
        return SearchFlow::Continue;
    };
    // The question stays open, as a dialog does.
    if run.hushed().is_some() {
        return SearchFlow::Continue;
    }
    run.pending.remove(Scope::Person, Question::KEY);
    run.out.timers.push(Question::answered(&run.facts.chat.id, &person.id));
    run.out.steps.push(Step::Run(question.call()));
    run.out.acted = true;
    SearchFlow::End
}

/// The time of a question is over, unless it was answered or asked again just before.
pub(super) fn timed_out(due: &Due, state: &dyn StateView) -> Decision {
    let mut pending = Pending::new(state);
    let is_it = |open: &Question| open.until == due.at && open.handler == due.name;
    let Some(question) = open(&pending).filter(is_it) else {
        return Decision { passed_over: Some("question answered before"), ..Decision::default() };
    };
    pending.remove(Scope::Person, Question::KEY);
    let steps = vec![Step::Run(question.call())];
    Decision { writes: pending.into_writes(), steps, acted: true, ..Decision::default() }
}

fn open(pending: &Pending<'_>) -> Option<Question> {
    Question::read(&pending.get(Scope::Person, Question::KEY)?)
}
