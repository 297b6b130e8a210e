//! The files of a bot: how they are read, and the texts that were read, for showing places in them.

use std::cmp::Ordering;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mynah_reader::{Line, SourceText};

use crate::model::Place;

/// All that loading asks of a file system.
pub trait Files {
    /// The text of a file.
    ///
    /// # Errors
    ///
    /// Whatever the file system says; text that is not UTF-8 is [`io::ErrorKind::InvalidData`].
    fn read(&self, path: &Path) -> io::Result<String>;

    /// The size of a file in bytes.
    ///
    /// # Errors
    ///
    /// Whatever the file system says; a folder is no file.
    fn size(&self, path: &Path) -> io::Result<u64>;

    /// The files in a folder, in any order.
    ///
    /// # Errors
    ///
    /// Whatever the file system says.
    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>>;

    /// The path with links followed, to see whether a file lies where it seems to.
    ///
    /// # Errors
    ///
    /// Whatever the file system says. File systems without links need not implement it.
    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_owned())
    }
}

/// The real disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<String> {
        std::fs::read_to_string(path)
    }

    fn size(&self, path: &Path) -> io::Result<u64> {
        let metadata = std::fs::metadata(path)?;
        if metadata.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        Ok(metadata.len())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let entries = std::fs::read_dir(folder)?;
        let paths: Vec<PathBuf> =
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
        Ok(paths.into_iter().filter(|path| path.is_file()).collect())
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        path.canonicalize()
    }
}

/// The texts that were read, the main file first.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

#[derive(Debug, Clone)]
struct SourceFile {
    name: Arc<str>,
    path: PathBuf,
    text: SourceText,
}

/// Which of the [`Sources`] a place lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FileId(usize);

/// A place in a file, in bytes of its text. Ordered by file and beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spot {
    /// The file.
    pub(crate) file: FileId,
    /// From where to where.
    pub(crate) span: Range<usize>,
}

impl Spot {
    pub(crate) fn new(file: FileId, span: Range<usize>) -> Self {
        Self { file, span }
    }
}

impl PartialOrd for Spot {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Spot {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |spot: &Self| (spot.file, spot.span.start, spot.span.end);
        key(self).cmp(&key(other))
    }
}

impl Sources {
    /// Adds a file and says by which id it is known.
    pub(crate) fn add(&mut self, name: &str, path: PathBuf, text: String) -> FileId {
        self.files.push(SourceFile { name: name.into(), path, text: SourceText::new(text) });
        FileId(self.files.len() - 1)
    }

    /// The files that were read, each with the name that diagnostics use and its path. The main file comes first.
    pub fn files(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.files.iter().map(|file| (&*file.name, file.path.as_path()))
    }

    /// A line of the file of that name, counted from 1.
    #[must_use]
    pub fn line(&self, file: &str, number: u32) -> Option<&str> {
        let file = self.files.iter().find(|known| &*known.name == file)?;
        Some(file.text.line(number)?.text)
    }

    pub(crate) fn name(&self, file: FileId) -> Arc<str> {
        Arc::clone(&self.files[file.0].name)
    }

    pub(crate) fn path(&self, file: FileId) -> &Path {
        &self.files[file.0].path
    }

    pub(crate) fn text(&self, file: FileId) -> Arc<str> {
        self.files[file.0].text.text()
    }

    /// The whole line at a place.
    pub(crate) fn line_spot(&self, place: &Place) -> Option<Spot> {
        let id = self.files.iter().position(|known| known.name == place.file)?;
        let line = self.files[id].text.line(place.line)?;
        Some(Spot::new(FileId(id), line.start..line.start + line.text.len()))
    }

    /// The line in which a byte of a file lies.
    pub(crate) fn line_at(&self, file: FileId, at: usize) -> Line<'_> {
        self.files[file.0].text.line_at(at)
    }
}
