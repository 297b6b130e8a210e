//! Takes `\w`, `\d` and `\s` out of brackets: `[\w-]` becomes `\w|[-]`, which means the same and is read to the same.
//!
//! Where case is ignored, a class in brackets is looked through for letters with another case, and `\w` in it has more than
//! a hundred thousand characters. On its own it is known to have both cases of whatever it has. Ten thousand rules with
//! such a class took five seconds to read.

use regex_syntax::ast::{
    Alternation, Ast, ClassBracketed, ClassPerl, ClassPerlKind, ClassSet, ClassSetItem,
    ClassSetRange, Flag, Literal, LiteralKind,
};

/// Rewrites every class in brackets that is not negated and has such a member. A regex that turns Unicode off somewhere is
/// left as it is: there the two are not read to the same.
pub(super) fn take_apart(tree: &mut Ast) {
    if !names_unicode(tree) {
        rewrite(tree);
    }
}

fn rewrite(tree: &mut Ast) {
    if let Ast::ClassBracketed(class) = tree {
        if let Some(apart) = apart(class) {
            *tree = apart;
        }
        return;
    }
    parts(tree).iter_mut().for_each(rewrite);
}

fn parts(tree: &mut Ast) -> &mut [Ast] {
    match tree {
        Ast::Repetition(repetition) => std::slice::from_mut(&mut repetition.ast),
        Ast::Group(group) => std::slice::from_mut(&mut group.ast),
        Ast::Alternation(alternation) => &mut alternation.asts,
        Ast::Concat(concat) => &mut concat.asts,
        Ast::Empty(_)
        | Ast::Flags(_)
        | Ast::Literal(_)
        | Ast::Dot(_)
        | Ast::Assertion(_)
        | Ast::ClassUnicode(_)
        | Ast::ClassPerl(_)
        | Ast::ClassBracketed(_) => &mut [],
    }
}

fn names_unicode(tree: &mut Ast) -> bool {
    let flags = match &*tree {
        Ast::Flags(set) => Some(&set.flags),
        Ast::Group(group) => group.flags(),
        _ => None,
    };
    flags.is_some_and(|flags| flags.flag_state(Flag::Unicode).is_some())
        || parts(tree).iter_mut().any(names_unicode)
}

/// A class as the classes that are its members, and one in brackets of the rest; none if it has no such member.
fn apart(class: &mut ClassBracketed) -> Option<Ast> {
    let ClassSet::Item(set) = &mut class.kind else { return None };
    if class.negated {
        return None;
    }
    let union = match set {
        ClassSetItem::Union(union) => union,
        ClassSetItem::Perl(perl) => return Some(Ast::class_perl(perl.clone())),
        _ => return None,
    };
    let is_perl = |item: &ClassSetItem| matches!(item, ClassSetItem::Perl(_));
    let (taken, rest): (Vec<ClassSetItem>, Vec<ClassSetItem>) =
        std::mem::take(&mut union.items).into_iter().partition(is_perl);
    let perls = taken.iter().filter_map(|item| match item {
        ClassSetItem::Perl(perl) => Some(perl),
        _ => None,
    });
    // Classes beside each other are read as one, but a class of one character as that character.
    let shared = perls.clone().next().filter(|_| !rest.is_empty()).map(two_of);
    let mut branches: Vec<Ast> = perls.cloned().map(Ast::class_perl).collect();
    union.items = rest;
    if branches.is_empty() {
        return None;
    }
    if let Some(shared) = shared {
        union.items.push(shared);
        branches.push(Ast::class_bracketed(class.clone()));
    }
    Some(Alternation { span: class.span, asts: branches }.into_ast())
}

/// Two characters that the class has anyway, in a row and without case.
fn two_of(perl: &ClassPerl) -> ClassSetItem {
    let (from, to) = match (&perl.kind, perl.negated) {
        (ClassPerlKind::Digit | ClassPerlKind::Word, false) | (ClassPerlKind::Space, true) => {
            ('0', '1')
        }
        (ClassPerlKind::Digit | ClassPerlKind::Word, true) => (' ', '!'),
        (ClassPerlKind::Space, false) => ('\t', '\n'),
    };
    let literal = |c| Literal { span: perl.span, kind: LiteralKind::Verbatim, c };
    ClassSetItem::Range(ClassSetRange { span: perl.span, start: literal(from), end: literal(to) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex_syntax::ast::parse::Parser;
    use regex_syntax::hir::Hir;
    use regex_syntax::hir::translate::TranslatorBuilder;

    use super::*;

    fn read(source: &str, case: bool, apart: bool) -> Option<Hir> {
        let mut tree = Parser::new().parse(source).ok()?;
        if apart {
            take_apart(&mut tree);
        }
        TranslatorBuilder::new().case_insensitive(!case).build().translate(source, &tree).ok()
    }

    fn class() -> impl Strategy<Value = String> {
        let items = [
            r"\w",
            r"\W",
            r"\d",
            r"\D",
            r"\s",
            r"\S",
            "a",
            "K",
            "ſ",
            "é",
            "价",
            "：",
            "0-9",
            "a-f",
            "À-ÿ",
            "_",
            ".",
            r"\-",
            "[b-d]",
            "[^x]",
            r"[\w&&[^a]]",
            r"\p{Greek}",
            "[:alpha:]",
            r"\PL",
            "&&a-z",
        ];
        let items = prop::collection::vec(prop::sample::select(items.to_vec()), 1..5);
        (prop::bool::weighted(0.2), items).prop_map(|(negated, items)| {
            format!("[{}{}]", if negated { "^" } else { "" }, items.concat())
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(crate::cases(300)))]

        #[test]
        fn a_class_taken_apart_is_read_to_the_same(
            first in class(),
            second in class(),
            form in prop::sample::select(vec![
                "{1}+", "词({1})", "{1}{2}", "{1}|{2}", "(?<a>{1}{2}?)*x", "a{1}", "(?-i:{1})b|{2}", "(?i){1}", "(?-u:{1})",
            ]),
            case: bool,
        ) {
            let source = form.replace("{1}", &first).replace("{2}", &second);
            prop_assert!(read(&source, case, true) == read(&source, case, false), "{}", source);
        }
    }

    #[test]
    fn what_stands_in_the_rules_of_people_is_taken_apart() {
        for source in [r"[\w-]+", r"[\w]", r"订单([\d\s:：-]{4,})", r"(?:a|[\s,，]b)"] {
            let mut tree = Parser::new().parse(source).expect(source);
            take_apart(&mut tree);
            assert_ne!(tree, Parser::new().parse(source).expect(source), "{source}");
            assert!(read(source, false, true).is_some(), "{source}");
        }
    }
}
