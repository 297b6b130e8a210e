//! The form in which a table was read.

use std::fmt;

/// The form in which a table was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// Text with separated cells.
    Separated {
        /// Its encoding.
        encoding: Encoding,
        /// The sign between cells.
        separator: char,
    },
    /// JSON.
    Json,
    /// A sheet of a workbook.
    Sheet {
        /// Its name.
        name: String,
        /// How many sheets the workbook has.
        of: usize,
    },
}

/// The encoding of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a mark.
    Utf8,
    /// UTF-16, with or without a mark.
    Utf16,
    /// GB18030, which contains GBK and GB 2312.
    Gb18030,
    /// Big5, with the additions of Hong Kong.
    Big5,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16 => "UTF-16",
            Self::Gb18030 => "GB18030",
            Self::Big5 => "Big5",
        })
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Separated { encoding, separator: '\t' } => {
                write!(f, "text in {encoding}, cells separated by tabs")
            }
            Self::Separated { encoding, separator } => {
                write!(f, "text in {encoding}, cells separated by {separator}")
            }
            Self::Json => f.write_str("JSON"),
            Self::Sheet { name, of } => write!(f, "sheet {name} (of {of})"),
        }
    }
}
