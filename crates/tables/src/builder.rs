//! Collects rows and cells within the bounds.

use crate::form::Form;
use crate::table::{Cell, Line, Table};
use crate::unreadable::Unreadable;
use crate::{MOST_COLUMNS, MOST_ROWS, MOST_TEXT};

/// The most cells with text.
const MOST_CELLS: usize = 2_000_000;

/// A cell of a spreadsheet has no more characters. A longer one is probably a quotation mark that is never closed.
const LONGEST_CELL: usize = 32_767;

/// Collects rows and cells. Rows come from the top, cells from the left.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    text: String,
    cells: Vec<Cell>,
    rows: Vec<Line>,
    /// Whether the next cell begins a row, even if it has the number of the last one.
    is_row_over: bool,
}

impl Builder {
    /// Adds the text of a cell to a row: either the last one or a later one. Blank texts are left out.
    pub(crate) fn cell(&mut self, row: u32, column: u32, text: &str) -> Result<(), Unreadable> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        if text.is_empty() {
            return Ok(());
        }
        if column > MOST_COLUMNS {
            return Err(Unreadable::Columns { row });
        }
        if text.len() > LONGEST_CELL && text.chars().nth(LONGEST_CELL).is_some() {
            return Err(Unreadable::LongCell { row, column });
        }
        if self.is_row_over || self.rows.last().is_none_or(|line| line.number != row) {
            self.is_row_over = false;
            if self.rows.len() == MOST_ROWS {
                return Err(Unreadable::Rows);
            }
            self.rows.push(Line { number: row, end: 0 });
        }
        if self.text.len() + text.len() > MOST_TEXT || self.cells.len() == MOST_CELLS {
            return Err(Unreadable::Text);
        }
        self.push_lines(text);
        self.cells.push(Cell { column, end: length(self.text.len()) });
        if let Some(line) = self.rows.last_mut() {
            line.end = length(self.cells.len());
        }
        Ok(())
    }

    /// Ends the row: the next cell begins another one, which may have the same number.
    pub(crate) fn end_row(&mut self) {
        self.is_row_over = true;
    }

    /// Adds a text; every line break becomes `\n`.
    fn push_lines(&mut self, text: &str) {
        for (n, part) in text.split("\r\n").enumerate() {
            if n > 0 {
                self.text.push('\n');
            }
            for (n, part) in part.split('\r').enumerate() {
                if n > 0 {
                    self.text.push('\n');
                }
                self.text.push_str(part);
            }
        }
    }

    /// The table.
    pub(crate) fn finish(self, form: Form) -> Table {
        let Self { text, cells, rows, .. } = self;
        Table { form, text, cells, rows }
    }

    /// Leaves out the cells that a merged one covers: inside a region only the upper left cell counts.
    pub(crate) fn leave_out_covered(&mut self, mut regions: Vec<Region>) {
        if regions.is_empty() {
            return;
        }
        regions.sort_unstable_by_key(|region| region.top);
        let mut waiting = regions.into_iter().peekable();
        let mut open: Vec<Region> = Vec::new();
        let old = std::mem::take(self);
        let table = old.finish(Form::Json);
        for row in table.rows() {
            let number = row.number();
            open.retain(|region| region.bottom >= number);
            while let Some(region) = waiting.next_if(|region| region.top <= number) {
                if region.bottom >= number {
                    open.push(region);
                }
            }
            for (column, text) in row.cells() {
                if !open.iter().any(|region| region.covers(number, column)) {
                    // It fitted before, and fits now.
                    let _ = self.cell(number, column, text);
                }
            }
        }
    }
}

/// A merged region, its ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Region {
    pub(crate) top: u32,
    pub(crate) left: u32,
    pub(crate) bottom: u32,
    pub(crate) right: u32,
}

impl Region {
    /// Whether the upper left cell of the region hides a cell.
    fn covers(&self, row: u32, column: u32) -> bool {
        (self.top..=self.bottom).contains(&row)
            && (self.left..=self.right).contains(&column)
            && (row, column) != (self.top, self.left)
    }
}

/// A length within the bounds.
fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
