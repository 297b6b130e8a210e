//! Runs the suite on the model store: without a mistake, and with each mistake.

use futures_util::FutureExt;
use mynah_store_testing::{Broken, Call, Mistake, ModelGround, ModelStore, calls, check, play};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// Runs the suite; the model store waits only at its own pauses, where the suite lets it die.
fn run(new: impl Fn() -> ModelStore + Send + Sync) -> Result<(), Broken> {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("no driver needed")
        .block_on(check(&|| Box::new(ModelGround(new()))).boxed())
}

#[test]
fn the_model_keeps_every_promise() {
    assert_eq!(run(ModelStore::new), Ok(()));
}

#[test]
fn the_suite_finds_every_mistake_of_a_store() {
    let all = Mistake::PROMISES.into_iter().chain(Mistake::LOST_ANSWERS);
    let missed: Vec<Mistake> = all
        .chain(Mistake::OPERATORS)
        .filter(|mistake| run(|| ModelStore::with_mistake(*mistake)).is_ok())
        .collect();
    assert!(missed.is_empty(), "not found: {missed:?}");
}

#[test]
fn random_calls_tell_a_mistaken_store_from_the_model() {
    let answers = |store: ModelStore, calls: &[(Call, bool)]| {
        let mut ground = ModelGround(store);
        let played = play(&mut ground, calls);
        tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("no driver needed")
            .block_on(played)
            .expect("the model does not fail")
    };
    let mut runner = TestRunner::deterministic();
    let mut sequences = Vec::new();
    for _ in 0..300 {
        let tree = calls().new_tree(&mut runner).expect("every sequence is allowed");
        sequences.push(tree.current());
    }
    // These mistakes do harm only if a call is interrupted.
    let cut = [
        Mistake::RecordsBeforeEvents,
        Mistake::StateWithoutReply,
        Mistake::ClaimAfterCommit,
        Mistake::TimersLost,
    ];
    let all = Mistake::PROMISES.into_iter().chain(Mistake::LOST_ANSWERS);
    let missed: Vec<Mistake> = all
        .filter(|mistake| !cut.contains(mistake))
        .filter(|mistake| {
            sequences.iter().all(|calls| {
                answers(ModelStore::with_mistake(*mistake), calls)
                    == answers(ModelStore::new(), calls)
            })
        })
        .collect();
    assert!(missed.is_empty(), "not found: {missed:?}");
}
