//! The finder against looking for each literal at each place.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn finder(lengths: KeyLengths, literals: &BTreeSet<String>, inside: bool) -> Finder {
    let mut sorted: Vec<&str> = literals.iter().map(String::as_str).collect();
    sorted.sort_by(|one, other| lengths.order(one).cmp(&lengths.order(other)));
    let is_word = |literal: &str| literal.as_bytes()[0].is_ascii_alphanumeric();
    Finder::new(lengths, sorted.into_iter().map(|literal| (literal, inside && is_word(literal))))
}

fn found(finder: &Finder, text: &str) -> BTreeSet<(usize, String)> {
    let mut found = BTreeSet::new();
    let _ = finder.find(text, |number, place| {
        assert_eq!(&text[place.clone()], finder.literal(number));
        found.insert((place.start, finder.literal(number).to_owned()));
        ControlFlow::Continue(())
    });
    found
}

/// Without `inside` those that begin inside of a word are left out.
fn expected(literals: &BTreeSet<String>, text: &str, inside: bool) -> BTreeSet<(usize, String)> {
    let is_word = |c: char| c.is_ascii_alphanumeric();
    let mut expected = BTreeSet::new();
    for (start, _) in text.char_indices() {
        let goes_on = text[..start].ends_with(is_word) && text[start..].starts_with(is_word);
        let here = literals.iter().filter(|literal| text[start..].starts_with(literal.as_str()));
        let here = here.filter(|_| inside || !goes_on);
        expected.extend(here.map(|literal| (start, literal.clone())));
    }
    expected
}

#[test]
fn many_literals_have_other_keys_than_few() {
    let all: BTreeSet<String> = (0..5_000).map(|n| format!("第{n}号 {n}")).collect();
    let text = "第12号 12第123号 123 第4999号 4999";
    for count in [10, 4_000, 5_000] {
        let literals = all.iter().take(count).cloned().collect();
        let finder = finder(KeyLengths::of(count), &literals, false);
        assert_eq!(found(&finder, text), expected(&literals, text, false), "{count} literals");
    }
    assert_eq!(found(&finder(KeyLengths::MANY, &all, false), text).len(), 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::cases(5_000)))]

    #[test]
    fn each_literal_is_found_at_each_place(
        literals in prop::collection::btree_set("[ab0:é价格\u{0}😀]{1,9}|(价格){1,4}a?|[a-m]{1,2}", 0..40),
        parts in prop::collection::vec("[ab0:é价格\u{0}😀 ]{0,20}|(价格){1,20}|[a-z ]{0,20}", 0..12),
        inside in any::<bool>(),
        lengths in prop::sample::select(vec![KeyLengths::FEW, KeyLengths::MANY]),
    ) {
        let finder = finder(lengths, &literals, inside);
        let text = parts.concat();
        let (found, expected) = (found(&finder, &text), expected(&literals, &text, inside));
        if inside {
            prop_assert_eq!(found, expected);
        } else {
            // Places inside of words may be given where they need not be.
            prop_assert!(found.is_superset(&expected), "{:?} of {:?}", found, expected);
        }
    }
}
