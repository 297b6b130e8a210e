//! Fields of log lines as text, with everything neutralised that could forge a line or drive the terminal.

use std::error::Error;
use std::fmt::{self, Write};

use mynah_core::is_unprintable;
use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;

/// Formats fields for people: control characters of any value are shown as escapes, errors with their causes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Escaped;

impl<'writer> FormatFields<'writer> for Escaped {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut line = Line { writer, empty: true, result: Ok(()) };
        fields.record(&mut line);
        line.result
    }
}

struct Line<'writer> {
    writer: Writer<'writer>,
    empty: bool,
    result: fmt::Result,
}

impl Line<'_> {
    fn add(&mut self, field: &Field, value: &dyn fmt::Display) {
        if self.result.is_ok() {
            self.result = self.try_add(field, value);
        }
    }

    fn try_add(&mut self, field: &Field, value: &dyn fmt::Display) -> fmt::Result {
        if !std::mem::take(&mut self.empty) {
            self.writer.write_char(' ')?;
        }
        if field.name() != "message" {
            let (on, off) =
                if self.writer.has_ansi_escapes() { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
            write!(self.writer, "{on}{}={off}", field.name())?;
        }
        write!(EscapingWriter(&mut self.writer), "{value}")
    }
}

impl Visit for Line<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, &value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.add(field, &mynah_core::with_causes(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, &format_args!("{value:?}"));
    }
}

/// A writer that shows control characters as escapes.
struct EscapingWriter<'w, 'writer>(&'w mut Writer<'writer>);

impl Write for EscapingWriter<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(is_unprintable) {
            let (before, after) = rest.split_at(at);
            self.0.write_str(before)?;
            let mut characters = after.chars();
            characters
                .next()
                .map_or(Ok(()), |found| write!(self.0, "{}", found.escape_default()))?;
            rest = characters.as_str();
        }
        self.0.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_cannot_forge_a_line() {
        let mut out = String::new();
        let hostile = "hi\r\nERROR all lost\x1b[2J\u{202e}\u{9b}31m 你好";
        write!(EscapingWriter(&mut Writer::new(&mut out)), "{hostile}").unwrap();
        assert_eq!(out, "hi\\r\\nERROR all lost\\u{1b}[2J\\u{202e}\\u{9b}31m 你好");
    }
}
