//! The folder where the sandbox keeps rows of `save_to`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How many names for a folder of our own are tried.
const TRIES: u32 = 100;

/// Where rows of `save_to` go.
#[derive(Debug)]
pub(super) struct SaveFolder {
    path: PathBuf,
    is_ours: bool,
}

impl SaveFolder {
    /// The stated folder, made if it is not there; else a new one among the temporary files.
    pub(super) fn open(stated: Option<&Path>) -> io::Result<Self> {
        match stated {
            Some(path) => {
                fs::create_dir_all(path)?;
                Ok(Self { path: path.to_owned(), is_ours: false })
            }
            None => Ok(Self { path: new_folder(&std::env::temp_dir())?, is_ours: true }),
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves it. A folder of our own is removed if no row was saved; rows stay, since their place was shown.
    pub(super) fn leave(self) {
        if self.is_ours {
            let _ = fs::remove_dir(self.path);
        }
    }
}

/// A folder that was not there before and that only its owner reads: others can make files where temporary ones are.
fn new_folder(parent: &Path) -> io::Result<PathBuf> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    let process = std::process::id();
    for n in 1..=TRIES {
        let path = parent.join(format!("mynah-sandbox-{process}-{n}"));
        match builder.create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| path),
        }
    }
    Err(io::Error::from(io::ErrorKind::AlreadyExists))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_our_own_is_new_and_goes_only_if_it_is_empty() {
        let parent = tempfile::tempdir().unwrap();
        let taken = new_folder(parent.path()).unwrap();
        let path = new_folder(parent.path()).unwrap();
        assert_ne!(taken, path);
        let folder = |path: &Path| SaveFolder { path: path.to_owned(), is_ours: true };
        fs::write(path.join("rows.csv"), "1").unwrap();
        folder(&path).leave();
        assert!(path.join("rows.csv").exists(), "rows stay");
        folder(&taken).leave();
        assert!(!taken.exists());
    }
}
