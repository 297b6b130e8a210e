//! Whether a regular expression requires any fixed text, by which an index can find it.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Whether every match contains one of a few texts.
pub(super) fn has_fixed_text(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(_) => true,
        HirKind::Class(class) => is_few(class),
        HirKind::Repetition(repetition) => repetition.min > 0 && has_fixed_text(&repetition.sub),
        HirKind::Capture(capture) => has_fixed_text(&capture.sub),
        HirKind::Concat(parts) => parts.iter().any(has_fixed_text),
        HirKind::Alternation(branches) => branches.iter().all(has_fixed_text),
    }
}

/// Whether a class has so few members that it means one letter in either case or one sign in either width.
fn is_few(class: &Class) -> bool {
    const FEW: usize = 4;
    let members: usize = match class {
        Class::Unicode(class) => class.iter().map(regex_syntax::hir::ClassUnicodeRange::len).sum(),
        Class::Bytes(class) => class.iter().map(regex_syntax::hir::ClassBytesRange::len).sum(),
    };
    members <= FEW
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_match_contains_is_fixed() {
        for (regex, fixed) in [
            (r"订单\s*(\d+)", true),
            (r"(?i)hello", true),
            ("a|b", true),
            (r"\d{8}", false),
            ("(ab)?c*", false),
            (r"a|\d", false),
            ("(ab)+", true),
            (r"^\d+元$", true),
        ] {
            let hir = regex_syntax::parse(regex).expect("a regex");
            assert_eq!(has_fixed_text(&hir), fixed, "{regex}");
        }
    }
}
