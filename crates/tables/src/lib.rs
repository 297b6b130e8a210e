#![doc = include_str!("../README.md")]
//!
//! # For those who read the code
//!
//! [`read`] decides by the first bytes and the name of a file which reader it gets: `separated` (over `decode`), `json`, or
//! `xlsx` and `ods` (over `zip` and `xml`). All of them write into the `builder`, which holds the bounds.

mod builder;
mod decode;
mod form;
mod json;
mod number;
mod ods;
mod separated;
mod table;
mod unreadable;
mod xlsx;
mod xml;
mod zip;

pub use form::{Encoding, Form};
pub use table::{Row, Table};
pub use unreadable::Unreadable;

/// The most rows of a table.
pub const MOST_ROWS: usize = 200_000;

/// The most columns of a table.
pub const MOST_COLUMNS: u32 = 1_024;

/// The most bytes of all cells together.
pub const MOST_TEXT: usize = 32 << 20;

/// The most bytes to which the parts of a workbook unpack.
pub const MOST_UNPACKED: u64 = 160 << 20;

/// Reads the bytes of a file. `name` is its file name; `sheet` the name of a sheet, else the first visible one.
///
/// # Errors
///
/// [`Unreadable`] says why the bytes are not a table, or which bound it breaks.
pub fn read(bytes: &[u8], name: &str, sheet: Option<&str>) -> Result<Table, Unreadable> {
    match Kind::of(bytes, name)? {
        Kind::Workbook => {
            let parts = zip::Parts::read(bytes)?;
            if parts.has("xl/workbook.xml") || parts.has("_rels/.rels") {
                xlsx::read(&parts, sheet)
            } else if parts.has("content.xml") {
                ods::read(&parts, sheet)
            } else {
                Err(Unreadable::NoWorkbook)
            }
        }
        Kind::Json => json::read(bytes),
        Kind::Separated { separator } => separated::read(bytes, separator),
    }
}

/// The encoding of a text; `None` if the bytes are not text.
#[must_use]
pub fn encoding(bytes: &[u8]) -> Option<Encoding> {
    decode::decode(bytes).ok().map(|(_, encoding)| encoding)
}

/// The kind of a file.
enum Kind {
    Workbook,
    Json,
    Separated {
        /// The separator that the name promises.
        separator: Option<char>,
    },
}

impl Kind {
    fn of(bytes: &[u8], name: &str) -> Result<Self, Unreadable> {
        if bytes.starts_with(b"PK\x03\x04") {
            return Ok(Self::Workbook);
        }
        if bytes.starts_with(b"\xd0\xcf\x11\xe0") {
            return Err(compound_file(bytes));
        }
        if let Some(other) = foreign(bytes) {
            return Err(Unreadable::Foreign(other));
        }
        let name = name.to_lowercase();
        let ends = |end: &str| name.ends_with(end);
        if ends(".xlsx") || ends(".ods") || ends(".xlsm") {
            return Err(if bytes.is_empty() { Unreadable::Empty } else { Unreadable::NoWorkbook });
        }
        Ok(if ends(".json") {
            Self::Json
        } else {
            Self::Separated { separator: ends(".tsv").then_some('\t') }
        })
    }
}

/// A workbook with a password is such a file, and so is every `.xls`.
fn compound_file(bytes: &[u8]) -> Unreadable {
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    match memchr::memmem::find(bytes, &name) {
        Some(_) => Unreadable::Password,
        None => Unreadable::OldExcel,
    }
}

/// What a file is that is certainly not a table.
fn foreign(bytes: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 6] = [
        (b"\x89PNG", "PNG"),
        (b"\xff\xd8\xff", "JPEG"),
        (b"GIF8", "GIF"),
        (b"%PDF", "PDF"),
        (b"Rar!", "RAR"),
        (b"\x1f\x8b", "gzip"),
    ];
    if let Some((_, name)) = known.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(name);
    }
    let begin = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let begin = String::from_utf8_lossy(&begin[..begin.len().min(200)]).trim_start().to_lowercase();
    let is_html = ["<html", "<!doctype html", "<table"].iter().any(|tag| begin.starts_with(tag));
    is_html.then_some("HTML").or(begin.starts_with("<?xml").then_some("XML"))
}

#[cfg(test)]
mod tests;
