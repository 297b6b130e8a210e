//! Why an import fails as a whole.

use thiserror::Error;

use mynah_reader::Lang;
use mynah_tables::Encoding;

use crate::{Kind, Remark};

/// The failure of an import as a whole.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A file or folder cannot be read.
    #[error("failed to read {file}")]
    Read {
        /// The path as given.
        file: String,
        /// The cause.
        source: std::io::Error,
    },
    /// More files, or more bytes, than an import takes.
    #[error("{what}; import fewer files at a time")]
    TooMuch {
        /// The number or size that is too large.
        what: String,
    },
    /// A text file that is not UTF-8.
    #[error("{file} is not UTF-8 text; {}", to_utf8(*encoding))]
    NotUtf8 {
        /// The path as given.
        file: String,
        /// Its encoding, if it is text.
        encoding: Option<Encoding>,
    },
    /// A file whose kind is not recognised.
    #[error("the kind of {file} is not known; name it with --from: {}", Kind::names())]
    UnknownKind {
        /// The path as given.
        file: String,
    },
    /// A file that is not of the form of its kind.
    #[error("{file}:{line}: {message}")]
    Form {
        /// The path as given.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The mistake.
        message: String,
    },
    /// No rule came out.
    #[error("nothing could be imported: {reason}")]
    NoRule {
        /// The first reason, with its place, and the number of other losses.
        reason: String,
    },
    /// The files have nothing to import.
    #[error("nothing to import: no question or rule{} in these files", list(kinds))]
    Nothing {
        /// The kinds that were read.
        kinds: Vec<Kind>,
    },
}

fn to_utf8(encoding: Option<Encoding>) -> String {
    match encoding {
        Some(Encoding::Utf8) | None => "save it again as UTF-8 text".to_owned(),
        Some(encoding) => format!("convert it, for example with `iconv -f {encoding} -t UTF-8`"),
    }
}

fn list(kinds: &[Kind]) -> String {
    let names: Vec<&str> = kinds.iter().map(|kind| kind.shown(Lang::En)).collect();
    if names.is_empty() { String::new() } else { format!(" of {}", names.join(", ")) }
}

impl ImportError {
    pub(crate) fn no_rule(remarks: &[Remark], lang: Lang) -> Self {
        let mut losses = remarks.iter().filter(|one| one.is_loss());
        let first = losses.next().map_or(String::new(), |one| {
            let (file, line, reason) = (one.file(), one.line(), one.reason.text(lang));
            format!("{file}:{line}: {}: {reason}", one.subject)
        });
        let reason = match (losses.count(), lang) {
            (0, _) => first,
            (more, Lang::En) => format!("{first} (and {more} more)"),
            (more, Lang::Zh) => format!("{first}（另有 {more} 条）"),
        };
        Self::NoRule { reason }
    }
}
