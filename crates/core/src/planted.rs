//! Mistakes planted by a test, to see that the fault simulation finds each of them.
//!
//! Without the feature `planted` there are none: [`is`] is constant and the compiler removes what it guards.

/// A mistake that could be made in the store or the runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mistake {
    /// The records are written before the events that they cover.
    RecordsBeforeEvents,
    /// The service is asked for more before the last batch would survive the loss of power.
    AskedBeforeSync,
    /// An event that was handled before is taken in again.
    SeenIdsForgotten,
    /// A lane handles its newest event first.
    NewestEventFirst,
    /// A commit does not check what the turn read.
    LostUpdate,
    /// State is committed before the replies that belong to it.
    StateWithoutReply,
    /// Timers are removed before the events that they become are written.
    TimersLost,
    /// A request leaves before its claim is written.
    SentWithoutClaim,
    /// A retry goes to the end of its chat's queue.
    RetryMovesBack,
    /// Two actions of one chat are under way at once.
    TwoUnderWay,
    /// What was claimed when the process ended is taken for never sent.
    DoubtForgotten,
    /// An action of unknown outcome is sent again without end.
    DoubtNeverEnds,
    /// A reply leaves however late.
    ExpiryIgnored,
    /// An event that kills the process is tried for ever.
    PoisonTriedForEver,
    /// The effects of a failed handler are kept.
    FailureKeepsEffects,
    /// The bot answers itself.
    OwnMessagesAnswered,
    /// The age of a message is judged by the machine's clock.
    AgeByOwnClock,
    /// Random numbers depend on the time.
    RandomByTime,
    /// After a start the pacer knows nothing of what was sent before.
    PacerForgets,
}

impl Mistake {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::RecordsBeforeEvents,
        Self::AskedBeforeSync,
        Self::SeenIdsForgotten,
        Self::NewestEventFirst,
        Self::LostUpdate,
        Self::StateWithoutReply,
        Self::TimersLost,
        Self::SentWithoutClaim,
        Self::RetryMovesBack,
        Self::TwoUnderWay,
        Self::DoubtForgotten,
        Self::DoubtNeverEnds,
        Self::ExpiryIgnored,
        Self::PoisonTriedForEver,
        Self::FailureKeepsEffects,
        Self::OwnMessagesAnswered,
        Self::AgeByOwnClock,
        Self::RandomByTime,
        Self::PacerForgets,
    ];
}

/// Whether this mistake is planted: never.
#[cfg(not(feature = "planted"))]
#[must_use]
pub const fn is(_mistake: Mistake) -> bool {
    false
}

/// A place at which a planted mistake lets the process die between two steps that belong together.
#[cfg(not(feature = "planted"))]
pub fn gap() -> std::future::Ready<()> {
    std::future::ready(())
}

#[cfg(feature = "planted")]
pub use switched::{gap, is, plant};

#[cfg(feature = "planted")]
mod switched {
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;

    use super::Mistake;

    thread_local! {
        static PLANTED: Cell<Option<Mistake>> = const { Cell::new(None) };
        static DIES: RefCell<Option<Rc<dyn Fn() -> bool>>> = const { RefCell::new(None) };
    }

    /// Plants a mistake in this thread, or takes it out. `dies` says whether the process dies in a gap.
    pub fn plant(mistake: Option<Mistake>, dies: Rc<dyn Fn() -> bool>) {
        PLANTED.set(mistake);
        DIES.with(|slot| *slot.borrow_mut() = Some(dies));
    }

    /// Whether this mistake is planted in this thread.
    #[must_use]
    pub fn is(mistake: Mistake) -> bool {
        PLANTED.get() == Some(mistake)
    }

    /// A place at which a planted mistake lets the process die between two steps that belong together.
    pub async fn gap() {
        let dies = DIES.with(|slot| slot.borrow().as_ref().is_some_and(|dies| dies()));
        if dies {
            std::future::pending::<()>().await;
        }
    }
}
