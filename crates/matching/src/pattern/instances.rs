//! The sentences of a pattern with given fillings in its holes: rules are compared by them.

use super::{HoleKind, Node, Pattern};
use crate::List;

/// The fillings of holes.
#[derive(Debug, Clone, Copy)]
pub struct Fillings<'f> {
    /// Into a hole for any text: each of these.
    pub texts: &'f [&'f str],
    /// Into a hole for whole numbers.
    pub whole: &'f [&'f str],
    /// Into a hole for any number.
    pub numbers: &'f [&'f str],
}

impl Pattern {
    /// Every sentence of the pattern with these fillings, also with its spaces left out; `None` if there are more than
    /// `most`. Some of them may not fit the pattern: a space may be needed.
    pub fn instances(&self, fillings: Fillings<'_>, most: usize) -> Option<Vec<String>> {
        of_sequence(&self.nodes, fillings, most)
    }
}

fn of_sequence(nodes: &[Node], fillings: Fillings<'_>, most: usize) -> Option<Vec<String>> {
    let mut sentences = vec![String::new()];
    for node in nodes {
        let endings = of_node(node, fillings, most)?;
        if sentences.len() * endings.len() > most {
            return None;
        }
        let joined = sentences
            .iter()
            .flat_map(|start| endings.iter().map(move |end| format!("{start}{end}")));
        sentences = joined.collect();
    }
    Some(sentences)
}

fn of_node(node: &Node, fillings: Fillings<'_>, most: usize) -> Option<Vec<String>> {
    Some(match node {
        Node::Text(text) if text.contains(' ') => vec![text.clone(), text.replace(' ', "")],
        Node::Text(text) => vec![text.clone()],
        Node::OneOf { list, .. } => items(list, most)?,
        Node::Hole { kind, .. } => {
            let texts = match kind {
                HoleKind::Text => fillings.texts,
                HoleKind::Int => fillings.whole,
                HoleKind::Number => fillings.numbers,
                HoleKind::OneOf { list, .. } => return items(list, most),
            };
            texts.iter().map(|text| (*text).to_owned()).collect()
        }
        Node::Optional(inner) => {
            let mut ways = of_sequence(inner, fillings, most)?;
            ways.push(String::new());
            ways
        }
        Node::Either(branches) => {
            let ways: Option<Vec<_>> =
                branches.iter().map(|branch| of_sequence(branch, fillings, most)).collect();
            ways?.concat()
        }
    })
}

/// The items of a list, unless there are more than `most`.
fn items(list: &List, most: usize) -> Option<Vec<String>> {
    let items = list.items();
    (items.len() <= most).then(|| items.iter().map(|item| item.to_string()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ways_through_a_pattern_are_taken() {
        let fillings = Fillings { texts: &["x", "y"], whole: &["7"], numbers: &[] };
        let instances = |pattern: &str, most| {
            Pattern::parse(pattern).expect("a pattern").instances(fillings, most)
        };
        let sentences = |pattern| instances(pattern, 100).expect("few");
        assert_eq!(sentences("天气 {city}"), ["天气 x", "天气 y", "天气x", "天气y"]);
        assert_eq!(sentences("(买|卖){n:int}[吧]"), ["买7吧", "买7", "卖7吧", "卖7"]);
        assert_eq!(instances("{a} {b} {c}", 20), None);
    }
}
