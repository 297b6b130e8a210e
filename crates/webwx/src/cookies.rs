//! The cookies of a session: one jar for all hosts, with domain matching, which survives restarts (section 4.4).

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::date;

/// The most cookies: more than the service ever sets. A new cookie replaces the oldest.
const MOST: usize = 64;

/// The most bytes of a name and its value together.
const LONGEST: usize = 4096;

/// The most bytes of all names and values together: servers refuse requests with longer headers.
const MOST_BYTES: usize = 16 * 1024;

/// The cookies of section 4.4. The session depends on them: no other cookie may displace them.
const NEEDED: [&str; 7] = [
    "wxuin",
    "wxsid",
    "wxloadtime",
    "mm_lang",
    "webwx_data_ticket",
    "webwxuvid",
    "webwx_auth_ticket",
];

/// All cookies of a session. The values are secrets.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct CookieJar(Vec<Cookie>);

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Cookie {
    name: String,
    value: String,
    domain: String,
    /// Whether the cookie goes to this host only, not to hosts below it.
    host_only: bool,
    path: String,
    secure: bool,
}

/// A `Set-Cookie` header.
struct Set<'h> {
    name: &'h str,
    value: &'h str,
    domain: Cow<'h, str>,
    host_only: bool,
    path: &'h str,
    secure: bool,
    /// Whether it deletes the cookie: it was already expired when it was sent.
    deletes: bool,
}

/// A cookie with a date before the year 2000 is deleted, even if the clock of the server is wrong.
const LONG_AGO: u64 = 946_684_800;

/// The source of an answer or the target of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) host: &'a str,
    pub(crate) path: &'a str,
    pub(crate) secure: bool,
    /// Whether one server replaces all hosts: it gets all cookies, and no other host gets a request.
    pub(crate) only_server: bool,
    /// The time of the answer in seconds since 1970, by the clock of the server. The clock of this machine is not used:
    /// a wrong clock must not end a session. So cookies do not expire here; the server knows when they do.
    pub(crate) sent: Option<u64>,
}

impl fmt::Debug for CookieJar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|cookie| (&cookie.domain, &cookie.name))).finish()
    }
}

impl CookieJar {
    /// Stores the cookie of a `Set-Cookie` header, unless its sender may not set it. Returns whether the jar has changed.
    pub(crate) fn take(&mut self, header: &str, from: Place<'_>) -> bool {
        let Some(set) = Set::parse(header, from) else { return false };
        if set.deletes {
            let before = self.0.len();
            self.0.retain(|old| !set.replaces(old));
            return self.0.len() != before;
        }
        // The service sends the same cookies again and again.
        if self.0.iter().rev().find(|old| old.name == set.name).is_some_and(|old| set.is(old)) {
            return false;
        }
        self.0.retain(|old| !set.replaces(old));
        self.0.push(set.cookie());
        while self.is_full() {
            let spare = self.0.iter().position(|old| !NEEDED.contains(&old.name.as_str()));
            self.0.remove(spare.unwrap_or(0));
        }
        true
    }

    fn is_full(&self) -> bool {
        let bytes: usize = self.0.iter().map(|it| it.name.len() + it.value.len() + 3).sum();
        self.0.len() > MOST || (bytes > MOST_BYTES && self.0.len() > 1)
    }

    /// The `Cookie` header of a request, if a cookie matches it.
    pub(crate) fn header(&self, to: Place<'_>) -> Option<String> {
        let mut sent: Vec<&Cookie> = Vec::new();
        for cookie in self.0.iter().filter(|cookie| cookie.is_for(to)) {
            // The same name may be set for the host and for its domain. The newer one counts.
            sent.retain(|old| old.name != cookie.name);
            sent.push(cookie);
        }
        let pairs: Vec<String> =
            sent.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// The newest value of a name, for any host.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|cookie| cookie.name == name).map(|cookie| cookie.value.as_str())
    }

    /// Removes all cookies of a name.
    pub(crate) fn remove(&mut self, name: &str) {
        self.0.retain(|cookie| cookie.name != name);
    }
}

impl<'h> Set<'h> {
    fn parse(header: &'h str, from: Place<'h>) -> Option<Self> {
        let mut parts = header.split(';');
        let (name, value) = parts.next()?.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        let printable = |text: &str| text.bytes().all(|b| (b' '..=b'~').contains(&b));
        if name.is_empty()
            || name.len() + value.len() > LONGEST
            || !printable(name)
            || !printable(value)
        {
            return None;
        }
        let domain = lower_case(from.host);
        let mut set =
            Self { name, value, domain, host_only: true, path: "/", secure: false, deletes: false };
        let mut expires = None;
        let mut max_age = None;
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let (key, value) = (key.trim(), value.trim());
            let is = |name| key.eq_ignore_ascii_case(name);
            if is("domain") {
                set.set_domain(value, from)?;
            } else if is("path") && value.starts_with('/') && !from.only_server {
                set.path = value;
            } else if is("secure") {
                set.secure = !from.only_server;
            } else if is("expires") {
                expires = date::of_http(value).or(expires);
            } else if is("max-age") {
                max_age = value.parse::<i64>().ok().or(max_age);
            }
        }
        let is_past = |at: u64| at <= from.sent.unwrap_or(LONG_AGO);
        set.deletes = max_age.map_or_else(|| expires.is_some_and(is_past), |age| age <= 0);
        Some(set)
    }

    /// `None` if the sender may not set cookies for the domain.
    fn set_domain(&mut self, value: &'h str, from: Place<'_>) -> Option<()> {
        let domain = lower_case(value.trim_start_matches('.'));
        if from.only_server || domain.is_empty() {
            return Some(());
        }
        if !belongs(&self.domain, &domain) || (!domain.contains('.') && domain != self.domain) {
            return None;
        }
        self.host_only = false;
        self.domain = domain;
        Some(())
    }

    /// Whether it takes the place of that cookie.
    fn replaces(&self, cookie: &Cookie) -> bool {
        self.name == cookie.name && *self.domain == cookie.domain && self.path == cookie.path
    }

    /// Whether it sets the very same cookie.
    fn is(&self, cookie: &Cookie) -> bool {
        self.replaces(cookie)
            && self.value == cookie.value
            && self.host_only == cookie.host_only
            && self.secure == cookie.secure
    }

    fn cookie(self) -> Cookie {
        Cookie {
            name: self.name.to_owned(),
            value: self.value.to_owned(),
            domain: self.domain.into_owned(),
            host_only: self.host_only,
            path: self.path.to_owned(),
            secure: self.secure,
        }
    }
}

fn lower_case(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

impl Cookie {
    fn is_for(&self, to: Place<'_>) -> bool {
        let host = to.host.to_ascii_lowercase();
        let domain =
            if self.host_only { host == self.domain } else { belongs(&host, &self.domain) };
        domain && (to.secure || !self.secure) && covers(&self.path, to.path)
    }
}

/// Whether a host is the domain or below it.
fn belongs(host: &str, domain: &str) -> bool {
    if host == domain {
        return true;
    }
    let below = host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    below && host.parse::<IpAddr>().is_err()
}

fn covers(path: &str, asked: &str) -> bool {
    asked
        .strip_prefix(path)
        .is_some_and(|rest| path.ends_with('/') || rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: u64 = 1_600_000_000;

    #[test]
    fn a_flood_of_cookies_keeps_those_that_the_session_needs() {
        let mut jar = CookieJar::default();
        let at = place("wx.qq.com");
        jar.take("wxsid=sid; Path=/", at);
        for n in 0..500 {
            jar.take(&format!("c{n}={}; Path=/", "v".repeat(500)), at);
        }
        let header = jar.header(at).unwrap();
        assert!(header.contains("wxsid=sid") && header.contains("c499="));
        assert!(header.len() < 20_000, "{}", header.len());
    }

    #[test]
    fn the_same_cookie_again_changes_nothing() {
        let mut jar = CookieJar::default();
        let at = place("wx.qq.com");
        assert!(jar.take("a=1; Domain=.qq.com; Path=/", at));
        assert!(!jar.take("a=1; Domain=.qq.com; Path=/", at));
        assert!(jar.take("a=2; Path=/", at), "another value");
        assert!(jar.take("a=1; Domain=.qq.com; Path=/", at), "the newer one of a name counts");
        assert_eq!(jar.header(at).unwrap(), "a=1");
        assert!(jar.take("a=1; Domain=.qq.com; Path=/; Max-Age=0", at));
        assert!(!jar.take("a=1; Domain=.qq.com; Path=/; Max-Age=0", at));
    }

    fn place(host: &str) -> Place<'_> {
        Place {
            host,
            path: "/cgi-bin/mmwebwx-bin/webwxinit",
            secure: true,
            only_server: false,
            sent: Some(NOW),
        }
    }

    fn jar(headers: &[&str]) -> CookieJar {
        let mut jar = CookieJar::default();
        for header in headers {
            jar.take(header, place("wx.qq.com"));
        }
        jar
    }

    #[test]
    fn a_cookie_goes_where_it_belongs() {
        for (header, host, goes) in [
            ("a=1", "wx.qq.com", true),
            ("a=1", "file.wx.qq.com", false),
            ("a=1; Domain=wx.qq.com", "file.wx.qq.com", true),
            ("a=1; Domain=.qq.com", "webpush.wx2.qq.com", true),
            ("a=1; Domain=.qq.com", "badqq.com", false),
            ("a=1; Domain=evil.com", "evil.com", false),
            ("a=1; Domain=evil.com", "wx.qq.com", false),
            ("a=1; Domain=com", "wx.qq.com", false),
            ("a=1; domain=", "wx.qq.com", true),
            ("a=1; Path=/cgi-bin", "wx.qq.com", true),
            ("a=1; Path=/cgi", "wx.qq.com", false),
            ("a=1; Path=/other", "wx.qq.com", false),
            ("a=1; Expires=Mon, 12-Dec-2022 21:33:22 GMT;", "wx.qq.com", true),
            ("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "wx.qq.com", false),
            ("a=1; Max-Age=0; Expires=Mon, 12-Dec-2022 21:33:22 GMT", "wx.qq.com", false),
            ("a=1; Max-Age=60; Expires=Thu, 01-Jan-1970 00:00:00 GMT", "wx.qq.com", true),
            ("a=1; Expires=whenever", "wx.qq.com", true),
            ("no cookie", "wx.qq.com", false),
            ("=1", "wx.qq.com", false),
            ("a=1\u{1}", "wx.qq.com", false),
        ] {
            let header_sent = jar(&[header]).header(place(host));
            assert_eq!(header_sent.is_some(), goes, "{header} to {host}");
        }
    }

    #[test]
    fn a_newer_cookie_replaces_an_older_one() {
        let jar =
            jar(&["wxuin=1; Domain=.qq.com", "wxuin=2", "b=3", "b=4", "c=5", "c=; Max-Age=-1"]);
        assert_eq!(jar.header(place("wx.qq.com")).unwrap(), "wxuin=2; b=4");
        assert_eq!(jar.header(place("file.wx.qq.com")).unwrap(), "wxuin=1");
        assert_eq!(jar.value("wxuin"), Some("2"));
    }

    #[test]
    fn secure_cookies_need_a_secure_connection() {
        let jar = jar(&["a=1; Secure", "b=2"]);
        assert_eq!(jar.header(Place { secure: false, ..place("wx.qq.com") }).unwrap(), "b=2");
    }

    #[test]
    fn a_replacing_server_gets_every_cookie() {
        let here = Place {
            host: "127.0.0.1",
            path: "/x",
            secure: false,
            only_server: true,
            sent: Some(NOW),
        };
        let mut jar = CookieJar::default();
        jar.take("a=1; Domain=.qq.com; Path=/other; Secure", here);
        assert_eq!(jar.header(here).unwrap(), "a=1");
        assert_eq!(jar.header(place("wx.qq.com")), None);
    }

    #[test]
    fn a_clock_that_jumps_by_a_year_expires_no_cookie_of_twelve_hours() {
        // The clock of this machine is not used: it may have been wrong when the cookie arrived.
        let mut jar = jar(&["a=1; Expires=Mon, 14-Sep-2020 00:26:40 GMT"]);
        assert!(jar.header(place("wx.qq.com")).is_some());
        let stored = serde_json::to_string(&jar).unwrap();
        let a_year_later = Place { sent: Some(NOW + 366 * 86_400), ..place("wx.qq.com") };
        jar = serde_json::from_str(&stored).unwrap();
        assert!(jar.header(a_year_later).is_some());
    }

    #[test]
    fn without_a_date_only_an_old_expiry_deletes() {
        let undated = Place { sent: None, ..place("wx.qq.com") };
        let mut jar = CookieJar::default();
        jar.take("a=1; Expires=Mon, 14-Sep-2020 00:26:40 GMT", undated);
        assert!(jar.header(undated).is_some());
        jar.take("a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", undated);
        assert!(jar.header(undated).is_none());
    }

    #[test]
    fn a_cookie_stored_with_its_time_by_an_older_version_is_read_and_sent() {
        let jar: CookieJar = serde_json::from_str(
            r#"[{"name":"wxsid","value":"s","domain":"wx.qq.com","host_only":true,"path":"/","secure":false,"expires":1}]"#,
        )
        .unwrap();
        assert_eq!(jar.header(place("wx.qq.com")).unwrap(), "wxsid=s");
    }

    #[test]
    fn the_jar_is_bounded_and_keeps_values_out_of_debug() {
        let mut jar = CookieJar::default();
        for n in 0..1000 {
            jar.take(&format!("n{n}=secret"), place("wx.qq.com"));
        }
        assert_eq!(jar.0.len(), MOST);
        assert!(!format!("{jar:?}").contains("secret"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn any_header_is_taken_without_panic(header in ".{0,40}", date in "[0-9A-Za-z:, -]{0,30}") {
            let mut jar = CookieJar::default();
            jar.take(&header, place("wx.qq.com"));
            jar.take(&format!("a=1; Expires={date}; Max-Age={date}; Domain={header}"), place("wx.qq.com"));
            if let Some(header) = jar.header(place("wx.qq.com")) {
                prop_assert!(header.bytes().all(|b| (b' '..=b'~').contains(&b)));
            }
        }
    }
}
