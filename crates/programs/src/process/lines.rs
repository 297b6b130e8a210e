//! Lines of a pipe, bounded in length.

use std::io;

use bytes::{Bytes, BytesMut};
use memchr::memchr;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The size of a read.
const CHUNK: usize = 16 << 10;

/// Reads lines.
#[derive(Debug)]
pub(super) struct Lines<R> {
    reader: R,
    buffer: BytesMut,
    /// The bytes of the buffer in which there is no line end.
    searched: usize,
    longest: usize,
}

/// The next part of a pipe.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A line, without its end.
    Line(Bytes),
    /// More bytes without a line end than a line may have.
    TooLong,
    /// The end of the pipe; half a line before it is dropped.
    End,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(reader: R, longest: usize) -> Self {
        Self { reader, buffer: BytesMut::new(), searched: 0, longest }
    }

    /// The next part. Nothing is lost if the future is dropped.
    pub(super) async fn next(&mut self) -> io::Result<Part> {
        loop {
            if let Some(at) = memchr(b'\n', &self.buffer[self.searched..]) {
                let mut line = self.buffer.split_to(self.searched + at + 1);
                self.searched = 0;
                line.truncate(line.len() - 1);
                if self.buffer.is_empty() {
                    // The memory of a long line is not kept.
                    self.buffer = BytesMut::new();
                }
                return Ok(Part::Line(line.freeze()));
            }
            self.searched = self.buffer.len();
            if self.buffer.len() > self.longest {
                return Ok(Part::TooLong);
            }
            self.buffer.reserve(CHUNK);
            if self.reader.read_buf(&mut self.buffer).await? == 0 {
                return Ok(Part::End);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_bounded_and_half_lines_dropped() {
        let text: &[u8] = b"one\n\ntwo\nhalf";
        let mut lines = Lines::new(text, 8);
        for expected in [&b"one"[..], b"", b"two"] {
            assert_eq!(lines.next().await.unwrap(), Part::Line(Bytes::from(expected)));
        }
        assert_eq!(lines.next().await.unwrap(), Part::End);
        let mut endless = Lines::new(tokio::io::repeat(b'x'), 100_000);
        assert_eq!(endless.next().await.unwrap(), Part::TooLong);
        assert!(endless.buffer.capacity() < 400_000);
    }
}
