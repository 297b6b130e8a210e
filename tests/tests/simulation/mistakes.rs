//! The mistakes that the simulation must find: those of a store, in the model store, and those of the runtime, which show
//! themselves as a store, a source or a handler that misbehaves.

use mynah_core::{Batch, EventBody, Origin};
use mynah_store_testing::Mistake as StoreMistake;

/// A mistake that could be made in the store or the runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// One of the store.
    Store(StoreMistake),
    /// The service is asked for more before the last batch would survive the loss of power: the store does not sync.
    AskedBeforeSync,
    /// The effects of a failed handler are kept: the handler hides its failure.
    FailureKeepsEffects,
    /// The bot answers itself: the source gives out its messages as those of a person.
    OwnMessagesAnswered,
    /// The age of a message is judged by the machine's clock: the source does not report the time of the service.
    AgeByOwnClock,
    /// Random numbers depend on the time: the handler draws them so.
    RandomByTime,
    /// After a start the pacer knows nothing of earlier actions: the store does not report them.
    PacerForgets,
}

/// The mistakes of a store that no run can notice.
const HARMLESS: [StoreMistake; 5] = [
    StoreMistake::ConflictClaims,
    StoreMistake::TurnOvertakes,
    StoreMistake::MembersOfAllChats,
    StoreMistake::ClearedForOne,
    StoreMistake::ClockForgotten,
];

impl Mistake {
    /// The outbox has two actions of a chat under way: the store gives each chat a second name, and lets an action be claimed
    /// beside another.
    pub(crate) const TWO_UNDER_WAY: Self = Self::Store(StoreMistake::TwoUnderWay);

    const OF_RUNTIME: [Self; 6] = [
        Self::AskedBeforeSync,
        Self::FailureKeepsEffects,
        Self::OwnMessagesAnswered,
        Self::AgeByOwnClock,
        Self::RandomByTime,
        Self::PacerForgets,
    ];

    /// All of them, except for those that harm no run: the runtime requests a claim with a turn only while its chat has
    /// nothing else to send, no handler here reads or clears the values of several people, and no clock goes back.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let of_store = StoreMistake::PROMISES.into_iter().chain(StoreMistake::LOST_ANSWERS);
        let of_store = of_store.filter(|mistake| !HARMLESS.contains(mistake));
        of_store.map(Self::Store).chain(Self::OF_RUNTIME)
    }
}

/// The store of a run, and its mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setup {
    /// SQLite in memory; no mistake.
    Sqlite,
    /// The same, but each first answer is lost and its call made again.
    LostAnswers,
    /// The model store; no mistake.
    Model,
    /// A mistake: of the store in the model store, of the runtime on SQLite.
    Mistaken(Mistake),
}

impl Setup {
    pub(crate) fn has(self, mistake: Mistake) -> bool {
        self == Self::Mistaken(mistake)
    }

    /// Whether each call of the store is made twice.
    pub(crate) fn loses_answers(self) -> bool {
        match self {
            Self::LostAnswers => true,
            Self::Mistaken(Mistake::Store(mistake)) => {
                StoreMistake::LOST_ANSWERS.contains(&mistake)
            }
            Self::Sqlite | Self::Model | Self::Mistaken(_) => false,
        }
    }

    /// Makes the mistakes of a source in a batch.
    pub(crate) fn mistake(self, batch: &mut Batch) {
        if self.has(Mistake::AgeByOwnClock) {
            batch.service_time = None;
        }
        if self.has(Mistake::OwnMessagesAnswered) {
            for event in &mut batch.events {
                if let EventBody::Message(message) = &mut event.body
                    && message.origin == Origin::Oneself
                {
                    message.origin = Origin::Person;
                }
            }
        }
    }
}
