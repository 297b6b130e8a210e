//! The token of the desktop (UOS) client: its origin, and the remedy if the service refuses a login.
//!
//! It is never an argument of the command line: all users of a machine see those in `ps`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mynah_rules::Lang;

use crate::config::Secret;
use crate::{Ended, Report};

/// The environment variable that holds it.
const VARIABLE: &str = "MYNAH_DESKTOP_TOKEN";

/// The file in the data folder that holds it otherwise.
const FILE: &str = "desktop-token";

/// A larger file is refused, in bytes.
const LARGEST_FILE: u64 = 64 << 10;

/// The token of the environment, else that of the file in the data folder, if there is one.
pub(crate) fn find(folder: &Path) -> Result<Option<Secret>, Report> {
    if let Some(given) = std::env::var_os(VARIABLE).filter(|given| !given.is_empty()) {
        let given = given.to_str().map(str::trim).filter(|given| is_usable(given));
        return usable(given, VARIABLE);
    }
    let path = folder.join(FILE);
    // A pipe in its place would be waited for without end.
    let read = mynah_files::open(&path).and_then(|file| mynah_files::read_text(file, LARGEST_FILE));
    match read {
        Ok(text) if text.trim().is_empty() => Ok(None),
        Ok(text) => {
            warn_if_public(&path);
            let place = path.display().to_string();
            usable(Some(text.trim()).filter(|text| is_usable(text)), &place)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let what = format!("failed to read the desktop token in {}", path.display());
            Err(Report::new(Ended::Usage, what).because(error))
        }
    }
}

fn usable(given: Option<&str>, place: &str) -> Result<Option<Secret>, Report> {
    let token = given.map(|given| Secret::new(given.to_owned()));
    token.map(Some).ok_or_else(|| {
        let what = format!("the desktop token in {place} cannot be used");
        Report::new(Ended::Usage, what).hint(
            "a token consists of ASCII letters, digits and signs, without blanks, in one line",
        )
    })
}

/// Whether a header of HTTP can carry it.
fn is_usable(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(unix)]
fn warn_if_public(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).map_or(0, |file| file.permissions().mode());
    if mode & 0o077 != 0 {
        let path = path.display();
        tracing::warn!(%path, "other users of this machine can read the desktop token: chmod 600");
    }
}

#[cfg(not(unix))]
fn warn_if_public(_: &Path) {}

/// Explains a refused login (code 1203) of one account.
#[derive(Debug, Clone)]
pub(crate) struct LoginHelp {
    lang: Lang,
    file: PathBuf,
    token_given: bool,
}

impl LoginHelp {
    pub(crate) fn new(lang: Lang, folder: &Path, token_given: bool) -> Self {
        Self { lang, file: folder.join(FILE), token_given }
    }

    /// The meaning of the refusal and the remedy for the operator, with the words of the service.
    pub(crate) fn explain(&self, words: &str) -> String {
        let file = self.file.display();
        match (self.lang, self.token_given) {
            (Lang::En, false) => format!(
                "WeChat does not let this account log in through the web (code 1203: {words}). This is a decision of \
                 WeChat about the account, not a fault of this program. Set the environment variable {VARIABLE} to \
                 the token of the desktop (UOS) client, or write the token into {file}, and try again; or use \
                 another account"
            ),
            (Lang::En, true) => format!(
                "WeChat does not let this account log in, although the token of the desktop client was sent (code \
                 1203: {words}). This is a decision of WeChat, not a fault of this program. Check that the token in \
                 {VARIABLE}, in {file} or in the configuration is complete and still valid; or use another account"
            ),
            (Lang::Zh, false) => format!(
                "微信不允许此账号登录网页版（错误 1203：{words}）。这是微信对该账号的限制，不是本程序的故障。可将桌面版（UOS）\
                 令牌设置到环境变量 {VARIABLE}，或写入文件 {file}，然后重试；也可以换一个账号"
            ),
            (Lang::Zh, true) => format!(
                "已使用桌面版令牌，微信仍不允许此账号登录（错误 1203：{words}）。这是微信的限制，不是本程序的故障。请确认 \
                 {VARIABLE}、{file} 或配置文件中的令牌完整且仍然有效；也可以换一个账号"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_read_from_the_data_folder_and_shown_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        assert!(find(folder.path()).unwrap().is_none());
        fs::write(&path, "\n").unwrap();
        assert!(find(folder.path()).unwrap().is_none(), "an empty file holds no token");
        fs::write(&path, "s3cret==\n").unwrap();
        let token = find(folder.path()).unwrap().unwrap();
        assert_eq!(token.reveal(), "s3cret==");
        assert!(!format!("{token:?}").contains("s3cret"));
        fs::write(&path, "s3cret s3cret").unwrap();
        let report = find(folder.path()).unwrap_err().to_string();
        assert!(report.contains(FILE) && !report.contains("s3cret"), "{report}");
    }

    #[test]
    fn a_refused_login_says_what_it_means_and_what_to_do() {
        for (lang, given, expected) in [
            (Lang::En, false, ["not a fault", VARIABLE, "d/desktop-token", "another account"]),
            (Lang::En, true, ["not a fault", VARIABLE, "still valid", "another account"]),
            (Lang::Zh, false, ["不是本程序的故障", VARIABLE, "d/desktop-token", "换一个账号"]),
            (Lang::Zh, true, ["不是本程序的故障", VARIABLE, "仍然有效", "换一个账号"]),
        ] {
            let text = LoginHelp::new(lang, Path::new("d"), given).explain("words");
            let all = expected.iter().chain(&["1203", "words"]);
            assert!(all.clone().all(|part| text.contains(part)), "{text}");
            assert!(!text.contains("  "), "{text}");
        }
    }
}
