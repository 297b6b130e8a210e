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
    /// For each step, and for the end, the answers that are there when it begins; `None` where no way leads.
    before: Vec<Option<Answers>>,
    /// Whether all ways are known.
    is_certain: bool,
}

/// The answers that are there at a point of a dialog.
#[derive(Debug, Clone, Default, PartialEq)]
struct Answers {
    /// On every way.
    always: BTreeSet<String>,
    /// On some way.
    sometimes: BTreeSet<String>,
    is_partial: bool,
    has_unsaved: bool,
}

impl Ways {
    /// Finds them; they begin at the first step.
    pub(super) fn through(steps: Vec<StepFacts>, is_certain: bool) -> Self {
        let mut before: Vec<Option<Answers>> = vec![None; steps.len() + 1];
        before[0] = Some(Answers::default());
        let mut changed = vec![0];
        // `always` only shrinks and the rest only grows: this ends.
        while let Some(at) = changed.pop() {
            let (Some(step), Some(answers)) = (steps.get(at), &before[at]) else { continue };
            let after = answers.clone().and_those_of(step);
            for to in &step.to {
                let joined = match &before[*to] {
                    Some(known) => known.clone().or(&after),
                    None => after.clone(),
                };
                if before[*to].as_ref() != Some(&joined) {
                    before[*to] = Some(joined);
                    changed.push(*to);
                }
            }
        }
        Self { steps, before, is_certain }
    }

    /// Whether a way leads to a step, or to the end; also if that is not known.
    pub(super) fn reach(&self, step: usize) -> bool {
        !self.is_certain || self.before[step].is_some()
    }

    /// The names for the texts of a step, or of the end.
    pub(super) fn names(&self, step: usize) -> Names {
        let mut names = Names::of_a_reply();
        let Some(answers) = &self.before[step] else { return names.partial() };
        for name in &answers.sometimes {
            if answers.always.contains(name) || !self.is_certain {
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
    /// These and the answer of a step.
    fn and_those_of(mut self, step: &StepFacts) -> Self {
        self.always.extend(step.save.clone());
        self.sometimes.extend(step.save.clone());
        self.is_partial |= step.is_unknown;
        self.has_unsaved |= step.is_unsaved;
        self
    }

    /// Those of either of two ways.
    fn or(mut self, other: &Self) -> Self {
        self.always.retain(|name| other.always.contains(name));
        self.sometimes.extend(other.sometimes.iter().cloned());
        self.is_partial |= other.is_partial;
        self.has_unsaved |= other.has_unsaved;
        self
    }
}
