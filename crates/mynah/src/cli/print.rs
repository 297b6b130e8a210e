//! Standard output, for everything that a command answers.

use std::io::{self, BufWriter, Write};

use mynah_core::{is_unprintable, printable_json};
use serde::Serialize;

use crate::{Ended, Report};

/// Writes an answer to standard output in one go. A closed pipe is not an error.
pub(crate) fn to_stdout(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Report> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Report::new(Ended::Storage, "failed to write to standard output").because(error))
        }
        _ => Ok(()),
    }
}

/// Writes a value as one line of JSON, without a character that drives a terminal.
pub(crate) fn json(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let line = serde_json::to_string(value)?;
    out.write_all(printable_json(&line).as_bytes())?;
    out.write_all(b"\n")
}

/// So many of something: "1 rule", "2 rules".
pub(crate) fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// A number with a space between thousands: "3 473".
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

/// A text on one line: line ends as `\n`, and nothing in it that moves a terminal's cursor.
pub(crate) fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => line.push_str("\\n"),
            '\u{2005}' => line.push(' '),
            c if is_unprintable(c) => line.extend(c.escape_default()),
            c => line.push(c),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_apart() {
        let written = [0, 12, 999, 1_000, 3_473, 1_234_567].map(grouped);
        assert_eq!(written, ["0", "12", "999", "1 000", "3 473", "1 234 567"]);
    }

    #[test]
    fn a_text_from_outside_stays_on_its_line() {
        assert_eq!(on_one_line("a\nb\r\x1b[2J 你好\u{2005}x"), "a\\nb\\r\\u{1b}[2J 你好 x");
    }
}
