//! The token that opens the console: given by the environment, or made at the first start and kept with the data.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mynah_rules::Lang;

use crate::login::new_for_owner;
use crate::{Ended, Report, report};

/// Where it can be given.
const VARIABLE: &str = "MYNAH_PAGE_TOKEN";

/// Its file in the data folder.
const FILE: &str = "page-token";

/// Bytes of a token that is made here.
const LENGTH: usize = 32;

/// The token of the environment, else the one kept in `folder`, else a new one, which is kept there and shown once.
pub(crate) fn find(folder: &Path, lang: Lang) -> Result<String, Report> {
    if let Some(given) = std::env::var_os(VARIABLE).filter(|given| !given.is_empty()) {
        let given = given.to_str().filter(|given| is_usable(given));
        return given.map(str::to_owned).ok_or_else(|| {
            let what = format!("{VARIABLE} cannot be used");
            Report::new(Ended::Usage, what)
                .hint("a token is of ASCII letters, digits and signs, without spaces")
        });
    }
    let path = folder.join(FILE);
    let failed = |error: io::Error| {
        let what = format!("failed to keep the token of the console in {}", path.display());
        Report::new(Ended::Storage, what).because(error).hint(format!("or set {VARIABLE}"))
    };
    if let Some(kept) = kept(&path).map_err(failed)? {
        return Ok(kept);
    }
    let token = make().map_err(failed)?;
    keep(&path, &token).map_err(failed)?;
    report::say(&in_words(&path, &token, lang));
    Ok(token)
}

/// Whether a header of HTTP can carry it.
fn is_usable(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A larger file holds no token, in bytes.
const LARGEST_FILE: u64 = 64 << 10;

/// The token in the file; a file that holds no token counts as none.
fn kept(path: &Path) -> io::Result<Option<String>> {
    // A pipe in its place would be waited for without end.
    let read = mynah_files::open(path).and_then(|file| mynah_files::read_text(file, LARGEST_FILE));
    match read {
        Ok(text) => Ok(Some(text.trim().to_owned()).filter(|token| is_usable(token))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A token that cannot be guessed, from the random numbers of the operating system.
fn make() -> io::Result<String> {
    let mut bytes = [0; LENGTH];
    let random = rustls::crypto::ring::default_provider().secure_random;
    random.fill(&mut bytes).map_err(|_| io::Error::other("the system gives no random numbers"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Writes it whole or not at all, and never where others could read it. With the data in a database, nothing else has made the
/// folder yet.
fn keep(path: &Path, token: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let draft: PathBuf = path.with_extension("new");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = new_for_owner(&draft)?;
    writeln!(file, "{token}")?;
    file.sync_all()?;
    fs::rename(draft, path)
}

fn in_words(path: &Path, token: &str, lang: Lang) -> String {
    let path = path.display();
    match lang {
        Lang::En => format!("token of the console, shown only now and kept in {path}:\n{token}\n"),
        Lang::Zh => format!("控制台令牌（仅显示这一次，保存在 {path}）：\n{token}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_kept_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        assert_eq!(kept(&path).unwrap(), None);
        fs::write(&path, "\n").unwrap();
        assert_eq!(kept(&path).unwrap(), None, "an empty file is no token");
        let token = make().unwrap();
        keep(&path, &token).unwrap();
        assert_eq!(kept(&path).unwrap(), Some(token));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left over");
    }

    #[test]
    fn the_folder_of_a_token_is_made_if_the_data_is_elsewhere() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("data/main").join(FILE);
        keep(&path, "open-sesame").unwrap();
        assert_eq!(kept(&path).unwrap().as_deref(), Some("open-sesame"));
    }

    #[test]
    fn tokens_are_long_and_never_the_same() {
        let (one, other) = (make().unwrap(), make().unwrap());
        assert!(one != other && one.len() == 43 && is_usable(&one), "{one} {other}");
    }

    #[test]
    fn a_token_fits_into_a_header() {
        for (token, expected) in
            [("open-sesame", true), ("", false), ("a b", false), ("芝麻", false), ("a\n", false)]
        {
            assert_eq!(is_usable(token), expected, "{token:?}");
        }
    }
}
