//! `builtin.mute`: the bot keeps quiet in a chat for a while.

use std::time::Duration;

use mynah_core::{Scope, Timestamp};

use super::pending::Pending;

/// How long a chat is muted if nobody says how long.
pub(super) const USUAL: Duration = Duration::from_secs(30 * 60);

const KEY: &str = "mute:until";

/// Until when the chat is muted, if it is.
pub(crate) fn until(pending: &Pending<'_>, now: Timestamp) -> Option<Timestamp> {
    let until = pending.get(Scope::Chat, KEY)?.parse().ok().map(Timestamp::from_millis)?;
    (until > now).then_some(until)
}

/// Mutes the chat.
pub(super) fn mute(pending: &mut Pending<'_>, until: Timestamp) {
    pending.set(Scope::Chat, KEY, until.as_millis().to_string(), Some(until));
}

/// Ends a mute.
pub(super) fn unmute(pending: &mut Pending<'_>) {
    pending.remove(Scope::Chat, KEY);
}

/// Reads how long as an admin types it: `30s`, `5m`, `2h`, `1d`, `10 分钟`; a bare number means minutes.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds = match unit.trim().to_lowercase().as_str() {
        "s" | "秒" | "秒钟" => 1,
        "" | "m" | "min" | "分" | "分钟" => 60,
        "h" | "时" | "小时" | "个小时" => 60 * 60,
        "d" | "天" => 24 * 60 * 60,
        _ => return None,
    };
    // A year is for ever; more would only overflow.
    let seconds = number.parse::<u64>().ok()?.saturating_mul(seconds).min(366 * 24 * 60 * 60);
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_typed() {
        for (text, seconds) in [
            ("30s", Some(30)),
            ("5m", Some(300)),
            (" 2 h ", Some(7200)),
            ("1天", Some(86400)),
            ("10 分钟", Some(600)),
            ("15", Some(900)),
            ("0", None),
            ("soon", None),
            ("", None),
            ("99999999999999999999", None),
            ("9999999999999999d", Some(366 * 86400)),
        ] {
            assert_eq!(duration(text), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
