//! The cookies of a login, section 4.4 of the protocol reference.

use crate::{hosts, world::World};

const TWELVE_HOURS: u64 = 12 * 3600;
const TEN_YEARS: u64 = 3650 * 86_400;

/// The cookies that a login sets; without `device` those that later answers renew.
pub(crate) fn session_cookies(world: &World, host: &str, device: Option<&str>) -> Vec<String> {
    let Some(session) = world.session() else { return Vec::new() };
    let web = hosts::cookie_domain(host);
    let everywhere = web.as_deref().map(hosts::parent_domain);
    let now = world.seconds();
    let uin = world.me().uin.to_string();
    let ticket = session.tickets.last().map_or("", String::as_str);
    let loaded = now.to_string();
    let until = date(now + TWELVE_HOURS);
    let cookie = |name: &str, value: &str, domain: Option<&str>, until: &str| {
        let domain = domain.map(|domain| format!(" Domain={domain};")).unwrap_or_default();
        format!("{name}={value};{domain} Path=/; Expires={until}")
    };
    let (web, everywhere) = (web.as_deref(), everywhere.as_deref());
    let mut cookies = vec![
        cookie("wxuin", &uin, web, &until),
        cookie("wxsid", &session.sid, web, &until),
        cookie("wxloadtime", &loaded, web, &until),
        cookie("mm_lang", world.language.code(), web, &until),
        cookie("webwx_data_ticket", ticket, everywhere, &until),
    ];
    if everywhere.is_some() {
        cookies.push(cookie("wxuin", &uin, everywhere, &until));
    }
    if let Some(device) = device {
        let long = date(now + TEN_YEARS);
        cookies.push(cookie("webwxuvid", device, web, &long));
        cookies.push(cookie("webwx_auth_ticket", &format!("CIsBE{device}"), web, &long));
    }
    cookies
}

/// A date in the format of cookies: `Mon, 12-Dec-2022 21:33:22 GMT`.
fn date(seconds: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let days = seconds / 86_400;
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let weekday = DAYS[usize::try_from(days % 7).unwrap_or(0)];
    let month = MONTHS[month - 1];
    format!("{weekday}, {day:02}-{month}-{year} {hour:02}:{minute:02}:{second:02} GMT")
}

/// Converts days since 1970 to year, month and day.
fn civil(mut days: u64) -> (u64, usize, u64) {
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (seconds, expected) in [
            (0, "Thu, 01-Jan-1970 00:00:00 GMT"),
            (1_670_880_802, "Mon, 12-Dec-2022 21:33:22 GMT"),
            (1_709_164_800, "Thu, 29-Feb-2024 00:00:00 GMT"),
            (1_735_689_599, "Tue, 31-Dec-2024 23:59:59 GMT"),
        ] {
            assert_eq!(date(seconds), expected);
        }
    }

    #[test]
    fn domains_only_under_the_services_own_names() {
        let mut world = World::default();
        world.begin_session();
        let own = session_cookies(&world, "127.0.0.1:1", Some("d"));
        assert_eq!(own.len(), 7);
        assert!(
            own.iter()
                .all(|cookie| !cookie.contains("Domain") && cookie.contains("; Path=/; Expires="))
        );
        let real = session_cookies(&world, "wx2.qq.com", Some("d"));
        assert_eq!(real.len(), 8);
        assert!(real[0].contains("; Domain=wx2.qq.com;") && real[5].contains("; Domain=.qq.com;"));
    }
}
