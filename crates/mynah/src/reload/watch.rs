//! Sees that a rule file was saved.
//!
//! Folders are watched, not files: editors put a new file in place of the old one.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

/// Editors write a file in several steps; this long must nothing happen before it is read.
const QUIET: Duration = Duration::from_millis(150);

/// But at last it is read, however busy the folder is.
const LATEST: Duration = Duration::from_secs(2);

/// More folders than this are not watched: the bot's folder is then something else, such as a home.
const MOST_FOLDERS: usize = 100;

/// Sees that one of the files of a bot was saved.
pub(crate) struct SaveWatch {
    watcher: RecommendedWatcher,
    watched: BTreeSet<PathBuf>,
    /// The names of the files that were read, lists and tables included.
    read: Arc<Mutex<BTreeSet<OsString>>>,
    saved: mpsc::Receiver<()>,
}

impl SaveWatch {
    /// A watch that sees nothing yet, for the files of a bot.
    pub(crate) fn new() -> notify::Result<Self> {
        Self::seeing(is_rule_file)
    }

    /// A watch for one file and no other.
    pub(crate) fn of_file(file: &Path) -> notify::Result<Self> {
        let mut watch = Self::seeing(is_known_file)?;
        let name = file.file_name().map(OsStr::to_owned);
        watch.read.lock().unwrap_or_else(PoisonError::into_inner).extend(name);
        watch.watcher.watch(&folder_of(file), RecursiveMode::NonRecursive)?;
        Ok(watch)
    }

    fn seeing(concerns: fn(&Path, &BTreeSet<OsString>) -> bool) -> notify::Result<Self> {
        // One place is enough: it is a flag that something was saved.
        let (flag, saved) = mpsc::channel(1);
        let read = Arc::<Mutex<BTreeSet<OsString>>>::default();
        let known = Arc::clone(&read);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let known = known.lock().unwrap_or_else(PoisonError::into_inner);
            if event.is_ok_and(|event| is_change(&event, |path| concerns(path, &known))) {
                // Full means that the flag is up already.
                let _ = flag.try_send(());
            }
        })?;
        Ok(Self { watcher, watched: BTreeSet::new(), read, saved })
    }

    /// Watches the folder of the main file, those right in it, and those of all files that were read.
    pub(crate) fn look_at(&mut self, main: &Path, read: &[PathBuf]) {
        let names = read.iter().filter_map(|file| file.file_name()).map(OsStr::to_owned);
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = names.collect();
        for folder in folders(main, read).into_iter().take(MOST_FOLDERS) {
            if self.watched.contains(&folder) {
                continue;
            }
            match self.watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => drop(self.watched.insert(folder)),
                Err(error) => {
                    tracing::warn!(%error, folder = %folder.display(), "changes in this folder go unseen");
                }
            }
        }
    }

    /// Waits until something was saved and the writing has come to rest.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe but for a save in the last moment before, which the next save makes up for.
    pub(crate) async fn next(&mut self) {
        if self.saved.recv().await.is_none() {
            // The watcher lives as long as this, so its end is only a matter of form.
            return std::future::pending().await;
        }
        let latest = Instant::now() + LATEST;
        let settled = async { while timeout(QUIET, self.saved.recv()).await.is_ok() {} };
        let _ = timeout_at(latest, settled).await;
    }
}

/// Whether an event is a change of such a file.
fn is_change(event: &Event, concerns: impl Fn(&Path) -> bool) -> bool {
    let is_change = !matches!(event.kind, EventKind::Access(_));
    is_change && event.paths.iter().any(|path| concerns(path))
}

/// Whether a file is a rule file, another file that was read, or a link in place of a whole folder of them.
fn is_rule_file(path: &Path, read: &BTreeSet<OsString>) -> bool {
    path.extension() == Some(OsStr::new("toml")) || is_known_file(path, read)
}

fn is_known_file(path: &Path, known: &BTreeSet<OsString>) -> bool {
    let name = path.file_name().unwrap_or_default();
    // Mounted configuration is swapped by renaming `..data`.
    known.contains(name) || name.to_string_lossy().starts_with("..")
}

fn folders(main: &Path, read: &[PathBuf]) -> BTreeSet<PathBuf> {
    let own = folder_of(main);
    let beside = std::fs::read_dir(&own).into_iter().flatten().flatten();
    let below = beside
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
        .map(|entry| entry.path());
    let others = read.iter().map(|file| folder_of(file));
    std::iter::once(own.clone()).chain(others).chain(below).collect()
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rule_files_count() {
        for (path, expected) in [
            ("bots/faq/bot.toml", true),
            ("bots/faq/rules/a.toml", true),
            ("mount/..data", true),
            ("bots/faq/.bot.toml.swp", false),
            ("data/mynah.db-wal", false),
            ("bots/faq/signup.csv", false),
            ("bots/faq/cities.txt", true),
            ("bots/faq/other.txt", false),
        ] {
            let read = BTreeSet::from(["bot.toml", "cities.txt"].map(OsString::from));
            assert_eq!(is_rule_file(Path::new(path), &read), expected, "{path}");
        }
    }

    #[tokio::test]
    async fn a_watch_of_one_file_sees_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mynah.toml");
        let mut watch = SaveWatch::of_file(&file).unwrap();
        std::fs::write(folder.path().join("bot.toml"), "").unwrap();
        std::fs::write(&file, "").unwrap();
        timeout(Duration::from_secs(20), watch.next()).await.expect("the save was seen");
        let known = BTreeSet::from([OsString::from("mynah.toml")]);
        assert!(!is_known_file(Path::new("bot.toml"), &known));
    }

    #[tokio::test]
    async fn a_file_put_in_place_of_the_old_one_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let main = folder.path().join("bot.toml");
        std::fs::write(&main, "").unwrap();
        std::fs::create_dir(folder.path().join("rules")).unwrap();
        let mut watch = SaveWatch::new().unwrap();
        watch.look_at(&main, std::slice::from_ref(&main));
        for file in [main.clone(), folder.path().join("rules/new.toml")] {
            let other = folder.path().join("bot.toml~");
            std::fs::write(&other, "# new").unwrap();
            std::fs::rename(&other, &file).unwrap();
            timeout(Duration::from_secs(20), watch.next()).await.expect("the save was seen");
        }
    }
}
