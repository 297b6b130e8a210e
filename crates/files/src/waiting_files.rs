//! Files that are kept until a message is sent.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The folder of these files, in the data folder of an account.
pub const OUTGOING: &str = "outgoing";

/// How long a file is kept for sending.
const KEPT: Duration = Duration::from_secs(2 * 24 * 3600);

/// Writes a file for the `n`th part of the work with this id into a folder, which is made if it is not there. Its name is the
/// same on every try, and ends with `name`. It is synced, and only its owner reads it.
///
/// # Errors
///
/// The errors of the file system.
pub fn keep(
    folder: &Path,
    (id, n): (&str, usize),
    name: &str,
    bytes: &[u8],
) -> io::Result<PathBuf> {
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let path = folder.join(format!("{hash:016x}-{n}-{}", plain_name(Some(name))));
    make_folder(folder)?;
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path)?;
    file.write_all(bytes)?;
    // A synced row of the store will refer to it.
    file.sync_all()?;
    sync_folder(folder)?;
    Ok(path)
}

/// Makes the folder if it is not there. Another thread may make it at the same time.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    fs::create_dir_all(parent)?;
    match new_private_folder(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        made => made.and_then(|()| sync_folder(parent)),
    }
}

/// Syncs the names in a folder.
fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    return File::open(folder)?.sync_all();
    #[cfg(not(unix))]
    {
        let _ = folder;
        Ok(())
    }
}

/// Makes a folder that was not there before and that only its owner reads.
///
/// # Errors
///
/// The errors of the file system; [`io::ErrorKind::AlreadyExists`] if it is there.
pub fn new_private_folder(folder: &Path) -> io::Result<()> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has permissions to set"))]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// The last part of a file name from outside, without characters that some system refuses.
#[must_use]
pub fn plain_name(name: Option<&str>) -> String {
    let name = name.unwrap_or("file").rsplit(['/', '\\']).next().unwrap_or("file");
    let is_plain = |c: &char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ');
    let name: String = name.chars().filter(is_plain).collect();
    // The end has the extension.
    let skipped = name.chars().count().saturating_sub(80);
    name.chars().skip(skipped).collect()
}

/// Removes the files of a folder that are kept for more than two days.
pub fn remove_old(folder: &Path) {
    let now = SystemTime::now();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let modified = entry.metadata().and_then(|found| found.modified());
        let age = modified.ok().and_then(|modified| now.duration_since(modified).ok());
        if age.is_some_and(|age| age > KEPT) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_the_same_on_every_try() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("out");
        let first = keep(&folder, ("a/1#0", 0), "../cat.png", b"one").unwrap();
        let again = keep(&folder, ("a/1#0", 0), "../cat.png", b"two").unwrap();
        assert_eq!(first, again);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        assert_eq!(fs::read(&first).unwrap(), b"two");
        assert!(first.starts_with(&folder));
    }

    #[test]
    fn the_first_files_may_come_at_the_same_time() {
        for _ in 0..20 {
            let root = tempfile::tempdir().unwrap();
            let (folder, start) = (root.path().join("data/out"), std::sync::Barrier::new(4));
            std::thread::scope(|scope| {
                for n in 0..4 {
                    let (folder, start) = (&folder, &start);
                    scope.spawn(move || {
                        start.wait();
                        keep(folder, ("a/1#0", n), "cat.png", b"one").unwrap();
                    });
                }
            });
            assert_eq!(fs::read_dir(&folder).unwrap().count(), 4);
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_the_files() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("out");
        let file = keep(&folder, ("a/1#0", 0), "cat.png", b"one").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
    }

    #[test]
    fn files_of_more_than_two_days_are_removed() {
        let root = tempfile::tempdir().unwrap();
        let old = keep(root.path(), ("a/1#0", 0), "old.png", b"one").unwrap();
        let new = keep(root.path(), ("a/1#0", 1), "new.png", b"one").unwrap();
        let file = File::options().write(true).open(&old).unwrap();
        file.set_modified(SystemTime::now() - KEPT - Duration::from_secs(60)).unwrap();
        remove_old(root.path());
        assert_eq!((old.exists(), new.exists()), (false, true));
    }
}
