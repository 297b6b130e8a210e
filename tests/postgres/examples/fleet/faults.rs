//! The failures of a story.

use mynah::core::Random;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// A process is killed; it starts again a little later.
    Kill,
    /// A process is stopped for a time.
    Freeze,
    /// The line of a node to the database is cut for a time.
    Cut,
    /// That line is slow for a time.
    Slow,
    /// The database ends all connections.
    Terminate,
    /// The database restarts in an orderly way.
    Fast,
    /// The database crashes and starts again.
    Immediate,
    /// A node gives its accounts back and ends.
    Drain,
    /// A node that has ended starts again.
    Join,
}

/// How often each fault comes. Each drain is followed by a join.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) kill: usize,
    pub(crate) freeze: usize,
    pub(crate) cut: usize,
    pub(crate) slow: usize,
    pub(crate) terminate: usize,
    pub(crate) fast: usize,
    pub(crate) immediate: usize,
    pub(crate) drain: usize,
}

impl Counts {
    fn list(self) -> [(Fault, usize); 8] {
        [
            (Fault::Kill, self.kill),
            (Fault::Freeze, self.freeze),
            (Fault::Cut, self.cut),
            (Fault::Slow, self.slow),
            (Fault::Terminate, self.terminate),
            (Fault::Fast, self.fast),
            (Fault::Immediate, self.immediate),
            (Fault::Drain, self.drain),
        ]
    }

    pub(crate) fn all(self) -> u64 {
        let faults: usize = self.list().iter().map(|(_, count)| count).sum();
        (faults + self.drain) as u64
    }

    /// All faults but the joins, in an order of the seed.
    pub(crate) fn shuffled(self, random: &mut Random) -> Vec<Fault> {
        let faults = self.list().into_iter();
        let mut faults: Vec<Fault> =
            faults.flat_map(|(fault, count)| std::iter::repeat_n(fault, count)).collect();
        for last in (1..faults.len()).rev() {
            faults.swap(last, below(random, last + 1));
        }
        faults
    }
}

pub(crate) fn below(random: &mut Random, bound: usize) -> usize {
    usize::try_from(random.below(bound as u64)).unwrap()
}
