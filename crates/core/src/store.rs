//! The interface of the store, which outlives the process: the tables are the queues.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use thiserror::Error;

use crate::{
    ActionId, Batch, Binding, ChatId, Decided, Effects, Event, EventId, Lane, MemberQuery,
    MemberValues, MessageId, Outgoing, PersonId, Read, Records, Snapshot, Timestamp,
};

/// The store of one account. Holding it is the lease: a second process cannot open it. Each call is one transaction.
///
/// The effect of a call that has returned survives the death of the process. A claim also survives a power failure,
/// together with all earlier calls; other calls do so a moment later, or when [`sync`](Self::sync) returns. A power
/// failure loses the end of the writes and never a part before it, so a turn is lost only with all its consequences.
///
/// The caller can repeat any call whose answer was lost: the call has no second effect, and returns the data that the
/// caller needs to go on.
#[async_trait]
pub trait Store: Send + Sync {
    /// Begins work after a start: counts an attempt against every event that a crash may have interrupted and sets
    /// aside those with too many, and returns the work to do. Attempts are counted once after each opening, so repeating
    /// the call is harmless.
    async fn recover(&self, now: Timestamp) -> Result<Recovered, StoreError>;

    /// All records of the transport.
    async fn records(&self) -> Result<Records, StoreError>;

    /// Accepts new events and the records that came with them, all or none. An event whose id was seen before is
    /// dropped. Returns the lanes of those events of the batch that are unhandled, whether new or accepted before. Work on
    /// them may begin at once; the service is asked for more, by which it forgets the batch, only after a
    /// [`sync`](Self::sync).
    async fn accept(&self, batch: Batch, now: Timestamp) -> Result<Vec<Lane>, StoreError> {
        Ok(self.accept_and_begin(batch, 0, now).await?.lanes)
    }

    /// Accepts a batch as [`accept`](Self::accept) does, and begins at once, as [`begin`](Self::begin) does, the first
    /// event of at most `begin` lanes that had no unhandled event before. A repeated call begins none of them again: the
    /// caller begins them itself.
    async fn accept_and_begin(
        &self,
        batch: Batch,
        begin: usize,
        now: Timestamp,
    ) -> Result<Accepted, StoreError>;

    /// Returns when all calls that returned before survive a power failure.
    async fn sync(&self) -> Result<(), StoreError>;

    /// The oldest unhandled event of a lane with the state of its scopes; `None` if the lane is empty.
    async fn begin(
        &self,
        lane: &Lane,
        now: Timestamp,
    ) -> Result<Option<(Event, Snapshot)>, StoreError>;

    /// The values that all people in a chat have under each key of the query, without expired ones. At most
    /// [`MemberValues::MOST`] under a key, those of the first people in the order of their ids; a result says if that
    /// left some out. One request for all keys.
    async fn member_values(
        &self,
        query: &MemberQuery,
        now: Timestamp,
    ) -> Result<Vec<MemberValues>, StoreError>;

    /// Applies all effects of a turn and marks its event as handled, if the values it read are unchanged. A turn whose
    /// event was handled before is not applied again.
    async fn commit(&self, turn: Turn, now: Timestamp) -> Result<Committed, StoreError> {
        self.commit_and_claim(Arc::new(turn), None, now).await
    }

    /// Commits a turn as [`commit`](Self::commit) does, and claims at once, as [`claim`](Self::claim) does, the oldest
    /// action of a chat. A turn that is refused claims nothing. If the process ends in between, the turn may be committed
    /// without the claim.
    async fn commit_and_claim(
        &self,
        turn: Arc<Turn>,
        claim: Option<ClaimRequest>,
        now: Timestamp,
    ) -> Result<Committed, StoreError>;

    /// Turns timers that are due into events. Returns the lanes of all unhandled events that were timers, and when to
    /// call next.
    async fn fire(&self, now: Timestamp) -> Result<(Vec<Lane>, Option<Timestamp>), StoreError>;

    /// Claims the oldest unsettled action of a chat before it is sent. A claim survives a power failure. The token
    /// identifies this try: the same token gives the same claim, so that a repeated call never claims a second action.
    /// The request may be under way until `until`; before that, no other caller can know that it took no effect.
    async fn claim(
        &self,
        chat: &ChatId,
        token: ClaimToken,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Claim, StoreError>;

    /// Stores the outcome of a claimed action. Returns whether its chat has more to send. An action that is not claimed
    /// stays unchanged; one that was deleted meanwhile gives true, so that its chat is looked at again. A power failure
    /// can lose the outcome for a longer moment than other calls; the action is then in doubt.
    async fn settle(
        &self,
        id: &ActionId,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// The claims since a moment, newest first, at most `limit`: a pacer rebuilds its windows from them after a start.
    async fn recent_claims(
        &self,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<(ChatId, Timestamp)>, StoreError>;

    /// Does a limited amount of cleaning: expired state, the old end of the log. Returns whether there is more to do.
    async fn tidy(&self, now: Timestamp) -> Result<bool, StoreError>;

    /// Deletes all data about a person: events, the answers to them, state, timers, the private chat, and the names that
    /// are bound to the person. The ids of the events stay known, so that the service cannot deliver them again. A
    /// repeated call finds nothing to delete.
    async fn forget(&self, person: &PersonId) -> Result<Forgotten, StoreError>;

    /// Ends the binding of a name of the rule file and returns it; `None` if the name is not bound, so also for a
    /// repeated call.
    async fn unbind(&self, name: &str) -> Result<Option<Binding>, StoreError>;

    /// Returns when this process has lost the account: it must end, without asking the service for anything more. Stores
    /// without leases that expire never return. Cancelling it has no effect.
    async fn lease_lost(&self) {
        std::future::pending::<()>().await;
    }

    /// How long it is certain that no other process takes the account over; `None` if none ever does while this one lives.
    /// When nothing is left, requests under way must be given up, as another process may send them again. The account may
    /// go on otherwise, unless its [lease is lost](Self::lease_lost). Can become less at any moment, so ask again.
    fn lease_left(&self) -> Option<Duration> {
        None
    }

    /// Stores a row that the rules save under the name of a file. Returns false if this store keeps no rows, so that the
    /// caller writes a file. The row of an action is stored once, however often the call is repeated.
    async fn save_row(
        &self,
        id: &ActionId,
        file: &str,
        row: &[String],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let _ = (id, file, row, now);
        Ok(false)
    }

    /// Ends the work before the store is dropped, so that the data can be copied and moved as it is. Accepted data is
    /// kept if this fails or is left out. Repeating the call is harmless.
    async fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The number of deleted items about a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Forgotten {
    /// Events, which are mostly messages.
    pub events: usize,
    /// Answers to them, and all private messages to the person.
    pub actions: usize,
    /// Values of state.
    pub values: usize,
    /// Timers.
    pub timers: usize,
}

/// The result of accepting a batch.
#[derive(Debug, Default)]
pub struct Accepted {
    /// The lanes of the events of the batch that are unhandled.
    pub lanes: Vec<Lane>,
    /// The events among them that are begun, each with the state of its scopes.
    pub begun: Vec<(Event, Snapshot)>,
}

/// The work to do after a start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Lanes with unhandled events.
    pub lanes: Vec<Lane>,
    /// The lanes among them whose next event was begun when the process ended. One of these events may have killed the
    /// process, so they are handled one after the other.
    pub suspects: Vec<Lane>,
    /// The suspects whose event is set aside if the process ends on it once more. They are handled before other work,
    /// so that they are not blamed for an end with another cause.
    pub last_chance: Vec<Lane>,
    /// Chats with unsettled actions.
    pub chats: Vec<ChatId>,
    /// Those of them in which an action waits that expires, as replies do: they go before the others.
    pub replying: BTreeSet<ChatId>,
    /// Actions that were claimed when the process ended: it is unknown whether they took effect.
    pub in_doubt: Vec<ActionId>,
    /// Events that were set aside because the process died on them too often.
    pub set_aside: Vec<EventId>,
}

/// The outcome of a turn, to be committed.
#[derive(Debug, Clone)]
pub struct Turn {
    /// The event that was handled.
    pub event: Event,
    /// The reads of the turn, with versions.
    pub reads: Vec<Read>,
    /// The effects of the turn. All steps are actions by now; the handlers between them have run.
    pub effects: Effects,
    /// The decision to record with the event.
    pub decided: Decided,
    /// How long its replies may wait to be sent; `None` for no limit.
    pub reply_max_age: Option<Duration>,
}

/// A claim to make together with a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRequest {
    /// The chat.
    pub chat: ChatId,
    /// Identifies this try.
    pub token: ClaimToken,
    /// The request may be under way until then.
    pub until: Timestamp,
}

/// The result of a commit.
#[derive(Debug, Clone, PartialEq)]
pub enum Committed {
    /// The turn was applied.
    Done {
        /// Whether the lane has another event waiting.
        more: bool,
        /// The chats with unsettled actions of this turn.
        chats: Vec<ChatId>,
        /// When the earliest timer is due, if there is one.
        next_timer: Option<Timestamp>,
        /// The claim, if one was requested.
        claim: Option<Box<Claim>>,
    },
    /// A value that the turn read has changed; nothing was applied and the turn must run again.
    Conflict,
}

/// Identifies one try to claim an action. Used once per opening of the store, and again only to repeat a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimToken(pub u64);

/// The next action of a chat.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// It is claimed and must be settled.
    Send(Outgoing),
    /// It waited too long and is settled as expired; there may be another one behind it.
    Expired(Outgoing),
    /// It must not be sent before this moment.
    Wait(Timestamp),
    /// There is no action.
    Empty,
}

/// The outcome of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The service accepted it and returned a proof.
    Delivered(MessageId),
    /// The service accepted it without a proof.
    Accepted,
    /// It certainly took no effect: it is unsettled again and may be claimed from this moment on.
    NotSent {
        /// Not before this moment.
        retry_at: Timestamp,
        /// The reason.
        reason: String,
    },
    /// The service refused it for good.
    Refused {
        /// The reason.
        reason: String,
    },
    /// It could not be sent in time.
    Expired,
    /// It is unknown whether it took effect.
    Unknown {
        /// The reason.
        reason: String,
        /// If given, it may be claimed once more from then on; after the second time it stays unknown.
        again_at: Option<Timestamp>,
    },
}

/// An error of the store.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Another process uses this data.
    #[error("the data in {place} is in use by another process")]
    InUse {
        /// The data folder or file.
        place: String,
    },
    /// The data was written by a newer version of the program.
    #[error(
        "the data in {place} was written by a newer version (format {found}, this program knows up to {known})"
    )]
    Newer {
        /// The data file.
        place: String,
        /// The format of the data.
        found: u32,
        /// The newest format that this program can read.
        known: u32,
    },
    /// The data is damaged.
    #[error("the data in {place} is damaged: {what}")]
    Damaged {
        /// The data file.
        place: String,
        /// The result of the check.
        what: String,
    },
    /// The data is missing, although it existed: the file is empty, or only its log is left.
    #[error("{place} is empty, though the bot has stored data there")]
    Emptied {
        /// The data file.
        place: String,
    },
    /// The data was removed or replaced while the program used it.
    #[error("the data in {place} was removed or replaced while it was in use")]
    Gone {
        /// The data file.
        place: String,
    },
    /// There is no space left for the data.
    #[error("the disk with {place} is full")]
    Full {
        /// The data file.
        place: String,
    },
    /// The folder or file cannot be written.
    #[error("{place} cannot be written")]
    ReadOnly {
        /// The data file.
        place: String,
    },
    /// This process may open no more files.
    #[error("{place} cannot be opened: this process may open no more files")]
    NoDescriptors {
        /// The path.
        place: String,
    },
    /// A file has the place of the folder of the data, or of a folder above it.
    #[error("{place} is a file, not a folder")]
    NotFolder {
        /// The path of the file.
        place: String,
    },
    /// A pipe, a device, a folder or a link has the place of a file of the data.
    #[error("{place} is not a regular file")]
    NotRegular {
        /// The path.
        place: String,
    },
    /// The store cannot be reached. It is unknown whether the call took effect; it can be repeated.
    #[error("the data in {place} cannot be reached")]
    Unreachable {
        /// The address, without secrets.
        place: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The user of the database may not make this call.
    #[error("the user of the database {place} has no right to this")]
    NoRight {
        /// The address, without secrets.
        place: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database has no tables, or older ones than the program needs.
    #[error("the database {place} {what}")]
    Unprepared {
        /// The address, without secrets.
        place: String,
        /// What it has.
        what: String,
    },
    /// Another process has taken over the account, or may have: the lease has expired. Nothing that this process does to
    /// the account from now on takes effect.
    #[error("the lease of this account is lost, and another process may work with it now")]
    LeaseLost,
    /// The server of the database crashed and may have lost the last calls that it had answered. The account goes on with
    /// the rest when its data is opened anew.
    #[error("the database server has recovered from a crash, and may have lost the last moments")]
    Recovered,
    /// The data was moved to another store.
    #[error("the data in {place} was moved to {to}")]
    Moved {
        /// The place of the data.
        place: String,
        /// The place where it is now.
        to: String,
    },
    /// The data is being moved to or from another store, and the move is not complete.
    #[error("a move of the data in {place} {direction} {other} is not complete")]
    Moving {
        /// The place of the data.
        place: String,
        /// `to` or `from`.
        direction: &'static str,
        /// The other place.
        other: String,
    },
    /// This kind of store does not support the call.
    #[error("this store cannot do this")]
    Unsupported {
        /// The alternative.
        instead: &'static str,
    },
    /// The store was closed, or its thread died.
    #[error("the store is closed")]
    Closed,
    /// Any other error of the database.
    #[error("the store failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// Whether the database or the lease caused it, not the account: another start succeeds once the database answers and
    /// has room.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::LeaseLost | Self::Recovered | Self::Unreachable { .. } | Self::Full { .. }
        )
    }

    /// The remedy, for the operator.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::InUse { .. } => {
                "stop the other process, or give this one a data folder of its own with --data"
            }
            Self::Newer { .. } => {
                "use the newer version of the program, or another data folder; nothing was changed"
            }
            Self::Damaged { .. } => {
                "put a backup in its place, or move the file away to begin with an empty one; nothing was overwritten"
            }
            Self::Emptied { .. } => {
                "put a backup in its place, or remove it and the files that begin with its name to begin anew; nothing was overwritten"
            }
            Self::Gone { .. } => {
                "find out what touches the data folder, put the data or a backup back, and start again"
            }
            Self::Full { .. } => {
                "make room on the disk and start again; nothing that was accepted is lost"
            }
            Self::ReadOnly { .. } => {
                "give this user the right to write to the data folder and the files in it, or choose another with --data"
            }
            Self::NoDescriptors { .. } => {
                "raise the limit of open files (`ulimit -n`, `LimitNOFILE` of systemd) and start again"
            }
            Self::NotFolder { .. } => {
                "name a folder with --data or as `data` of the account, which is made if it does not exist"
            }
            Self::NotRegular { .. } => "remove it or give it another name, then start again",
            Self::Unreachable { .. } => {
                "check that the database runs, and its address, user and password, then start again"
            }
            Self::NoRight { .. } => {
                "name another user in the address of [store]: nodes, and commands that read sessions or change data, need the role `mynah_node`, other commands that or `mynah_operator`, `mynah store migrate` the owner of the tables"
            }
            Self::Unprepared { .. } => "run `mynah store migrate`, then start again",
            Self::LeaseLost => {
                "nothing, if the other process is meant to go on; else stop it and start this one again"
            }
            Self::Recovered => "start again: the account goes on with the data that survived",
            Self::Moved { .. } => {
                "run the account with the settings of the other store, or move the data back with `mynah data move`"
            }
            Self::Moving { .. } => {
                "repeat the command `mynah data move`: it goes on where it was interrupted; --give-up ends the move and keeps the old place"
            }
            Self::Unsupported { instead } => instead,
            Self::Closed => "start again; what was accepted is kept",
            Self::Failed(_) => {
                "see the cause; if it comes again, make a backup of the data folder and report it"
            }
        }
    }
}
