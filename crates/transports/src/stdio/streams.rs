//! The threads that read and write: neither can be interrupted, so nothing waits for their end.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::{Arc, PoisonError};
use std::thread;

use tokio::sync::{Mutex, mpsc, oneshot};

/// The longest line in bytes.
const LONGEST: u64 = 1 << 20;

/// So many lines may wait to be taken.
const WAITING: usize = 256;

/// A piece of the input.
#[derive(Debug)]
pub(super) enum Piece {
    /// A line.
    Line(Vec<u8>),
    /// A line that is too long; it was left out.
    TooLong,
    /// The input cannot be read.
    Failed(io::Error),
}

/// Where lines are read from.
pub(super) enum Input {
    /// The standard input of the process.
    Standard,
    /// Another stream.
    Other(Box<dyn Read + Send>),
}

/// The lines of an input in their order.
#[derive(Debug)]
pub(super) struct Lines {
    pieces: mpsc::Receiver<Piece>,
    /// How many were taken.
    taken: u64,
}

/// The lines of an input; those that one account has not taken are left for the next.
pub(super) type SharedLines = Arc<Mutex<Lines>>;

/// The lines of the standard input, once it is read. Its thread cannot be ended, and takes a line that no account may lose: an
/// account that starts again in this process goes on with the same thread.
static STANDARD: std::sync::Mutex<Option<SharedLines>> = std::sync::Mutex::new(None);

impl Lines {
    /// The next pieces, as many as are there, with the number of the line before them; none at the end.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a piece is returned or stays.
    pub(super) async fn next(&mut self, most: usize) -> (u64, Vec<Piece>) {
        let (before, mut pieces) = (self.taken, Vec::new());
        self.pieces.recv_many(&mut pieces, most).await;
        self.taken += pieces.len() as u64;
        (before, pieces)
    }
}

/// Begins to read lines, or goes on with those of the standard input.
pub(super) fn read(input: Input) -> io::Result<SharedLines> {
    let Input::Other(input) = input else {
        let mut standard = STANDARD.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lines) = &*standard {
            return Ok(Arc::clone(lines));
        }
        let lines = spawn(Box::new(io::stdin()))?;
        return Ok(Arc::clone(standard.insert(lines)));
    };
    spawn(input)
}

/// Reads lines until the input ends or the receiver is dropped.
fn spawn(input: Box<dyn Read + Send>) -> io::Result<SharedLines> {
    let (pieces, receiver) = mpsc::channel(WAITING);
    thread::Builder::new().name("stdio-read".to_owned()).spawn(move || {
        let mut input = BufReader::new(input);
        loop {
            let piece = match next(&mut input) {
                Ok(Some(piece)) => piece,
                Ok(None) => return,
                Err(error) => Piece::Failed(error),
            };
            let is_last = matches!(piece, Piece::Failed(_));
            if pieces.blocking_send(piece).is_err() || is_last {
                return;
            }
        }
    })?;
    Ok(Arc::new(Mutex::new(Lines { pieces: receiver, taken: 0 })))
}

fn next(input: &mut impl BufRead) -> io::Result<Option<Piece>> {
    let mut line = Vec::new();
    if input.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.ends_with(b"\n") || (line.len() as u64) < LONGEST {
        return Ok(Some(Piece::Line(line)));
    }
    input.skip_until(b'\n')?;
    Ok(Some(Piece::TooLong))
}

/// A line to write, and where the result goes.
type Order = (String, oneshot::Sender<io::Result<()>>);

/// Writes lines whole, one after the other.
#[derive(Debug)]
pub(super) struct Writer {
    orders: mpsc::Sender<Order>,
}

impl Writer {
    pub(super) fn new(mut output: Box<dyn Write + Send>) -> io::Result<Self> {
        let (orders, mut receiver) = mpsc::channel::<Order>(1);
        thread::Builder::new().name("stdio-write".to_owned()).spawn(move || {
            while let Some((line, done)) = receiver.blocking_recv() {
                let written = output.write_all(line.as_bytes()).and_then(|()| output.flush());
                // The send may have been given up.
                let _ = done.send(written);
            }
        })?;
        Ok(Self { orders })
    }

    /// Returns when the line was handed to the system.
    pub(super) async fn write(&self, line: String) -> io::Result<()> {
        let (done, written) = oneshot::channel();
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        self.orders.send((line, done)).await.map_err(|_| gone())?;
        written.await.map_err(|_| gone())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_that_is_too_long_is_left_out_and_the_next_is_read() {
        let long = "x".repeat(usize::try_from(LONGEST).unwrap() + 10);
        let text = format!("{long}\nshort\nlast");
        let lines = read(Input::Other(Box::new(io::Cursor::new(text)))).unwrap();
        let pieces = &mut lines.lock().await.pieces;
        assert!(matches!(pieces.recv().await, Some(Piece::TooLong)));
        assert!(matches!(pieces.recv().await, Some(Piece::Line(line)) if line == b"short\n"));
        assert!(matches!(pieces.recv().await, Some(Piece::Line(line)) if line == b"last"));
        assert!(pieces.recv().await.is_none());
    }
}
