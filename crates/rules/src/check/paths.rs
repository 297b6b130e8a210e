//! Pictures and files that are sent.

use std::io;
use std::path::{Component, Path, PathBuf};

use mynah_core::ActionKind;
use mynah_files::Refusal;

use super::{Checker, Text};
use crate::problem::{BadFile, CannotRead, Link, Problem};
use mynah_reader::closest;

/// The limits of the web protocol, used where the transport is not known: pictures and videos, and other files.
const WEB_PICTURE: u64 = 20 << 20;
const WEB_FILE: u64 = 50 << 20;

impl Checker<'_> {
    /// The path of a picture or file that can be sent.
    pub(super) fn media(
        &mut self,
        key: &'static str,
        text: &Text<'_>,
        kind: ActionKind,
    ) -> Option<PathBuf> {
        let is_said = self.report.says(&Problem::Syntax(mynah_reader::Syntax::Path), &text.spot);
        if is_said || self.is_blank(key, text) {
            return None;
        }
        match self.sendable(text, kind) {
            Ok(path) => Some(path),
            Err(bad) => {
                self.say(Problem::File(bad), text.spot.clone());
                None
            }
        }
    }

    pub(super) fn sendable(&self, text: &Text<'_>, kind: ActionKind) -> Result<PathBuf, BadFile> {
        let shown = text.text.to_owned();
        let beside = self.around.sources.path(text.spot.file).parent().unwrap_or(Path::new(""));
        let path = beside.join(text.text);
        if !is_inside(&path, self.around.folder) {
            return Err(BadFile::Outside { path: shown });
        }
        let size = match self.around.files.size(self.around.folder, &path) {
            Ok(size) => size,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(BadFile::Missing { meant: self.similar(&path), path: shown });
            }
            Err(error) if Refusal::of(&error) == Some(Refusal::Outside) => {
                let outside = BadFile::Outside { path: shown };
                return Err(Link::of(&error).map_or(outside, BadFile::Link));
            }
            Err(error) => {
                return Err(BadFile::Unreadable { path: shown, why: CannotRead::of(&error) });
            }
        };
        self.fits(shown, size, kind).map(|()| path)
    }

    fn fits(&self, path: String, size: u64, kind: ActionKind) -> Result<(), BadFile> {
        if size == 0 {
            return Err(BadFile::Nothing { path });
        }
        let limits = self.services.iter().map(|one| (one.max_picture, one.max_file, one.transport));
        let unknown = self.services.is_empty().then_some((WEB_PICTURE, WEB_FILE, "webwx"));
        for (picture, file, transport) in limits.chain(unknown) {
            let most = if kind == ActionKind::Image { picture } else { file };
            if size > most {
                return Err(BadFile::TooLarge { path, size, most, transport });
            }
        }
        Ok(())
    }

    /// A file of a similar name in the same folder.
    fn similar(&self, path: &Path) -> Option<String> {
        let names = self.around.files.list(path.parent()?).ok()?;
        let names: Vec<String> = names
            .iter()
            .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
            .collect();
        let written = path.file_name()?.to_string_lossy();
        closest(&written, names.iter().map(String::as_str)).map(str::to_owned)
    }
}

/// Whether a path is inside a folder, by its names alone.
pub(crate) fn is_inside(path: &Path, folder: &Path) -> bool {
    let Ok(rest) = path.strip_prefix(folder) else { return false };
    let mut depth = 0_i32;
    for part in rest.components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::ParentDir => depth -= 1,
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return false,
        }
        if depth < 0 {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_in_their_folder() {
        for (path, inside) in [
            ("bot/menu.png", true),
            ("bot/a/../menu.png", true),
            ("bot/../menu.png", false),
            ("bot/a/../../menu.png", false),
            ("/etc/passwd", false),
            ("other/menu.png", false),
        ] {
            assert_eq!(is_inside(Path::new(path), Path::new("bot")), inside, "{path}");
        }
        assert!(is_inside(Path::new("menu.png"), Path::new("")));
        assert!(!is_inside(Path::new("/etc/passwd"), Path::new("")));
        assert!(!is_inside(Path::new("../menu.png"), Path::new("")));
    }
}
