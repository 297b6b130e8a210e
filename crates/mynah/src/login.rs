//! Shows a person how to log in: the QR code in the terminal, as a picture in the data folder, and as an address.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mynah_core::{Prompt, Timestamp};
use mynah_rules::Lang;
use mynah_transports::Connector;

use crate::alert::{Alert, AlertKind};
use crate::qr::Qr;

/// The picture in the data folder.
const PICTURE: &str = "login.png";

/// Shows the prompts of one account.
#[derive(Debug)]
pub(crate) struct LoginScreen {
    account: String,
    folder: PathBuf,
    lang: Lang,
    output: PromptOutput,
    connector: &'static dyn Connector,
}

/// Where prompts are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum PromptOutput {
    /// On standard output.
    #[default]
    Standard,
    /// On standard error: standard output belongs to an account.
    Error,
}

impl PromptOutput {
    fn is_terminal(self) -> bool {
        match self {
            Self::Standard => io::stdout().is_terminal(),
            Self::Error => io::stderr().is_terminal(),
        }
    }

    /// Prints at once and whole, so that two accounts do not mix their lines.
    fn print(self, text: &str) -> io::Result<()> {
        fn whole(mut out: impl Write, text: &str) -> io::Result<()> {
            out.write_all(text.as_bytes()).and_then(|()| out.flush())
        }
        match self {
            Self::Standard => whole(io::stdout().lock(), text),
            Self::Error => whole(io::stderr().lock(), text),
        }
    }
}

impl LoginScreen {
    /// The screen of an account with this data `folder`.
    pub(crate) fn new(
        account: &str,
        folder: &Path,
        (lang, output): (Lang, PromptOutput),
        connector: &'static dyn Connector,
    ) -> Self {
        let (account, folder) = (account.to_owned(), folder.to_owned());
        Self { account, folder, lang, output, connector }
    }

    /// Shows a prompt. Returns its alert; a person who has just scanned a code needs none.
    pub(crate) fn show(&self, prompt: &Prompt, kind: AlertKind, now: Timestamp) -> Option<Alert> {
        let words = self.connector.login_words(prompt);
        let words = words.of(self.lang);
        let mut alert = Alert::new(kind, &self.account, words, now);
        match prompt {
            Prompt::Confirm { scanned } => {
                self.print(&format!("{}: {words}\n", self.account));
                (!scanned).then_some(alert)
            }
            Prompt::Scan { url } => {
                alert.picture = self.show_code(words, url).map(|png| STANDARD.encode(png));
                alert.url = Some(url.clone());
                Some(alert)
            }
        }
    }

    /// Takes the picture away: its code is used up.
    pub(crate) fn clear(&self) {
        // It exists only if a person had to log in.
        let _ = fs::remove_file(self.folder.join(PICTURE));
    }

    /// Prints the code and keeps it as a picture, which is returned.
    fn show_code(&self, words: &str, url: &str) -> Option<Vec<u8>> {
        let qr = Qr::of(url)
            .inspect_err(|error| {
                tracing::warn!(error = error as &dyn std::error::Error, "no QR code");
            })
            .ok();
        let draw = if self.output.is_terminal() { Qr::for_terminal } else { Qr::without_colours };
        let blocks = qr.as_ref().map(draw).unwrap_or_default();
        let png = qr.and_then(|qr| qr.png().ok());
        let path = self.folder.join(PICTURE);
        let kept = png.as_deref().map(|png| write_for_owner(&path, png));
        let at = match kept {
            Some(Ok(())) => format!("{}\n", path.display()),
            Some(Err(error)) => {
                tracing::warn!(%error, path = %path.display(), "the picture of the QR code could not be written");
                String::new()
            }
            None => String::new(),
        };
        self.print(&format!("\n{}: {words}\n\n{blocks}\n{url}\n{at}\n", self.account));
        png
    }

    fn print(&self, text: &str) {
        if let Err(error) = self.output.print(text) {
            tracing::warn!(%error, account = self.account, "the login prompt could not be printed");
        }
    }
}

/// Writes a new file that only its owner may read, in place of the existing one.
fn write_for_owner(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    new_for_owner(path)?.write_all(bytes)
}

/// Makes a new file that only its owner may read.
pub(crate) fn new_for_owner(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use mynah_transports::CONNECTORS;

    use super::*;

    #[test]
    fn a_code_is_kept_as_a_picture_until_it_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let screen = LoginScreen::new("main", folder.path(), Default::default(), CONNECTORS[0]);
        let prompt = Prompt::Scan { url: "https://login.example/l/abc==".to_owned() };
        let alert = screen.show(&prompt, AlertKind::Login, Timestamp::default()).unwrap();
        let picture = fs::read(folder.path().join(PICTURE)).unwrap();
        assert_eq!(alert.picture, Some(STANDARD.encode(&picture)));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(folder.path().join(PICTURE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0);
        }
        let confirm = |scanned| {
            screen.show(&Prompt::Confirm { scanned }, AlertKind::Login, Timestamp::default())
        };
        assert!(confirm(true).is_none(), "somebody is there already");
        assert!(confirm(false).is_some());
        screen.clear();
        assert!(!folder.path().join(PICTURE).exists());
    }
}
