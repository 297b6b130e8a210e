//! Files of messages for handlers, and files of answers on their way to the service.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use mynah_core::{Content, Context, MediaRef};
use tokio::task::spawn_blocking;

/// How long the file of an answer is kept for sending.
const KEPT: Duration = Duration::from_secs(2 * 24 * 3600);

/// The files of a message, in a folder for the time of a call.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    folder: Option<PathBuf>,
    /// The files, by the number of their segment.
    pub(crate) files: BTreeMap<usize, PathBuf>,
}

impl Incoming {
    /// Fetches the files of a message up to a size. One that cannot be fetched is left out.
    pub(crate) async fn fetch(ctx: &Context, content: &Content, limit: u64) -> io::Result<Self> {
        let mut incoming = Self::default();
        for (n, segment) in content.0.iter().enumerate() {
            let Some(media) = segment.media() else { continue };
            if media.size.is_some_and(|size| size > limit) {
                continue;
            }
            let bytes = match ctx.media(media, limit).await {
                Ok(bytes) => bytes,
                Err(error) => {
                    tracing::warn!(%error, event = %ctx.event_id(), "a file was not fetched for a handler");
                    continue;
                }
            };
            let folder = incoming.folder()?;
            let path = folder.join(format!("{n}-{}", plain_name(media.name.as_deref())));
            let to = path.clone();
            spawn_blocking(move || fs::write(to, bytes)).await??;
            incoming.files.insert(n, path);
        }
        Ok(incoming)
    }

    /// The folder, made when it is needed; other users of the machine cannot read it.
    fn folder(&mut self) -> io::Result<&Path> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        if self.folder.is_none() {
            let n = MADE.fetch_add(1, Ordering::Relaxed);
            let name = format!("mynah-{}-{n}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            private_folder(&folder)?;
            self.folder = Some(folder);
        }
        Ok(self.folder.as_deref().unwrap_or(Path::new("")))
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder
            && let Err(error) = fs::remove_dir_all(folder)
        {
            tracing::warn!(%error, folder = %folder.display(), "files for a handler were not removed");
        }
    }
}

fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// The last part of a file name from outside, without characters that some system refuses.
fn plain_name(name: Option<&str>) -> String {
    let name = name.unwrap_or("file").rsplit(['/', '\\']).next().unwrap_or("file");
    let is_plain = |c: &char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ');
    let name: String = name.chars().filter(is_plain).collect();
    // The end has the extension.
    let skipped = name.chars().count().saturating_sub(80);
    name.chars().skip(skipped).collect()
}

/// The reference to a file in the folder of a handler.
pub(crate) fn in_folder(dir: &Path, path: &str) -> Result<MediaRef, String> {
    let dir = std::path::absolute(dir).map_err(|error| error.to_string())?;
    let path = dir.join(path);
    let leads_out = path.components().any(|part| part == Component::ParentDir);
    if leads_out || !path.starts_with(&dir) {
        return Err(format!("{} is not in {}", path.display(), dir.display()));
    }
    match path.metadata() {
        Ok(found) if found.is_file() => Ok(MediaRef::file_inside(dir, path)),
        Ok(_) => Err(format!("{} is not a file", path.display())),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

/// Keeps the bytes of an answer until they are sent, under a name that is the same on every try.
pub(crate) async fn keep(
    folder: &Path,
    (id, n): (&str, usize),
    name: &str,
    bytes: Vec<u8>,
) -> io::Result<MediaRef> {
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let path = folder.join(format!("{hash:016x}-{n}-{}", plain_name(Some(name))));
    let (folder, to) = (folder.to_owned(), path.clone());
    spawn_blocking(move || {
        if !folder.is_dir() {
            fs::create_dir_all(folder.parent().unwrap_or(Path::new(".")))?;
            private_folder(&folder)?;
        }
        remove_old(&folder);
        fs::write(to, bytes)
    })
    .await??;
    Ok(MediaRef { name: Some(name.to_owned()), ..MediaRef::file(path) })
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
    fn only_files_of_the_folder_are_sent() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.png"), "x").unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        for (path, is_good) in [
            ("a.png", true),
            ("./a.png", true),
            ("b.png", false),
            ("sub", false),
            ("sub/../a.png", false),
            ("../a.png", false),
            ("/etc/passwd", false),
        ] {
            assert_eq!(in_folder(folder.path(), path).is_ok(), is_good, "{path}");
        }
    }

    #[tokio::test]
    async fn the_file_of_an_answer_is_the_same_on_every_try() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("out");
        let first = keep(&folder, ("a/1#0", 0), "../cat.png", b"one".to_vec()).await.unwrap();
        let again = keep(&folder, ("a/1#0", 0), "../cat.png", b"two".to_vec()).await.unwrap();
        assert_eq!(first.source, again.source);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        let path = first.source.path().unwrap();
        assert_eq!(fs::read(path).unwrap(), b"two");
        assert!(path.starts_with(&folder));
    }
}
