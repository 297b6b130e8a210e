//! Files of messages for handlers, and files of answers on their way to the service.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use mynah_core::{Content, Context, MediaRef};
use mynah_files::plain_name;
use tokio::task::spawn_blocking;

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
            mynah_files::new_private_folder(&folder)?;
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
    let (folder, id, file) = (folder.to_owned(), id.to_owned(), name.to_owned());
    let keep = move || mynah_files::keep(&folder, (&id, n), &file, &bytes);
    let path = spawn_blocking(keep).await??;
    Ok(MediaRef { name: Some(name.to_owned()), ..MediaRef::file(path) })
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
}
