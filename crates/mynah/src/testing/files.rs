//! A rule file in memory.

use std::io;
use std::path::{Path, PathBuf};

use mynah_rules::Files;

/// The only file there is.
#[derive(Debug)]
pub(crate) struct OneFile(pub(crate) String);

impl OneFile {
    /// Its name.
    pub(crate) const NAME: &'static str = "bot.toml";
}

impl Files for OneFile {
    fn read(&self, path: &Path) -> io::Result<String> {
        if path == Path::new(Self::NAME) {
            Ok(self.0.clone())
        } else {
            Err(io::Error::from(io::ErrorKind::NotFound))
        }
    }

    fn size(&self, _folder: &Path, path: &Path) -> io::Result<u64> {
        self.read(path).map(|text| text.len() as u64)
    }

    fn list(&self, _folder: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(vec![PathBuf::from(Self::NAME)])
    }
}
