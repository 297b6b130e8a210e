#![doc = include_str!("../README.md")]

mod inside;
mod refusal;
mod waiting_files;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

pub use refusal::{LinkOut, Refusal};
pub use waiting_files::{OUTGOING, keep, new_private_folder, plain_name, remove_old};

/// Opens a regular file for reading, and follows links. Does not wait, as opening a pipe would.
///
/// # Errors
///
/// The errors of the file system; [`Refusal::NotRegular`] for a pipe, a device or a socket.
pub fn open(path: &Path) -> io::Result<File> {
    // Check before opening, too: opening some devices has effects.
    check_regular(&std::fs::metadata(path)?)?;
    inside::regular(inside::open_waiting_for_nothing(path)?)
}

/// Opens a regular file in this folder or below it for reading. Links are followed if they stay in the folder.
///
/// # Errors
///
/// The errors of the file system; [`Refusal::NotRegular`] as in [`open`], [`Refusal::Outside`] for a path or a link that
/// leads out of the folder (with [`LinkOut`] for a link), and for a link that takes the place of a file or folder during this call.
pub fn open_inside(folder: &Path, path: &Path) -> io::Result<File> {
    // A relative path without a folder is in the current folder.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let (real_folder, real_path) = (folder.canonicalize()?, path.canonicalize()?);
    let Ok(below) = real_path.strip_prefix(&real_folder) else {
        let link = LinkOut::find(folder, path, &real_folder);
        return Err(link.map_or_else(|| Refusal::Outside.into(), io::Error::from));
    };
    check_regular(&std::fs::symlink_metadata(&real_path)?)?;
    inside::regular(inside::open_below(&real_folder, below)?)
}

/// Opens a regular file for reading and writing, or creates it with access for its owner only. The last part of the
/// path must not be a link, since the text would be written into another file.
///
/// # Errors
///
/// The errors of the file system; [`Refusal::NotRegular`] for a link, a pipe, a device or a socket.
pub fn open_to_write(path: &Path) -> io::Result<File> {
    match std::fs::symlink_metadata(path) {
        Ok(there) => check_regular(&there)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    inside::regular(inside::open_to_write(path)?)
}

/// Reads all of a file.
///
/// # Errors
///
/// The errors of the file system; [`Refusal::TooLarge`] for a file of more than `limit` bytes, also if it grows meanwhile.
pub fn read(mut file: File, limit: u64) -> io::Result<Vec<u8>> {
    if file.metadata()?.len() > limit {
        return Err(Refusal::TooLarge { limit }.into());
    }
    let mut bytes = Vec::new();
    file.by_ref().take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(Refusal::TooLarge { limit }.into()) } else { Ok(bytes) }
}

/// Reads all of a text file.
///
/// # Errors
///
/// As for [`read`]; text that is not UTF-8 is [`io::ErrorKind::InvalidData`].
pub fn read_text(file: File, limit: u64) -> io::Result<String> {
    String::from_utf8(read(file, limit)?)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Checks that the metadata describes a regular file.
///
/// # Errors
///
/// [`io::ErrorKind::IsADirectory`] for a folder, [`Refusal::NotRegular`] for everything else that is not a file.
pub fn check_regular(metadata: &std::fs::Metadata) -> io::Result<()> {
    match metadata.file_type() {
        kind if kind.is_file() => Ok(()),
        kind if kind.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        _ => Err(Refusal::NotRegular.into()),
    }
}
