//! What is to be said about the files, collected while they are checked.

use crate::problem::Problem;
use crate::sources::Spot;

/// Problems with their places, in the order found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    problems: Vec<(Problem, Spot)>,
}

impl Report {
    /// Adds a problem; the same at the same place only once.
    pub(crate) fn add(&mut self, problem: Problem, spot: Spot) {
        if !self.problems.iter().any(|(known, at)| *at == spot && *known == problem) {
            self.problems.push((problem, spot));
        }
    }

    /// Whether nothing keeps the files from being used.
    pub(crate) fn is_clean(&self) -> bool {
        !self.problems.iter().any(|(problem, _)| problem.is_error())
    }

    /// How many errors there are so far.
    pub(crate) fn errors(&self) -> usize {
        self.problems.iter().filter(|(problem, _)| problem.is_error()).count()
    }

    /// All problems.
    pub(crate) fn into_problems(self) -> Vec<(Problem, Spot)> {
        self.problems
    }
}
