//! The chats to which a bot writes by name, without a message from there.

use std::collections::BTreeSet;

use super::RuleBook;
use crate::model::{Step, Target};
use mynah_matching::glob::Glob;

impl RuleBook {
    /// The names that `forward_to`, `to`, `invite_to` and schedules give in full: these chats must exist for the bot to work as written.
    /// Globs are left out, since they may fit no chat.
    #[must_use]
    pub fn destinations(&self) -> BTreeSet<&str> {
        let forwards = self.rules.iter().filter(|rule| !rule.off).flat_map(|rule| &rule.then);
        let forwards = forwards.flat_map(|step| match step {
            Step::Forward(names) => names.iter().filter_map(plain).collect(),
            Step::Send { to, .. } => to.iter().filter_map(Target::name).filter_map(plain).collect(),
            Step::Invite(group) => vec![group.as_str()],
            _ => Vec::new(),
        });
        let announced = self.schedules.iter().flat_map(|schedule| &schedule.to);
        forwards.chain(announced.filter_map(plain)).collect()
    }
}

fn plain(name: &Glob) -> Option<&str> {
    name.is_plain().then(|| name.as_str())
}
