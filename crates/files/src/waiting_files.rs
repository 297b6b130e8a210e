//! Files that are kept until a message is sent.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How long a file is kept for sending.
const KEPT: Duration = Duration::from_secs(2 * 24 * 3600);

/// Writes a file for the `n`th part of the work with this id into a folder, which is made if it is not there. Its name is the
/// same on every try, and ends with `name`. Files of more than two days are removed.
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
    if !folder.is_dir() {
        fs::create_dir_all(folder.parent().unwrap_or(Path::new(".")))?;
        new_private_folder(folder)?;
    }
    remove_old(folder);
    fs::write(&path, bytes)?;
    Ok(path)
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

fn remove_old(folder: &Path) {
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
}
