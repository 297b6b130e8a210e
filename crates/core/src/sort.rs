//! Sorting with little code.

use std::cmp::Ordering;

/// Sorts as [`sort_by`](slice::sort_by) does, which adds nine kilobytes to a program for each type of items and each order: here
/// the sort itself is compiled once. For short lists, and for work that is rare.
///
/// ```
/// let mut words = vec!["the", "a", "on", "be"];
/// mynah_core::sort_by(&mut words, |a, b| a.len().cmp(&b.len()));
/// assert_eq!(words, ["a", "on", "be", "the"]);
/// ```
pub fn sort_by<T>(items: &mut Vec<T>, mut compare: impl FnMut(&T, &T) -> Ordering) {
    let order = ordered(items.len(), &mut |one, other| compare(&items[one], &items[other]));
    let mut places: Vec<Option<T>> = std::mem::take(items).into_iter().map(Some).collect();
    items.extend(order.into_iter().filter_map(|at| places[at].take()));
}

/// Sorts as [`sort_by_key`](slice::sort_by_key) does, with little code as [`sort_by`].
pub fn sort_by_key<T, K: Ord>(items: &mut Vec<T>, key: impl Fn(&T) -> K) {
    sort_by(items, |one, other| key(one).cmp(&key(other)));
}

/// The numbers below `count` in order.
fn ordered(count: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|one, other| compare(*one, *other));
    order
}
