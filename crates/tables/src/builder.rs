//! Collects rows and cells within the bounds.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use crate::form::Form;
use crate::table::{Cell, Line, Table};
use crate::unreadable::Unreadable;
use crate::{MOST_COLUMNS, MOST_ROWS, MOST_TEXT};

/// The most cells with text.
const MOST_CELLS: usize = 2_000_000;

/// A cell of a spreadsheet has no more characters. A longer one is probably a quotation mark that is never closed.
const LONGEST_CELL: usize = 32_767;

/// So many formulas without a value are noted.
const MOST_UNSET: usize = 10_000;

/// A text of more bytes is longer than any cell, however many bytes its characters take.
const MOST_OF_CELL: usize = LONGEST_CELL * 4;

/// Collects rows and cells. Rows come from the top, cells from the left.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    text: String,
    cells: Vec<Cell>,
    rows: Vec<Line>,
    /// The cells with a formula that has no value.
    unset: BTreeSet<(u32, u32)>,
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
        if is_longer_than_a_cell(text) {
            return Err(Unreadable::LongCell { row, column });
        }
        self.begin_row(row)?;
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

    /// Notes a cell with a formula that has no value. It is not a part of the row, but the row counts.
    pub(crate) fn unset(&mut self, row: u32, column: u32) -> Result<(), Unreadable> {
        if self.unset.len() < MOST_UNSET && column <= MOST_COLUMNS {
            self.begin_row(row)?;
            self.unset.insert((row, column));
        }
        Ok(())
    }

    fn begin_row(&mut self, row: u32) -> Result<(), Unreadable> {
        if self.is_row_over || self.rows.last().is_none_or(|line| line.number != row) {
            self.is_row_over = false;
            if self.rows.len() == MOST_ROWS {
                return Err(Unreadable::Rows);
            }
            self.rows.push(Line { number: row, end: length(self.cells.len()) });
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
        let Self { text, cells, rows, unset, .. } = self;
        Table { form, text, cells, rows, unset }
    }

    /// Leaves out the cells that a merged one covers: inside a region only the upper left cell counts.
    pub(crate) fn leave_out_covered(&mut self, regions: Vec<Region>) {
        if regions.is_empty() {
            return;
        }
        let mut covered = Covered::new(regions);
        let old = std::mem::take(self);
        let table = old.finish(Form::Json);
        for row in table.rows() {
            covered.go_to(row.number());
            for (column, text) in row.cells() {
                if !covered.covers(column) {
                    // It fitted before, and fits now.
                    let _ = self.cell(row.number(), column, text);
                }
            }
            for (_, column) in table.unset.range((row.number(), 0)..=(row.number(), MOST_COLUMNS)) {
                if !covered.covers(*column) {
                    let _ = self.unset(row.number(), *column);
                }
            }
        }
    }
}

/// Whether a text is longer than any cell of a spreadsheet.
pub(crate) fn is_longer_than_a_cell(text: &str) -> bool {
    let is_long = || text.trim().chars().nth(LONGEST_CELL).is_some();
    text.len() > LONGEST_CELL && is_long()
}

/// The text of a cell that comes in parts. Of a text that is longer than any cell no more is kept than shows that.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parted(String);

impl Parted {
    /// Adds a part.
    pub(crate) fn push(&mut self, part: &str) {
        // White space at the beginning does not count, and would hide the text behind it.
        let part = if self.0.is_empty() { part.trim_start() } else { part };
        if self.0.len() <= MOST_OF_CELL {
            self.0.push_str(part);
        } else if !self.0.ends_with(REST) && !part.trim().is_empty() {
            self.0.push(REST);
        }
    }

    /// The text.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// Whether the text is longer than any cell.
    pub(crate) fn is_too_long(&self) -> bool {
        self.0.len() > MOST_OF_CELL
    }

    /// Makes it empty; keeps its room.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Marks the rest of a text that is too long.
const REST: char = '\u{fffd}';

/// Which cells of the present row are covered: for each column a number of regions, since there may be as many regions as
/// rows, and cells ask one by one.
struct Covered {
    /// From the top; those that are not yet reached.
    waiting: std::iter::Peekable<std::vec::IntoIter<Region>>,
    /// The reached ones, by their last row.
    open: BinaryHeap<Reverse<(u32, u32, u32)>>,
    /// By column: how many reached regions there are.
    counts: Vec<u32>,
    /// The columns of the upper left cells in the present row, which their own regions do not cover.
    corners: Vec<u32>,
}

impl Covered {
    fn new(mut regions: Vec<Region>) -> Self {
        regions.sort_unstable_by_key(|region| (region.top, region.left));
        Self {
            waiting: regions.into_iter().peekable(),
            open: BinaryHeap::new(),
            counts: vec![0; MOST_COLUMNS as usize + 1],
            corners: Vec::new(),
        }
    }

    /// Goes on to a row.
    fn go_to(&mut self, row: u32) {
        self.corners.clear();
        while let Some(Reverse((bottom, left, right))) = self.open.peek().copied()
            && bottom < row
        {
            self.open.pop();
            self.columns(left, right).for_each(|count| *count -= 1);
        }
        while let Some(region) = self.waiting.next_if(|region| region.top <= row) {
            let Region { top, left, bottom, right } = region;
            if bottom < row {
                continue;
            }
            self.columns(left, right).for_each(|count| *count += 1);
            self.open.push(Reverse((bottom, left, right)));
            if top == row {
                self.corners.push(left);
            }
        }
    }

    fn columns(&mut self, left: u32, right: u32) -> impl Iterator<Item = &mut u32> {
        let columns = self.counts.iter_mut().skip(left as usize);
        columns.take((right.saturating_add(1)).saturating_sub(left) as usize)
    }

    /// Whether a region hides a cell of the present row.
    fn covers(&self, column: u32) -> bool {
        let count = self.counts.get(column as usize).copied().unwrap_or(0) as usize;
        if count == 0 {
            return false;
        }
        // They are sorted, as the regions are.
        let first = self.corners.partition_point(|corner| *corner < column);
        let own = self.corners[first..].partition_point(|corner| *corner == column);
        count > own
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

/// A length within the bounds.
fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
