//! The host of each call (section 3 of the protocol reference).

use std::net::IpAddr;

use reqwest::Url;
use reqwest::header::HeaderValue;

use crate::BuildError;

/// The known web hosts of the service. The account decides which of them is its own.
const FAMILIES: [&str; 5] =
    ["wx.qq.com", "wx2.qq.com", "wx8.qq.com", "web.wechat.com", "web2.wechat.com"];

/// The role of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Login,
    Qr,
    Web,
    File,
    Push,
}

/// The hosts in use: a family of the service, or one server that replaces all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hosts {
    /// The family with this web host.
    Family(String),
    /// All calls go to this address, also after redirects.
    Replaced(Url),
}

impl Hosts {
    /// The hosts for a configured address. The address of one host of a family selects the family.
    pub(crate) fn parse(server: Option<&str>) -> Result<Self, BuildError> {
        let Some(address) = server.map(str::trim).filter(|address| !address.is_empty()) else {
            return Ok(Self::Family(FAMILIES[0].to_owned()));
        };
        let bad = || BuildError::BadServer { address: address.to_owned() };
        let url = Url::parse(address).map_err(|_| bad())?;
        let host = url.host_str().ok_or_else(bad)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad());
        }
        if url.scheme() == "https" && url.port().is_none() && FAMILIES.contains(&host) {
            return Ok(Self::Family(host.to_owned()));
        }
        let mut base = url;
        base.set_query(None);
        base.set_fragment(None);
        let path = base.path().trim_end_matches('/').to_owned();
        base.set_path(&path);
        Ok(Self::Replaced(base))
    }

    /// The hosts of a stored session, if they match these.
    pub(crate) fn resumed(&self, home: &str) -> Option<Self> {
        match self {
            Self::Family(_) => is_ours(home).then(|| Self::Family(home.to_owned())),
            Self::Replaced(_) => (self.home() == home).then(|| self.clone()),
        }
    }

    /// The name of these hosts in a stored session.
    pub(crate) fn home(&self) -> String {
        match self {
            Self::Family(web) => web.clone(),
            Self::Replaced(base) => base.as_str().trim_end_matches('/').to_owned(),
        }
    }

    /// The address of a role, without a slash at the end.
    pub(crate) fn base(&self, role: Role) -> String {
        match self {
            Self::Replaced(_) => self.home(),
            Self::Family(web) => match role {
                // The code on the phone is the same for all families.
                Role::Qr => "https://login.weixin.qq.com".to_owned(),
                Role::Login => format!("https://login.{web}"),
                Role::Web => format!("https://{web}"),
                Role::File => format!("https://file.{web}"),
                Role::Push => format!("https://webpush.{web}"),
            },
        }
    }

    /// The target of a redirect and the hosts from there on. `None` if the target is outside the service.
    pub(crate) fn follow(&self, redirect: &str) -> Option<(String, Self)> {
        let mut url = self.resolve(redirect)?;
        url.set_fragment(None);
        match self {
            // Host and scheme of the redirect are ignored.
            Self::Replaced(_) => {
                let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
                Some((format!("{}{}{query}", self.home(), self.own_path(url.path())), self.clone()))
            }
            Self::Family(_) => {
                let host = url.host_str()?;
                let ours = url.scheme() == "https" && url.port().is_none() && is_ours(host);
                ours.then(|| (url.to_string(), Self::Family(host.to_owned())))
            }
        }
    }

    fn resolve(&self, redirect: &str) -> Option<Url> {
        let url =
            Url::parse(&format!("{}/", self.base(Role::Web))).ok()?.join(redirect.trim()).ok()?;
        let is_web = matches!(url.scheme(), "http" | "https");
        (is_web || (self.is_replaced() && url.path().starts_with('/'))).then_some(url)
    }

    /// The path without the path of the configured address, which the server may include in its redirects.
    fn own_path<'a>(&self, path: &'a str) -> &'a str {
        let Self::Replaced(base) = self else { return path };
        let prefix = base.path().trim_end_matches('/');
        path.strip_prefix(prefix).filter(|rest| rest.starts_with('/')).unwrap_or(path)
    }

    /// Whether one server replaces all hosts.
    pub(crate) fn is_replaced(&self) -> bool {
        matches!(self, Self::Replaced(_))
    }

    /// Whether any connection needs TLS.
    pub(crate) fn is_secure(&self) -> bool {
        match self {
            Self::Family(_) => true,
            Self::Replaced(base) => base.scheme() == "https",
        }
    }

    /// Whether the server is on this machine, so that no proxy may be used.
    pub(crate) fn is_local(&self) -> bool {
        let Self::Replaced(base) = self else { return false };
        let host = base.host_str().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

/// The addresses of the roles, written once for the hosts in use.
#[derive(Debug)]
pub(crate) struct Bases {
    login: String,
    qr: String,
    web: String,
    file: String,
    push: String,
    /// The `Referer` of requests, unless the address cannot be a header.
    pub(crate) referer: Option<HeaderValue>,
}

impl Bases {
    pub(crate) fn of(hosts: &Hosts) -> Self {
        let web = hosts.base(Role::Web);
        Self {
            login: hosts.base(Role::Login),
            qr: hosts.base(Role::Qr),
            file: hosts.base(Role::File),
            push: hosts.base(Role::Push),
            referer: HeaderValue::from_str(&format!("{web}/")).ok(),
            web,
        }
    }

    /// The address of a role, without a slash at the end.
    pub(crate) fn base(&self, role: Role) -> &str {
        match role {
            Role::Login => &self.login,
            Role::Qr => &self.qr,
            Role::Web => &self.web,
            Role::File => &self.file,
            Role::Push => &self.push,
        }
    }
}

/// The `Host` header of requests to an address.
pub(crate) fn header(url: &Url) -> Option<HeaderValue> {
    let host = url.host_str()?;
    match url.port() {
        Some(port) => HeaderValue::from_str(&format!("{host}:{port}")).ok(),
        None => HeaderValue::from_str(host).ok(),
    }
}

/// Whether a host belongs to the service: the families change, the domains stay.
fn is_ours(host: &str) -> bool {
    host.ends_with(".qq.com") || host.ends_with(".wechat.com")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hosts(server: &str) -> Hosts {
        Hosts::parse(Some(server)).unwrap()
    }

    #[test]
    fn every_role_has_its_host() {
        for (server, roles) in [
            (
                "",
                [
                    "https://login.wx.qq.com",
                    "https://wx.qq.com",
                    "https://file.wx.qq.com",
                    "https://webpush.wx.qq.com",
                ],
            ),
            (
                "https://web2.wechat.com/",
                [
                    "https://login.web2.wechat.com",
                    "https://web2.wechat.com",
                    "https://file.web2.wechat.com",
                    "https://webpush.web2.wechat.com",
                ],
            ),
            ("http://127.0.0.1:8086/", ["http://127.0.0.1:8086"; 4]),
            ("http://[::1]:80/wx/", ["http://[::1]/wx"; 4]),
            ("https://wx.qq.com:8443", ["https://wx.qq.com:8443"; 4]),
        ] {
            let hosts = hosts(server);
            let found =
                [Role::Login, Role::Web, Role::File, Role::Push].map(|role| hosts.base(role));
            assert_eq!(found, roles, "{server}");
        }
    }

    #[test]
    fn an_invalid_address_is_refused() {
        for address in ["wx.qq.com", "ftp://wx.qq.com", "http://", "://", "127.0.0.1:80"] {
            assert!(Hosts::parse(Some(address)).is_err(), "{address}");
        }
    }

    #[test]
    fn a_redirect_moves_within_the_service_only() {
        let family = hosts("https://wx.qq.com");
        let (url, moved) =
            family.follow("https://wx2.qq.com/cgi-bin/x?ticket=A@q&uuid=b%3D%3D").unwrap();
        assert_eq!(url, "https://wx2.qq.com/cgi-bin/x?ticket=A@q&uuid=b%3D%3D");
        assert_eq!(moved.home(), "wx2.qq.com");
        assert_eq!(family.follow("/cgi-bin/y#top").unwrap().0, "https://wx.qq.com/cgi-bin/y");
        for out in [
            "https://evil.example/x",
            "http://wx.qq.com/x",
            "https://wx.qq.com.evil.example/x",
            "https://wx.qq.com:444/x",
            "https://user@evil.example/wx.qq.com",
            "javascript:alert(1)",
            "https://[",
        ] {
            assert!(family.follow(out).is_none(), "{out}");
        }
    }

    #[test]
    fn with_a_replaced_server_every_redirect_goes_there() {
        let replaced = hosts("http://127.0.0.1:1234/wx");
        for (redirect, expected) in [
            ("https://wx.qq.com/cgi-bin/x?a=b", "http://127.0.0.1:1234/wx/cgi-bin/x?a=b"),
            ("http://other:99/cgi-bin/x", "http://127.0.0.1:1234/wx/cgi-bin/x"),
            ("ftp://other/cgi-bin/x", "http://127.0.0.1:1234/wx/cgi-bin/x"),
            ("http://127.0.0.1:1234/wx/cgi-bin/x?a=b", "http://127.0.0.1:1234/wx/cgi-bin/x?a=b"),
        ] {
            let (url, after) = replaced.follow(redirect).unwrap();
            assert_eq!(url, expected);
            assert_eq!(after, replaced);
        }
    }

    #[test]
    fn a_session_is_resumed_only_where_it_belongs() {
        let family = hosts("https://wx.qq.com");
        assert_eq!(family.resumed("wx8.qq.com").unwrap().home(), "wx8.qq.com");
        assert!(family.resumed("http://127.0.0.1:1").is_none());
        let replaced = hosts("http://127.0.0.1:1");
        assert!(replaced.resumed("http://127.0.0.1:1").is_some());
        assert!(replaced.resumed("http://127.0.0.1:2").is_none());
        assert!(replaced.resumed("wx.qq.com").is_none());
    }

    #[test]
    fn local_servers_are_known() {
        for (server, local) in [
            ("http://127.0.0.1:1", true),
            ("http://localhost", true),
            ("http://[::1]:1", true),
            ("http://10.0.0.1", false),
            ("https://wx.qq.com", false),
        ] {
            assert_eq!(hosts(server).is_local(), local, "{server}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn no_redirect_leaves_the_service(redirect in "(https?://|//|/|\\\\|wx2?\\.qq\\.com|evil\\.example|@|:|[?#&=%.]|.){0,8}") {
            if let Some((url, _)) = hosts("http://127.0.0.1:1234/wx").follow(&redirect) {
                prop_assert!(url.starts_with("http://127.0.0.1:1234/wx/"), "{}", url);
            }
            if let Some((url, _)) = hosts("").follow(&redirect) {
                let url = Url::parse(&url).expect("a followed redirect is an address");
                prop_assert!(url.scheme() == "https" && is_ours(url.host_str().unwrap_or_default()), "{}", url);
            }
        }
    }
}
