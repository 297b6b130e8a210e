//! `GET /sandbox/events`: all events of the sandbox, as server-sent events.

use std::convert::Infallible;

use axum::response::{
    Sse,
    sse::{Event, KeepAlive},
};
use futures_util::{Stream, stream};
use tokio::sync::broadcast::error::RecvError;

use super::Shared;
use crate::SandboxEvent;

pub(super) async fn events(hub: Shared) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = hub.subscribe();
    let stop = hub.stop.clone();
    let stream = stream::unfold((events, stop), |(mut events, stop)| async move {
        let event = tokio::select! {
            () = stop.cancelled() => return None,
            received = events.recv() => match received {
                Ok(event) => event,
                // A watcher that missed events reads the state again.
                Err(RecvError::Lagged(_)) => SandboxEvent::People,
                Err(RecvError::Closed) => return None,
            },
        };
        let data = serde_json::to_string(&event).unwrap_or_default();
        Some((Ok(Event::default().data(data)), (events, stop)))
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}
