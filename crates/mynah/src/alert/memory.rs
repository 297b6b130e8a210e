//! The alerts that were sent, in a file of the data folder: the next run of the program holds back repetitions, too.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::throttle::{StoredAlert, Throttle};
use crate::login::new_for_owner;

/// The name of the file.
const FILE: &str = "alerts.json";

/// More than all kinds of alerts take.
const LARGEST: u64 = 64 * 1024;

/// The alerts that were sent for one account, and the file that keeps them.
#[derive(Debug)]
pub(super) struct Memory {
    file: PathBuf,
    pub(super) throttle: Throttle,
}

impl Memory {
    /// Reads the file of this data folder. One that is missing or damaged costs repeated alerts at worst.
    pub(super) fn of(data: &Path) -> Self {
        let file = data.join(FILE);
        let kept = read(data, &file).unwrap_or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(%error, file = %file.display(), "the alerts that were sent cannot be read");
            }
            Vec::new()
        });
        Self { throttle: Throttle::from_kept(&kept), file }
    }

    /// Writes the file.
    pub(super) fn keep(&self) {
        if let Err(error) = write(&self.file, &self.throttle.kept()) {
            // Where the data folder itself is the trouble, the alert says so.
            tracing::debug!(%error, file = %self.file.display(), "the alerts that were sent cannot be kept");
        }
    }
}

fn read(data: &Path, file: &Path) -> io::Result<Vec<StoredAlert>> {
    let text = mynah_files::read_text(mynah_files::open_inside(data, file)?, LARGEST)?;
    Ok(serde_json::from_str(&text)?)
}

/// Writes it whole or not at all.
fn write(file: &Path, kept: &[StoredAlert]) -> io::Result<()> {
    let draft = file.with_extension("new");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    new_for_owner(&draft)?.write_all(serde_json::to_string(kept)?.as_bytes())?;
    fs::rename(draft, file)
}

#[cfg(test)]
mod tests {
    use mynah_core::Timestamp;

    use super::*;
    use crate::alert::{Alert, AlertKind};

    #[test]
    fn what_was_sent_is_known_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::from_secs(1_000_000);
        let alert = Alert::new(AlertKind::Blocked, "a", "", now);
        let mut memory = Memory::of(folder.path());
        assert!(memory.throttle.admits(&alert, now));
        memory.keep();
        assert!(!Memory::of(folder.path()).throttle.admits(&alert, now));
    }

    #[test]
    fn a_damaged_file_costs_a_repeated_alert_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "[{\"kind\":\"of_the_future\"}]").unwrap();
        let alert = Alert::new(AlertKind::Blocked, "a", "", Timestamp::default());
        let mut memory = Memory::of(folder.path());
        assert!(memory.throttle.admits(&alert, Timestamp::default()));
        memory.keep();
        assert!(!Memory::of(folder.path()).throttle.admits(&alert, Timestamp::default()));
    }
}
