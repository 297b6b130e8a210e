//! The threads that read and write: neither can be interrupted, so nothing waits for their end.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::thread;

use tokio::sync::{mpsc, oneshot};

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

/// Reads lines until the input ends or the receiver is dropped.
pub(super) fn read(input: Box<dyn Read + Send>) -> io::Result<mpsc::Receiver<Piece>> {
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
    Ok(receiver)
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
        let mut pieces = read(Box::new(io::Cursor::new(text))).unwrap();
        assert!(matches!(pieces.recv().await, Some(Piece::TooLong)));
        assert!(matches!(pieces.recv().await, Some(Piece::Line(line)) if line == b"short\n"));
        assert!(matches!(pieces.recv().await, Some(Piece::Line(line)) if line == b"last"));
        assert!(pieces.recv().await.is_none());
    }
}
