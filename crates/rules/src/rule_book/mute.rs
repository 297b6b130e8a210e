//! `builtin.mute`: the bot keeps quiet in a chat for a while.

use std::time::Duration;

use mynah_core::{Change, Scope, Timestamp, Write};

use super::pending::Pending;

/// How long a chat is muted if nobody says how long.
pub(super) const USUAL: Duration = Duration::from_secs(30 * 60);

/// The key of a chat's state that says until when it is muted.
pub const KEY: &str = "mute:until";

/// The change of a chat's state that mutes it until then, or ends that. For operators; rules do it by themselves.
#[must_use]
pub fn write(until: Option<Timestamp>) -> Write {
    let change = until.map_or(Change::Remove, |until| Change::Set(until.as_millis().to_string()));
    Write { scope: Scope::Chat, key: KEY.to_owned(), change, expires: until }
}

/// Until when a chat with this value under [`KEY`] is muted, if it still is.
#[must_use]
pub fn still_until(value: &str, now: Timestamp) -> Option<Timestamp> {
    let until = value.parse().ok().map(Timestamp::from_millis)?;
    (until > now).then_some(until)
}

/// Until when the chat is muted, if it is.
pub(crate) fn until(pending: &Pending<'_>, now: Timestamp) -> Option<Timestamp> {
    still_until(&pending.get(Scope::Chat, KEY)?, now)
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
    fn an_operator_and_the_rules_write_the_same() {
        let until = Timestamp::from_secs(60);
        let mut pending = Pending::new(&mynah_core::NoState);
        mute(&mut pending, until);
        unmute(&mut pending);
        assert_eq!(pending.into_writes(), [write(Some(until)), write(None)]);
        assert_eq!(still_until("60000", Timestamp::from_secs(59)), Some(until));
        assert_eq!(still_until("60000", until), None);
    }

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
