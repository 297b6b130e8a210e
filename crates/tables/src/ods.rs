//! Workbooks of LibreOffice and OpenOffice.

use std::io::Read;

use crate::builder::Builder;
use crate::form::Form;
use crate::table::Table;
use crate::unreadable::Unreadable;
use crate::xlsx::{SheetName, choose};
use crate::xml::{self, Piece, Tag};
use crate::zip::Parts;
use crate::{MOST_COLUMNS, MOST_ROWS};

const CONTENT: &str = "content.xml";
const MANIFEST: &str = "META-INF/manifest.xml";

/// Reads a sheet.
pub(crate) fn read(parts: &Parts<'_>, sheet: Option<&str>) -> Result<Table, Unreadable> {
    if parts.has(MANIFEST) {
        let mut manifest = Vec::new();
        let _ = parts.open(MANIFEST)?.take(1 << 20).read_to_end(&mut manifest);
        if memchr::memmem::find(&manifest, b"encryption-data").is_some() {
            return Err(Unreadable::Password);
        }
    }
    let sheets = sheets(parts)?;
    let chosen = choose(&sheets, sheet)?;
    let mut reader = Reader::new(&chosen.relation);
    xml::for_each(parts, CONTENT, |piece| reader.take(piece))?;
    Ok(reader.builder.finish(Form::Sheet { name: chosen.name.clone(), of: sheets.len() }))
}

/// The sheets; each refers to its number.
fn sheets(parts: &Parts<'_>) -> Result<Vec<SheetName>, Unreadable> {
    let mut sheets: Vec<SheetName> = Vec::new();
    let mut depth = 0_u32;
    xml::for_each(parts, CONTENT, |piece| {
        match piece {
            Piece::Open(tag) if tag.name() == "table" => {
                depth += 1;
                if depth == 1 {
                    sheets.push(SheetName {
                        name: tag.attribute("name").unwrap_or_default(),
                        relation: sheets.len().to_string(),
                        is_hidden: false,
                    });
                }
            }
            Piece::Close("table") => depth = depth.saturating_sub(1),
            _ => {}
        }
        Ok(sheets.len() < 10_000)
    })?;
    Ok(sheets)
}

/// Reads the cells of one sheet.
struct Reader {
    builder: Builder,
    /// How many sheets are still before it.
    sheets_before: usize,
    /// How many tables are open: there may be some inside a cell.
    depth: u32,
    row: u32,
    column: u32,
    row_repeats: u32,
    /// The cells of the row, of which a repeated row has more.
    cells: Vec<(u32, String)>,
    cell: Option<Cell>,
    is_done: bool,
}

/// The cell that is being read.
struct Cell {
    repeats: u32,
    /// A date, which is shown as ISO and not as the sheet formats it.
    date: Option<String>,
    text: String,
    paragraphs: u32,
    is_paragraph: bool,
    is_covered: bool,
    /// How many comments are open.
    comments: u32,
}

impl Reader {
    fn new(number: &str) -> Self {
        Self {
            builder: Builder::default(),
            sheets_before: number.parse().unwrap_or(0),
            depth: 0,
            row: 0,
            column: 0,
            row_repeats: 1,
            cells: Vec::new(),
            cell: None,
            is_done: false,
        }
    }

    fn take(&mut self, piece: Piece<'_>) -> Result<bool, Unreadable> {
        match piece {
            Piece::Open(tag) => self.open(&tag),
            Piece::Close(name) => self.close(name)?,
            Piece::Text(text) => {
                if let Some(cell) = self.cell.as_mut().filter(|cell| cell.is_shown()) {
                    cell.text.push_str(&text);
                }
            }
        }
        Ok(!self.is_done)
    }

    fn open(&mut self, tag: &Tag<'_>) {
        if tag.name() == "table" {
            self.depth += 1;
            return;
        }
        if self.depth != 1 || self.sheets_before > 0 {
            return;
        }
        match (tag.name(), &mut self.cell) {
            ("table-row", None) => {
                self.row_repeats = tag.number("number-rows-repeated").unwrap_or(1).max(1);
                self.column = 0;
            }
            (name @ ("table-cell" | "covered-table-cell"), None) => {
                self.cell = Some(Cell::new(tag, name == "covered-table-cell"));
            }
            ("annotation", Some(cell)) => cell.comments += 1,
            ("p", Some(cell)) if cell.comments == 0 => {
                if cell.paragraphs > 0 {
                    cell.text.push('\n');
                }
                cell.paragraphs += 1;
                cell.is_paragraph = true;
            }
            ("s", Some(cell)) if cell.is_shown() => {
                let spaces: usize = tag.number("c").unwrap_or(1);
                cell.text.extend(std::iter::repeat_n(' ', spaces.min(100)));
            }
            ("tab", Some(cell)) if cell.is_shown() => cell.text.push('\t'),
            ("line-break", Some(cell)) if cell.is_shown() => cell.text.push('\n'),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) -> Result<(), Unreadable> {
        if name == "table" {
            self.depth = self.depth.saturating_sub(1);
            if self.depth == 0 {
                self.is_done = self.sheets_before == 0;
                self.sheets_before = self.sheets_before.saturating_sub(1);
            }
            return Ok(());
        }
        if self.depth != 1 || self.sheets_before > 0 {
            return Ok(());
        }
        match name {
            "p" => {
                if let Some(cell) = &mut self.cell {
                    cell.is_paragraph = cell.comments > 0 && cell.is_paragraph;
                }
            }
            "annotation" => {
                if let Some(cell) = &mut self.cell {
                    cell.comments = cell.comments.saturating_sub(1);
                }
            }
            "table-cell" | "covered-table-cell" => self.end_cell()?,
            "table-row" => self.end_row()?,
            _ => {}
        }
        Ok(())
    }

    fn end_cell(&mut self) -> Result<(), Unreadable> {
        let Some(cell) = self.cell.take() else { return Ok(()) };
        let text = cell.date.unwrap_or(cell.text);
        if !text.trim().is_empty() && !cell.is_covered {
            let last = self.column.saturating_add(cell.repeats);
            if last > MOST_COLUMNS {
                return Err(Unreadable::Columns { row: self.row + 1 });
            }
            self.cells.extend((self.column + 1..=last).map(|column| (column, text.clone())));
        }
        self.column = self.column.saturating_add(cell.repeats);
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Unreadable> {
        if !self.cells.is_empty() {
            let cells = std::mem::take(&mut self.cells);
            for repeat in 1..=self.row_repeats {
                if repeat as usize > MOST_ROWS {
                    return Err(Unreadable::Rows);
                }
                for (column, text) in &cells {
                    self.builder.cell(self.row.saturating_add(repeat), *column, text)?;
                }
            }
        }
        self.row = self.row.saturating_add(self.row_repeats);
        self.row_repeats = 1;
        Ok(())
    }
}

impl Cell {
    fn new(tag: &Tag<'_>, is_covered: bool) -> Self {
        let date = tag.attribute("date-value").map(|date| {
            let date = date.replace('T', " ");
            let date = date.strip_suffix(" 00:00:00").unwrap_or(&date);
            match date.strip_suffix(":00").filter(|_| date.len() > 16) {
                Some(short) => short.to_owned(),
                None => date.to_owned(),
            }
        });
        Self {
            repeats: tag.number("number-columns-repeated").unwrap_or(1).max(1),
            date,
            text: String::new(),
            paragraphs: 0,
            is_paragraph: false,
            is_covered,
            comments: 0,
        }
    }

    /// Whether a text here belongs to the cell.
    fn is_shown(&self) -> bool {
        self.is_paragraph && self.comments == 0
    }
}
