//! Everything a handler usually needs, for one `use`.

pub use async_trait::async_trait;
pub use mynah_core::{
    Action, Chat, Content, Context, Due, Event, EventBody, Flow, Handler, HandlerError, Key,
    MediaRef, Message, MessageKind, Notice, NoticeKind, Person, Scope, Segment, StateView,
    Timestamp, handler_fn,
};

pub use crate::Bot;
