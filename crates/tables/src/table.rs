//! A table that was read.

use std::collections::BTreeSet;

use crate::form::Form;

/// A table that was read. Cells without text take no room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub(crate) form: Form,
    /// The texts of all cells, one after the other.
    pub(crate) text: String,
    /// The cells with text, row by row and from left to right.
    pub(crate) cells: Vec<Cell>,
    /// The rows with text, or with a formula that has no value, from the top.
    pub(crate) rows: Vec<Line>,
    /// The cells with a formula that has no value, by row and column.
    pub(crate) unset: BTreeSet<(u32, u32)>,
}

/// A cell with text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    /// The column, from 1.
    pub(crate) column: u32,
    /// Where its text ends; it begins where the one before ends.
    pub(crate) end: u32,
}

/// A row with text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its number as a spreadsheet shows it.
    pub(crate) number: u32,
    /// Where its cells end; they begin where those of the row before end.
    pub(crate) end: u32,
}

/// A row with text.
#[derive(Debug, Clone, Copy)]
pub struct Row<'t> {
    table: &'t Table,
    number: u32,
    from: usize,
    to: usize,
}

impl Table {
    /// The form in which it was read.
    #[must_use]
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// The rows that have text or a formula, from the top.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        self.rows.iter().enumerate().map(|(at, line)| Row {
            table: self,
            number: line.number,
            from: at.checked_sub(1).map_or(0, |before| self.rows[before].end as usize),
            to: line.end as usize,
        })
    }
}

impl<'t> Row<'t> {
    /// Its number as a spreadsheet shows it, from 1. In JSON the number of the question.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The text of a cell, without white space around it; empty if there is none. Columns count from 1.
    #[must_use]
    pub fn cell(&self, column: u32) -> &'t str {
        self.cells().find(|(at, _)| *at == column).map_or("", |(_, text)| text)
    }

    /// Whether a cell has a formula without a value, because no spreadsheet program has calculated it yet.
    #[must_use]
    pub fn lacks_value(&self, column: u32) -> bool {
        self.table.unset.contains(&(self.number, column))
    }

    /// The cells with text, from the left: the column of each, from 1, and its text.
    pub fn cells(&self) -> impl Iterator<Item = (u32, &'t str)> + use<'t> {
        let table = self.table;
        (self.from..self.to).map(move |at| {
            let from = at.checked_sub(1).map_or(0, |before| table.cells[before].end as usize);
            let cell = table.cells[at];
            (cell.column, &table.text[from..cell.end as usize])
        })
    }
}
