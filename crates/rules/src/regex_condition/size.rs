//! How large the automaton of a regex would be: a bounded repeat of a Unicode class passes any bound quickly.
//!
//! Building it takes a hundred times as long as reading the regex, so the size is estimated first, never too low and never
//! too high. Only where that leaves it open is the automaton really built, up to the limit.

use std::sync::LazyLock;

use regex_automata::nfa::thompson;
use regex_syntax::hir::{Class, ClassUnicodeRange, Hir, HirKind};

/// What the automaton of one regex may take.
const LIMIT: usize = 1 << 20;

/// What one state takes at most, with its ways to others.
const STATE: usize = 64;

/// What one state takes at least.
const SMALL_STATE: usize = 16;

/// What a range of characters takes at most: it is cut where the length in bytes changes, and once more at both ends.
const RANGE: usize = 28 * STATE;

/// What a class must be said to take before it is worth measuring.
const LARGE: usize = 100 * STATE;

/// What the usual classes take, measured once.
static MEASURED: LazyLock<Vec<(Class, usize)>> = LazyLock::new(|| {
    [r"\w", r"\d", r"\s", r"\W", r"\D", r"\S", ".", "(?s:.)"]
        .into_iter()
        .filter_map(measure)
        .collect()
});

/// Whether the automaton stays within [`LIMIT`].
pub(super) fn fits(hir: &Hir) -> bool {
    at_most(hir, of_class) <= LIMIT
        || (at_least(hir) <= LIMIT && (at_most(hir, measured) <= LIMIT || build(hir).is_some()))
}

/// The automaton, if it stays within [`LIMIT`].
fn build(hir: &Hir) -> Option<thompson::NFA> {
    let config = thompson::Config::new()
        .nfa_size_limit(Some(LIMIT))
        .which_captures(thompson::WhichCaptures::All);
    thompson::Compiler::new().configure(config).build_from_hir(hir).ok()
}

fn measure(source: &str) -> Option<(Class, usize)> {
    match regex_syntax::parse(source).ok()?.into_kind() {
        HirKind::Class(class) => Some((class.clone(), build_class(class)?)),
        _ => None,
    }
}

fn build_class(class: Class) -> Option<usize> {
    // While it is built, an automaton has more states than when it is done.
    Some(2 * build(&Hir::class(class))?.memory_usage())
}

/// What a class takes at most: built once, where a repeat of it would be built many times over.
fn measured(class: &Class) -> usize {
    let size = of_class(class);
    if size <= LARGE {
        size
    } else {
        build_class(class.clone()).map_or(size, |built| built.min(size))
    }
}

/// What the automaton takes at most, repeats written out and each class as `class` says.
fn at_most(hir: &Hir, class: fn(&Class) -> usize) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => STATE,
        HirKind::Literal(literal) => STATE.saturating_mul(literal.0.len()),
        HirKind::Class(found) => class(found),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.saturating_add(1)).max(1);
            at_most(&repetition.sub, class).saturating_add(2 * STATE).saturating_mul(times as usize)
        }
        HirKind::Capture(capture) => at_most(&capture.sub, class).saturating_add(2 * STATE),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().fold(STATE, |sum, part| {
                at_most(part, class).saturating_add(STATE).saturating_add(sum)
            })
        }
    }
}

/// What the automaton takes at least: a state for every character, repeats written out.
fn at_least(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(literal) => SMALL_STATE.saturating_mul(literal.0.len()),
        HirKind::Class(_) => SMALL_STATE,
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).max(repetition.min);
            at_least(&repetition.sub).saturating_mul(times as usize)
        }
        HirKind::Capture(capture) => at_least(&capture.sub),
        HirKind::Concat(parts) => parts.iter().map(at_least).fold(0, usize::saturating_add),
        // Alternatives may share what they begin with.
        HirKind::Alternation(parts) => parts.iter().map(at_least).max().unwrap_or(0),
    }
}

fn of_class(class: &Class) -> usize {
    if let Some((_, size)) = MEASURED.iter().find(|(known, _)| known == class) {
        return *size;
    }
    match class {
        Class::Unicode(class) => class.ranges().iter().map(of_range).sum::<usize>() + STATE,
        Class::Bytes(class) => STATE * (class.ranges().len() + 1),
    }
}

fn of_range(range: &ClassUnicodeRange) -> usize {
    let (start, end) = (range.start(), range.end());
    let bytes = end.len_utf8();
    let crosses_the_surrogates = start <= '\u{d7ff}' && end >= '\u{e000}';
    if end.is_ascii() {
        STATE
    } else if start.len_utf8() != bytes || crosses_the_surrogates {
        RANGE
    } else {
        // All that begin with the same bytes but the last are one sequence; every byte more in which the ends differ cuts
        // a part off at either end.
        let differs = u32::from(start) ^ u32::from(end);
        let cuts = [6, 12, 18].into_iter().filter(|bits| differs >> bits != 0).count();
        (2 * cuts + 1) * bytes * STATE
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex_syntax::hir::ClassUnicode;

    use super::*;

    /// Characters at whose sides an encoding changes, and any others.
    fn start() -> impl Strategy<Value = u32> {
        prop_oneof![
            prop::sample::select(vec![
                0x7f, 0x80, 0x7ff, 0x800, 0xfff, 0xd7ff, 0xe000, 0xffff, 0x1_0000, 0x3_ffff
            ]),
            0u32..0x11_0000,
        ]
    }

    proptest! {
        #[test]
        fn a_class_takes_no_more_than_is_said(
            ranges in prop::collection::vec(
                (start(), prop::sample::select(vec![0, 1, 2, 62, 63, 64, 65, 4_095, 4_096, 70_000, 300_000])),
                1..8,
            ),
        ) {
            let ranges = ranges.into_iter().filter_map(|(start, length)| {
                let end = char::from_u32(start + length)?;
                Some(ClassUnicodeRange::new(char::from_u32(start)?, end))
            });
            let hir = Hir::class(Class::Unicode(ClassUnicode::new(ranges)));
            let size = build(&hir).map_or(0, |automaton| automaton.memory_usage());
            let empty = build(&Hir::empty()).map_or(0, |automaton| automaton.memory_usage());
            prop_assert!(2 * at_most(&hir, of_class) >= 3 * size.saturating_sub(empty), "{} {}", at_most(&hir, of_class), size);
        }
    }

    #[test]
    fn huge_repeats_are_refused_before_anything_is_built() {
        for source in [
            r"[\p{L}]{1000}{1000}",
            r"(?:\w{1,500}){1,500}",
            r"((((a{50}){50}){50}){50})",
            r"(?i)(?:[\p{L}\p{N}]{200,}x?){900}",
            r"(?:(?:(?:..){64}){64}){64}",
        ] {
            let hir = regex_syntax::parse(source).expect(source);
            assert!(at_least(&hir) > LIMIT, "{source}: {}", at_least(&hir));
        }
    }

    #[test]
    fn the_estimates_lie_on_both_sides() {
        let size = |hir: &Hir| build(hir).map_or(0, |automaton| automaton.memory_usage());
        let empty = size(&Hir::empty());
        for source in [
            "",
            "a",
            "价格",
            "(?i)straße|kelvin",
            r"(\d{4,12})号?",
            r"\w{1,8}",
            r"[^a-z]+",
            r"[\u{80}-\u{10fffe}]",
            r"[\u{7ff}-\u{10001}]{3}",
            r"\p{Greek}\pL",
            r"[\w-]+",
            r"[\w.\s]{2}",
            r"(?:[\w，。-]{1,9}[^\d价]){1,3}",
            r"[一-龥]",
            r"[\u{d7ff}-\u{e000}]",
            r"[\u{1003f}-\u{10fffe}]",
            r"[\u{83f}-\u{840}]",
            r"(a|b|[c-e])*?x{2,5}",
            r"(?-u:[a-z])\b^$",
            r"[가-힣ぁ-んx]{2,}",
        ] {
            let hir = regex_syntax::parse(source).expect(source);
            let size = size(&hir).saturating_sub(empty);
            // While it is built, it is a little larger than when it is done.
            assert!(
                2 * at_most(&hir, of_class) >= 3 * size,
                "{source}: {} {size}",
                at_most(&hir, of_class)
            );
            assert!(
                2 * at_most(&hir, measured) >= 3 * size,
                "{source}: {}",
                at_most(&hir, measured)
            );
            assert!(at_least(&hir) <= size, "{source}: {} {size}", at_least(&hir));
        }
    }
}
