//! Handlers of events, written in Rust.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::{Context, Event, EventBody, Message, Rejection, with_causes};

/// Any error of a handler; `?` converts every error type. A [`Rejection`] is an answer, not a failure.
pub type HandlerError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Why a handler failed. Its text is that of the log.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// The handler returned an error; `downcast_ref` gives its type.
    Error(HandlerError),
    /// The handler panicked with these words.
    Panicked(String),
    /// The handler took longer than its time-out.
    TimedOut(Duration),
    /// Handlers run each other without end.
    Endless,
}

impl Failure {
    /// The answer to the person, if the error is one.
    #[must_use]
    pub fn rejection(&self) -> Option<&Rejection> {
        match self {
            Self::Error(error) => error.downcast_ref(),
            Self::Panicked(_) | Self::TimedOut(_) | Self::Endless => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => f.write_str(&with_causes(&**error)),
            Self::Panicked(words) => write!(f, "panicked: {words}"),
            Self::TimedOut(limit) => write!(f, "took longer than {limit:?}"),
            Self::Endless => f.write_str("handlers call each other without end"),
        }
    }
}

/// Whether the following handlers get the event too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// They get it.
    Continue,
    /// They do not get it.
    Stop,
}

/// Code that answers events. Both methods default to [`Flow::Continue`].
///
/// A handler requests effects through its [`Context`]. All of them take place when its turn commits, none if it fails.
/// A turn may run again (a conflict, a crash before its commit), so effects outside of the context take place at least
/// once; [`Context::event_id`] is the key by which another service can recognise a repetition.
///
/// ```
/// use mynah_core::{Context, Flow, Handler, HandlerError, Message};
///
/// struct Echo;
///
/// #[async_trait::async_trait]
/// impl Handler for Echo {
///     async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
///         ctx.reply(message.text.clone());
///         Ok(Flow::Stop)
///     }
/// }
/// ```
#[async_trait]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no `Handler`",
    note = "implement `on_message` or `on_event` under `#[async_trait]`, or wrap a closure with `handler_fn`"
)]
pub trait Handler: Send + Sync {
    /// Handles a message.
    ///
    /// # Errors
    ///
    /// Any. The effects are dropped, the failure is logged with the handler's name, and the lane goes on. A [`Rejection`] is
    /// answered instead.
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        let _ = (ctx, message);
        Ok(Flow::Continue)
    }

    /// Handles any other event: a join, a recall, a friend request, a timer that is due.
    ///
    /// # Errors
    ///
    /// As for [`on_message`](Self::on_message).
    async fn on_event(&self, ctx: &mut Context, event: &Event) -> Result<Flow, HandlerError> {
        let _ = (ctx, event);
        Ok(Flow::Continue)
    }

    /// Hands an event to the method of its kind. The runtime calls this; the rules take events of all kinds here, without
    /// a copy of each message.
    #[doc(hidden)]
    async fn handle(&self, ctx: &mut Context, event: &Event) -> Result<Flow, HandlerError> {
        match &event.body {
            EventBody::Message(message) => self.on_message(ctx, message).await,
            EventBody::Notice(_) | EventBody::Due(_) | EventBody::Started => {
                self.on_event(ctx, event).await
            }
        }
    }
}

/// A handler that wraps a synchronous function; see [`handler_fn`].
#[derive(Debug, Clone, Copy)]
pub struct HandlerFn<F>(F);

/// Makes a handler from a synchronous function that is called for every message.
///
/// ```
/// let handler = mynah_core::handler_fn(|ctx, message| {
///     ctx.reply(format!("{} characters", message.text.chars().count()));
///     Ok(mynah_core::Flow::Stop)
/// });
/// # fn is_handler(_: impl mynah_core::Handler) {}
/// # is_handler(handler);
/// ```
pub fn handler_fn<F>(function: F) -> HandlerFn<F>
where
    F: Fn(&mut Context, &Message) -> Result<Flow, HandlerError> + Send + Sync,
{
    HandlerFn(function)
}

#[async_trait]
impl<F> Handler for HandlerFn<F>
where
    F: Fn(&mut Context, &Message) -> Result<Flow, HandlerError> + Send + Sync,
{
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        (self.0)(ctx, message)
    }
}

#[async_trait]
impl<H: Handler + ?Sized> Handler for std::sync::Arc<H> {
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        (**self).on_message(ctx, message).await
    }

    async fn on_event(&self, ctx: &mut Context, event: &Event) -> Result<Flow, HandlerError> {
        (**self).on_event(ctx, event).await
    }

    async fn handle(&self, ctx: &mut Context, event: &Event) -> Result<Flow, HandlerError> {
        (**self).handle(ctx, event).await
    }
}
