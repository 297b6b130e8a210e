//! The files of a bot: how they are read, and the texts that were read, for showing places in them.

use std::cmp::Ordering;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mynah_reader::{Line, SourceText};

use crate::model::Place;

/// The most bytes of a rule file.
pub(crate) const LARGEST_RULE_FILE: u64 = 32 << 20;

/// All that loading asks of a file system.
pub trait Files {
    /// The text of the main file.
    ///
    /// # Errors
    ///
    /// Any error of the file system; text that is not UTF-8 is [`io::ErrorKind::InvalidData`].
    fn read(&self, path: &Path) -> io::Result<String>;

    /// The text of a file of the bot's folder. File systems without links need not implement it.
    ///
    /// # Errors
    ///
    /// As for [`Files::read`]; [`mynah_files::Refusal::Outside`] if a link leads out of the folder.
    fn read_inside(&self, folder: &Path, path: &Path) -> io::Result<String> {
        let _ = folder;
        self.read(path)
    }

    /// The bytes of a table in the bot's folder. File systems of texts need not implement it.
    ///
    /// # Errors
    ///
    /// As for [`Files::read_inside`], but any bytes are good.
    fn read_table(&self, folder: &Path, path: &Path) -> io::Result<Vec<u8>> {
        self.read_inside(folder, path).map(String::into_bytes)
    }

    /// The size in bytes of a file of the bot's folder.
    ///
    /// # Errors
    ///
    /// Any error of the file system; [`io::ErrorKind::IsADirectory`] for a folder, [`mynah_files::Refusal::NotRegular`]
    /// for a device or the like, [`mynah_files::Refusal::Outside`] if a link leads out of the folder.
    fn size(&self, folder: &Path, path: &Path) -> io::Result<u64>;

    /// The files in a folder, in any order.
    ///
    /// # Errors
    ///
    /// Any error of the file system.
    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>>;

    /// Rules of the program, each with a name for messages: they come behind those of the files. That a rule of the files
    /// always answers first is not reported, and their `[[test]]` tables are not played.
    fn defaults(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// The real disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<String> {
        mynah_files::read_text(mynah_files::open(path)?, LARGEST_RULE_FILE)
    }

    fn read_inside(&self, folder: &Path, path: &Path) -> io::Result<String> {
        mynah_files::read_text(mynah_files::open_inside(folder, path)?, LARGEST_RULE_FILE)
    }

    fn read_table(&self, folder: &Path, path: &Path) -> io::Result<Vec<u8>> {
        mynah_files::read(mynah_files::open_inside(folder, path)?, LARGEST_RULE_FILE)
    }

    fn size(&self, folder: &Path, path: &Path) -> io::Result<u64> {
        Ok(mynah_files::open_inside(folder, path)?.metadata()?.len())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        // A relative path without a folder is in the current folder.
        let here = folder.as_os_str().is_empty();
        let entries = std::fs::read_dir(if here { Path::new(".") } else { folder })?;
        let paths: Vec<PathBuf> =
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
        Ok(paths.into_iter().filter(|path| path.is_file()).collect())
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

/// The one of the [`Sources`] that contains a place.
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

impl FileId {
    /// The main file.
    pub(crate) const MAIN: Self = Self(0);
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

    /// Whether the main file was read and has no text at all, not even a comment.
    #[must_use]
    pub fn main_is_empty(&self) -> bool {
        self.files.first().is_some_and(|main| main.text.text().is_empty())
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

    /// The line that contains a byte of a file.
    pub(crate) fn line_at(&self, file: FileId, at: usize) -> Line<'_> {
        self.files[file.0].text.line_at(at)
    }
}
