//! The failures of a story.

use mynah::core::Random;

/// A kind of [`Counts`], or the end of a drain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    Kill,
    Freeze,
    Cut,
    Slow,
    Terminate,
    Fast,
    Immediate,
    Drain,
    /// A node that has ended starts again.
    Join,
}

/// How often each fault comes.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    /// A process is killed; it starts again a little later.
    pub kill: usize,
    /// A process is stopped for a time.
    pub freeze: usize,
    /// The line of a node to the database is cut for a time.
    pub cut: usize,
    /// That line is slow for a time.
    pub slow: usize,
    /// The database ends all connections.
    pub terminate: usize,
    /// The database restarts in an orderly way.
    pub fast: usize,
    /// The database crashes and starts again.
    pub immediate: usize,
    /// A node gives its accounts back and ends; it joins again a little later, which counts as a fault of its own.
    pub drain: usize,
}

impl Counts {
    /// Fifty faults with the joins.
    pub const FIFTY: Self = Self {
        kill: 12,
        freeze: 5,
        cut: 6,
        slow: 4,
        terminate: 4,
        fast: 3,
        immediate: 4,
        drain: 6,
    };

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
