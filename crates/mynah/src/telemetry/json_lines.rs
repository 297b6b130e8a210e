//! Log lines as JSON, with everything escaped that could drive the terminal of a reader.

use std::io::{self, Write};

use mynah_core::printable_json;

/// A writer that gets a whole line of JSON at a time.
#[derive(Debug)]
pub(super) struct JsonLines<W>(pub(super) W);

impl<W: Write> Write for JsonLines<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match std::str::from_utf8(line) {
            Ok(text) => self.0.write_all(printable_json(text).as_bytes())?,
            // JSON is always text; a part of a line may end within a character.
            Err(_) => self.0.write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_json_log_drives_no_terminal() {
        let mut out = Vec::new();
        let line = "{\"sender\":\"\u{9b}2J\u{202e}evil\"}\n";
        JsonLines(&mut out).write_all(line.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "{\"sender\":\"\\u009b2J\\u202eevil\"}\n");
    }
}
