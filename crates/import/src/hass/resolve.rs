//! Puts expansion rules in, and writes parts out where that is needed.

use std::collections::BTreeMap;

use super::template::{self, Part};
use crate::remark::Reason;

/// A sentence has at most so many parts once its rules are put in.
const PARTS: usize = 20_000;

/// Rules may use each other so deep.
const DEPTH: usize = 24;

/// The rules of a block, and those of all files.
pub(super) struct Rules<'r> {
    pub(super) local: &'r BTreeMap<String, String>,
    pub(super) global: &'r BTreeMap<String, String>,
    /// Rules without slots that stay: they are lists.
    pub(super) kept: &'r dyn Fn(&str) -> bool,
}

impl Rules<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.local.get(name).or_else(|| self.global.get(name)).map(String::as_str)
    }
}

/// The part without rules, except for those that are kept.
pub(super) fn resolved(part: &Part, rules: &Rules<'_>) -> Result<Part, Reason> {
    let mut left = PARTS;
    resolve(part, rules, 0, &mut left)
}

fn resolve(part: &Part, rules: &Rules<'_>, depth: usize, left: &mut usize) -> Result<Part, Reason> {
    *left = left.checked_sub(1).ok_or(Reason::TooLong)?;
    if depth > DEPTH {
        return Err(Reason::Loop);
    }
    let mut all = |parts: &[Part]| {
        parts.iter().map(|one| resolve(one, rules, depth, left)).collect::<Result<Vec<_>, _>>()
    };
    Ok(match part {
        Part::Text(_) | Part::List { .. } => part.clone(),
        Part::Seq(parts) => Part::Seq(all(parts)?),
        Part::Alt(parts) => Part::Alt(all(parts)?),
        Part::Opt(inner) => Part::Opt(Box::new(resolve(inner, rules, depth, left)?)),
        Part::Perm(parts) => permuted(&all(parts)?)?,
        Part::Rule(name) if (rules.kept)(name) => part.clone(),
        Part::Rule(name) => {
            let text = rules.text(name).ok_or(Reason::Unreadable)?;
            resolve(&template::parse(text)?, rules, depth + 1, left)?
        }
    })
}

/// The parts in all orders.
fn permuted(parts: &[Part]) -> Result<Part, Reason> {
    if parts.len() > 4 {
        return Err(Reason::TooLong);
    }
    let mut orders: Vec<Vec<Part>> = vec![Vec::new()];
    for part in parts {
        orders = orders
            .into_iter()
            .flat_map(|order| {
                (0..=order.len()).map(move |at| {
                    let mut next = order.clone();
                    next.insert(at, part.clone());
                    next
                })
            })
            .collect();
    }
    let spaced = |order: Vec<Part>| {
        let mut seq = Vec::new();
        for part in order {
            if !seq.is_empty() {
                seq.push(Part::Text(" ".into()));
            }
            seq.push(part);
        }
        Part::Seq(seq)
    };
    Ok(Part::Alt(orders.into_iter().map(spaced).collect()))
}

/// All texts of a part without slots, if there are at most so many.
pub(super) fn enumerated(part: &Part, most: usize) -> Option<Vec<String>> {
    let mut texts: Vec<String> = enumerate(part, most)?
        .iter()
        .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    let mut seen = std::collections::BTreeSet::new();
    texts.retain(|text| seen.insert(text.clone()));
    Some(texts)
}

fn enumerate(part: &Part, most: usize) -> Option<Vec<String>> {
    let texts = match part {
        Part::Text(text) => vec![text.clone()],
        Part::Seq(parts) => {
            let mut all = vec![String::new()];
            for part in parts {
                let next = enumerate(part, most)?;
                if all.len() * next.len() > most {
                    return None;
                }
                all =
                    all.iter().flat_map(|a| next.iter().map(move |b| format!("{a}{b}"))).collect();
            }
            all
        }
        Part::Alt(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(enumerate(part, most)?);
            }
            all
        }
        Part::Opt(inner) => {
            let mut all = enumerate(inner, most)?;
            all.push(String::new());
            all
        }
        Part::Perm(parts) => enumerate(&permuted(parts).ok()?, most)?,
        Part::List { .. } | Part::Rule(_) => return None,
    };
    (texts.len() <= most).then_some(texts)
}

/// The ways through a part that differ in the slots for which `is_split` holds.
pub(super) fn ways(part: &Part, is_split: &dyn Fn(&str) -> bool, most: usize) -> Option<Vec<Part>> {
    if !has(part, is_split) {
        return Some(vec![part.clone()]);
    }
    let all = match part {
        Part::Seq(parts) => {
            let mut all: Vec<Vec<Part>> = vec![Vec::new()];
            for part in parts {
                let next = ways(part, is_split, most)?;
                if all.len() * next.len() > most {
                    return None;
                }
                all = all
                    .iter()
                    .flat_map(|a| {
                        next.iter().map(move |b| a.iter().cloned().chain([b.clone()]).collect())
                    })
                    .collect();
            }
            all.into_iter().map(Part::Seq).collect()
        }
        Part::Alt(parts) => {
            let (with, without): (Vec<&Part>, Vec<&Part>) =
                parts.iter().partition(|one| has(one, is_split));
            let mut all = Vec::new();
            if !without.is_empty() {
                all.push(Part::Alt(without.into_iter().cloned().collect()));
            }
            for part in with {
                all.extend(ways(part, is_split, most)?);
            }
            all
        }
        Part::Opt(inner) => {
            let mut all = ways(inner, is_split, most)?;
            all.push(Part::nothing());
            all
        }
        other => vec![other.clone()],
    };
    (all.len() <= most).then_some(all)
}

/// Whether a part has a list for which `is_split` holds.
pub(super) fn has(part: &Part, is_split: &dyn Fn(&str) -> bool) -> bool {
    match part {
        Part::List { list, .. } => is_split(list),
        Part::Seq(parts) | Part::Alt(parts) | Part::Perm(parts) => {
            parts.iter().any(|one| has(one, is_split))
        }
        Part::Opt(inner) => has(inner, is_split),
        Part::Text(_) | Part::Rule(_) => false,
    }
}
