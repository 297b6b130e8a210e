//! The rules that a bot in code brings, with their files.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use mynah_rules::Files;

/// Default rules, and the files that they name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Defaults {
    rules: Vec<(String, String)>,
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Defaults {
    pub(crate) fn add_rules(&mut self, name: String, text: String) {
        self.rules.push((name, text));
    }

    pub(crate) fn add_file(&mut self, path: PathBuf, content: Vec<u8>) {
        self.files.insert(path, content);
    }
}

/// The files of a bot with default rules behind them.
#[derive(Clone, Copy)]
pub(crate) struct WithDefaults<'a> {
    files: &'a dyn Files,
    defaults: &'a Defaults,
}

impl<'a> WithDefaults<'a> {
    pub(crate) fn new(files: &'a dyn Files, defaults: &'a Defaults) -> Self {
        Self { files, defaults }
    }

    /// The file of the folder, else the default one of that path.
    fn or_default<T>(
        &self,
        read: io::Result<T>,
        (folder, path): (&Path, &Path),
        of: impl FnOnce(&[u8]) -> io::Result<T>,
    ) -> io::Result<T> {
        let relative = path.strip_prefix(folder).unwrap_or(path);
        match (read, self.defaults.files.get(relative)) {
            (Err(error), Some(content)) if error.kind() == ErrorKind::NotFound => of(content),
            (read, _) => read,
        }
    }
}

impl Files for WithDefaults<'_> {
    fn read(&self, path: &Path) -> io::Result<String> {
        self.files.read(path)
    }

    fn read_inside(&self, folder: &Path, path: &Path) -> io::Result<String> {
        self.or_default(self.files.read_inside(folder, path), (folder, path), |content| {
            let text = std::str::from_utf8(content);
            text.map(str::to_owned).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
        })
    }

    fn read_table(&self, folder: &Path, path: &Path) -> io::Result<Vec<u8>> {
        let read = self.files.read_table(folder, path);
        self.or_default(read, (folder, path), |content| Ok(content.to_vec()))
    }

    fn size(&self, folder: &Path, path: &Path) -> io::Result<u64> {
        let size = self.files.size(folder, path);
        self.or_default(size, (folder, path), |content| Ok(content.len() as u64))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        self.files.list(folder)
    }

    fn defaults(&self) -> Vec<(String, String)> {
        self.defaults.rules.clone()
    }
}
