//! The address of a database, and how to connect to it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use thiserror::Error;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// After this time without an answer of the other machine a connection counts as broken.
const SILENCE: Duration = Duration::from_secs(4);

/// How to reach a database. Its `Debug` form has no password.
#[derive(Clone)]
pub struct Settings {
    pub(crate) config: Config,
    pub(crate) tls: Option<Arc<ClientConfig>>,
    place: Arc<str>,
}

/// An error in the settings of a database.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// The address cannot be read.
    #[error(
        "this is not the address of a PostgreSQL database (expected postgres://user@host/database)"
    )]
    Address(#[source] tokio_postgres::Error),
    /// The address has no host.
    #[error(
        "the address of the database has no host; for a socket: postgres:///database?host=/run/postgresql"
    )]
    NoHost,
    /// The address has no database.
    #[error("the address has no database (expected postgres://user@host/database)")]
    NoDatabase,
    /// The address contains the password, which would appear where the address does.
    #[error("the address of the database contains a password")]
    Password,
    /// The certificates cannot be read.
    #[error("the certificates for the database cannot be used")]
    Certificates(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Settings {
    /// Settings for an address as `postgres://user@host/database`. Connections to another host are encrypted and its
    /// certificate is verified against `roots` (PEM), unless the address has `sslmode=disable`; connections to a socket
    /// are not encrypted.
    ///
    /// # Errors
    ///
    /// If the address is invalid or contains a password.
    pub fn new(
        address: &str,
        password: Option<&str>,
        roots: Option<&[u8]>,
    ) -> Result<Self, SettingsError> {
        let (mut config, database) = read_address(address)?;
        let hosts = config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string(),
        });
        let addresses = config.get_hostaddrs().iter().map(ToString::to_string);
        let hosts: Vec<String> = hosts.chain(addresses).collect();
        let place = format!("{} on {}", database, hosts.join(", ")).into();
        // With `hostaddr` the connection goes there, whatever the hosts are.
        let is_local = config.get_hostaddrs().is_empty()
            && !config.get_hosts().iter().any(|host| matches!(host, Host::Tcp(_)));
        let is_plain = is_local || config.get_ssl_mode() == SslMode::Disable;
        let tls = if is_plain { None } else { Some(Arc::new(tls(roots)?)) };
        config.ssl_mode(if is_plain { SslMode::Disable } else { SslMode::Require });
        if let Some(password) = password {
            config.password(password);
        }
        config.connect_timeout(CONNECT).keepalives_idle(SILENCE).tcp_user_timeout(SILENCE);
        config.application_name("mynah");
        Ok(Self { config, tls, place })
    }

    /// Checks an address as [`new`](Self::new) does, without password and certificates.
    ///
    /// # Errors
    ///
    /// If the address is invalid or contains a password.
    pub fn check_address(address: &str) -> Result<(), SettingsError> {
        read_address(address).map(drop)
    }

    /// Whether the only host is a folder for sockets that does not exist.
    pub(crate) fn lacks_folder(&self) -> bool {
        match self.config.get_hosts() {
            #[cfg(unix)]
            [Host::Unix(folder)] => !folder.exists(),
            _ => false,
        }
    }

    /// Database and host, for messages.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config: _, tls, place } = self;
        f.debug_struct("Settings")
            .field("place", place)
            .field("is_encrypted", &tls.is_some())
            .finish_non_exhaustive()
    }
}

/// Reads an address and the name of its database.
fn read_address(address: &str) -> Result<(Config, String), SettingsError> {
    let config = Config::from_str(address).map_err(SettingsError::Address)?;
    if config.get_password().is_some() {
        return Err(SettingsError::Password);
    }
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(SettingsError::NoHost);
    }
    let database = config.get_dbname().ok_or(SettingsError::NoDatabase)?.to_owned();
    Ok((config, database))
}

/// Trusts these certificates only.
fn tls(roots: Option<&[u8]>) -> Result<ClientConfig, SettingsError> {
    let bad = |error: Box<dyn std::error::Error + Send + Sync>| SettingsError::Certificates(error);
    let mut store = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(roots.unwrap_or_default()) {
        let certificate = certificate.map_err(|error| bad(error.to_string().into()))?;
        store.add(certificate).map_err(|error| bad(error.into()))?;
    }
    if store.is_empty() {
        return Err(bad("no certificate of an authority is given".into()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| bad(error.into()))?;
    Ok(config.with_root_certificates(store).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_a_database_and_no_password() {
        let new = |address: &str| Settings::new(address, Some("secret"), None);
        let socket = new("postgres://mynah@/bots?host=/run/postgresql").unwrap();
        assert_eq!(socket.place(), "bots on /run/postgresql");
        assert!(!format!("{socket:?}").contains("secret"));
        let plain = new("postgres://mynah@127.0.0.1:5433/bots?sslmode=disable").unwrap();
        assert_eq!((plain.place(), plain.tls.is_some()), ("bots on 127.0.0.1", false));
        assert!(matches!(new("postgres://mynah:x@h/bots"), Err(SettingsError::Password)));
        assert!(matches!(new("postgres://mynah@h"), Err(SettingsError::NoDatabase)));
        assert!(matches!(new("sqlite:x"), Err(SettingsError::Address(_))));
    }

    #[test]
    fn another_host_needs_a_certificate_to_trust() {
        for address in ["postgres://mynah@h/bots", "postgres://mynah@h/bots?sslmode=prefer"] {
            let refused = Settings::new(address, None, None);
            assert!(matches!(refused, Err(SettingsError::Certificates(_))), "{address}");
        }
    }
}
