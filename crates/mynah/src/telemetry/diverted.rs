//! Standard error, or its replacement while a line is edited there: a log line in the middle of it would garble it.

use std::io::{self, Write};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, PoisonError};

static ABOVE: Mutex<Option<Sender<String>>> = Mutex::new(None);

/// Log lines go there from now on, or to standard error again.
pub(crate) fn divert(above: Option<Sender<String>>) {
    *ABOVE.lock().unwrap_or_else(PoisonError::into_inner) = above;
}

/// Takes the lines of the log, each with one call.
pub(super) struct Lines;

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let above = ABOVE.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let text = || String::from_utf8_lossy(line).into_owned();
        match above {
            Some(above) if above.send(text()).is_ok() => Ok(line.len()),
            _ => io::stderr().write(line),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
