//! Sets of characters.

use std::sync::{Arc, LazyLock};

use regex_syntax::hir::{Class, Hir, HirKind};

/// A set of characters.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct CharSet {
    ascii: u128,
    /// Those beyond ASCII, in order.
    ranges: Box<[(char, char)]>,
}

/// The classes that nearly every regex uses, kept once for all.
static SHARED: LazyLock<Vec<(Class, Arc<CharSet>)>> = LazyLock::new(|| {
    let class = |source: &str| match regex_syntax::parse(source).map(Hir::into_kind) {
        Ok(HirKind::Class(class)) => Some((class.clone(), Arc::new(CharSet::new(&class)))),
        _ => None,
    };
    [r"\w", r"\d", r"\s", r"\W", r"\D", r"\S", ".", "(?s:.)"]
        .into_iter()
        .filter_map(class)
        .collect()
});

impl CharSet {
    /// The characters of a class, shared where many regexes have it.
    pub(super) fn of(class: &Class) -> Arc<Self> {
        let shared = SHARED.iter().find(|(known, _)| known == class);
        shared.map_or_else(|| Arc::new(Self::new(class)), |(_, set)| Arc::clone(set))
    }

    fn new(class: &Class) -> Self {
        let ranges: Vec<(char, char)> = match class {
            Class::Unicode(class) => {
                class.ranges().iter().map(|range| (range.start(), range.end())).collect()
            }
            // Only ASCII: an expression that could match half a character was refused.
            Class::Bytes(class) => class
                .ranges()
                .iter()
                .map(|range| (range.start().into(), range.end().into()))
                .collect(),
        };
        let of_ascii = ranges.iter().take_while(|(from, _)| from.is_ascii());
        let ascii = of_ascii
            .flat_map(|(from, to)| *from..=(*to).min('\u{7f}'))
            .fold(0, |set, c| set | 1 << u32::from(c));
        let beyond = ranges
            .into_iter()
            .filter(|(_, to)| !to.is_ascii())
            .map(|(from, to)| (from.max('\u{80}'), to));
        Self { ascii, ranges: beyond.collect() }
    }

    /// Whether `c` is one of them.
    pub(super) fn contains(&self, c: char) -> bool {
        if c.is_ascii() {
            return self.ascii & (1 << u32::from(c)) != 0;
        }
        let after = self.ranges.partition_point(|(from, _)| *from <= c);
        after > 0 && c <= self.ranges[after - 1].1
    }

    /// Bytes that this set alone takes; a shared one takes none.
    pub(super) fn heap(set: &Arc<Self>) -> usize {
        let is_shared = SHARED.iter().any(|(_, shared)| Arc::ptr_eq(shared, set));
        if is_shared { 0 } else { size_of::<Self>() + size_of_val(&*set.ranges) }
    }
}
