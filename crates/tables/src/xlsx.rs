//! Workbooks of Excel 2007 and later, WPS, and most other programs.

use crate::builder::{Builder, Region};
use crate::form::Form;
use crate::number::NumberFormat;
use crate::table::Table;
use crate::unreadable::Unreadable;
use crate::xml::{self, Piece, Tag};
use crate::zip::Parts;
use crate::{MOST_ROWS, MOST_TEXT};

/// A workbook has no more merged regions that count.
const MOST_REGIONS: usize = 10_000;

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
    let shared = part("sharedStrings").filter(|part| parts.has(&part.target));
    let styles = part("styles").filter(|part| parts.has(&part.target));
    let context = Context {
        shared: shared
            .map(|part| Shared::read(parts, &part.target))
            .transpose()?
            .unwrap_or_default(),
        formats: styles.map(|part| formats(parts, &part.target)).transpose()?.unwrap_or_default(),
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

struct Workbook {
    sheets: Vec<SheetName>,
    from_1904: bool,
}

impl Workbook {
    fn read(parts: &Parts<'_>, path: &str) -> Result<Self, Unreadable> {
        let mut book = Self { sheets: Vec::new(), from_1904: false };
        xml::for_each(parts, path, |piece| {
            let Piece::Open(tag) = piece else { return Ok(true) };
            match tag.name() {
                "workbookPr" => {
                    let value = tag.attribute("date1904");
                    book.from_1904 = matches!(value.as_deref(), Some("1" | "true"));
                }
                "sheet" => book.sheets.push(SheetName {
                    name: tag.attribute("name").unwrap_or_default(),
                    relation: tag.attribute("id").unwrap_or_default(),
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
    let mut relations = Vec::new();
    if !parts.has(&file) {
        return Ok(relations);
    }
    xml::for_each(parts, &file, |piece| {
        if let Piece::Open(tag) = piece
            && tag.name() == "Relationship"
        {
            let target = tag.attribute("Target").unwrap_or_default();
            relations.push(Relation {
                id: tag.attribute("Id").unwrap_or_default(),
                kind: tag.attribute("Type").unwrap_or_default(),
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
                shared.text.push_str(&unescaped(&string.text));
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

    fn get(&self, number: usize) -> &str {
        let Some(end) = self.ends.get(number) else { return "" };
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.text[start..*end as usize]
    }
}

/// A text that may be in parts with formats of their own. Readings of characters do not belong to it.
#[derive(Default)]
struct RichText {
    text: String,
    is_text: bool,
    is_reading: bool,
}

impl RichText {
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
            Piece::Text(text) if self.is_text && !self.is_reading => self.text.push_str(&text),
            Piece::Text(_) => {}
        }
    }
}

/// A text with `_x000D_` and the like as the characters that they stand for.
fn unescaped(text: &str) -> std::borrow::Cow<'_, str> {
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

/// The format of numbers for each style of a cell.
fn formats(parts: &Parts<'_>, path: &str) -> Result<Vec<NumberFormat>, Unreadable> {
    let mut codes: Vec<(u32, NumberFormat)> = Vec::new();
    let mut formats = Vec::new();
    let mut is_cell_style = false;
    xml::for_each(parts, path, |piece| {
        match piece {
            Piece::Open(tag) => match tag.name() {
                "numFmt" => {
                    let code = tag.attribute("formatCode").unwrap_or_default();
                    codes.extend(tag.number("numFmtId").map(|id| (id, NumberFormat::of(&code))));
                }
                "cellXfs" => is_cell_style = true,
                "xf" if is_cell_style => {
                    let id = tag.number("numFmtId").unwrap_or(0);
                    let code = codes.iter().find(|(known, _)| *known == id);
                    formats.push(
                        code.map_or_else(|| NumberFormat::built_in(id), |(_, code)| code.clone()),
                    );
                }
                _ => {}
            },
            Piece::Close("cellXfs") => is_cell_style = false,
            Piece::Close(_) | Piece::Text(_) => {}
        }
        // Excel has 65 490 styles at most.
        Ok(formats.len() + codes.len() < 1 << 17)
    })?;
    Ok(formats)
}

/// What the cells of a sheet refer to.
struct Context {
    shared: Shared,
    formats: Vec<NumberFormat>,
    from_1904: bool,
}

/// The cell that is being read.
#[derive(Default)]
struct Open {
    row: u32,
    column: u32,
    kind: String,
    style: usize,
    value: String,
    is_value: bool,
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
                "mergeCell" if regions.len() < MOST_REGIONS => {
                    regions.extend(tag.attribute("ref").and_then(|text| region(&text)));
                }
                _ => {}
            },
            Piece::Close("v") => open.is_value = false,
            Piece::Close("c") => open.end(&mut builder, context)?,
            Piece::Text(text) if open.is_value => open.value.push_str(text),
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
        self.inline = RichText::default();
    }

    fn end(&mut self, builder: &mut Builder, context: &Context) -> Result<(), Unreadable> {
        let (row, column) = (self.row, self.column);
        match self.kind.as_str() {
            "s" => {
                let number = self.value.trim().parse().unwrap_or(usize::MAX);
                builder.cell(row, column, context.shared.get(number))
            }
            "inlineStr" => builder.cell(row, column, &unescaped(&self.inline.text)),
            "str" => builder.cell(row, column, &unescaped(&self.value)),
            "b" => {
                builder.cell(row, column, if self.value.trim() == "1" { "TRUE" } else { "FALSE" })
            }
            "e" => builder.cell(row, column, &self.value),
            "d" => builder.cell(row, column, &self.value.replace('T', " ")),
            _ if self.value.trim().is_empty() => Ok(()),
            _ => {
                let format = context.formats.get(self.style).unwrap_or(&NumberFormat::General);
                builder.cell(row, column, &format.show(&self.value, context.from_1904))
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
