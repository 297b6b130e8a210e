//! Everything a handler usually needs, for one `use`.

pub use async_trait::async_trait;
pub use mynah_core::{
    Action, Arg, Chat, Content, Context, Due, Event, EventBody, Failure, Flow, Handler,
    HandlerError, Key, MediaRef, Message, MessageKind, Notice, NoticeKind, Person, Rejection,
    Scope, Segment, StateView, Timestamp, Words, handler_fn,
};

pub use crate::Bot;
