//! The hosts and secrets that the operator opened.

use std::collections::BTreeMap;
use std::fmt;

use mynah_core::FetchFailure;

use crate::{HostPattern, Target};

/// The hosts and secrets that the operator opened. By default none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FetchSettings {
    /// The hosts to which rules may send requests.
    pub hosts: Vec<HostPattern>,
    /// Hosts with a port whose addresses need not be public. Rules may send requests to them, too, without another line in
    /// [`hosts`](Self::hosts).
    pub private: Vec<HostPattern>,
    /// Secrets by their names, each for one host.
    pub secrets: BTreeMap<String, HostSecret>,
    /// The address of a proxy. Requests to [`private`](Self::private) hosts do not go through it. It looks up the names of
    /// hosts itself, so it must refuse addresses that are not public, too.
    pub proxy: Option<SecretText>,
}

/// A secret for one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSecret {
    /// The host.
    pub host: HostPattern,
    /// Its value.
    pub value: SecretText,
}

/// A text that `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

impl SecretText {
    /// Keeps a text from being shown.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that needs it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

impl FetchSettings {
    /// Opens a host of the command line to rules. An address of the own machine or network needs no further line when its
    /// port is named, too.
    pub fn open(&mut self, host: HostPattern) {
        let list = if host.port().is_some() && !host.may_be_public() {
            &mut self.private
        } else {
            &mut self.hosts
        };
        list.push(host);
    }

    /// Whether a rule may send requests to this host.
    #[must_use]
    pub fn allows(&self, target: &Target) -> bool {
        self.hosts.iter().any(|host| host.matches(target)) || self.is_private(target)
    }

    /// Whether the address of this host need not be public.
    #[must_use]
    pub fn is_private(&self, target: &Target) -> bool {
        self.private.iter().any(|host| host.matches(target))
    }

    /// A secret for a request to this host.
    pub(crate) fn secret(&self, name: &str, target: &Target) -> Result<&str, FetchFailure> {
        let given = self.secrets.get(name).filter(|secret| secret.host.matches(target));
        let is_safe = target.is_secure() || self.is_private(target);
        match given {
            Some(secret) if is_safe => Ok(secret.value.reveal()),
            _ => {
                Err(FetchFailure::SecretRefused { name: name.to_owned(), host: target.to_string() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_goes_to_its_host_only_and_never_unencrypted_into_the_world() {
        let secret = |host: &str| HostSecret {
            host: host.parse().unwrap(),
            value: SecretText::new("s3cret"),
        };
        let settings = FetchSettings {
            hosts: vec!["api.example.com".parse().unwrap(), "other.example.com".parse().unwrap()],
            private: vec!["127.0.0.1:8000".parse().unwrap()],
            secrets: [
                ("KEY".to_owned(), secret("api.example.com")),
                ("LOCAL".to_owned(), secret("127.0.0.1:8000")),
            ]
            .into(),
            proxy: None,
        };
        for (name, url, expected) in [
            ("KEY", "https://api.example.com/x", true),
            ("KEY", "http://api.example.com/x", false),
            ("KEY", "https://api.example.com:8443/x", false),
            ("KEY", "https://other.example.com/x", false),
            ("KEY", "http://127.0.0.1:8000/", false),
            ("LOCAL", "http://127.0.0.1:8000/", true),
            ("LOCAL", "https://127.0.0.1:8000/", true),
            ("LOCAL", "http://127.0.0.1:8001/", false),
            ("PATH", "https://api.example.com/x", false),
        ] {
            let secret = settings.secret(name, &url.parse().unwrap());
            assert_eq!(secret.is_ok(), expected, "{name} {url}");
        }
        assert!(!format!("{settings:?}").contains("s3cret"));
    }
}
