//! Sees that a rule file was saved.
//!
//! Folders are watched, not files: editors put a new file in place of the old one.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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

/// Watches the folders of all accounts of a process with one watcher of the system, of which a user has few: 128 on a usual
/// Linux. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct FileWatcher(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// Made at the first use. Locked while folders are added or removed; the watcher itself never takes this lock.
    watcher: Mutex<Option<RecommendedWatcher>>,
    /// The listeners of each folder, by its resolved path.
    folders: Arc<Mutex<Folders>>,
}

type Folders = BTreeMap<PathBuf, Vec<Arc<Listener>>>;

/// Where the saves of some files are noted.
struct Listener {
    /// Whether a file is one of those, given the names of the files that were read.
    concerns: fn(&Path, &BTreeSet<OsString>) -> bool,
    /// The names of the files that were read, lists and tables included.
    read: Mutex<BTreeSet<OsString>>,
    flag: mpsc::Sender<()>,
}

/// Sees that one of the files of a bot was saved.
pub(crate) struct SaveWatch {
    watcher: FileWatcher,
    watched: BTreeSet<PathBuf>,
    listener: Arc<Listener>,
    saved: mpsc::Receiver<()>,
}

impl FileWatcher {
    /// A watch that sees nothing yet, for the files of a bot.
    pub(crate) fn of_rules(&self) -> SaveWatch {
        self.seeing(is_rule_file)
    }

    /// A watch for one file and no other.
    pub(crate) fn of_file(&self, file: &Path) -> notify::Result<SaveWatch> {
        let mut watch = self.seeing(is_known_file);
        lock(&watch.listener.read).extend(file.file_name().map(OsStr::to_owned));
        watch.add(&folder_of(file))?;
        Ok(watch)
    }

    fn seeing(&self, concerns: fn(&Path, &BTreeSet<OsString>) -> bool) -> SaveWatch {
        // One place is enough: it is a flag that something was saved.
        let (flag, saved) = mpsc::channel(1);
        let listener = Arc::new(Listener { concerns, read: Mutex::default(), flag });
        SaveWatch { watcher: self.clone(), watched: BTreeSet::new(), listener, saved }
    }

    /// Lets a listener hear of a folder.
    fn add(&self, folder: &Path, listener: &Arc<Listener>) -> notify::Result<()> {
        let mut watcher = lock(&self.0.watcher);
        let is_new = {
            let mut folders = lock(&self.0.folders);
            let listeners = folders.entry(folder.to_owned()).or_default();
            listeners.push(Arc::clone(listener));
            listeners.len() == 1
        };
        // The watcher waits for its thread, which may just be waiting for the folders.
        let watched = if is_new { watch(&mut watcher, &self.0.folders, folder) } else { Ok(()) };
        if watched.is_err() {
            self.forget(folder, listener);
        }
        watched
    }

    fn remove(&self, folder: &Path, listener: &Arc<Listener>) {
        let mut watcher = lock(&self.0.watcher);
        if self.forget(folder, listener)
            && let Some(watcher) = &mut *watcher
        {
            // The folder may be gone, and its watch with it.
            let _ = watcher.unwatch(folder);
        }
    }

    /// Takes a listener from a folder. Returns true if it was the last.
    fn forget(&self, folder: &Path, listener: &Arc<Listener>) -> bool {
        let mut folders = lock(&self.0.folders);
        let Some(listeners) = folders.get_mut(folder) else { return false };
        listeners.retain(|known| !Arc::ptr_eq(known, listener));
        if !listeners.is_empty() {
            return false;
        }
        folders.remove(folder);
        true
    }
}

fn watch(
    watcher: &mut Option<RecommendedWatcher>,
    folders: &Arc<Mutex<Folders>>,
    folder: &Path,
) -> notify::Result<()> {
    if watcher.is_none() {
        let folders = Arc::clone(folders);
        let hear = move |event: notify::Result<Event>| {
            if let Ok(event) = event {
                note(&event, &lock(&folders));
            }
        };
        *watcher = Some(notify::recommended_watcher(hear)?);
    }
    match watcher {
        Some(watcher) => watcher.watch(folder, RecursiveMode::NonRecursive),
        None => Ok(()),
    }
}

/// Lets those who listen know of an event.
fn note(event: &Event, folders: &Folders) {
    if matches!(event.kind, EventKind::Access(_)) {
        return;
    }
    for path in &event.paths {
        let listeners = path.parent().and_then(|folder| folders.get(folder));
        for listener in listeners.into_iter().flatten() {
            if (listener.concerns)(path, &lock(&listener.read)) {
                // Full means that the flag is up already.
                let _ = listener.flag.try_send(());
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for SaveWatch {
    fn drop(&mut self) {
        for folder in &self.watched {
            self.watcher.remove(folder, &self.listener);
        }
    }
}

impl SaveWatch {
    /// Watches the folder of the main file, those right in it, and those of all files that were read.
    pub(crate) fn look_at(&mut self, main: &Path, read: &[PathBuf]) {
        let names = read.iter().filter_map(|file| file.file_name()).map(OsStr::to_owned);
        *lock(&self.listener.read) = names.collect();
        for folder in folders(main, read).into_iter().take(MOST_FOLDERS) {
            if let Err(error) = self.add(&folder) {
                tracing::warn!(%error, folder = %folder.display(), "changes in this folder go unseen; SIGHUP reloads the rules");
            }
        }
    }

    /// Watches a folder, by its resolved path: two paths to one folder would be one watch of the system, under one of them.
    fn add(&mut self, folder: &Path) -> notify::Result<()> {
        let folder = folder.canonicalize().map_err(notify::Error::io)?;
        if !self.watched.contains(&folder) {
            self.watcher.add(&folder, &self.listener)?;
            self.watched.insert(folder);
        }
        Ok(())
    }

    /// Waits until something was saved and the writing has come to rest.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe but for a save in the last moment before, which the next save makes up for.
    pub(crate) async fn next(&mut self) {
        if self.saved.recv().await.is_none() {
            // The listener lives as long as this, so its end is only a matter of form.
            return std::future::pending().await;
        }
        let latest = Instant::now() + LATEST;
        let settled = async { while timeout(QUIET, self.saved.recv()).await.is_ok() {} };
        let _ = timeout_at(latest, settled).await;
    }
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
        let mut watch = FileWatcher::default().of_file(&file).unwrap();
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
        let mut watch = FileWatcher::default().of_rules();
        watch.look_at(&main, std::slice::from_ref(&main));
        for file in [main.clone(), folder.path().join("rules/new.toml")] {
            let other = folder.path().join("bot.toml~");
            std::fs::write(&other, "# new").unwrap();
            std::fs::rename(&other, &file).unwrap();
            timeout(Duration::from_secs(20), watch.next()).await.expect("the save was seen");
        }
    }

    #[tokio::test]
    async fn many_bots_share_one_watcher_and_hear_of_their_own_folders() {
        let folder = tempfile::tempdir().unwrap();
        let (watcher, mut watches) = (FileWatcher::default(), Vec::new());
        for n in 0..300 {
            // Two bots of each folder, one by another path to it.
            let bot = folder.path().join(format!("bot{}", n / 2));
            let _ = std::fs::create_dir(&bot);
            let path = if n % 2 == 0 {
                bot.clone()
            } else {
                bot.join("../").join(bot.file_name().unwrap())
            };
            let mut watch = watcher.of_rules();
            watch.look_at(&path.join("bot.toml"), &[]);
            watches.push(watch);
        }
        assert_eq!(lock(&watcher.0.folders).len(), 150);
        std::fs::write(folder.path().join("bot7/bot.toml"), "").unwrap();
        for n in [14, 15] {
            timeout(Duration::from_secs(20), watches[n].next()).await.expect("the save was seen");
        }
        assert!(watches[16].saved.try_recv().is_err(), "the save of another bot");
        watches.remove(14);
        std::fs::write(folder.path().join("bot7/bot.toml"), "# new").unwrap();
        timeout(Duration::from_secs(20), watches[14].next()).await.expect("the other still hears");
        drop(watches);
        assert!(lock(&watcher.0.folders).is_empty(), "nothing is watched any more");
    }
}
