//! CSV and its kin: text with a sign between cells.

use std::borrow::Cow;

use crate::builder::Builder;
use crate::decode::decode;
use crate::form::Form;
use crate::table::Table;
use crate::unreadable::Unreadable;

/// The signs that people put between cells; of equally good ones the first.
const SEPARATORS: [char; 4] = [',', '\t', ';', '|'];

/// So many records tell the separator, of so many bytes.
const SAMPLE: usize = 100;
const SAMPLE_BYTES: usize = 1 << 20;

/// Reads a text; `promised` is the separator that the name of the file promises.
pub(crate) fn read(bytes: &[u8], promised: Option<char>) -> Result<Table, Unreadable> {
    if bytes.is_empty() {
        return Err(Unreadable::Empty);
    }
    let (text, encoding) = decode(bytes)?;
    // Excel reads this line as a setting.
    let first = text.lines().next().unwrap_or_default();
    let said = first.strip_prefix("sep=").and_then(|rest| rest.chars().next());
    let separator = said.unwrap_or_else(|| separator_of(&text, promised));
    let mut builder = Builder::default();
    for cell in Cells::new(&text, separator) {
        let Cell { row, column, .. } = cell;
        if cell.text.is_empty() && !cell.is_torn || row == 1 && said.is_some() {
            continue;
        }
        if cell.is_torn {
            return Err(Unreadable::Quote { row, column });
        }
        builder.cell(row, column, &cell.text)?;
    }
    Ok(builder.finish(Form::Separated { encoding, separator }))
}

/// The cells of a text, one after the other: none is kept, since a line may have millions.
struct Cells<'t> {
    rest: &'t str,
    separator: char,
    row: u32,
    column: u32,
    /// Whether a separator came last: one more cell follows.
    is_in_row: bool,
}

/// A cell. Blank lines are rows with one empty cell.
struct Cell<'t> {
    row: u32,
    column: u32,
    text: Cow<'t, str>,
    ends_row: bool,
    /// Whether its quotation mark is never closed, or closes some lines later before more text: then it is probably
    /// another quotation mark that closes it.
    is_torn: bool,
}

impl<'t> Cells<'t> {
    fn new(text: &'t str, separator: char) -> Self {
        Self { rest: text, separator, row: 1, column: 0, is_in_row: false }
    }

    /// Splits off the text of a cell: quoted, or up to the next separator or line break. People write blanks before a
    /// quotation mark (`a, "b, c"`); it counts if the cell ends behind the mark that closes it in the same line.
    fn split_text(&mut self) -> (Cow<'t, str>, bool) {
        let whole = self.rest;
        let is_blank = |c| c == ' ' || c == '\t' && self.separator != '\t';
        let cell = whole.trim_start_matches(is_blank);
        let is_indented = cell.len() < whole.len();
        let Some(inside) = cell.strip_prefix('"') else {
            return (self.split_plain().into(), false);
        };
        let Some((end, has_doubled)) = closing_mark(inside) else {
            if is_indented {
                return (self.split_plain().into(), false);
            }
            self.rest = "";
            return (inside.into(), true);
        };
        let quoted = &inside[..end];
        self.rest = &inside[end + 1..];
        let behind = self.split_plain();
        let has_more = !behind.trim().is_empty();
        let has_lines = quoted.contains(['\n', '\r']);
        if is_indented && (has_more || has_lines) {
            self.rest = whole;
            return (self.split_plain().into(), false);
        }
        let text = match has_doubled {
            true => quoted.replace("\"\"", "\"").into(),
            false => Cow::Borrowed(quoted),
        };
        (if behind.is_empty() { text } else { text + behind }, has_more && has_lines)
    }

    fn split_plain(&mut self) -> &'t str {
        let end = match u8::try_from(self.separator).ok().filter(u8::is_ascii) {
            Some(separator) => memchr::memchr3(separator, b'\n', b'\r', self.rest.as_bytes()),
            None => self.rest.find([self.separator, '\n', '\r']),
        };
        let end = end.unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        text
    }
}

/// Where the quotation mark is that ends a quoted text, and whether doubled ones come before it.
fn closing_mark(inside: &str) -> Option<(usize, bool)> {
    let mut end = 0;
    let mut has_doubled = false;
    loop {
        end += memchr::memchr(b'"', &inside.as_bytes()[end..])?;
        if inside.as_bytes().get(end + 1) != Some(&b'"') {
            return Some((end, has_doubled));
        }
        has_doubled = true;
        end += 2;
    }
}

impl<'t> Iterator for Cells<'t> {
    type Item = Cell<'t>;

    fn next(&mut self) -> Option<Cell<'t>> {
        if self.rest.is_empty() && !self.is_in_row {
            return None;
        }
        let (text, is_torn) = self.split_text();
        let (row, column) = (self.row, self.column.saturating_add(1));
        let behind_separator = self.rest.strip_prefix(self.separator);
        self.is_in_row = behind_separator.is_some();
        if let Some(rest) = behind_separator {
            (self.rest, self.column) = (rest, column);
        } else {
            let breaks = ["\r\n", "\n", "\r"];
            let rest = breaks.into_iter().find_map(|end| self.rest.strip_prefix(end));
            self.rest = rest.unwrap_or_default();
            (self.row, self.column) = (row.saturating_add(1), 0);
        }
        Some(Cell { row, column, text, ends_row: !self.is_in_row, is_torn })
    }
}

/// The separator that splits most records into more than one cell, and into the same number of them.
fn separator_of(text: &str, promised: Option<char>) -> char {
    let text = &text[..text.floor_char_boundary(SAMPLE_BYTES)];
    let best =
        promised.into_iter().chain(SEPARATORS).map(|separator| (score(text, separator), separator));
    let best = best.reduce(|best, other| if other.0 > best.0 { other } else { best });
    best.map_or(',', |(_, separator)| separator)
}

/// How many records have more than one cell, and how many of these have the usual number of cells.
fn score(text: &str, separator: char) -> (usize, usize) {
    let records = Cells::new(text, separator).filter(|cell| cell.ends_row);
    // Blank lines tell nothing.
    let records = records.filter(|cell| cell.column > 1 || !cell.text.is_empty());
    let mut widths: Vec<u32> = records.map(|cell| cell.column).take(SAMPLE).collect();
    let split = widths.iter().filter(|width| **width > 1).count();
    widths.sort_unstable();
    let usual = widths.get(widths.len() / 2).copied().unwrap_or(0);
    (split, widths.iter().filter(|width| **width == usual).count())
}
