//! Fault injection: the mistakes that a model store can have.

/// A mistake in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mistake {
    /// The records are written before the events that they cover.
    RecordsBeforeEvents,
    /// A handled event is accepted again.
    SeenIdsForgotten,
    /// A lane handles its newest event first.
    NewestEventFirst,
    /// An event is begun with its acceptance although an older one waits in its lane.
    BegunOutOfOrder,
    /// An event that is begun with its acceptance is not marked, so its attempts are not counted.
    BegunWithoutMark,
    /// A commit does not check the reads of the turn.
    LostUpdate,
    /// The values of the people in a chat are those of all chats.
    MembersOfAllChats,
    /// The removal of a value of all people in a chat removes one value.
    ClearedForOne,
    /// State is committed before the replies that belong to it.
    StateWithoutReply,
    /// Due timers are removed before their events are written.
    TimersLost,
    /// A request is sent before its claim is written.
    SentWithoutClaim,
    /// A claim that comes with a commit is written after it.
    ClaimAfterCommit,
    /// A commit that is refused claims nevertheless.
    ConflictClaims,
    /// A claim that comes with a commit takes an action of its turn although an older one of the chat waits.
    TurnOvertakes,
    /// A retry goes to the end of its chat's queue.
    RetryMovesBack,
    /// An action overtakes another one that was queued before it, when the clock had gone back.
    ClockForgotten,
    /// A second action of a chat can be claimed beside the first.
    TwoUnderWay,
    /// Actions that were claimed when the process ended count as never sent.
    DoubtForgotten,
    /// An action of unknown outcome is sent again without end.
    DoubtNeverEnds,
    /// A reply is sent however late it is.
    ExpiryIgnored,
    /// An event that kills the process is tried again without end.
    PoisonTriedForEver,
    /// A repeated `accept` does not return the lanes again.
    AcceptAnswersOnce,
    /// A repeated `commit` does not return the chats again.
    CommitAnswersOnce,
    /// A repeated commit does not return its claim again.
    CommitClaimsOnce,
    /// A repeated `fire` does not return the lanes again.
    FireAnswersOnce,
    /// A repeated `claim` ignores its token.
    TokenIgnored,
    /// A repeated `settle` reports that the chat has nothing to send.
    SettleAnswersOnce,
    /// A repeated `recover` counts attempts again.
    AttemptsCountedTwice,
    /// An event of a person whose data was deleted is accepted again.
    ForgottenIdsNew,
    /// The timers of a person stay when the data of the person is deleted.
    TimersOutliveTheirPerson,
    /// A binding that was ended stays.
    BindingKept,
    /// A reader does not apply the filter of a chat to the log.
    ChatFilterIgnored,
    /// A reader does not report entries that it cannot read.
    UnreadableHidden,
    /// The next page of the log leaves out an entry.
    PageSkipsEntry,
    /// An export has no timers.
    TimersNotExported,
}

impl Mistake {
    /// The mistakes that break a promise although every answer arrives.
    pub const PROMISES: [Self; 21] = [
        Self::RecordsBeforeEvents,
        Self::SeenIdsForgotten,
        Self::NewestEventFirst,
        Self::BegunOutOfOrder,
        Self::BegunWithoutMark,
        Self::LostUpdate,
        Self::MembersOfAllChats,
        Self::ClearedForOne,
        Self::StateWithoutReply,
        Self::TimersLost,
        Self::SentWithoutClaim,
        Self::ClaimAfterCommit,
        Self::ConflictClaims,
        Self::TurnOvertakes,
        Self::RetryMovesBack,
        Self::ClockForgotten,
        Self::TwoUnderWay,
        Self::DoubtForgotten,
        Self::DoubtNeverEnds,
        Self::ExpiryIgnored,
        Self::PoisonTriedForEver,
    ];

    /// The mistakes in the calls of an operator, and of a reader.
    pub const OPERATORS: [Self; 7] = [
        Self::ForgottenIdsNew,
        Self::TimersOutliveTheirPerson,
        Self::BindingKept,
        Self::ChatFilterIgnored,
        Self::UnreadableHidden,
        Self::PageSkipsEntry,
        Self::TimersNotExported,
    ];

    /// The mistakes that do harm only when an answer is lost and its call is repeated.
    pub const LOST_ANSWERS: [Self; 7] = [
        Self::AcceptAnswersOnce,
        Self::CommitAnswersOnce,
        Self::CommitClaimsOnce,
        Self::FireAnswersOnce,
        Self::TokenIgnored,
        Self::SettleAnswersOnce,
        Self::AttemptsCountedTwice,
    ];
}
