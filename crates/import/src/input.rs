//! The files to import: read whole, within limits.

use std::io;
use std::path::{Path, PathBuf};

use crate::{ImportError, Kind};
use mynah_core::sort_by;

/// The most that an import reads. Files of other people are not trusted.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one file.
    pub file: u64,
    /// Bytes of all files.
    pub total: u64,
    /// Number of files.
    pub files: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file: 64 << 20, total: 256 << 20, files: 5_000 }
    }
}

/// Folders below a given folder are searched so deep.
const DEPTH: usize = 8;

/// A file to import.
#[derive(Debug, Clone)]
pub struct Input {
    /// The name that remarks and comments show: the path below the given folder, or the file name.
    pub name: String,
    /// Its contents.
    pub bytes: Vec<u8>,
    /// Whether it was found in a folder: then a file of no kind is left out.
    pub found: bool,
}

impl Input {
    /// The extension in small letters.
    pub(crate) fn extension(&self) -> String {
        let extension = Path::new(&self.name).extension();
        extension.map(|ext| ext.to_string_lossy().to_lowercase()).unwrap_or_default()
    }

    /// The text, without a byte order mark.
    pub(crate) fn text(&self) -> Result<&str, ImportError> {
        let text = std::str::from_utf8(&self.bytes).map_err(|_| ImportError::NotUtf8 {
            file: self.name.clone(),
            encoding: mynah_tables::encoding(&self.bytes),
        })?;
        Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
    }

    /// A mistake that makes all of this file unreadable.
    pub(crate) fn bad(&self, line: usize, message: impl Into<String>) -> ImportError {
        ImportError::Form { file: self.name.clone(), line, message: message.into() }
    }
}

/// Reads the files. A folder means the files below it that have the extension of some kind, in the order of their names.
///
/// # Errors
///
/// [`ImportError::Read`] and [`ImportError::TooMuch`].
pub fn read_inputs(paths: &[PathBuf], limits: Limits) -> Result<Vec<Input>, ImportError> {
    let mut files = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        let failed = |source| ImportError::Read { file: name.clone(), source };
        if path.is_dir() {
            collect(path, path, 0, &mut files, limits.files).map_err(failed)?;
        } else {
            let name = path.file_name().map_or(name.clone(), |n| n.to_string_lossy().into_owned());
            files.push((path.clone(), name, false));
        }
        if files.len() > limits.files {
            let what = format!("there are more than {} files", limits.files);
            return Err(ImportError::TooMuch { what });
        }
    }
    let mut total = 0;
    let mut inputs = Vec::new();
    for (path, name, found) in files {
        let read = mynah_files::open(&path).and_then(|file| mynah_files::read(file, limits.file));
        let shown = || path.display().to_string();
        let bytes = read.map_err(|source| ImportError::Read { file: shown(), source })?;
        total += bytes.len() as u64;
        if total > limits.total {
            let what = format!("the files have more than {} MB", limits.total >> 20);
            return Err(ImportError::TooMuch { what });
        }
        inputs.push(Input { name, bytes, found });
    }
    Ok(inputs)
}

/// Collects the files below a folder. Links are not followed: they may lead in circles.
fn collect(
    root: &Path,
    folder: &Path,
    depth: usize,
    files: &mut Vec<(PathBuf, String, bool)>,
    most: usize,
) -> io::Result<()> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            paths.push((entry.path(), entry.file_type()?));
        }
    }
    sort_by(&mut paths, |a, b| a.0.cmp(&b.0));
    for (path, file_type) in paths {
        if files.len() > most {
            break;
        }
        if file_type.is_dir() && depth < DEPTH {
            collect(root, &path, depth + 1, files, most)?;
        }
        let extension = path.extension().map(|ext| ext.to_string_lossy().to_lowercase());
        // Other text files say nothing about their kind.
        let is_words = path.file_name().is_some_and(|name| name == "banwords.txt");
        let is_known = |ext: String| {
            (ext != "txt" || is_words) && Kind::ALL.into_iter().any(|kind| kind.may_have(&ext))
        };
        if file_type.is_file() && extension.is_some_and(is_known) {
            let below = path.strip_prefix(root).unwrap_or(&path);
            let name = below.to_string_lossy().replace('\\', "/");
            files.push((path, name, true));
        }
    }
    Ok(())
}
