//! Values that are written as texts: rates, ranges of durations, sizes, addresses.

use std::net::Ipv6Addr;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::duration;

/// The longest duration of a setting.
pub const LONGEST: Duration = Duration::from_secs(100 * 366 * 86_400);

/// So many within so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u32,
    /// Within how long.
    pub within: Duration,
}

/// A rate: `20 per 1m` or `5 in 30s`.
pub(crate) fn rate(text: &str, word: &str) -> Option<Rate> {
    let (count, within) = text.split_once(word)?;
    let count = count.trim().parse().ok().filter(|count| *count > 0)?;
    let within = duration(within, Duration::from_nanos(1)..=LONGEST).ok()?;
    Some(Rate { count, within })
}

/// A range of durations: `0.5s-2s`; a single one is both ends.
pub(crate) fn range(text: &str) -> Option<RangeInclusive<Duration>> {
    let read = |text| duration(text, Duration::ZERO..=LONGEST).ok();
    let (least, most) = text.split_once('-').unwrap_or((text, text));
    let (least, most) = (read(least)?, read(most)?);
    (least <= most).then_some(least..=most)
}

/// A number of bytes: `500MB`, `2GB`, `64KB`; a bare `0` is none.
pub(crate) fn size(text: &str) -> Option<u64> {
    let text = text.trim();
    if text == "0" {
        return Some(0);
    }
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic())?);
    let factor = match unit {
        "KB" => 1 << 10,
        "MB" => 1 << 20,
        "GB" => 1 << 30,
        _ => return None,
    };
    number.trim_end().parse::<u64>().ok()?.checked_mul(factor)
}

/// Whether a text is the address of a web server, so that a mistake is found when the file is read.
pub(crate) fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let server = authority.rsplit('@').next().unwrap_or_default();
    let is_clean = !text.chars().any(|c| c.is_whitespace() || c.is_control());
    is_clean && matches!(scheme, "http" | "https") && is_server(server)
}

fn is_server(server: &str) -> bool {
    let (host, port) = match server.strip_prefix('[') {
        Some(rest) => {
            let Some((host, port)) = rest.split_once(']') else { return false };
            if host.parse::<Ipv6Addr>().is_err() {
                return false;
            }
            (host, port.strip_prefix(':'))
        }
        None => match server.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (server, None),
        },
    };
    !host.is_empty() && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// Whether a name can be that of a folder.
pub(crate) fn is_folder_name(name: &str) -> bool {
    !name.trim().is_empty()
        && !name.contains(['/', '\\', ':', '\0'])
        && !name.chars().any(char::is_control)
        && name != "."
        && name != ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_ranges() {
        let twenty = Rate { count: 20, within: Duration::from_secs(60) };
        for text in ["20 per 1m", "20 per 1分钟", "20per60s"] {
            assert_eq!(rate(text, "per"), Some(twenty), "{text}");
        }
        for text in ["0 per 1m", "20 per 0", "20", "per 1m", "-1 per 1m", "20 in 1m"] {
            assert_eq!(rate(text, "per"), None, "{text}");
        }
        let half = Duration::from_millis(500);
        assert_eq!(range("0.5s-2s"), Some(half..=Duration::from_secs(2)));
        assert_eq!(range("500ms"), Some(half..=half));
        assert_eq!(range("2s-1s"), None);
    }

    #[test]
    fn sizes() {
        assert_eq!(size("500MB"), Some(500 << 20));
        assert_eq!(size("2 GB"), Some(2 << 30));
        assert_eq!(size("0"), Some(0));
        for text in
            ["", "500", "500mb", "1.5GB", "99999999999999999999GB", "18446744073709551615GB"]
        {
            assert_eq!(size(text), None, "{text}");
        }
    }

    #[test]
    fn addresses_have_a_host_and_a_possible_port() {
        for text in [
            "https://wx.qq.com",
            "http://127.0.0.1:8080/hook",
            "http://[::1]:80/x?y",
            "https://a:b@c/",
        ] {
            assert!(is_url(text), "{text}");
        }
        for text in [
            "hooks.example/x",
            "ftp://hooks.example",
            "https://",
            "https:///x",
            "https://hooks example/x",
            "http://[::1",
            "http://[x]/",
            "http://host:99999/",
            "mailto://a@b",
        ] {
            assert!(!is_url(text), "{text}");
        }
    }
}
