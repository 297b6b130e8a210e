#![doc = include_str!("../README.md")]

mod arg;
mod binding;
mod called_by;
mod causes;
mod content;
mod context;
mod decided;
mod effects;
mod event;
mod event_kind;
mod fetch;
mod fleet;
mod handler;
mod id;
mod key;
mod lang;
mod log;
mod media_bytes;
mod member_values;
pub mod mention;
mod moving;
mod pacing;
mod people;
mod perform;
mod question;
pub mod quote;
mod random;
mod reader;
mod sort;
mod state;
mod store;
mod time;
mod to_map;
mod transport;
mod turn_memory;
mod turn_waits;
mod unprintable;
mod words;

pub use arg::{Arg, Rejection};
pub use binding::Binding;
pub use called_by::CalledBy;
pub use causes::with_causes;
pub use content::{Content, MediaRef, MediaSource, MessageKind, Segment};
#[doc(hidden)]
pub use context::Suspended;
pub use context::{Context, Frame, add};
pub use decided::{Captures, Decided, Quiet};
pub use effects::{
    Action, ActionKind, Call, Change, Effects, Planned, Step, Timer, TimerChange, Write,
};
pub use event::{Due, Event, EventBody, Message, Notice, NoticeKind, Origin};
pub use event_kind::EventKind;
pub use fetch::{
    Fetch, FetchAnswer, FetchBody, FetchFailure, FetchNote, FetchPiece, FetchRequest, FetchStatus,
    FetchText, RESERVED_HEADERS, percent_encode,
};
pub use fleet::{
    AccountState, Assignment, Fleet, Live, LiveRow, NodeInfo, NodeState, Order, OrderEnd, Overview,
    Taken,
};
pub use handler::{Failure, Flow, Handler, HandlerError, HandlerFn, handler_fn};
pub use id::{ActionId, ChatId, EventId, Lane, MessageId, PersonId};
pub use key::{Key, KeyError};
pub use lang::Lang;
pub use log::{LogKind, LogPage, LogPlace, LogQuery, Logged, LoggedAction, Unreadable};
pub use media_bytes::MediaBytes;
pub use member_values::{MemberQuery, MemberValue, MemberValues, kept_name};
pub use moving::{
    MoveMark, MovingStore, RowPage, RowPlace, StoredAction, StoredEvent, StoredHit, StoredId,
    StoredRecord, StoredRow, StoredTimer, StoredValue,
};
pub use pacing::{Pacing, Rate};
pub use people::{Called, Chat, ChatKind, Person};
pub use perform::{Perform, PerformError};
pub use question::Question;
pub use random::Random;
pub use reader::{
    Depths, ExportPage, ExportPlace, Exported, ExportedValue, Fired, SavedRow, StateOwner,
    StateValue, StoreReader, StoreStatus, Stores, Survey, TroubledAction, Waiting,
};
pub use sort::{sort_by, sort_by_key};
pub use state::{NoState, Read, Scope, Snapshot, StateSource, StateView, Value};
pub use store::{
    Accepted, Claim, ClaimRequest, ClaimToken, Committed, Forgotten, Outcome, Recovered, Store,
    StoreError, Turn,
};
pub use time::{Clock, SystemClock, Timestamp};
pub use to_map::to_map;
pub use transport::{
    Batch, Capabilities, GroupDelivery, Incoming, MediaError, OfflineCause, Outgoing, Prompt,
    Receipt, ReceiveError, Records, SendError, Service, Source, Status, TextUnit, Throttled,
    Transport,
};
pub use turn_memory::TurnMemory;
pub use turn_waits::{TurnWait, TurnWaits};
pub use unprintable::{is_unprintable, printable_json};
pub use words::Words;
