//! The ways through the steps of a dialog: the steps that they reach, and the answers that each step can rely on.

use std::collections::BTreeSet;

use super::names::Names;

/// The known facts about a step.
#[derive(Debug)]
pub(super) struct StepFacts {
    /// The name under which its answer is kept.
    pub(super) save: Option<String>,
    /// Whether its answer is kept under no name.
    pub(super) is_unsaved: bool,
    /// Whether that name is not known, because of a mistake.
    pub(super) is_unknown: bool,
    /// The steps that can come next; the number of steps is the end.
    pub(super) to: Vec<usize>,
}

/// The ways through the steps of a dialog.
#[derive(Debug)]
pub(super) struct Ways {
    steps: Vec<StepFacts>,
    /// The names under which answers are kept, in order.
    saved: Vec<String>,
    /// For each step, and for the end, the answers that are there when it begins; `None` where no way leads.
    before: Vec<Option<Answers>>,
    /// Whether all ways are known.
    is_certain: bool,
}

/// The answers that are there at a point of a dialog, by the places of their names in [`Ways::saved`].
#[derive(Debug, Clone, PartialEq)]
struct Answers {
    /// On every way.
    always: Places,
    /// On some way.
    sometimes: Places,
    is_partial: bool,
    has_unsaved: bool,
}

impl Ways {
    /// Finds them; they begin at the first step.
    pub(super) fn through(steps: Vec<StepFacts>, is_certain: bool) -> Self {
        let saved: BTreeSet<String> = steps.iter().filter_map(|step| step.save.clone()).collect();
        let saved: Vec<String> = saved.into_iter().collect();
        let mut before: Vec<Option<Answers>> = vec![None; steps.len() + 1];
        before[0] = Some(Answers::none_of(saved.len()));
        // In the order of the file, in which most ways lead: so a step is seldom looked at twice.
        let mut changed = BTreeSet::from([0]);
        // `always` only shrinks and the rest only grows: this ends.
        while let Some(at) = changed.pop_first() {
            let (Some(step), Some(answers)) = (steps.get(at), &before[at]) else { continue };
            let after = answers.clone().and_those_of(step, &saved);
            for to in &step.to {
                let joined = match &before[*to] {
                    Some(known) => known.clone().or(&after),
                    None => after.clone(),
                };
                if before[*to].as_ref() != Some(&joined) {
                    before[*to] = Some(joined);
                    changed.insert(*to);
                }
            }
        }
        Self { steps, saved, before, is_certain }
    }

    /// Whether a way leads to a step, or to the end; also if that is not known.
    pub(super) fn reach(&self, step: usize) -> bool {
        !self.is_certain || self.before[step].is_some()
    }

    /// The names for the texts of a step, or of the end.
    pub(super) fn names(&self, step: usize) -> Names {
        let mut names = Names::of_a_reply();
        let Some(answers) = &self.before[step] else { return names.partial() };
        for (at, name) in self.saved.iter().enumerate() {
            if !answers.sometimes.contains(at) {
                continue;
            }
            if answers.always.contains(at) || !self.is_certain {
                names.add(name);
            } else {
                names.add_skipped(name);
            }
        }
        if answers.has_unsaved {
            names.asked_unsaved();
        }
        if answers.is_partial || !self.is_certain { names.partial() } else { names }
    }

    /// The names of all steps.
    pub(super) fn all_names(&self) -> Names {
        let mut names = Names::of_a_reply();
        for step in &self.steps {
            step.save.iter().for_each(|name| names.add(name));
            if step.is_unsaved {
                names.asked_unsaved();
            }
        }
        let is_partial = !self.is_certain || self.steps.iter().any(|step| step.is_unknown);
        if is_partial { names.partial() } else { names }
    }
}

impl Answers {
    fn none_of(count: usize) -> Self {
        let none = Places::none_of(count);
        let (is_partial, has_unsaved) = (false, false);
        Self { always: none.clone(), sometimes: none, is_partial, has_unsaved }
    }

    /// These and the answer of a step.
    fn and_those_of(mut self, step: &StepFacts, saved: &[String]) -> Self {
        if let Some(Ok(at)) = step.save.as_ref().map(|name| saved.binary_search(name)) {
            self.always.insert(at);
            self.sometimes.insert(at);
        }
        self.is_partial |= step.is_unknown;
        self.has_unsaved |= step.is_unsaved;
        self
    }

    /// Those of either of two ways.
    fn or(mut self, other: &Self) -> Self {
        self.always.change(&other.always, |mine, theirs| mine & theirs);
        self.sometimes.change(&other.sometimes, |mine, theirs| mine | theirs);
        self.is_partial |= other.is_partial;
        self.has_unsaved |= other.has_unsaved;
        self
    }
}

/// A set of places, a bit for each: dialogs of a thousand steps join them often.
#[derive(Debug, Clone, PartialEq)]
struct Places(Vec<u64>);

impl Places {
    fn none_of(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    fn contains(&self, at: usize) -> bool {
        self.0[at / 64] & (1 << (at % 64)) != 0
    }

    fn insert(&mut self, at: usize) {
        self.0[at / 64] |= 1 << (at % 64);
    }

    /// Changes each word of the set by the word of another in the same place.
    fn change(&mut self, other: &Self, by: impl Fn(u64, u64) -> u64) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = by(*mine, *theirs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps that each lead to one seven times as far on, or to the end.
    fn steps(count: usize) -> Vec<StepFacts> {
        let to = |at: usize| vec![at * 7 % count, count];
        (0..count)
            .map(|at| StepFacts {
                save: Some(format!("x{at:04}")),
                is_unsaved: false,
                is_unknown: false,
                to: if at == 0 { vec![1, count] } else { to(at) },
            })
            .collect()
    }

    #[test]
    fn a_dialog_of_thousands_of_steps_is_followed() {
        let count = 4_001;
        let ways = Ways::through(steps(count), true);
        let mut reached = BTreeSet::from([0, 1]);
        let mut at = 7;
        while reached.insert(at) {
            at = at * 7 % count;
        }
        for step in 0..count {
            assert_eq!(ways.reach(step), reached.contains(&step), "{step}");
        }
        let end = ways.before[count].as_ref().expect("reached");
        let at = |name: &str| ways.saved.iter().position(|saved| saved == name).expect("saved");
        assert!(end.always.contains(at("x0000")) && !end.always.contains(at("x0007")));
        assert!(end.sometimes.contains(at("x0007")));
    }
}
