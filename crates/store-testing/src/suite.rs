//! The promises of a store, each as a function that tries to break it.

mod actions;
mod crashes;
mod events;
mod lost_answers;
mod operators;
mod reading;
mod state;
mod tools;

use std::fmt;

use futures_util::future::BoxFuture;
use mynah_core::StoreError;

use crate::Ground;

/// Makes an empty store.
pub(crate) type NewGround<'a> = &'a (dyn Fn() -> Box<dyn Ground> + Send + Sync);

/// The result of a try: the reason if the promise is broken.
pub(crate) type Verdict = Result<(), Reason>;

/// Why a promise is broken, as text.
#[derive(Debug)]
pub(crate) struct Reason(String);

impl From<StoreError> for Reason {
    fn from(error: StoreError) -> Self {
        Self(format!("the store failed: {error}"))
    }
}

/// A promise that a store does not keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The name of the promise.
    pub promise: &'static str,
    /// How the store breaks it.
    pub why: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.promise, self.why)
    }
}

impl std::error::Error for Broken {}

/// A promise as text, and the try to break it.
struct Promise {
    words: &'static str,
    check: for<'a> fn(NewGround<'a>) -> BoxFuture<'a, Verdict>,
}

macro_rules! promises {
    ($($module:ident :: $name:ident : $words:literal,)*) => {
        const PROMISES: &[Promise] = &[
            $(Promise { words: $words, check: |new| Box::pin($module::$name(new)) },)*
        ];
    };
}

promises! {
    events::accepted_once: "an event is accepted once, also after a crash",
    events::oldest_first: "the events of a lane are handled oldest first",
    events::begun_at_once: "only the first event of an empty lane is begun with its acceptance, and is marked",
    events::recall: "a recall finds the message of the log",
    events::set_aside: "an event that ends the process is set aside after three attempts",
    events::records: "records are kept, and an empty value removes one",
    events::timers: "a timer becomes one event, and a cancelled timer none",
    state::conflict: "a commit is refused whole if a value that it read has changed",
    state::additions: "additions never conflict",
    state::expiry: "an expired value is absent",
    state::clock_set_back: "a commit is refused if a value that had expired is valid by an earlier clock",
    state::members_of: "the values of all people in a chat are found, with the names of then",
    state::cleared: "a value is removed for all people in one chat",
    actions::order: "the actions of a chat leave in order, also across retries",
    actions::clock_goes_back: "the actions of a chat leave in order, also if the clock goes back before a crash",
    actions::one_at_a_time: "one action of a chat is under way at a time",
    actions::expiry: "a late reply expires, an announcement does not",
    actions::delay: "a delayed action waits for its moment",
    actions::rows: "a row that waits for another try holds up nothing, never expires and is never in doubt",
    actions::doubt: "an action of unknown outcome is tried once more",
    actions::claims_outlive: "a claim outlives its process and is in doubt then",
    actions::pace: "the last claims are known",
    actions::claimed_with_turn: "a commit claims the oldest action of a chat, and a refused one claims nothing",
    operators::forget: "the data about a person is deleted whole, and its events are not accepted again",
    operators::unbind: "a binding ends once",
    operators::close: "an orderly end keeps everything",
    reading::committed: "a reader sees everything that was committed",
    reading::filters: "the pages of a filtered log are the filtered log",
    reading::state: "a reader finds the live values of an owner",
    reading::export: "the pages of an export are everything",
    reading::forgotten: "an export has nothing about a person whose data was deleted",
    reading::unreadable: "unreadable entries are reported",
    crashes::batch: "a batch is accepted whole, wherever the process dies",
    crashes::turn_whole: "a turn is committed whole, wherever the process dies",
    crashes::timer_kept: "a due timer is never lost, wherever the process dies",
    crashes::claimed: "an action is claimed or not, wherever the process dies",
    crashes::claimed_with_turn: "a turn is committed and its action claimed, or neither, wherever the process dies",
    lost_answers::batch: "a repeated accept returns the lanes again",
    lost_answers::turn_again: "a repeated commit returns the open chats again",
    lost_answers::timer_again: "a repeated fire returns the lanes again",
    lost_answers::claimed: "a repeated claim claims nothing else",
    lost_answers::claimed_with_turn: "a repeated commit returns its claim again",
    lost_answers::expired: "a repeated claim reports an expired action again",
    lost_answers::settled: "a repeated settle says again whether there is more",
    lost_answers::recovered: "a repeated recover counts attempts once",
    lost_answers::reads: "a repeated begin, records, sync, recent_claims and tidy change nothing",
}

/// Tests a store against all promises of the trait [`Store`](mynah_core::Store). Each promise gets an empty store.
///
/// # Errors
///
/// The first broken promise.
pub async fn check(new: &(dyn Fn() -> Box<dyn Ground> + Send + Sync)) -> Result<(), Broken> {
    for Promise { words, check } in PROMISES {
        check(new).await.map_err(|Reason(why)| Broken { promise: words, why })?;
    }
    Ok(())
}
