//! The data of all accounts in a PostgreSQL database.

use std::io;
use std::path::Path;

use mynah_store_postgres::{Keep, Migrated, PostgresStores, Settings, SettingsError};

use super::Options;
use crate::config::{Secret, StoreConfig};
use crate::{Ended, Report};

/// The environment variable with the password.
const PASSWORD: &str = "MYNAH_STORE_PASSWORD";

/// A larger file is refused, in bytes.
const LARGEST_FILE: u64 = 4 << 20;

/// The certificates of most systems.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// The database of the settings.
pub(super) fn stores(config: &StoreConfig) -> Result<PostgresStores, Report> {
    Ok(PostgresStores::new(settings(config)?, &super::machine()))
}

/// How long the data of an account is kept.
pub(super) fn keep(options: &Options) -> Keep {
    let Options { keep_log, keep_seen, largest: _ } = *options;
    Keep { log: keep_log, seen: keep_seen }
}

/// Makes the tables or brings them up to date, and reports the result in words.
pub(crate) async fn migrate(config: &StoreConfig) -> Result<String, Report> {
    let settings = settings(config)?;
    let place = settings.place().to_owned();
    let migrated = mynah_store_postgres::migrate(&settings).await;
    let failed = |error| Report::of_store(&format!("prepare the tables in {place}"), error);
    let Migrated { from, to } = migrated.map_err(failed)?;
    Ok(match from {
        0 => format!("{place}: the tables are made, format {to}"),
        from if from == to => format!("{place}: the tables are up to date, format {to}"),
        from => format!("{place}: the tables are brought from format {from} to {to}"),
    })
}

fn settings(config: &StoreConfig) -> Result<Settings, Report> {
    let Some(url) = &config.url else {
        return Err(Report::new(Ended::Usage, "the settings name no database")
            .hint("add [store] with `url = \"postgres://user@host/database\"` to mynah.toml"));
    };
    let password = password(config)?;
    let password = password.as_ref().map(Secret::reveal);
    let certificates = certificates(config)?;
    Settings::new(url.reveal(), password, certificates.as_deref()).map_err(|error| {
        let hint = match error {
            SettingsError::Password => {
                "give it in MYNAH_STORE_PASSWORD, or in the file of `password_file`"
            }
            SettingsError::Certificates(_) => "name them with `certificates` in [store]",
            _ => "see [store] in config/mynah.toml for examples",
        };
        Report::new(Ended::Usage, "the database of [store] cannot be used")
            .because(error)
            .hint(hint)
    })
}

/// The password of the environment, else of the file.
fn password(config: &StoreConfig) -> Result<Option<Secret>, Report> {
    if let Some(given) = std::env::var(PASSWORD).ok().filter(|given| !given.is_empty()) {
        return Ok(Some(Secret::new(given)));
    }
    let Some(path) = &config.password_file else { return Ok(None) };
    let text = read(path).map_err(|error| unreadable(path, error))?;
    Ok(Some(Secret::new(text.trim_end_matches(['\n', '\r']).to_owned())))
}

/// The certificates of the settings, else those of the system, if they are there.
fn certificates(config: &StoreConfig) -> Result<Option<Vec<u8>>, Report> {
    let found = match &config.certificates {
        Some(path) => Some(read(path).map_err(|error| unreadable(path, error))?),
        None => read(Path::new(CERTIFICATES)).ok(),
    };
    Ok(found.map(String::into_bytes))
}

fn read(path: &Path) -> io::Result<String> {
    mynah_files::open(path).and_then(|file| mynah_files::read_text(file, LARGEST_FILE))
}

fn unreadable(path: &Path, error: io::Error) -> Report {
    Report::new(Ended::Usage, format!("failed to read {}", path.display())).because(error)
}
