//! The folder of one account, with the name of every file that the program keeps in it.

use std::path::{Path, PathBuf};

use crate::FILE;

/// The folder of one account. Rule files may save other files in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountFolder {
    path: PathBuf,
}

impl AccountFolder {
    /// A folder, whether it exists or not.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database. SQLite keeps two more files beside it, whose names begin with its name.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.path.join(FILE)
    }

    /// The file whose lock is the lease of the account.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.path.join("mynah.lock")
    }

    /// The socket on which the running process answers its operator.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.path.join("mynah.sock")
    }

    /// The alerts that were sent.
    #[must_use]
    pub fn alerts(&self) -> PathBuf {
        self.path.join("alerts.json")
    }

    /// The token of the console.
    #[must_use]
    pub fn page_token(&self) -> PathBuf {
        self.path.join("page-token")
    }

    /// The token of the desktop client, if the operator keeps it here.
    #[must_use]
    pub fn desktop_token(&self) -> PathBuf {
        self.path.join("desktop-token")
    }

    /// The picture to scan for a login.
    #[must_use]
    pub fn login_picture(&self) -> PathBuf {
        self.path.join("login.png")
    }

    /// Whether there is a database. One that this user may not look for counts, so that opening it reports the reason.
    #[must_use]
    pub fn has_data(&self) -> bool {
        let found = self.database().try_exists();
        found.unwrap_or_else(|error| error.kind() != std::io::ErrorKind::NotADirectory)
    }
}
