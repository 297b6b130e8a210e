//! One `[[schedule]]`.

use std::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Seconds};
use mynah_reader::YEAR;

use super::names::Names;
use super::{Checker, Fields, values};
use crate::keys::Table;
use crate::model::{Days, Due, Missed, Schedule};
use crate::problem::{BadValue, Conflict, Problem, StepUnit, UnevenStep};
use crate::schedule;
use crate::sources::Spot;
use mynah_reader::TableNode;

/// The shortest time between two announcements: no person can want more.
const SHORTEST: Duration = Duration::from_secs(1);

impl Checker<'_> {
    pub(super) fn schedule(&mut self, node: &TableNode, spot: Spot) -> Schedule {
        let fields = Fields::read(Table::Schedule, node, spot, self.report);
        self.needs(&fields, &["at", "every", "cron"]);
        self.needs(&fields, &["to"]);
        let due = self.due(&fields);
        let to = self.globs(&fields, "to");
        let (fetch, known) = self.fetch(&fields, &Names::of_an_announcement());
        let then = self.actions(&fields, &known);
        let missed = match self.word(&fields, "missed") {
            Some("once") => Missed::Once,
            _ => Missed::Skip,
        };
        Schedule {
            place: self.place(&fields.spot),
            name: self.name(&fields, "schedule"),
            due,
            to,
            fetch,
            then,
            missed,
        }
    }

    fn due(&mut self, fields: &Fields<'_>) -> Due {
        let given: Vec<&'static str> =
            ["at", "every", "cron"].into_iter().filter(|key| fields.has(key)).collect();
        if let [first, second, ..] = given.as_slice() {
            self.conflict(fields, second, Conflict::TwoTimes(first, second));
        }
        if fields.has("days") && !fields.may_have("at") {
            self.conflict(fields, "days", Conflict::DaysWithoutAt);
        }
        self.is_any_list_empty(fields, &["at", "days"]);
        if let Some(text) = fields.text("every") {
            let every = mynah_reader::duration(text.text, SHORTEST..=YEAR);
            let every = every.map_err(BadValue::Duration);
            if let Some(every) = self.value(&text, every) {
                return Due::Every(every);
            }
        }
        if let Some(cron) = self.cron(fields) {
            return Due::Cron(Box::new(cron));
        }
        let texts = fields.texts("at");
        let times =
            texts.iter().filter_map(|text| self.value(text, values::time_of_day(text.text)));
        Due::At { times: times.collect(), days: self.days(fields).unwrap_or(Days::EVERY) }
    }

    fn cron(&mut self, fields: &Fields<'_>) -> Option<Cron> {
        let text = fields.text("cron")?;
        let parser = CronParser::builder().seconds(Seconds::Disallowed).build();
        let bad = |reason: String| BadValue::Cron { found: text.text.to_owned(), reason };
        let plain = values::plain(text.text);
        let count = plain.split_whitespace().count();
        let cron = match count {
            5 => parser.parse(plain.trim()).map_err(|error| bad(error.to_string())),
            count => Err(BadValue::CronFields { found: text.text.to_owned(), count }),
        };
        let cron = self.value(&text, cron)?;
        if !schedule::ever_comes(&cron) {
            self.say(Problem::NeverDue { cron: text.text.to_owned() }, text.spot.clone());
        }
        for (field, unit) in plain.split_whitespace().zip([StepUnit::Minute, StepUnit::Hour]) {
            if let Some(step) = field.split(',').find_map(|part| uneven_step(part, unit)) {
                self.say(Problem::UnevenStep(step), text.spot.clone());
            }
        }
        Some(cron)
    }
}

/// A step like `*/40` does not come every forty minutes: each hour begins anew.
fn uneven_step(part: &str, unit: StepUnit) -> Option<UnevenStep> {
    let step: u32 = part.strip_prefix("*/")?.parse().ok()?;
    let all = match unit {
        StepUnit::Minute => 60,
        StepUnit::Hour => 24,
    };
    let is_uneven = step > 0 && all % step != 0;
    is_uneven.then(|| UnevenStep { step, unit, comes: (0..all).step_by(step as usize).collect() })
}
