//! Connections that a fault can reset and a stop can end.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use axum::{extract::ConnectInfo, http::Extensions};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// A handle by which a request can break its own connection.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    broken: Arc<AtomicBool>,
    client: Option<SocketAddr>,
}

impl Line {
    /// Lets the next write fail; the client gets a reset.
    pub(crate) fn reset(&self) {
        self.broken.store(true, Ordering::Release);
    }

    /// The address of its client.
    pub(crate) fn client(&self) -> Option<SocketAddr> {
        self.client
    }

    fn is_reset(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }
}

/// A connection with its break handle and its kill signal.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    line: Line,
    killed: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Connection {
    /// A connection that ends when `kill` is cancelled, and the handle by which its requests can break it.
    pub(crate) fn new(stream: TcpStream, kill: &CancellationToken) -> (Self, Extensions) {
        let line = Line { broken: Arc::default(), client: stream.peer_addr().ok() };
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(line.clone()));
        let killed = Box::pin(kill.clone().cancelled_owned());
        (Self { stream, line, killed }, extensions)
    }

    /// Fails if the connection must break now. Without lingering the client sees a reset instead of a regular end.
    fn broken(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.line.is_reset() || self.killed.as_mut().poll(context).is_ready() {
            let _ = self.stream.set_zero_linger();
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl Drop for Connection {
    /// A failing body makes the server drop the connection without another write.
    fn drop(&mut self) {
        if self.line.is_reset() {
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.broken(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.broken(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.broken(context)?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.broken(context)?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
