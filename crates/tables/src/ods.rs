//! Workbooks of LibreOffice and OpenOffice.

use std::collections::HashSet;
use std::io::Read;
use std::ops::RangeInclusive;

use crate::builder::{Builder, Parted, is_longer_than_a_cell};
use crate::form::Form;
use crate::table::Table;
use crate::unreadable::Unreadable;
use crate::xlsx::{Names, SheetName, choose};
use crate::xml::{self, Piece, Tag};
use crate::zip::Parts;
use crate::{MOST_COLUMNS, MOST_ROWS, MOST_TEXT};

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

/// The sheets; each refers to its number. Hidden ones have a style that says so.
fn sheets(parts: &Parts<'_>) -> Result<Vec<SheetName>, Unreadable> {
    let mut sheets: Vec<SheetName> = Vec::new();
    let mut names = Names::default();
    let (mut style, mut hidden) = (String::new(), HashSet::new());
    let mut depth = 0_u32;
    xml::for_each(parts, CONTENT, |piece| {
        match piece {
            Piece::Open(tag) => match tag.name() {
                "table" => {
                    depth += 1;
                    if depth == 1 {
                        let name = names.take(tag.attribute("name"))?;
                        let style = tag.attribute("style-name").unwrap_or_default();
                        sheets.push(SheetName {
                            name,
                            relation: sheets.len().to_string(),
                            is_hidden: hidden.contains(&style),
                        });
                    }
                }
                "style" => style = tag.attribute("name").unwrap_or_default(),
                "table-properties" if tag.attribute("display").as_deref() == Some("false") => {
                    hidden.insert(names.take(Some(std::mem::take(&mut style)))?);
                }
                _ => {}
            },
            Piece::Close("table") => depth = depth.saturating_sub(1),
            _ => {}
        }
        Ok(true)
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
    /// The texts of the row, each with its columns; a repeated row has them again.
    cells: Vec<(RangeInclusive<u32>, String)>,
    /// The bytes of the texts of the row, in all its columns.
    row_bytes: usize,
    cell: Option<Cell>,
    is_done: bool,
}

/// The elements in a cell whose texts do not belong to it: comments, the readings of characters, and drawings.
const APART: [&str; 17] = [
    "annotation",
    "ruby-text",
    "note",
    "frame",
    "text-box",
    "custom-shape",
    "rect",
    "line",
    "polyline",
    "polygon",
    "regular-polygon",
    "path",
    "circle",
    "ellipse",
    "connector",
    "caption",
    "measure",
];

/// The cell that is being read.
struct Cell {
    repeats: u32,
    /// A date, which is shown as ISO and not as the sheet formats it.
    date: Option<String>,
    text: Parted,
    paragraphs: u32,
    is_paragraph: bool,
    is_covered: bool,
    /// Whether it has a formula, and no type of a value.
    is_without_value: bool,
    /// How many of [`APART`] are open.
    apart: u32,
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
            row_bytes: 0,
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
                    cell.text.push(&text);
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
            (name, Some(cell)) if APART.contains(&name) => cell.apart += 1,
            ("p" | "h", Some(cell)) if cell.apart == 0 => {
                if cell.paragraphs > 0 {
                    cell.text.push("\n");
                }
                cell.paragraphs += 1;
                cell.is_paragraph = true;
            }
            ("s", Some(cell)) if cell.is_shown() => {
                let spaces: usize = tag.number("c").unwrap_or(1);
                cell.text.push(&" ".repeat(spaces.min(100)));
            }
            ("tab", Some(cell)) if cell.is_shown() => cell.text.push("\t"),
            ("line-break", Some(cell)) if cell.is_shown() => cell.text.push("\n"),
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
            "p" | "h" => {
                if let Some(cell) = &mut self.cell {
                    cell.is_paragraph = cell.apart > 0 && cell.is_paragraph;
                }
            }
            name if APART.contains(&name) => {
                if let Some(cell) = &mut self.cell {
                    cell.apart = cell.apart.saturating_sub(1);
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
        let (row, first) = (self.row.saturating_add(1), self.column.saturating_add(1));
        if is_longer_than_a_cell(cell.text.text()) {
            return Err(Unreadable::LongCell { row, column: first });
        }
        if cell.is_unset() && self.row_repeats == 1 && !cell.is_covered {
            self.builder.unset(row, first)?;
        }
        let text = cell.date.unwrap_or_else(|| cell.text.text().to_owned());
        if !text.trim().is_empty() && !cell.is_covered {
            let last = self.column.saturating_add(cell.repeats);
            if last > MOST_COLUMNS {
                return Err(Unreadable::Columns { row });
            }
            self.row_bytes += text.len() * cell.repeats as usize;
            if self.row_bytes > MOST_TEXT {
                return Err(Unreadable::Text);
            }
            self.cells.push((first..=last, text));
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
                for (columns, text) in &cells {
                    for column in columns.clone() {
                        self.builder.cell(self.row.saturating_add(repeat), column, text)?;
                    }
                }
            }
        }
        self.row = self.row.saturating_add(self.row_repeats);
        self.row_repeats = 1;
        self.row_bytes = 0;
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
            text: Parted::default(),
            paragraphs: 0,
            is_paragraph: false,
            is_covered,
            is_without_value: tag.attribute("formula").is_some()
                && tag.attribute("value-type").is_none(),
            apart: 0,
        }
    }

    /// Whether it has a formula that no program has calculated.
    fn is_unset(&self) -> bool {
        self.is_without_value && self.paragraphs == 0
    }

    /// Whether a text here belongs to the cell.
    fn is_shown(&self) -> bool {
        self.is_paragraph && self.apart == 0
    }
}
