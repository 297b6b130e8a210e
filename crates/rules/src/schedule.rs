//! Schedules: announcements at set times.
//!
//! Each schedule has one timer in the account's lane. When it is due, it is set again, and every chat that is meant gets
//! a timer of its own for now, so that each chat is spoken to in its own turn, with its own variables. When the rules
//! begin to work, all timers are set; how far a schedule has come is kept in the bot's state.

use std::time::Duration;

use croner::Cron;
use croner::errors::CronError;
use jiff::civil::{self, Time};
use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};
use mynah_core::{Due, Quiet, Scope, StateView, Timer, TimerChange, Timestamp};

use crate::decision::{Decision, Moment, RuleRef, Warning};
use crate::model::{self, Days, Missed, Schedule};
use crate::rule_book::RuleBook;
use crate::rule_book::actions::targets;
use crate::rule_book::brakes::SET_BACK;
use crate::rule_book::event_facts::zoned;
use crate::rule_book::later::{perform, scene_of};
use crate::rule_book::mute;
use crate::rule_book::pending::Pending;

/// The name of the timers of schedules.
pub(crate) const TIMER: &str = "schedule";

/// A timer that comes later than this was missed: the bot was down.
const LATE: Duration = Duration::from_secs(60);

/// Sets the timers of all schedules: the rules begin to work, or begin anew.
pub(crate) fn set_all(book: &RuleBook, state: &dyn StateView, at: &Moment) -> Decision {
    let mut pending = Pending::new(state);
    let mut decision = Decision::default();
    for schedule in book.schedules() {
        // Without a bound, a schedule would be silent for years after a clock that was wrong is set right.
        let latest = at.now + SET_BACK;
        let reached = reached(&pending, schedule).filter(|reached| *reached <= latest);
        let from = reached.unwrap_or_else(|| before_first(schedule, at.now));
        if reached.is_none() {
            reach(&mut pending, schedule, from);
        }
        let not_before = if schedule.missed == Missed::Once { from } else { at.now };
        let next = next(&schedule.due, from, not_before, book.zone());
        decision.timers.extend(next.map(|at| timer(schedule, at)));
    }
    decision.writes = pending.into_writes();
    decision
}

/// A timer of a schedule is due: in the account's lane, or in that of a chat.
pub(crate) fn due(book: &RuleBook, due: &Due, state: &dyn StateView, at: &Moment) -> Decision {
    let found = book.schedules().iter().find(|schedule| key(schedule) == due.key);
    match (found, &due.chat) {
        // Its schedule was taken out of the rules.
        (None, _) => Decision::default(),
        (Some(schedule), None) => fan_out(book, schedule, due, state, at),
        (Some(schedule), Some(_)) => speak(book, schedule, due, state, at),
    }
}

fn fan_out(
    book: &RuleBook,
    schedule: &Schedule,
    due: &Due,
    state: &dyn StateView,
    at: &Moment,
) -> Decision {
    let mut pending = Pending::new(state);
    let mut decision =
        Decision { acted: true, rule: Some(reference(schedule)), ..Decision::default() };
    let missed = at.now.since(due.at) > LATE;
    let after = |not_before| next(&schedule.due, due.at, not_before, book.zone());
    let is_overtaken = missed || after(due.at).is_some_and(|next| next <= at.now);
    let next = after(if is_overtaken { at.now } else { due.at });
    // However many were missed, one makes up for all; a beat keeps its place all the same.
    let served = match (&schedule.due, next) {
        (model::Due::Every(every), Some(next)) => next - *every,
        _ if is_overtaken => due.at.max(just_before(at.now)),
        _ => due.at,
    };
    reach(&mut pending, schedule, served);
    if !(missed && schedule.missed == Missed::Skip) {
        for name in &schedule.to {
            let chats = targets(name, &at.chats);
            if chats.is_empty() {
                decision.warnings.push(Warning {
                    en: format!("no chat is called {name}; nothing was announced there"),
                    zh: format!("没有叫“{name}”的聊天，没有发送定时消息"),
                });
            }
            decision.timers.extend(chats.into_iter().map(|chat| {
                TimerChange::Set(Timer {
                    key: key(schedule),
                    at: due.at,
                    chat: Some(chat.clone()),
                    person: None,
                    name: TIMER.to_owned(),
                    data: String::new(),
                })
            }));
        }
    }
    decision.timers.extend(next.map(|at| timer(schedule, at)));
    decision.writes = pending.into_writes();
    decision
}

fn speak(
    book: &RuleBook,
    schedule: &Schedule,
    due: &Due,
    state: &dyn StateView,
    at: &Moment,
) -> Decision {
    let reference = Some(reference(schedule));
    if mute::until(&Pending::new(state), at.now).is_some() {
        return Decision { rule: reference, quiet: Some(Quiet::Mute), ..Decision::default() };
    }
    let Some(mut scene) = scene_of(book, due, at) else { return Decision::default() };
    scene.is_reply = false;
    let decision = perform(book, state, at, &scene, &schedule.name.key, |actor| {
        actor.fetch_and_perform(schedule.fetch.as_deref(), &schedule.then);
    });
    Decision { rule: reference, ..decision }
}

fn key(schedule: &Schedule) -> String {
    format!("{TIMER}:{}", schedule.name.key)
}

fn reference(schedule: &Schedule) -> RuleRef {
    let model::Place { file, line } = &schedule.place;
    let id = schedule.name.id.clone().unwrap_or_else(|| format!("{file}:{line}"));
    RuleRef { id: id.into(), file: file.clone(), line: *line }
}

/// Up to which moment a schedule was served.
fn reached(pending: &Pending<'_>, schedule: &Schedule) -> Option<Timestamp> {
    pending.get(Scope::Bot, &key(schedule))?.parse().ok().map(Timestamp::from_millis)
}

fn reach(pending: &mut Pending<'_>, schedule: &Schedule, at: Timestamp) {
    pending.set(Scope::Bot, &key(schedule), at.as_millis().to_string(), None);
}

/// Up to which moment a schedule that is new counts as served. A moment that is now still counts; a beat begins now.
fn before_first(schedule: &Schedule, now: Timestamp) -> Timestamp {
    match schedule.due {
        model::Due::Every(_) => now,
        model::Due::At { .. } | model::Due::Cron(_) => just_before(now),
    }
}

fn just_before(now: Timestamp) -> Timestamp {
    now - Duration::from_millis(1)
}

/// The timer of a schedule in the account's lane.
fn timer(schedule: &Schedule, at: Timestamp) -> TimerChange {
    let name = TIMER.to_owned();
    TimerChange::Set(Timer {
        key: key(schedule),
        at,
        chat: None,
        person: None,
        name,
        data: String::new(),
    })
}

/// The first moment after `after`, and not before `not_before`, at which it is due.
fn next(
    due: &model::Due,
    after: Timestamp,
    not_before: Timestamp,
    zone: &TimeZone,
) -> Option<Timestamp> {
    let stamp = |zoned: &Zoned| Timestamp::from_millis(zoned.timestamp().as_millisecond());
    let from = || zoned(after.max(just_before(not_before)), zone);
    match due {
        model::Due::At { times, days } => next_time(times, *days, &from()).as_ref().map(stamp),
        model::Due::Cron(cron) => {
            cron.find_next_occurrence(&from(), false).ok().as_ref().map(stamp)
        }
        model::Due::Every(every) => {
            let beats =
                not_before.since(after).as_millis().div_ceil(every.as_millis().max(1)).max(1);
            Some(after + every.saturating_mul(u32::try_from(beats).unwrap_or(u32::MAX)))
        }
    }
}

/// Years after which the calendar repeats to the day of the week.
const CALENDAR: i32 = 400;

/// Whether a cron line names a day that some year has: the thirtieth of February is none, its twenty-ninth is one.
///
/// Searches one whole round of the calendar, so that no day is too rare to be found. It is the last round within the
/// range of the search, because a search for a day that never comes goes on to the end of the range.
pub(crate) fn ever_comes(cron: &Cron) -> bool {
    let year = i16::try_from(croner::YEAR_UPPER_LIMIT - CALENDAR).unwrap_or(i16::MAX);
    // The days of a calendar are the same in every zone; this one has no hour that is missing.
    let Ok(from) = civil::date(year, 1, 1).to_zoned(TimeZone::UTC) else { return true };
    !matches!(cron.find_next_occurrence(&from, true), Err(CronError::TimeSearchLimitExceeded))
}

fn next_time(times: &[Time], days: Days, after: &Zoned) -> Option<Zoned> {
    // A week and a day: today's times may all have passed, and the only day of the week may be today.
    let dates = (0..=8).filter_map(|ahead| after.date().checked_add(ahead.days()).ok());
    dates.filter(|date| days.contains(date.weekday())).find_map(|date| {
        // A time that the clock skips comes as much later as it skips; one that it repeats comes once.
        let moments = times
            .iter()
            .filter_map(|time| date.to_datetime(*time).to_zoned(after.time_zone().clone()).ok());
        moments.filter(|moment| moment > after).min()
    })
}

#[cfg(test)]
mod tests;
