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

/// What the usual classes take, measured once.
static MEASURED: LazyLock<Vec<(Class, usize)>> = LazyLock::new(|| {
    [r"\w", r"\d", r"\s", r"\W", r"\D", r"\S", ".", "(?s:.)"]
        .into_iter()
        .filter_map(measure)
        .collect()
});

/// Whether the automaton stays within [`LIMIT`].
pub(super) fn fits(hir: &Hir) -> bool {
    at_most(hir) <= LIMIT || (at_least(hir) <= LIMIT && build(hir).is_some())
}

/// The automaton, if it stays within [`LIMIT`].
fn build(hir: &Hir) -> Option<thompson::NFA> {
    let config = thompson::Config::new()
        .nfa_size_limit(Some(LIMIT))
        .which_captures(thompson::WhichCaptures::All);
    thompson::Compiler::new().configure(config).build_from_hir(hir).ok()
}

fn measure(source: &str) -> Option<(Class, usize)> {
    let hir = regex_syntax::parse(source).ok()?;
    // While it is built, an automaton has more states than when it is done.
    let size = 2 * build(&hir)?.memory_usage();
    match hir.into_kind() {
        HirKind::Class(class) => Some((class, size)),
        _ => None,
    }
}

/// What the automaton takes at most, repeats written out.
fn at_most(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => STATE,
        HirKind::Literal(literal) => STATE.saturating_mul(literal.0.len()),
        HirKind::Class(class) => of_class(class),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.saturating_add(1)).max(1);
            at_most(&repetition.sub).saturating_add(2 * STATE).saturating_mul(times as usize)
        }
        HirKind::Capture(capture) => at_most(&capture.sub).saturating_add(2 * STATE),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts
            .iter()
            .fold(STATE, |sum, part| at_most(part).saturating_add(STATE).saturating_add(sum)),
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
    if range.end().is_ascii() {
        STATE
    } else if range.start() == range.end() {
        4 * STATE
    } else {
        RANGE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            r"(a|b|[c-e])*?x{2,5}",
            r"(?-u:[a-z])\b^$",
            r"[가-힣ぁ-んx]{2,}",
        ] {
            let hir = regex_syntax::parse(source).expect(source);
            let size = size(&hir).saturating_sub(empty);
            // While it is built, it is a little larger than when it is done.
            assert!(2 * at_most(&hir) >= 3 * size, "{source}: {} {size}", at_most(&hir));
            assert!(at_least(&hir) <= size, "{source}: {} {size}", at_least(&hir));
        }
    }
}
