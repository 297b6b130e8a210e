//! Workbooks of Excel 2007 and later, WPS, and most other programs.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::builder::{Builder, Parted, Region};
use crate::form::Form;
use crate::number::NumberFormat;
use crate::table::Table;
use crate::unreadable::Unreadable;
use crate::xml::{self, Piece, Tag};
use crate::zip::Parts;
use crate::{MOST_ROWS, MOST_TEXT};

/// A sheet has no more merged regions that count.
const MOST_REGIONS: usize = MOST_ROWS;

/// A workbook has no more sheets and references.
const MOST_NAMES: usize = 10_000;

/// The most bytes of the names of sheets and references: every one is kept.
const MOST_OF_NAMES: usize = 4 << 20;

/// Excel has 65 490 styles at most.
const MOST_STYLES: usize = 1 << 17;

/// Excel has no longer codes of formats. A longer one is not known here.
const LONGEST_FORMAT: usize = 1_024;

/// The most texts that cells share: as many as cells.
const MOST_SHARED: usize = 2_000_000;

/// Reads a sheet.
pub(crate) fn read(parts: &Parts<'_>, sheet: Option<&str>) -> Result<Table, Unreadable> {
    let book = relations(parts, "")?.into_iter().find(|relation| relation.kind("officeDocument"));
    let path = book.map_or_else(|| "xl/workbook.xml".to_owned(), |relation| relation.target);
    let book = Workbook::read(parts, &path)?;
    let relations = relations(parts, &path)?;
    let chosen = choose(&book.sheets, sheet)?;
    let of_sheet = relations.iter().find(|relation| relation.id == chosen.relation);
    let sheet_path = of_sheet.ok_or(Unreadable::NoWorkbook)?.target.clone();
    let part = |kind: &str| relations.iter().find(|relation| relation.kind(kind));
    let (shared, styles) = (part("sharedStrings"), part("styles"));
    let context = Context {
        shared: shared
            .map(|part| Shared::read(parts, &part.target))
            .transpose()?
            .unwrap_or_default(),
        formats: styles
            .map(|part| Formats::read(parts, &part.target))
            .transpose()?
            .unwrap_or_default(),
        from_1904: book.from_1904,
    };
    let builder = cells(parts, &sheet_path, &context)?;
    Ok(builder.finish(Form::Sheet { name: chosen.name.clone(), of: book.sheets.len() }))
}

/// A sheet of a workbook.
pub(crate) struct SheetName {
    pub(crate) name: String,
    pub(crate) relation: String,
    pub(crate) is_hidden: bool,
}

/// The sheet of that name, else the first visible one.
pub(crate) fn choose<'s>(
    sheets: &'s [SheetName],
    wanted: Option<&str>,
) -> Result<&'s SheetName, Unreadable> {
    let Some(wanted) = wanted else {
        let visible = sheets.iter().find(|sheet| !sheet.is_hidden);
        return visible.or(sheets.first()).ok_or(Unreadable::NoWorkbook);
    };
    let is_wanted = |sheet: &&SheetName| sheet.name.trim() == wanted.trim();
    sheets.iter().find(is_wanted).ok_or_else(|| Unreadable::NoSheet {
        wanted: wanted.to_owned(),
        sheets: sheets.iter().map(|sheet| sheet.name.clone()).collect(),
    })
}

/// Counts the names of a workbook.
#[derive(Default)]
pub(crate) struct Names {
    count: usize,
    bytes: usize,
}

impl Names {
    /// A name to be kept; an error if there are too many.
    pub(crate) fn take(&mut self, name: Option<String>) -> Result<String, Unreadable> {
        let name = name.unwrap_or_default();
        self.count += 1;
        self.bytes += name.len();
        let is_too_much = self.count > 3 * MOST_NAMES || self.bytes > MOST_OF_NAMES;
        if is_too_much { Err(Unreadable::NoWorkbook) } else { Ok(name) }
    }
}

struct Workbook {
    sheets: Vec<SheetName>,
    from_1904: bool,
}

impl Workbook {
    fn read(parts: &Parts<'_>, path: &str) -> Result<Self, Unreadable> {
        let mut book = Self { sheets: Vec::new(), from_1904: false };
        let mut names = Names::default();
        xml::for_each(parts, path, |piece| {
            let Piece::Open(tag) = piece else { return Ok(true) };
            match tag.name() {
                "workbookPr" => {
                    let value = tag.attribute("date1904");
                    book.from_1904 = matches!(value.as_deref(), Some("1" | "true"));
                }
                "sheet" => book.sheets.push(SheetName {
                    name: names.take(tag.attribute("name"))?,
                    relation: names.take(tag.attribute("id"))?,
                    is_hidden: tag.attribute("state").is_some_and(|state| state != "visible"),
                }),
                _ => {}
            }
            Ok(true)
        })?;
        Ok(book)
    }
}

/// A reference from one part to another.
struct Relation {
    id: String,
    kind: String,
    target: String,
}

impl Relation {
    fn kind(&self, kind: &str) -> bool {
        self.kind.rsplit('/').next() == Some(kind)
    }
}

/// The references of a part; of the whole workbook for an empty path.
fn relations(parts: &Parts<'_>, path: &str) -> Result<Vec<Relation>, Unreadable> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let slash = if folder.is_empty() { "" } else { "/" };
    let file = format!("{folder}{slash}_rels/{name}.rels");
    let (mut relations, mut names) = (Vec::new(), Names::default());
    if !parts.has(&file) {
        return Ok(relations);
    }
    xml::for_each(parts, &file, |piece| {
        if let Piece::Open(tag) = piece
            && tag.name() == "Relationship"
        {
            let target = names.take(tag.attribute("Target"))?;
            relations.push(Relation {
                id: names.take(tag.attribute("Id"))?,
                kind: names.take(tag.attribute("Type"))?,
                target: resolved(folder, &target),
            });
        }
        Ok(true)
    })?;
    Ok(relations)
}

/// A path that is written relative to a folder, or absolute.
fn resolved(folder: &str, target: &str) -> String {
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut path: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(path.pop()),
            part => path.push(part),
        }
    }
    path.join("/")
}

/// The texts that cells share.
#[derive(Debug, Default)]
struct Shared {
    text: String,
    ends: Vec<u32>,
}

impl Shared {
    fn read(parts: &Parts<'_>, path: &str) -> Result<Self, Unreadable> {
        let mut shared = Self::default();
        let mut string = RichText::default();
        xml::for_each(parts, path, |piece| {
            let is_end = matches!(piece, Piece::Close("si"));
            string.take(piece);
            if is_end {
                shared.text.push_str(&string.shown());
                shared.ends.push(u32::try_from(shared.text.len()).unwrap_or(u32::MAX));
                string = RichText::default();
            }
            if shared.text.len() > MOST_TEXT || shared.ends.len() > MOST_SHARED {
                return Err(Unreadable::Text);
            }
            Ok(true)
        })?;
        Ok(shared)
    }

    fn get(&self, number: usize) -> Option<&str> {
        let end = *self.ends.get(number)? as usize;
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.text.get(start..end)
    }
}

/// A text that may be in parts with formats of their own. Readings of characters do not belong to it.
#[derive(Default)]
struct RichText {
    text: Parted,
    is_text: bool,
    is_reading: bool,
}

impl RichText {
    /// The text as a sheet shows it. One that is too long stays so.
    fn shown(&self) -> Cow<'_, str> {
        let text = self.text.text();
        if self.text.is_too_long() { text.into() } else { unescaped(text) }
    }

    fn take(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Open(tag) => match tag.name() {
                "t" => self.is_text = true,
                "rPh" => self.is_reading = true,
                _ => {}
            },
            Piece::Close("t") => self.is_text = false,
            Piece::Close("rPh") => self.is_reading = false,
            Piece::Close(_) => {}
            Piece::Text(text) if self.is_text && !self.is_reading => self.text.push(&text),
            Piece::Text(_) => {}
        }
    }
}

/// A text with `_x000D_` and the like as the characters that they stand for.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains("_x") {
        return text.into();
    }
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let code = rest.get(at + 2..at + 6).filter(|_| rest.as_bytes().get(at + 6) == Some(&b'_'));
        let c = code.and_then(|code| char::from_u32(u32::from_str_radix(code, 16).ok()?));
        plain.push_str(&rest[..at]);
        match c {
            Some(c) => {
                plain.push(c);
                rest = &rest[at + 7..];
            }
            None => {
                plain.push_str("_x");
                rest = &rest[at + 2..];
            }
        }
    }
    plain.push_str(rest);
    plain.into()
}

/// The formats of numbers, and which of them each style of a cell has.
#[derive(Debug, Default)]
struct Formats {
    /// Each once: a code may be long, and many styles may have it.
    formats: Vec<NumberFormat>,
    of_styles: Vec<u32>,
}

impl Formats {
    fn read(parts: &Parts<'_>, path: &str) -> Result<Self, Unreadable> {
        let mut read = Self::default();
        // The place of each format, by its id; the first one of an id counts.
        let mut places: HashMap<u32, u32> = HashMap::new();
        let mut is_cell_style = false;
        xml::for_each(parts, path, |piece| {
            match piece {
                Piece::Open(tag) => match tag.name() {
                    "numFmt" => {
                        let code = tag.attribute("formatCode").unwrap_or_default();
                        if let Some(id) = tag.number("numFmtId") {
                            places.entry(id).or_insert_with(|| {
                                let code = if code.len() > LONGEST_FORMAT { "" } else { &*code };
                                read.add(NumberFormat::of(code))
                            });
                        }
                    }
                    "cellXfs" => is_cell_style = true,
                    "xf" if is_cell_style => {
                        let id = tag.number("numFmtId").unwrap_or(0);
                        let built_in = || read.add(NumberFormat::built_in(id));
                        let place = *places.entry(id).or_insert_with(built_in);
                        read.of_styles.push(place);
                    }
                    _ => {}
                },
                Piece::Close("cellXfs") => is_cell_style = false,
                Piece::Close(_) | Piece::Text(_) => {}
            }
            Ok(read.of_styles.len() + read.formats.len() < MOST_STYLES)
        })?;
        Ok(read)
    }

    fn add(&mut self, format: NumberFormat) -> u32 {
        self.formats.push(format);
        u32::try_from(self.formats.len() - 1).unwrap_or(u32::MAX)
    }

    /// The format of a style.
    fn get(&self, style: usize) -> Option<&NumberFormat> {
        self.formats.get(*self.of_styles.get(style)? as usize)
    }
}

/// What the cells of a sheet refer to.
struct Context {
    shared: Shared,
    formats: Formats,
    from_1904: bool,
}

/// The cell that is being read.
#[derive(Default)]
struct Open {
    row: u32,
    column: u32,
    kind: String,
    style: usize,
    value: Parted,
    is_value: bool,
    has_formula: bool,
    inline: RichText,
}

fn cells(parts: &Parts<'_>, path: &str, context: &Context) -> Result<Builder, Unreadable> {
    let mut builder = Builder::default();
    let mut regions = Vec::new();
    let mut open = Open::default();
    xml::for_each(parts, path, |piece| {
        match &piece {
            Piece::Open(tag) => match tag.name() {
                "row" => open.begin_row(tag)?,
                "c" => open.begin(tag),
                "v" => open.is_value = true,
                "f" => open.has_formula = true,
                "mergeCell" if regions.len() < MOST_REGIONS => {
                    regions.extend(tag.attribute("ref").and_then(|text| region(&text)));
                }
                _ => {}
            },
            Piece::Close("v") => open.is_value = false,
            Piece::Close("c") => open.end(&mut builder, context)?,
            Piece::Text(text) if open.is_value => open.value.push(text),
            Piece::Close(_) | Piece::Text(_) => {}
        }
        open.inline.take(piece);
        Ok(true)
    })?;
    builder.leave_out_covered(regions);
    Ok(builder)
}

impl Open {
    fn begin_row(&mut self, tag: &Tag<'_>) -> Result<(), Unreadable> {
        let next = self.row.saturating_add(1);
        // A row above the last one would break the order; no program writes one.
        self.row = tag.number("r").unwrap_or(next).max(next);
        self.column = 0;
        // Excel has 1 048 576 rows; of a table far below the top nothing would be found.
        if self.row as usize > MOST_ROWS * 8 { Err(Unreadable::Rows) } else { Ok(()) }
    }

    fn begin(&mut self, tag: &Tag<'_>) {
        let next = self.column.saturating_add(1);
        let written =
            tag.attribute("r").and_then(|place| place_of(&place)).map(|(_, column)| column);
        self.column = written.unwrap_or(next).max(next);
        self.kind = tag.attribute("t").unwrap_or_default();
        self.style = tag.number("s").unwrap_or(0);
        self.value.clear();
        self.has_formula = false;
        self.inline = RichText::default();
    }

    fn end(&mut self, builder: &mut Builder, context: &Context) -> Result<(), Unreadable> {
        let (row, column) = (self.row, self.column);
        if self.value.is_too_long() || self.inline.text.is_too_long() {
            return Err(Unreadable::LongCell { row, column });
        }
        let value = self.value.text();
        match self.kind.as_str() {
            _ if value.trim().is_empty() && self.kind != "inlineStr" => {
                // A text may well be empty; a number may not.
                let is_unset = self.has_formula && self.kind != "str";
                if is_unset { builder.unset(row, column) } else { Ok(()) }
            }
            "s" => {
                let number = value.trim().parse().ok();
                let text = number.and_then(|number| context.shared.get(number));
                builder.cell(row, column, text.ok_or(Unreadable::NoWorkbook)?)
            }
            "inlineStr" => builder.cell(row, column, &self.inline.shown()),
            "str" => builder.cell(row, column, &unescaped(value)),
            "b" => builder.cell(row, column, if value.trim() == "1" { "TRUE" } else { "FALSE" }),
            "e" => builder.cell(row, column, value),
            "d" => builder.cell(row, column, &value.replace('T', " ")),
            _ => {
                let plain = NumberFormat::default();
                let format = context.formats.get(self.style).unwrap_or(&plain);
                builder.cell(row, column, &format.show(value, context.from_1904))
            }
        }
    }
}

/// Row and column, from 1, of a place like `B12`.
fn place_of(place: &str) -> Option<(u32, u32)> {
    let digits = place.find(|c: char| c.is_ascii_digit())?;
    let (letters, number) = place.split_at(digits);
    let column = letters.bytes().try_fold(0_u32, |column, letter| {
        let letter = letter.to_ascii_uppercase().checked_sub(b'A').filter(|letter| *letter < 26)?;
        column.checked_mul(26)?.checked_add(u32::from(letter) + 1)
    })?;
    (column > 0).then_some((number.parse().ok()?, column))
}

/// A region like `A1:B3`.
fn region(text: &str) -> Option<Region> {
    let (from, to) = text.split_once(':')?;
    let ((top, left), (bottom, right)) = (place_of(from)?, place_of(to)?);
    Some(Region { top, left, bottom, right })
}
