//! Opens files without waiting, and without following links.

use std::fs::File;
use std::io;
use std::path::Path;

/// Returns the opened file if it is a regular file: it may have been replaced since the check.
pub(crate) fn regular(file: File) -> io::Result<File> {
    crate::check_regular(&file.metadata()?)?;
    Ok(file)
}

/// Opens a file and follows links. A pipe opens at once, without a writer.
#[cfg(unix)]
pub(crate) fn open_waiting_for_nothing(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    use nix::fcntl::OFlag;
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    File::options().read(true).custom_flags(flags.bits()).open(path)
}

/// Opens a file for reading and writing, or creates it. Does not follow a link.
#[cfg(unix)]
pub(crate) fn open_to_write(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    use nix::errno::Errno;
    use nix::fcntl::OFlag;

    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    options.mode(0o600).custom_flags(flags.bits()).open(path).map_err(|error| {
        let is_link = error.raw_os_error() == Some(Errno::ELOOP as i32);
        if is_link { crate::Refusal::NotRegular.into() } else { error }
    })
}

/// Opens a file below a folder. Both paths are resolved: a link in them was made since then, and is refused.
#[cfg(unix)]
pub(crate) fn open_below(folder: &Path, below: &Path) -> io::Result<File> {
    use std::os::fd::OwnedFd;

    use nix::errno::Errno;
    use nix::fcntl::{OFlag, openat};
    use nix::sys::stat::Mode;

    use crate::Refusal;

    let every = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let folders = every | OFlag::O_DIRECTORY;
    let mut at = OwnedFd::from(File::open(folder)?);
    let mut parts = below.components().peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        let flags = if is_last { every | OFlag::O_NONBLOCK | OFlag::O_NOCTTY } else { folders };
        at = match openat(&at, part.as_os_str(), flags, Mode::empty()) {
            Ok(opened) => opened,
            // With O_DIRECTORY, some systems report a link as an error "not a folder".
            Err(Errno::ELOOP | Errno::EMLINK | Errno::ENOTDIR) => {
                return Err(Refusal::Outside.into());
            }
            Err(error) => return Err(error.into()),
        };
    }
    Ok(at.into())
}

#[cfg(not(unix))]
pub(crate) fn open_waiting_for_nothing(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(not(unix))]
pub(crate) fn open_to_write(path: &Path) -> io::Result<File> {
    File::options().read(true).write(true).create(true).truncate(false).open(path)
}

#[cfg(not(unix))]
pub(crate) fn open_below(folder: &Path, below: &Path) -> io::Result<File> {
    File::open(folder.join(below))
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::{LinkOut, Refusal, open, open_inside, read, read_text};

    fn refusal<T: std::fmt::Debug>(result: io::Result<T>) -> Option<Refusal> {
        Refusal::of(&result.expect_err("refused"))
    }

    fn pipe(path: &Path) {
        let status = std::process::Command::new("mkfifo").arg(path).status();
        assert!(status.expect("mkfifo").success());
    }

    /// Makes a folder with a file and a subfolder with another file, and a secret file outside the folder.
    fn bot() -> (tempfile::TempDir, std::path::PathBuf) {
        let around = tempfile::tempdir().expect("a folder");
        let bot = around.path().join("bot");
        fs::create_dir_all(bot.join("pics")).expect("a folder");
        fs::write(bot.join("menu.png"), "menu").expect("a file");
        fs::write(bot.join("pics/a.png"), "a").expect("a file");
        fs::create_dir(around.path().join("other")).expect("a folder");
        fs::write(around.path().join("other/a.png"), "secret").expect("a file");
        (around, bot)
    }

    #[test]
    fn links_that_stay_in_the_folder_are_followed() {
        let (_around, bot) = bot();
        symlink("pics", bot.join("..data")).expect("a link");
        symlink("..data/a.png", bot.join("b.png")).expect("a link");
        for name in ["pics/a.png", "..data/a.png", "b.png"] {
            let opened = open_inside(&bot, &bot.join(name)).expect(name);
            assert_eq!(read_text(opened, 10).expect(name), "a");
        }
    }

    #[test]
    fn a_link_or_path_out_of_the_folder_is_refused() {
        let (around, bot) = bot();
        symlink("../other/a.png", bot.join("link.png")).expect("a link");
        symlink(around.path().join("other"), bot.join("folder")).expect("a link");
        for name in ["link.png", "folder/a.png", "../other/a.png"] {
            let opened = open_inside(&bot, &bot.join(name));
            assert_eq!(refusal(opened), Some(Refusal::Outside), "{name}");
        }
    }

    #[test]
    fn a_link_out_of_the_folder_is_named_with_its_target() {
        let (around, bot) = bot();
        let other = around.path().join("other").canonicalize().expect("a folder");
        symlink("../other/a.png", bot.join("link.png")).expect("a link");
        symlink(&other, bot.join("folder")).expect("a link");
        symlink("folder", bot.join("again")).expect("a link");
        for (name, link, target) in [
            ("link.png", "link.png", other.join("a.png")),
            ("folder/a.png", "folder", other.clone()),
            ("pics/../folder/a.png", "pics/../folder", other.clone()),
            ("again/a.png", "again", other.clone()),
        ] {
            let error = open_inside(&bot, &bot.join(name)).expect_err("refused");
            let expected = LinkOut { link: link.into(), target };
            assert_eq!(LinkOut::of(&error), Some(&expected));
        }
        let error = open_inside(&bot, &bot.join("../other/a.png")).expect_err("refused");
        assert_eq!(LinkOut::of(&error), None, "no link is to blame");
    }

    #[test]
    fn a_link_that_appears_after_the_path_was_resolved_is_refused() {
        let (around, bot) = bot();
        // The path is resolved; links are made before it is opened.
        fs::rename(bot.join("pics"), bot.join("was")).expect("renamed");
        symlink(around.path().join("other"), bot.join("pics")).expect("a link");
        let opened = open_below(&bot, Path::new("pics/a.png"));
        assert_eq!(refusal(opened), Some(Refusal::Outside));
        fs::remove_file(bot.join("menu.png")).expect("removed");
        symlink("../other/a.png", bot.join("menu.png")).expect("a link");
        let opened = open_below(&bot, Path::new("menu.png"));
        assert_eq!(refusal(opened), Some(Refusal::Outside));
    }

    #[test]
    fn pipes_devices_and_folders_are_refused_at_once() {
        let (_around, bot) = bot();
        pipe(&bot.join("pipe"));
        assert_eq!(refusal(open(&bot.join("pipe"))), Some(Refusal::NotRegular));
        assert_eq!(refusal(open_inside(&bot, &bot.join("pipe"))), Some(Refusal::NotRegular));
        // A pipe replaces the file after the check: opening it does not wait for a writer.
        let opened = open_below(&bot, Path::new("pipe")).and_then(regular);
        assert_eq!(refusal(opened), Some(Refusal::NotRegular));
        let opened = open_waiting_for_nothing(&bot.join("pipe")).and_then(regular);
        assert_eq!(refusal(opened), Some(Refusal::NotRegular));
        assert_eq!(refusal(open(Path::new("/dev/zero"))), Some(Refusal::NotRegular));
        let folder = open_inside(&bot, &bot.join("pics")).expect_err("a folder");
        assert_eq!(folder.kind(), io::ErrorKind::IsADirectory);
    }

    #[test]
    fn nothing_is_written_through_a_link_or_into_a_pipe() {
        let (around, bot) = bot();
        let secret = around.path().join("other/a.png");
        symlink(&secret, bot.join("people.csv")).expect("a link");
        symlink(around.path().join("new"), bot.join("dangling.csv")).expect("a link");
        pipe(&bot.join("pipe.csv"));
        for name in ["people.csv", "dangling.csv", "pipe.csv"] {
            let opened = crate::open_to_write(&bot.join(name));
            assert_eq!(refusal(opened), Some(Refusal::NotRegular), "{name}");
        }
        // A link that appears after the check.
        let opened = open_to_write(&bot.join("people.csv"));
        assert_eq!(refusal(opened), Some(Refusal::NotRegular));
        assert!(!around.path().join("new").exists());
        assert_eq!(fs::read(&secret).expect("untouched"), b"secret");
        crate::open_to_write(&bot.join("rows.csv")).expect("a new file");
    }

    #[test]
    fn a_file_beyond_the_limit_is_refused_before_it_is_read() {
        let (_around, bot) = bot();
        let huge = File::create(bot.join("huge")).expect("a file");
        huge.set_len(1 << 40).expect("a sparse file");
        let opened = open(&bot.join("huge")).expect("a regular file");
        assert_eq!(refusal(read(opened, 32)), Some(Refusal::TooLarge { limit: 32 }));
        let opened = open(&bot.join("menu.png")).expect("a regular file");
        assert_eq!(read(opened, 4).expect("exactly the limit"), b"menu");
    }
}
