//! The loop that accepts connections, and the work on one connection.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Extensions;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::body::CountedBody;
use crate::slots::{Slot, Slots};
use crate::watched::Watched;
use crate::{FailedAccepts, Limits, Repeated};

/// Serves routes until stopped. Answers in progress are finished.
pub async fn serve(listener: TcpListener, routes: Router, limits: Limits, stop: CancellationToken) {
    serve_with(listener, routes, limits, stop, |stream| (stream, Extensions::new())).await;
}

/// Serves routes until stopped, over connections that `prepare` wraps. Each request of a connection carries the
/// extensions of that connection.
///
/// Dropping the future closes all connections.
pub async fn serve_with<Io>(
    listener: TcpListener,
    routes: Router,
    limits: Limits,
    stop: CancellationToken,
    prepare: impl Fn(TcpStream) -> (Io, Extensions),
) where
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (slots, failed, full) = (Slots::new(limits), FailedAccepts::default(), Repeated::default());
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                failed.pause(&error).await;
                continue;
            }
        };
        let Some(slot) = slots.take(address.ip()) else {
            refuse(&full, address);
            continue;
        };
        // Answers are short, and the client waits for each one.
        let _ = stream.set_nodelay(true);
        let (io, extensions) = prepare(stream);
        let connection = Connection { slot, routes: routes.clone(), extensions, limits };
        connections.spawn(connection.serve(io, stop.clone()));
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

fn refuse(full: &Repeated, address: SocketAddr) {
    if let Some(times) = full.note() {
        let address = address.ip();
        tracing::warn!(%address, times, "closed a new connection: too many requests in progress");
    }
}

/// The state of a connection besides its bytes.
struct Connection {
    slot: Slot,
    routes: Router,
    extensions: Extensions,
    limits: Limits,
}

impl Connection {
    /// Answers the requests of the connection until either side closes it, it makes room for a new one, or it is idle
    /// after a stop.
    async fn serve<Io>(self, io: Io, stop: CancellationToken)
    where
        Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let close = self.slot.close.clone();
        let routes = TowerToHyperService::new(self.routes);
        let service = service_fn(|mut request: Request<Incoming>| {
            let busy = self.slot.request();
            request.extensions_mut().extend(self.extensions.clone());
            let answer = hyper::service::Service::call(&routes, request);
            async move {
                let answer: Response = answer.await?;
                Ok::<_, Infallible>(answer.map(|body| Body::new(CountedBody::new(body, busy))))
            }
        });
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(self.limits.head);
        let io = TokioIo::new(Watched::new(io, Arc::clone(&self.slot.stalled)));
        let mut connection = pin!(builder.serve_connection(io, service));
        let result = tokio::select! {
            result = connection.as_mut() => result,
            () = close.cancelled() => return,
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = result {
            // Clients disconnect in many ways, and strangers send arbitrary bytes.
            tracing::debug!(%error, "a connection ended");
        }
    }
}
