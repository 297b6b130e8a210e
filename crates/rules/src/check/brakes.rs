//! Checks the brakes of a rule.

use super::names::Names;
use super::{Checker, Fields, values};
use crate::keys::Table;
use crate::model::{Brakes, Clock, Cooldown, Limit, Period};
use crate::problem::{BadValue, Conflict, Problem};
use mynah_reader::Value;

/// The clocks by their keys.
const CLOCKS: [(&str, Clock); 3] =
    [("user", Clock::User), ("chat", Clock::Chat), ("all", Clock::All)];

/// A larger number would never be reached.
const MOST: i64 = 1_000_000;

impl Checker<'_> {
    pub(super) fn brakes(&mut self, fields: &Fields<'_>, names: &Names) -> Brakes {
        for (reply, brake) in [("cooldown_reply", "cooldown"), ("limit_reply", "limit")] {
            if fields.has(reply) && !fields.may_have(brake) {
                self.conflict(fields, reply, Conflict::ReplyWithout { reply, brake });
            }
        }
        Brakes {
            cooldown: self.cooldown(fields),
            limit: self.limit(fields),
            cooldown_reply: self.template_of(fields, "cooldown_reply", names),
            limit_reply: self.template_of(fields, "limit_reply", names),
        }
    }

    fn cooldown(&mut self, fields: &Fields<'_>) -> Vec<Cooldown> {
        let Some((node, spot)) = fields.table("cooldown") else {
            let text = fields.text("cooldown");
            let lasts = text.and_then(|text| {
                self.value(&text, values::duration(text.text).map_err(BadValue::Duration))
            });
            return lasts.map(|lasts| Cooldown { clock: Clock::Chat, lasts }).into_iter().collect();
        };
        let clocks = Fields::read(Table::Cooldown, node, spot, self.report);
        self.needs_a_clock(&clocks);
        let mut cooldown = Vec::new();
        for (key, clock) in CLOCKS {
            let text = clocks.text(key);
            let lasts = text.and_then(|text| {
                self.value(&text, values::duration(text.text).map_err(BadValue::Duration))
            });
            cooldown.extend(lasts.map(|lasts| Cooldown { clock, lasts }));
        }
        cooldown
    }

    fn limit(&mut self, fields: &Fields<'_>) -> Option<Limit> {
        let (node, spot) = fields.table("limit")?;
        let counts_of = Fields::read(Table::Limit, node, spot, self.report);
        self.needs_a_clock(&counts_of);
        if !counts_of.may_have("per") {
            let problem = Problem::Missing { table: Table::Limit, keys: &["per"] };
            self.say(problem, counts_of.spot.clone());
        }
        let per = match self.word(&counts_of, "per") {
            Some("hour") => Some(Period::Hour),
            Some("day") => Some(Period::Day),
            Some(_) => Some(Period::Week),
            None => None,
        };
        let mut counts = Vec::new();
        for (key, clock) in CLOCKS {
            let count = self.whole_number(&counts_of, key, 1, MOST);
            counts.extend(
                count.and_then(|count| u32::try_from(count).ok()).map(|count| (clock, count)),
            );
        }
        Some(Limit { counts, per: per? })
    }

    fn needs_a_clock(&mut self, fields: &Fields<'_>) {
        if !CLOCKS.iter().any(|(key, _)| fields.may_have(key)) {
            let problem = Problem::Missing { table: fields.table, keys: &["user", "chat", "all"] };
            self.say(problem, fields.spot.clone());
        }
    }

    /// A whole number within bounds.
    pub(super) fn whole_number(
        &mut self,
        fields: &Fields<'_>,
        key: &'static str,
        least: i64,
        most: i64,
    ) -> Option<i64> {
        let entry = fields.entry(key)?;
        let Value::Integer(found) = entry.node.value else { return None };
        if (least..=most).contains(&found) {
            return Some(found);
        }
        let value = BadValue::Number { key, found, least, most };
        self.say(Problem::Value(value), fields.at(entry.node.span.clone()));
        None
    }
}
