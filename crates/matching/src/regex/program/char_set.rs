//! Sets of characters.

use std::cell::RefCell;
use std::sync::{Arc, LazyLock, Weak};

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

/// A set of so many ranges takes more than the rest of its rule, and thousands of rules may have the same.
const LARGE: usize = 16;

/// How many large sets are remembered at a time.
const MANY: usize = 16;

thread_local! {
    /// The large sets that were made of late and are still there.
    static LATE: RefCell<Vec<Weak<CharSet>>> = const { RefCell::new(Vec::new()) };
}

impl CharSet {
    /// The characters of a class, shared where many regexes have it.
    pub(super) fn of(class: &Class) -> Arc<Self> {
        if let Some((_, set)) = SHARED.iter().find(|(known, _)| known == class) {
            return Arc::clone(set);
        }
        let set = Self::new(class);
        if set.ranges.len() < LARGE { Arc::new(set) } else { set.shared_of_late() }
    }

    /// The same set as a part of another program, if one of late has it.
    fn shared_of_late(self) -> Arc<Self> {
        LATE.with_borrow_mut(|late| {
            if let Some(known) = late.iter().filter_map(Weak::upgrade).find(|set| **set == self) {
                return known;
            }
            let set = Arc::new(self);
            late.retain(|set| set.strong_count() > 0);
            late.truncate(MANY - 1);
            late.insert(0, Arc::downgrade(&set));
            set
        })
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

    /// Bytes that this set takes for one of those who share it; of the common ones none.
    pub(super) fn heap(set: &Arc<Self>) -> usize {
        let is_common = SHARED.iter().any(|(_, shared)| Arc::ptr_eq(shared, set));
        let bytes = size_of::<Self>() + size_of_val(&*set.ranges);
        if is_common { 0 } else { bytes / Arc::strong_count(set).max(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_with_the_same_large_class_keep_it_once() {
        let class = |source: &str| match regex_syntax::parse(source).map(Hir::into_kind) {
            Ok(HirKind::Class(class)) => class,
            other => panic!("{source} is no class: {other:?}"),
        };
        let letters = CharSet::of(&class(r"\p{L}"));
        assert!(Arc::ptr_eq(&letters, &CharSet::of(&class(r"\p{L}"))));
        assert!(!Arc::ptr_eq(&letters, &CharSet::of(&class(r"\p{Lu}"))));
        assert!(letters.contains('格') && !letters.contains('5'));
    }
}
