//! The lists of slots: values, numbers, any text.

use std::collections::BTreeMap;

use super::resolve::{Rules, enumerated, resolved};
use super::template;
use crate::yaml::Node;

/// A list has at most so many texts.
const MOST: usize = 20_000;

/// The texts that a slot takes.
#[derive(Debug, Clone)]
pub(super) enum List {
    /// Any text.
    Any,
    /// Whole numbers, or numbers with a fraction.
    Range {
        fractions: bool,
    },
    Values(Vec<Item>),
}

/// A value: the texts that people say, and its meaning for the handler.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) texts: Vec<String>,
    pub(super) out: String,
    /// The context that it brings: `domain: light`.
    pub(super) context: Vec<(String, String)>,
}

pub(super) fn read(node: &Node, rules: &BTreeMap<String, String>) -> List {
    if let Some(range) = node.get("range") {
        return List::Range { fractions: range.get("fractions").is_some() };
    }
    let Some(values) = node.get("values") else { return List::Any };
    let mut left = MOST;
    let mut items = Vec::new();
    for value in values.items() {
        let written = value.text().or_else(|| value.get("in").and_then(Node::text));
        let Some(written) = written else { continue };
        let rules = Rules { local: rules, global: rules, kept: &|_| false };
        let part = template::parse(written).and_then(|part| resolved(&part, &rules));
        let texts = part.ok().and_then(|part| enumerated(&part, 300));
        let texts = texts.unwrap_or_else(|| vec![written.to_owned()]);
        let texts: Vec<String> =
            texts.into_iter().filter(|text| !text.is_empty()).take(left).collect();
        left -= texts.len();
        let out = value
            .get("out")
            .and_then(Node::text)
            .map_or_else(|| texts.first().cloned().unwrap_or_default(), str::to_owned);
        let context = value.get("context").map(Node::entries).unwrap_or_default();
        let context =
            context.iter().filter_map(|(name, one)| Some((name.clone(), one.text()?.to_owned())));
        items.push(Item { texts, out, context: context.collect() });
    }
    List::Values(items)
}

impl List {
    /// Whether some text means another value than itself.
    pub(super) fn is_mapped(&self) -> bool {
        let differs = |item: &Item| {
            item.texts.iter().any(|text| text.to_lowercase() != item.out.to_lowercase())
        };
        matches!(self, Self::Values(items) if items.iter().any(differs))
    }

    /// The values, each with all of its texts, in the order of the list.
    pub(super) fn by_out(&self) -> Vec<(String, Vec<String>)> {
        let mut all: Vec<(String, Vec<String>)> = Vec::new();
        if let Self::Values(items) = self {
            for item in items {
                match all.iter_mut().find(|one| one.0 == item.out) {
                    Some(one) => one.1.extend(item.texts.iter().cloned()),
                    None => all.push((item.out.clone(), item.texts.clone())),
                }
            }
        }
        all
    }

    /// The list without the values whose context is not the wanted one, if any value has a context.
    pub(super) fn in_context(
        &self,
        requires: &[(String, Vec<String>)],
        excludes: &[(String, Vec<String>)],
    ) -> Option<Self> {
        let Self::Values(items) = self else { return None };
        if items.iter().all(|item| item.context.is_empty()) {
            return None;
        }
        let has = |item: &Item, (name, values): &(String, Vec<String>)| {
            item.context
                .iter()
                .any(|one| one.0 == *name && (values.is_empty() || values.contains(&one.1)))
        };
        let fits = |item: &&Item| {
            requires.iter().all(|one| has(item, one)) && !excludes.iter().any(|one| has(item, one))
        };
        Some(Self::Values(items.iter().filter(fits).cloned().collect()))
    }

    /// All texts.
    pub(super) fn texts(&self) -> Vec<String> {
        let mut seen = std::collections::BTreeSet::new();
        let all = self.by_out().into_iter().flat_map(|one| one.1);
        all.filter(|text| seen.insert(text.clone())).collect()
    }
}
