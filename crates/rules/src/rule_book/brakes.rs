//! Brakes: a rule that matches, and keeps quiet all the same.

use std::time::Duration;

use jiff::{ToSpan, Zoned};
use mynah_core::{Quiet, Scope, Timestamp};

use super::pending::Pending;
use crate::model::{Brakes, Clock, Period};
use mynah_matching::template::Template;

/// By so much at most a cooldown is longer, and a schedule later, because the clock was set back.
pub(crate) const SET_BACK: Duration = Duration::from_secs(60 * 60);

/// A brake that keeps the rule quiet now.
#[derive(Debug)]
pub(super) struct ActiveBrake<'b> {
    pub(super) quiet: Quiet,
    pub(super) until: Timestamp,
    /// The reply of the brake, if it was not sent before in this period.
    pub(super) reply: Option<&'b Template>,
    scope: Scope,
    said: String,
}

impl ActiveBrake<'_> {
    /// Writes down that the reply was said.
    pub(super) fn remember(&self, pending: &mut Pending<'_>) {
        pending.set(self.scope, &self.said, "1".to_owned(), Some(self.until));
    }
}

/// The brake that holds for a rule now, if one does: the one that holds longest of its kind, cooldown before limit.
pub(super) fn holding<'b>(
    brakes: &'b Brakes,
    at: &At<'_>,
    pending: &Pending<'_>,
) -> Option<ActiveBrake<'b>> {
    cooldown(brakes, at, pending).or_else(|| limit(brakes, at, pending))
}

/// Starts the clocks of a rule that acts, and counts it.
pub(super) fn start(brakes: &Brakes, at: &At<'_>, pending: &mut Pending<'_>) {
    start_cooldown(brakes, at, pending);
    if let Some(limit) = &brakes.limit {
        let (from, until) = period(limit.per, at.clock);
        let key = at.key_of_period("limit", from);
        for (clock, _) in at.clocks(limit.counts.iter(), |(clock, _)| *clock) {
            pending.add(scope(*clock), &key, 1, Some(until));
        }
    }
}

/// Starts the clocks of a rule that was asked in vain; it does not count.
pub(super) fn start_cooldown(brakes: &Brakes, at: &At<'_>, pending: &mut Pending<'_>) {
    for cooldown in at.clocks(brakes.cooldown.iter(), |cooldown| cooldown.clock) {
        let until = at.now + cooldown.lasts;
        pending.set(
            scope(cooldown.clock),
            &at.key("cooldown"),
            until.as_millis().to_string(),
            Some(until),
        );
    }
}

/// When and for whom brakes are asked.
pub(super) struct At<'r> {
    /// The key of the rule.
    pub(super) rule: &'r str,
    /// The end of the names of its cooldowns: of a table, each question has its own.
    pub(super) question: Option<&'r str>,
    pub(super) now: Timestamp,
    pub(super) clock: &'r Zoned,
    /// Whether there is a person whose clocks can run.
    pub(super) has_person: bool,
}

impl At<'_> {
    fn key(&self, what: &str) -> String {
        match self.question {
            None => format!("{what}:{}", self.rule),
            Some(question) => format!("{what}:{}/{question}", self.rule),
        }
    }

    fn key_of_period(&self, what: &str, from: Timestamp) -> String {
        format!("{what}:{}:{}", self.rule, from.as_millis() / 1000)
    }

    /// Those whose clock exists here.
    fn clocks<'l, T: 'l>(
        &self,
        list: impl Iterator<Item = &'l T>,
        clock: impl Fn(&T) -> Clock,
    ) -> impl Iterator<Item = &'l T> {
        list.filter(move |one| self.has_person || clock(one) != Clock::User)
    }
}

fn cooldown<'b>(brakes: &'b Brakes, at: &At<'_>, pending: &Pending<'_>) -> Option<ActiveBrake<'b>> {
    let key = at.key("cooldown");
    let running =
        at.clocks(brakes.cooldown.iter(), |cooldown| cooldown.clock).filter_map(|cooldown| {
            let until = pending
                .get(scope(cooldown.clock), &key)?
                .parse()
                .ok()
                .map(Timestamp::from_millis)?;
            // Without a bound, a rule would be quiet for years after a clock that was wrong is set right.
            let latest = at.now + cooldown.lasts + SET_BACK;
            (at.now < until && until <= latest).then_some((until, cooldown.clock))
        });
    let (until, clock) = running.max_by_key(|(until, _)| *until)?;
    let said = at.key("cooldown-said");
    let reply =
        brakes.cooldown_reply.as_ref().filter(|_| pending.get(scope(clock), &said).is_none());
    Some(ActiveBrake { quiet: Quiet::Cooldown, until, reply, scope: scope(clock), said })
}

fn limit<'b>(brakes: &'b Brakes, at: &At<'_>, pending: &Pending<'_>) -> Option<ActiveBrake<'b>> {
    let limit = brakes.limit.as_ref()?;
    let (from, until) = period(limit.per, at.clock);
    let key = at.key_of_period("limit", from);
    let mut counts = at.clocks(limit.counts.iter(), |(clock, _)| *clock);
    let (clock, _) = counts.find(|(clock, most)| {
        let count = pending.get(scope(*clock), &key).and_then(|count| count.parse::<u32>().ok());
        count.is_some_and(|count| count >= *most)
    })?;
    let said = at.key_of_period("limit-said", from);
    let reply = brakes.limit_reply.as_ref().filter(|_| pending.get(scope(*clock), &said).is_none());
    Some(ActiveBrake { quiet: Quiet::Limit, until, reply, scope: scope(*clock), said })
}

fn scope(clock: Clock) -> Scope {
    match clock {
        Clock::User => Scope::Person,
        Clock::Chat => Scope::Chat,
        Clock::All => Scope::Bot,
    }
}

/// Beginning and end of the calendar unit that contains a moment.
pub(super) fn period(per: Period, clock: &Zoned) -> (Timestamp, Timestamp) {
    let begin_of = |day: &Zoned| day.start_of_day().unwrap_or_else(|_| day.clone());
    let days_on =
        |day: &Zoned, days: i32| day.checked_add(days.days()).unwrap_or_else(|_| day.clone());
    let (from, until) = match per {
        // Hours are counted along the line of time, so that the hour that a clock repeats is counted anew.
        Period::Hour => {
            let seconds = 60 * u64::from(clock.minute().unsigned_abs())
                + u64::from(clock.second().unsigned_abs());
            let passed = Duration::from_secs(seconds)
                + Duration::from_nanos(clock.subsec_nanosecond().unsigned_abs().into());
            let from = clock.checked_sub(passed).unwrap_or_else(|_| clock.clone());
            let until = from.checked_add(1.hour()).unwrap_or_else(|_| from.clone());
            (from, until)
        }
        Period::Day => (begin_of(clock), begin_of(&days_on(clock, 1))),
        Period::Week => {
            let monday = days_on(clock, -i32::from(clock.weekday().to_monday_zero_offset()));
            (begin_of(&monday), begin_of(&days_on(&monday, 7)))
        }
    };
    let stamp = |zoned: &Zoned| Timestamp::from_millis(zoned.timestamp().as_millisecond());
    (stamp(&from), stamp(&until))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::rule_book::event_facts::zoned;

    #[test]
    fn periods_are_those_of_the_calendar() {
        let berlin = TimeZone::get("Europe/Berlin").expect("known");
        for (now, per, from, until) in [
            (
                "2026-11-25T12:34:56.789Z",
                Period::Hour,
                "2026-11-25T12:00:00Z",
                "2026-11-25T13:00:00Z",
            ),
            ("2026-11-25T23:34:56Z", Period::Day, "2026-11-25T23:00:00Z", "2026-11-26T23:00:00Z"),
            ("2026-11-25T12:00:00Z", Period::Week, "2026-11-22T23:00:00Z", "2026-11-29T23:00:00Z"),
            // The day that has 23 hours, and the one that has 25.
            ("2026-03-29T10:00:00Z", Period::Day, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
            ("2026-10-25T10:00:00Z", Period::Day, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
            ("2026-10-25T00:30:00Z", Period::Hour, "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"),
            ("2026-10-25T01:30:00Z", Period::Hour, "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"),
        ] {
            let stamp = |text: &str| {
                let instant: jiff::Timestamp = text.parse().expect(text);
                Timestamp::from_millis(instant.as_millisecond())
            };
            let found = period(per, &zoned(stamp(now), &berlin));
            assert_eq!(found, (stamp(from), stamp(until)), "{now} {per:?}");
        }
    }
}
