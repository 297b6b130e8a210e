//! CSV and its kin: text with a sign between cells.

use crate::builder::Builder;
use crate::decode::decode;
use crate::form::Form;
use crate::table::Table;
use crate::unreadable::Unreadable;

/// The signs that people put between cells; of equally good ones the first.
const SEPARATORS: [char; 4] = [',', '\t', ';', '|'];

/// So many records tell the separator.
const SAMPLE: usize = 100;

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
    let mut skip_first = said.is_some();
    for_each_record(&text, separator, |number, record| {
        if std::mem::take(&mut skip_first) {
            return Ok(());
        }
        for (column, cell) in (1..).zip(record) {
            builder.cell(number, column, cell)?;
        }
        Ok(())
    })?;
    Ok(builder.finish(Form::Separated { encoding, separator }))
}

/// Gives each record with its number. Blank lines count, as in a spreadsheet.
fn for_each_record(
    text: &str,
    separator: char,
    mut give: impl FnMut(u32, &csv::StringRecord) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    let mut reader = reader(text, separator);
    let mut record = csv::StringRecord::new();
    let mut number: u32 = 0;
    loop {
        let before = reader.position().byte();
        // The bytes are valid UTF-8 and rows may differ in length: nothing can fail.
        if !reader.read_record(&mut record).unwrap_or(false) {
            return Ok(());
        }
        let start = usize::try_from(before).unwrap_or(usize::MAX);
        let behind = text.get(start..).unwrap_or_default();
        // The reader stops within `\r\n`.
        let is_split = start > 0 && text.as_bytes()[start - 1] == b'\r';
        let behind = behind.strip_prefix('\n').filter(|_| is_split).unwrap_or(behind);
        number = number.saturating_add(blank_lines(behind) + 1);
        give(number, &record)?;
    }
}

/// The blank lines at the beginning of a text: the reader skips them.
fn blank_lines(text: &str) -> u32 {
    let breaks = &text[..text.find(|c| !matches!(c, '\r' | '\n')).unwrap_or(text.len())];
    let pairs = breaks.matches("\r\n").count();
    u32::try_from(breaks.len() - pairs).unwrap_or(u32::MAX)
}

fn reader(text: &str, separator: char) -> csv::Reader<&[u8]> {
    // All separators are ASCII.
    let separator = u8::try_from(separator).unwrap_or(b',');
    let mut builder = csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(separator).from_reader(text.as_bytes())
}

/// The separator that splits most records into more than one cell, and into the same number of them.
fn separator_of(text: &str, promised: Option<char>) -> char {
    let best =
        promised.into_iter().chain(SEPARATORS).map(|separator| (score(text, separator), separator));
    let best = best.reduce(|best, other| if other.0 > best.0 { other } else { best });
    best.map_or(',', |(_, separator)| separator)
}

/// How many records have more than one cell, and how many of these have the usual number of cells.
fn score(text: &str, separator: char) -> (usize, usize) {
    let mut widths = Vec::new();
    let mut reader = reader(text, separator);
    let mut record = csv::ByteRecord::new();
    while widths.len() < SAMPLE && reader.read_byte_record(&mut record).unwrap_or(false) {
        widths.push(record.len());
    }
    let split = widths.iter().filter(|width| **width > 1).count();
    widths.sort_unstable();
    let usual = widths.get(widths.len() / 2).copied().unwrap_or(0);
    (split, widths.iter().filter(|width| **width == usual).count())
}
