//! A connection that knows whether its client takes the answer.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection that notes whether a write waits for the client.
#[derive(Debug)]
pub(crate) struct Watched<Io> {
    io: Io,
    stalled: Arc<AtomicBool>,
}

impl<Io> Watched<Io> {
    pub(crate) fn new(io: Io, stalled: Arc<AtomicBool>) -> Self {
        Self { io, stalled }
    }

    fn note<T>(&self, written: Poll<T>) -> Poll<T> {
        self.stalled.store(written.is_pending(), Ordering::Relaxed);
        written
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Watched<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Watched<Io> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(context, parts);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn a_write_that_waits_for_the_client_is_noted_until_the_client_reads() {
        let (io, mut client) = duplex(4);
        let stalled = Arc::<AtomicBool>::default();
        let mut watched = Watched::new(io, Arc::clone(&stalled));
        watched.write_all(b"1234").await.unwrap();
        assert!(!stalled.load(Ordering::Relaxed));
        let mut write = Box::pin(watched.write_all(b"5"));
        tokio::select! {
            biased;
            _ = &mut write => panic!("the client has not read"),
            () = std::future::ready(()) => {}
        }
        assert!(stalled.load(Ordering::Relaxed));
        client.read_exact(&mut [0; 4]).await.unwrap();
        write.await.unwrap();
        assert!(!stalled.load(Ordering::Relaxed));
    }
}
