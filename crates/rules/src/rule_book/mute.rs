//! `builtin.mute`: the bot keeps quiet in a chat for a while.

use std::time::Duration;

use mynah_core::{Change, Scope, Timestamp, Write};
use mynah_reader::{WhyBad, YEAR, plain_width};

use super::pending::Pending;

/// The shortest time that a chat can be muted.
const SHORTEST: Duration = Duration::from_secs(1);

/// How long a chat is muted if the command names no duration.
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
    let mut text = text.trim().to_lowercase();
    if text.chars().all(|c| plain_width(c).is_ascii_digit()) {
        text.push('m');
    }
    match mynah_reader::duration(&text, SHORTEST..=YEAR) {
        Ok(duration) => Some(duration),
        // A year is for ever.
        Err(bad) => (bad.why == WhyBad::TooLong).then_some(YEAR),
    }
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
            ("1.5h", Some(5400)),
            ("1H30M", Some(5400)),
            ("１０", Some(600)),
            ("99999999999999999999", Some(366 * 86400)),
            ("9999999999999999d", Some(366 * 86400)),
        ] {
            assert_eq!(duration(text), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
