//! The diagnostics of the files, collected while they are checked.

use std::collections::BTreeMap;

use crate::problem::Problem;
use crate::sources::Spot;
use mynah_core::sort_by_key;

/// Problems by their places.
#[derive(Debug, Default)]
pub(crate) struct Report {
    problems: BTreeMap<Spot, Vec<Problem>>,
    errors: usize,
}

impl Report {
    /// Adds a problem; the same at the same place only once.
    pub(crate) fn add(&mut self, problem: Problem, spot: Spot) {
        let here = self.problems.entry(spot).or_default();
        if here.contains(&problem) {
            return;
        }
        self.errors += usize::from(problem.is_error());
        here.push(problem);
    }

    /// Whether this was said at this place.
    pub(crate) fn says(&self, problem: &Problem, spot: &Spot) -> bool {
        self.problems.get(spot).is_some_and(|here| here.contains(problem))
    }

    /// Whether nothing keeps the files from being used.
    pub(crate) fn is_clean(&self) -> bool {
        self.errors == 0
    }

    /// How many errors there are so far.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// Whether a file could not be included.
    pub(crate) fn lacks_a_file(&self) -> bool {
        let mut problems = self.problems.values().flatten();
        problems.any(|problem| matches!(problem, Problem::Include(_) | Problem::File(_)))
    }

    /// All problems in the order of their places; at the same place the worst first.
    pub(crate) fn into_problems(self) -> impl Iterator<Item = (Problem, Spot)> {
        self.problems.into_iter().flat_map(|(spot, mut problems)| {
            sort_by_key(&mut problems, Problem::severity);
            problems.into_iter().map(move |problem| (problem, spot.clone()))
        })
    }
}
