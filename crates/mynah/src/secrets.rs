//! The secrets of a service that are given in an environment variable or in a file of the data folder.

use std::fs;
use std::io;
use std::path::Path;

use mynah_transports::SecretSource;

use crate::config::Secret;
use crate::{Ended, Report};

/// A larger file is refused, in bytes.
const LARGEST_FILE: u64 = 64 << 10;

/// The secret of the environment, else that of the file in the data folder, if there is one.
pub(crate) fn find(source: &SecretSource, folder: &Path) -> Result<Option<Secret>, Report> {
    let SecretSource { variable, file, .. } = source;
    if let Some(given) = std::env::var_os(variable).filter(|given| !given.is_empty()) {
        let given = given.to_str().map(str::trim).filter(|given| is_usable(given));
        return usable(given, source, variable);
    }
    let path = folder.join(file);
    // A pipe in its place would be waited for without end.
    let read = mynah_files::open(&path).and_then(|file| mynah_files::read_text(file, LARGEST_FILE));
    match read {
        Ok(text) if text.trim().is_empty() => Ok(None),
        Ok(text) => {
            warn_if_public(&path);
            let place = path.display().to_string();
            usable(Some(text.trim()).filter(|text| is_usable(text)), source, &place)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let what = format!("failed to read {} in {}", source.key, path.display());
            Err(Report::new(Ended::Usage, what).because(error))
        }
    }
}

fn usable(
    given: Option<&str>,
    source: &SecretSource,
    place: &str,
) -> Result<Option<Secret>, Report> {
    let secret = given.map(|given| Secret::new(given.to_owned()));
    secret.map(Some).ok_or_else(|| {
        let what = format!("{} in {place} cannot be used", source.key);
        Report::new(Ended::Usage, what)
            .hint("it consists of ASCII letters, digits and signs, without blanks, in one line")
    })
}

/// Whether a header of HTTP can carry it.
fn is_usable(secret: &str) -> bool {
    !secret.is_empty() && secret.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(unix)]
fn warn_if_public(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).map_or(0, |file| file.permissions().mode());
    if mode & 0o077 != 0 {
        let path = path.display();
        tracing::warn!(%path, "other users of this machine can read this secret: chmod 600");
    }
}

#[cfg(not(unix))]
fn warn_if_public(_: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: SecretSource =
        SecretSource { key: "ticket", variable: "MYNAH_TEST_TICKET_UNSET", file: "ticket" };

    #[test]
    fn a_secret_is_read_from_the_data_folder_and_shown_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(SOURCE.file);
        let find = || find(&SOURCE, folder.path());
        assert!(find().unwrap().is_none());
        fs::write(&path, "\n").unwrap();
        assert!(find().unwrap().is_none(), "an empty file holds no secret");
        fs::write(&path, "s3cret==\n").unwrap();
        let secret = find().unwrap().unwrap();
        assert_eq!(secret.reveal(), "s3cret==");
        assert!(!format!("{secret:?}").contains("s3cret"));
        fs::write(&path, "s3cret s3cret").unwrap();
        let report = find().unwrap_err().to_string();
        assert!(report.contains(SOURCE.file) && !report.contains("s3cret"), "{report}");
    }
}
