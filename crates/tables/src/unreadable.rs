//! Why a file could not be read as a table.

use std::error::Error;
use std::fmt;

use crate::form::Encoding;
use crate::{MOST_COLUMNS, MOST_ROWS, MOST_TEXT, MOST_UNPACKED};

/// Why a file could not be read as a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// The file has no bytes.
    Empty,
    /// A file of this kind.
    Foreign(&'static str),
    /// Neither UTF-8, UTF-16, GB18030 nor Big5: the first wrong byte.
    Encoding {
        /// Its place, from 0.
        at: usize,
    },
    /// A text in this encoding with a damaged character, for instance one that was cut off.
    Character {
        /// The encoding of the rest.
        encoding: Encoding,
        /// The line of the character, from 1.
        line: usize,
    },
    /// Bytes of no text.
    Binary,
    /// A workbook of Excel 97 to 2003.
    OldExcel,
    /// A workbook with a password.
    Password,
    /// Not a workbook, or one whose parts are missing or damaged.
    NoWorkbook,
    /// A part that the workbook refers to is missing.
    MissingPart {
        /// The part.
        part: String,
    },
    /// A part of the workbook is not valid XML.
    Xml {
        /// The part.
        part: String,
    },
    /// A part of the workbook has a document type, which can define entities.
    DocumentType {
        /// The part.
        part: String,
    },
    /// The workbook unpacks to too many bytes.
    Inflated,
    /// No sheet of that name.
    NoSheet {
        /// The name.
        wanted: String,
        /// The sheets of the workbook.
        sheets: Vec<String>,
    },
    /// JSON with a mistake.
    Json {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// An object of JSON that has a key twice.
    RepeatedKey {
        /// The key.
        key: String,
        /// The line of the second one, from 1.
        line: usize,
    },
    /// JSON of another shape than questions with answers.
    JsonShape,
    /// Too many rows.
    Rows,
    /// Too many columns.
    Columns {
        /// The row.
        row: u32,
    },
    /// Too much text in all cells.
    Text,
    /// A cell of separated text begins with a quotation mark that is never closed, or is closed by the mark of a later cell.
    Quote {
        /// The row.
        row: u32,
        /// The column.
        column: u32,
    },
    /// A cell that is longer than any cell of a spreadsheet.
    LongCell {
        /// The row.
        row: u32,
        /// The column.
        column: u32,
    },
}

impl Error for Unreadable {}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the file is empty"),
            Self::Foreign(kind) => write!(f, "this is {kind}, not a table"),
            Self::Encoding { at } => {
                write!(f, "neither UTF-8, UTF-16, GB18030 nor Big5: byte {} is not valid", at + 1)
            }
            Self::Character { encoding, line } => {
                write!(f, "{encoding} text with a damaged character in line {line}")
            }
            Self::Binary => f.write_str("these bytes are not text"),
            Self::OldExcel => f.write_str("a workbook of Excel 97 to 2003; save it as .xlsx"),
            Self::Password => f.write_str("the workbook has a password; save it without one"),
            Self::NoWorkbook => f.write_str("not a workbook, or a damaged one"),
            Self::MissingPart { part } => {
                write!(f, "a damaged workbook: {part} is missing in it")
            }
            Self::Xml { part } => write!(f, "{part} in the workbook is not valid XML"),
            Self::DocumentType { part } => {
                write!(f, "{part} in the workbook has a document type")
            }
            Self::Inflated => {
                write!(f, "the workbook unpacks to more than {} MB", MOST_UNPACKED >> 20)
            }
            Self::NoSheet { wanted, sheets } => {
                write!(f, "no sheet \"{wanted}\": there are {}", sheets.join(", "))
            }
            Self::Json { line, column } => write!(f, "not valid JSON at {line}:{column}"),
            Self::RepeatedKey { key, line } => {
                write!(f, "the key \"{key}\" occurs twice in one object, again in line {line}")
            }
            Self::JsonShape => f.write_str("JSON without questions and answers"),
            Self::Rows => write!(f, "more than {MOST_ROWS} rows"),
            Self::Columns { row } => write!(f, "row {row} has more than {MOST_COLUMNS} columns"),
            Self::Text => write!(f, "more than {} MB of text", MOST_TEXT >> 20),
            Self::Quote { row, column } => write!(
                f,
                "the quotation mark at the beginning of row {row}, column {column} is not closed"
            ),
            Self::LongCell { row, column } => {
                write!(f, "the cell in row {row}, column {column} is too long")
            }
        }
    }
}
