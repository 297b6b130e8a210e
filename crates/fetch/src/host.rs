//! Hosts in the addresses of requests, and hosts that the operator names.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use url::{Host, Url};

use crate::is_public;

/// The host and port to which a request goes. An address in any notation is an address, a
/// name is in lower case, in ASCII, and without a dot at its end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    host: Host<String>,
    port: u16,
    is_secure: bool,
}

/// The address of a request is not one to which requests are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// It is not an address.
    #[error("the address is not valid")]
    Invalid,
    /// It is not an address of the web.
    #[error("the address does not begin with http:// or https://")]
    Scheme,
    /// User name and password before the host, which other readers may take for the host.
    #[error("the address has a user name before its host")]
    User,
}

impl Target {
    /// The host.
    #[must_use]
    pub fn host(&self) -> &Host<String> {
        &self.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The host as the settings name it: without the usual port of its scheme.
    #[must_use]
    pub fn named(&self) -> String {
        let usual = if self.is_secure { 443 } else { 80 };
        if self.port == usual { self.host.to_string() } else { self.to_string() }
    }

    /// Whether the host can have a public address, as [`HostPattern::may_be_public`].
    #[must_use]
    pub fn may_be_public(&self) -> bool {
        may_be_public(&self.host)
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// The address, if the host is written as one.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        match self.host {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
        }
    }
}

impl TryFrom<&Url> for Target {
    type Error = BadAddress;

    fn try_from(url: &Url) -> Result<Self, BadAddress> {
        let is_secure = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(BadAddress::Scheme),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BadAddress::User);
        }
        let host = url.host().ok_or(BadAddress::Invalid)?.to_owned();
        let port = url.port_or_known_default().ok_or(BadAddress::Invalid)?;
        Ok(Self { host: without_last_dot(host), port, is_secure })
    }
}

impl FromStr for Target {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        Self::try_from(&Url::parse(text).map_err(|_| BadAddress::Invalid)?)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// A host that the operator names: `api.example.com` or `127.0.0.1:8000`. Without a port it means the usual ports, 80 for
/// `http` and 443 for `https`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostPattern {
    host: Host<String>,
    port: Option<u16>,
}

/// The text is not a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadHost {
    /// It is an address with `https://`.
    #[error("a host stands without http:// or https://")]
    Scheme,
    /// It has a path or a query.
    #[error("a host stands without a path")]
    Path,
    /// It has a wildcard.
    #[error("a host stands without *: name each host")]
    Wildcard,
    /// It has a user name.
    #[error("a host stands without a user name")]
    User,
    /// The port is not a number from 1 to 65535.
    #[error("the port is not a number from 1 to 65535")]
    Port,
    /// The port is missing where it is needed.
    #[error("the port is missing")]
    NoPort,
    /// It is not a host.
    #[error("this is not a host")]
    Invalid,
}

impl HostPattern {
    /// Whether a request to this host is meant.
    #[must_use]
    pub fn matches(&self, target: &Target) -> bool {
        let port = self.port.unwrap_or(if target.is_secure { 443 } else { 80 });
        self.host == target.host && port == target.port
    }

    /// Whether some request is meant by both: without a port, that of `https` or `http` is meant.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let is_usual = |port: u16| matches!(port, 80 | 443);
        self.host == other.host
            && match (self.port, other.port) {
                (Some(one), Some(two)) => one == two,
                (Some(port), None) | (None, Some(port)) => is_usual(port),
                (None, None) => true,
            }
    }

    /// Whether the host can have a public address, as far as its text shows: not `localhost`, and not an address that
    /// is not public.
    #[must_use]
    pub fn may_be_public(&self) -> bool {
        may_be_public(&self.host)
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &Host<String> {
        &self.host
    }

    /// The port, if it is named.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }
}

fn may_be_public(host: &Host<String>) -> bool {
    match host {
        Host::Domain(name) => name != "localhost" && !name.ends_with(".localhost"),
        Host::Ipv4(address) => is_public((*address).into()),
        Host::Ipv6(address) => is_public((*address).into()),
    }
}

impl FromStr for HostPattern {
    type Err = BadHost;

    fn from_str(text: &str) -> Result<Self, BadHost> {
        let text = text.trim();
        if text.contains("://") {
            return Err(BadHost::Scheme);
        }
        if text.contains(['/', '?', '#', '\\']) {
            return Err(BadHost::Path);
        }
        if text.contains('*') {
            return Err(BadHost::Wildcard);
        }
        if text.contains('@') {
            return Err(BadHost::User);
        }
        let (host, port) = split(text)?;
        let host = Host::parse(host).map_err(|_| BadHost::Invalid)?;
        Ok(Self { host: without_last_dot(host), port })
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => self.host.fmt(f),
        }
    }
}

/// Host and port of a text. An IPv6 address is in brackets.
fn split(text: &str) -> Result<(&str, Option<u16>), BadHost> {
    let (host, port) = match text.rfind(':') {
        Some(colon) if text.starts_with('[') && !text[colon..].contains(']') => {
            (&text[..colon], Some(&text[colon + 1..]))
        }
        Some(colon) if !text.starts_with('[') => (&text[..colon], Some(&text[colon + 1..])),
        _ => (text, None),
    };
    if host.contains(':') && !host.starts_with('[') {
        return Err(BadHost::Invalid);
    }
    let Some(port) = port else { return Ok((host, None)) };
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse() {
        Ok(port) if is_number && port > 0 => Ok((host, Some(port))),
        _ => Err(BadHost::Port),
    }
}

/// `example.com.` is `example.com`, only that no search domain is tried.
fn without_last_dot(host: Host<String>) -> Host<String> {
    match host {
        Host::Domain(name) => {
            Host::Domain(name.strip_suffix('.').map_or(name.clone(), str::to_owned))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AddressPolicy;

    fn target(url: &str) -> Result<Target, BadAddress> {
        url.parse()
    }

    /// Every notation of an address is that address.
    #[test]
    fn hosts_are_what_they_really_are() {
        for (url, expected) in [
            ("http://127.0.0.1/", "127.0.0.1:80"),
            ("http://127.0.0.1./", "127.0.0.1:80"),
            ("http://127.1/", "127.0.0.1:80"),
            ("http://127.0.1/", "127.0.0.1:80"),
            ("http://2130706433/", "127.0.0.1:80"),
            ("http://0x7f000001/", "127.0.0.1:80"),
            ("http://0x7f.0.0.1/", "127.0.0.1:80"),
            ("http://0X7F.1/", "127.0.0.1:80"),
            ("http://017700000001/", "127.0.0.1:80"),
            ("http://0177.0.0.01/", "127.0.0.1:80"),
            ("http://127.0.0.1:8000/", "127.0.0.1:8000"),
            ("http://%31%32%37.0.0.1/", "127.0.0.1:80"),
            ("http://１２７.０.０.１/", "127.0.0.1:80"),
            ("http://127。0。0。1/", "127.0.0.1:80"),
            ("http://①②⑦.⓪.⓪.①/", "127.0.0.1:80"),
            ("http:127.0.0.1/", "127.0.0.1:80"),
            ("http:\\\\127.0.0.1\\", "127.0.0.1:80"),
            (" http://127.0.0.1/\n", "127.0.0.1:80"),
            ("http://12\t7.0.0.1/", "127.0.0.1:80"),
            ("http://0/", "0.0.0.0:80"),
            ("http://0.0.0.0/", "0.0.0.0:80"),
            ("http://0x0/", "0.0.0.0:80"),
            ("http://4294967295/", "255.255.255.255:80"),
            ("http://[::1]/", "[::1]:80"),
            ("http://[0:0:0:0:0:0:0:1]/", "[::1]:80"),
            ("http://[::ffff:127.0.0.1]/", "[::ffff:7f00:1]:80"),
            ("http://[::ffff:7f00:1]/", "[::ffff:7f00:1]:80"),
            ("http://[64:ff9b::7f00:1]/", "[64:ff9b::7f00:1]:80"),
            ("HTTPS://API.Example.COM/x?y", "api.example.com:443"),
            ("https://api.example.com./", "api.example.com:443"),
            ("https://bücher.example/", "xn--bcher-kva.example:443"),
            ("https://例子.测试/", "xn--fsqu00a.xn--0zwm56d:443"),
        ] {
            assert_eq!(target(url).unwrap().to_string(), expected, "{url}");
        }
    }

    #[test]
    fn addresses_that_readers_may_take_differently_are_refused() {
        for (url, expected) in [
            ("", BadAddress::Invalid),
            ("api.example.com", BadAddress::Invalid),
            ("http://", BadAddress::Invalid),
            ("http://256.0.0.1/", BadAddress::Invalid),
            ("http://1.2.3.4.5/", BadAddress::Invalid),
            ("http://127.0.0.09/", BadAddress::Invalid),
            ("http://4294967296/", BadAddress::Invalid),
            ("http://[fe80::1%25eth0]/", BadAddress::Invalid),
            ("http://[fe80::1%eth0]/", BadAddress::Invalid),
            ("http://a%00b/", BadAddress::Invalid),
            ("http://a b/", BadAddress::Invalid),
            ("http://a:99999/", BadAddress::Invalid),
            ("http://api.example.com@127.0.0.1/", BadAddress::User),
            ("http://api.example.com:x@127.0.0.1/", BadAddress::User),
            ("http://:x@127.0.0.1/", BadAddress::User),
            ("file:///etc/passwd", BadAddress::Scheme),
            ("ftp://example.com/", BadAddress::Scheme),
            ("gopher://127.0.0.1:70/", BadAddress::Scheme),
            ("javascript:alert(1)", BadAddress::Scheme),
            ("data:text/plain,x", BadAddress::Scheme),
        ] {
            assert_eq!(target(url), Err(expected), "{url}");
        }
    }

    #[test]
    fn the_own_machine_is_refused_in_every_notation() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0177.1",
            "0",
            "0.0.0.0",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::127.0.0.1]",
            "[64:ff9b::127.0.0.1]",
            "[64:ff9b:1::7f00:1]",
            "[2002:7f00:1::]",
            "１２７.１",
            "169.254.169.254",
            "0xa9fea9fe",
            "192.168.257",
            "10.1",
        ] {
            let target = target(&format!("http://{host}:8000/")).unwrap();
            let refused = AddressPolicy::Public.check_literal(&target);
            assert!(refused.is_err(), "{host}");
            assert!(AddressPolicy::Any.check_literal(&target).is_ok(), "{host}");
        }
        assert!(AddressPolicy::Public.check_literal(&target("http://8.8.8.8/").unwrap()).is_ok());
    }

    #[test]
    fn a_pattern_is_one_host_and_its_port() {
        for (pattern, url, expected) in [
            ("api.example.com", "https://api.example.com/x", true),
            ("api.example.com", "http://api.example.com/x", true),
            ("API.Example.com.", "https://api.example.COM./x", true),
            ("api.example.com", "https://api.example.com:443/", true),
            ("api.example.com", "https://api.example.com:80/", false),
            ("api.example.com", "http://api.example.com:443/", false),
            ("api.example.com", "https://api.example.com:8443/", false),
            ("api.example.com:8443", "https://api.example.com:8443/", true),
            ("api.example.com:8443", "https://api.example.com/", false),
            ("api.example.com", "https://example.com/", false),
            ("api.example.com", "https://a.api.example.com/", false),
            ("api.example.com", "https://api.example.com.evil.test/", false),
            ("api.example.com", "https://apiXexample.com/", false),
            ("例子.测试", "https://xn--fsqu00a.xn--0zwm56d/", true),
            ("127.0.0.1:8000", "http://2130706433:8000/", true),
            ("127.0.0.1:8000", "http://[::ffff:127.0.0.1]:8000/", false),
            ("localhost:8000", "http://127.0.0.1:8000/", false),
            ("[::1]:8000", "http://[0:0::1]:8000/", true),
            ("[::1]", "http://[::1]/", true),
        ] {
            let pattern: HostPattern = pattern.parse().unwrap();
            assert_eq!(pattern.matches(&target(url).unwrap()), expected, "{pattern} {url}");
        }
    }

    #[test]
    fn a_text_that_is_not_a_host_is_refused_with_the_reason() {
        for (text, expected) in [
            ("https://api.example.com", BadHost::Scheme),
            ("api.example.com/v1", BadHost::Path),
            ("api.example.com/", BadHost::Path),
            ("api.example.com?q", BadHost::Path),
            ("*.example.com", BadHost::Wildcard),
            ("*", BadHost::Wildcard),
            ("me@example.com", BadHost::User),
            ("example.com:", BadHost::Port),
            ("example.com:0", BadHost::Port),
            ("example.com:+80", BadHost::Port),
            ("example.com:65536", BadHost::Port),
            ("example.com:http", BadHost::Port),
            ("", BadHost::Invalid),
            (":80", BadHost::Invalid),
            ("::1", BadHost::Invalid),
            ("a b", BadHost::Invalid),
            ("1.2.3.256", BadHost::Invalid),
        ] {
            assert_eq!(text.parse::<HostPattern>(), Err(expected), "{text}");
        }
        for text in ["api.example.com", "127.0.0.1:8000", "[::1]:8000"] {
            assert_eq!(text.parse::<HostPattern>().unwrap().to_string(), text);
        }
    }
}
