//! Rules that can never answer, because an earlier one always answers first.

use crate::check::{Fields, Report};
use crate::model::Bot;
use crate::sources::Spot;

/// The places of a rule that shadowing speaks of.
#[derive(Debug)]
pub(crate) struct RuleSpots {
    header: Spot,
}

impl RuleSpots {
    pub(crate) fn of(fields: &Fields<'_>) -> Self {
        Self { header: fields.spot.clone() }
    }
}

/// Finds rules that can never answer. `sound` says which rules were read without an error.
pub(crate) fn find(bot: &Bot, sound: &[bool], spots: &[RuleSpots], report: &mut Report) {
    let _ = (bot, sound, spots, report);
}
