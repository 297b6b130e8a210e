//! Lines from standard input, for code that waits for other things as well.

use std::io::{self, BufRead};

use tokio::sync::mpsc;

/// Lines that were read and not yet asked for; the reader waits when there are more.
const WAITING: usize = 16;

/// Reads lines on a thread of its own: a read cannot be called off, so nothing may wait for this thread to end.
pub(super) fn lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(WAITING);
    std::thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        let mut bytes = Vec::new();
        while matches!(stdin.read_until(b'\n', &mut bytes), Ok(length) if length > 0) {
            let line = String::from_utf8_lossy(&bytes);
            let line = line.strip_suffix('\n').unwrap_or(&line);
            let line = line.strip_suffix('\r').unwrap_or(line).to_owned();
            if sender.blocking_send(line).is_err() {
                return;
            }
            bytes.clear();
        }
    });
    receiver
}
