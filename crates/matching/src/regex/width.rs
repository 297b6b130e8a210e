//! Folds the literals and class members of a parsed regex to one width.

use regex_syntax::ast::{
    Ast, ClassSet, ClassSetItem, ClassSetRange, ClassSetUnion, GroupKind, Literal, LiteralKind,
};

use crate::fold::fold_width;

/// Folds every literal and class member below `tree`. Syntax is not touched: it was read before.
pub(super) fn fold(tree: &mut Ast) {
    match tree {
        Ast::Literal(literal) => fold_literal(literal),
        Ast::ClassBracketed(class) => fold_set(&mut class.kind),
        Ast::Repetition(repetition) => fold(&mut repetition.ast),
        Ast::Group(group) => {
            debug_assert!(
                !matches!(group.kind, GroupKind::CaptureIndex(0)),
                "group 0 is never written"
            );
            fold(&mut group.ast);
        }
        Ast::Alternation(alternation) => alternation.asts.iter_mut().for_each(fold),
        Ast::Concat(concat) => concat.asts.iter_mut().for_each(fold),
        Ast::Empty(_)
        | Ast::Flags(_)
        | Ast::Dot(_)
        | Ast::Assertion(_)
        | Ast::ClassUnicode(_)
        | Ast::ClassPerl(_) => {}
    }
}

fn fold_literal(literal: &mut Literal) {
    literal.c = fold_width(literal.c);
}

fn fold_set(set: &mut ClassSet) {
    match set {
        ClassSet::Item(item) => fold_item(item),
        ClassSet::BinaryOp(operation) => {
            fold_set(&mut operation.lhs);
            fold_set(&mut operation.rhs);
        }
    }
}

fn fold_item(item: &mut ClassSetItem) {
    match item {
        ClassSetItem::Literal(literal) => fold_literal(literal),
        ClassSetItem::Range(range) => {
            let folded = folded_members(range);
            if !folded.is_empty() {
                let items =
                    std::iter::once(ClassSetItem::Range(range.clone())).chain(folded).collect();
                *item = ClassSetItem::Union(ClassSetUnion { span: range.span, items });
            }
        }
        ClassSetItem::Bracketed(class) => fold_set(&mut class.kind),
        ClassSetItem::Union(union) => union.items.iter_mut().for_each(fold_item),
        ClassSetItem::Empty(_)
        | ClassSetItem::Ascii(_)
        | ClassSetItem::Unicode(_)
        | ClassSetItem::Perl(_) => {}
    }
}

/// The folded members of a range, where they differ.
fn folded_members(range: &ClassSetRange) -> Vec<ClassSetItem> {
    let (from, to) = (range.start.c, range.end.c);
    // All characters of other widths; nothing outside of these two blocks changes.
    let changing = std::iter::once('\u{3000}').chain('\u{ff01}'..='\u{ffee}');
    let inside = changing.filter(|c| (from..=to).contains(c));
    inside
        .map(|c| (c, fold_width(c)))
        .filter(|(c, folded)| c != folded)
        .map(|(_, c)| {
            ClassSetItem::Literal(Literal { span: range.span, kind: LiteralKind::Verbatim, c })
        })
        .collect()
}
