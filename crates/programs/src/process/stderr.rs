//! The standard error of a program goes to the log.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::log_lines::{LogLines, shown};

/// The most bytes of a line that are kept; the rest of the line is dropped.
const LONGEST: usize = 4096;

/// The last line of a program's standard error: the reason, if it ends.
#[derive(Debug, Clone, Default)]
pub(super) struct LastLine(Arc<Mutex<String>>);

impl LastLine {
    /// The line; empty if there was none.
    pub(super) fn get(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, line: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = line;
    }
}

/// Logs every line with the name of the handler, until the stream ends.
pub(super) async fn log(mut stream: impl AsyncRead + Unpin, handler: String, last: LastLine) {
    let mut lines = LogLines::new();
    let mut line = Vec::new();
    let mut chunk = vec![0; 8192];
    loop {
        let read = stream.read(&mut chunk).await.unwrap_or(0);
        for byte in &chunk[..read] {
            match byte {
                b'\n' => end(&mut line, &handler, &last, &mut lines),
                byte if line.len() < LONGEST => line.push(*byte),
                _ => {}
            }
        }
        if read == 0 {
            return end(&mut line, &handler, &last, &mut lines);
        }
    }
}

fn end(line: &mut Vec<u8>, handler: &str, last: &LastLine, lines: &mut LogLines) {
    let text = shown(line.trim_ascii_end());
    line.clear();
    if text.is_empty() {
        return;
    }
    if lines.admits(handler) {
        tracing::info!(handler, "{text}");
    }
    last.set(text);
}
