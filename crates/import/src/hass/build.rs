//! Blocks of sentences as rules.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use mynah_core::{sort_by, sort_by_key, to_map};

use mynah_matching::Lists;
use mynah_matching::pattern::Pattern;

use super::lists::List;
use super::resolve::{self, Rules, enumerated, has, ways};
use super::template::{self, Part};
use super::{Block, Sentences, emit};
use crate::book::{Book, Rule, Value};
use crate::names::{self, variable};
use crate::remark::{Place, Reason};

/// A rule without slots is a list if it has at most so many texts.
const IN_A_LIST: usize = 200;

/// A sentence is at most so many rules.
const RULES: usize = 128;

/// The order of a pattern: hassil prefers names, few wildcards, much literal text, and little text in wildcards.
type Rank = (bool, usize, Reverse<usize>, Reverse<usize>);

/// The patterns that share a rule: block, fixed slots.
type Key = (usize, Vec<(String, String)>, bool, usize, Reverse<usize>);

/// A pattern with its fixed slots and its rank.
type Found = (Vec<(String, String)>, Rank, String);

/// The lists that the patterns use.
#[derive(Default)]
struct Used {
    lists: BTreeMap<String, Vec<String>>,
    /// Lists that are not in the files, with the first place of each.
    unknown: BTreeMap<String, Place>,
}

pub(super) fn build(all: &Sentences, book: &mut Book) {
    let used = RefCell::new(Used::default());
    let fixed = fixed_rules(all);
    let mut rules: BTreeMap<Key, (Vec<(Rank, String)>, Place)> = BTreeMap::new();
    for (number, block) in all.blocks.iter().enumerate() {
        for (sentence, line) in &block.sentences {
            let place = book.item(Arc::clone(&block.file), *line);
            let one = One { all, block, fixed: &fixed, used: &used, place: &place };
            match one.patterns(sentence, &mut |reason| {
                book.remarks.push(crate::Remark::new(place.clone(), reason, sentence));
            }) {
                Ok(found) => {
                    for (slots, rank, pattern) in found {
                        let key = (number, slots, rank.0, rank.1, rank.3);
                        let entry = rules.entry(key).or_insert_with(|| (Vec::new(), place.clone()));
                        entry.0.push((rank, pattern));
                    }
                }
                Err(reason) => book.remark(&place, reason, sentence.clone()),
            }
        }
    }
    let used = used.into_inner();
    for (name, place) in &used.unknown {
        book.remark(place, Reason::AnyText, name.clone());
    }
    let lists: Lists = to_map(used.lists.iter().map(|(name, items)| {
        (name.clone(), Arc::new(mynah_matching::List::new(items.iter().cloned())))
    }));
    book.lists.extend(used.lists);
    let mut ordered: Vec<(Rank, Key, Vec<String>, Place)> = Vec::new();
    for (key, (patterns, place)) in rules {
        let mut good: Vec<(Rank, String)> = Vec::new();
        for (rank, pattern) in patterns {
            if good.iter().any(|one| one.1 == pattern) {
                continue;
            }
            match Pattern::parse_with(&pattern, &lists) {
                Ok(_) => good.push((rank, pattern)),
                Err(error) => book.remark(&place, Reason::Refused, format!("{pattern} ({error})")),
            }
        }
        // The order counts inside of a rule, too: holes for any text could take the words of the others.
        sort_by_key(&mut good, |one| one.0);
        let Some(rank) = good.iter().map(|one| one.0).min() else { continue };
        ordered.push((rank, key, good.into_iter().map(|one| one.1).collect(), place));
    }
    sort_by(&mut ordered, |a, b| (&a.0, a.1.0, &a.1.1).cmp(&(&b.0, b.1.0, &b.1.1)));
    for (_, (number, slots, ..), patterns, place) in ordered {
        let rule = rule(&all.blocks[number], slots, patterns, &place, all, book);
        book.section("").rules.push(rule);
    }
}

fn rule(
    block: &Block,
    slots: Vec<(String, String)>,
    patterns: Vec<String>,
    place: &Place,
    all: &Sentences,
    book: &mut Book,
) -> Rule {
    let mut rule = Rule::new(place.clone(), &patterns[0]).with("pattern", Value::texts(patterns));
    let mut args: Vec<(String, String)> =
        slots.into_iter().map(|(name, value)| (variable(&name), names::template(&value))).collect();
    let mut when = Vec::new();
    for slot in &block.context_slots {
        let name = format!("chat.{}", variable(slot));
        args.push((variable(slot), format!("{{{name}}}")));
        when.push((name, Value::text("!=")));
    }
    if !args.is_empty() {
        rule.put("args", Value::table(args));
    }
    if !when.is_empty() {
        rule.put("when", Value::Table(when));
    }
    rule.put("run", Value::text(variable(&block.intent)));
    if let Some(text) = all.responses.get(&(block.intent.clone(), block.response.clone())) {
        let text = text.trim();
        if text.contains("{{") || text.contains("{%") {
            book.remark(place, Reason::Template, format!("{} {}", block.intent, block.response));
        } else if !text.is_empty() {
            rule.put("reply", Value::text(names::template(text)));
        }
    }
    rule
}

/// The rules without slots, with their texts; an empty text means that the rule may be missing.
fn fixed_rules(all: &Sentences) -> BTreeMap<String, Vec<String>> {
    let none = BTreeMap::new();
    let rules = Rules { local: &none, global: &all.rules, kept: &|_| false };
    let mut fixed = BTreeMap::new();
    for name in all.rules.keys() {
        let part = resolve::resolved(&Part::Rule(name.clone()), &rules);
        let texts = part.ok().and_then(|part| enumerated(&part, IN_A_LIST));
        if let Some(texts) = texts.filter(|texts| texts.len() > 1) {
            fixed.insert(name.clone(), texts);
        }
    }
    fixed
}

/// A sentence of a block.
struct One<'o> {
    all: &'o Sentences,
    block: &'o Block,
    fixed: &'o BTreeMap<String, Vec<String>>,
    used: &'o RefCell<Used>,
    place: &'o Place,
}

impl One<'_> {
    /// The patterns with their fixed slots and ranks.
    fn patterns(
        &self,
        sentence: &str,
        remark: &mut dyn FnMut(Reason),
    ) -> Result<Vec<Found>, Reason> {
        let kept = |name: &str| self.fixed.contains_key(name) && !self.depends_on_local(name, 0);
        let rules = Rules { local: &self.block.rules, global: &self.all.rules, kept: &kept };
        let mut part = resolve::resolved(&template::parse(sentence)?, &rules)?;
        if self.all.without_blanks {
            part = template::without_blanks(&part);
        }
        let mut is_mapped: Box<dyn Fn(&str) -> bool> =
            Box::new(|name| self.list(name).is_some_and(|list| list.is_mapped()));
        let ways = match ways(&part, &*is_mapped, RULES) {
            Some(ways) => ways,
            None => {
                remark(Reason::Values);
                is_mapped = Box::new(|_| false);
                vec![part]
            }
        };
        if !self.block.requires.is_empty()
            && !has(&Part::Alt(ways.clone()), &|name| self.has_context(name))
        {
            remark(Reason::Context);
        }
        let mut found = Vec::new();
        for way in &ways {
            let mut mapped = Vec::new();
            slots(way, &mut mapped);
            mapped.retain(|(list, _)| is_mapped(list));
            let values = self.values(&mapped);
            let values = if values.len() > RULES {
                remark(Reason::Values);
                vec![BTreeMap::new()]
            } else {
                values
            };
            for chosen in values {
                let list = |name: &str, slot: &str| self.slot(name, slot, chosen.get(slot));
                let patterns =
                    emit::patterns(way, &list, &|name| self.rule(name)).ok_or(Reason::TooLong)?;
                let outs = chosen.iter().map(|(slot, (_, out))| (slot.clone(), out.clone()));
                let mut slots = to_map(self.block.slots.iter().cloned());
                slots.extend(outs);
                let slots: Vec<(String, String)> = slots.into_iter().collect();
                let rank = self.rank(way);
                found.extend(patterns.into_iter().map(|pattern| (slots.clone(), rank, pattern)));
            }
        }
        if found.is_empty() { Err(Reason::Empty) } else { Ok(found) }
    }

    fn list(&self, name: &str) -> Option<List> {
        let list = self.block.lists.get(name).or_else(|| self.all.lists.get(name))?;
        Some(
            list.in_context(&self.block.requires, &self.block.excludes)
                .unwrap_or_else(|| list.clone()),
        )
    }

    fn has_context(&self, name: &str) -> bool {
        let list = self.block.lists.get(name).or_else(|| self.all.lists.get(name));
        list.is_none_or(|list| list.in_context(&[], &[]).is_some())
    }

    /// Whether a rule uses one of the block's own rules.
    fn depends_on_local(&self, name: &str, depth: usize) -> bool {
        if self.block.rules.is_empty() {
            return false;
        }
        let text = self.all.rules.get(name).map(String::as_str).unwrap_or_default();
        self.block.rules.contains_key(name)
            || depth > 8
            || text
                .split('<')
                .skip(1)
                .filter_map(|rest| rest.split('>').next())
                .any(|inner| self.depends_on_local(inner.trim(), depth + 1))
    }

    /// The choices of values for the slots whose texts stand for something else.
    fn values(&self, mapped: &[(String, String)]) -> Vec<BTreeMap<String, (Vec<String>, String)>> {
        let mut all: Vec<BTreeMap<String, (Vec<String>, String)>> = vec![BTreeMap::new()];
        for (list, slot) in mapped {
            let outs = self.list(list).map(|list| list.by_out()).unwrap_or_default();
            let with = |chosen: &BTreeMap<String, (Vec<String>, String)>| {
                let chosen = chosen.clone();
                outs.clone().into_iter().map(move |(out, texts)| {
                    let mut next = chosen.clone();
                    next.insert(slot.clone(), (texts, out));
                    next
                })
            };
            all = all.iter().flat_map(with).take(RULES + 1).collect();
        }
        all
    }

    /// A slot in a pattern.
    fn slot(&self, name: &str, slot: &str, chosen: Option<&(Vec<String>, String)>) -> String {
        if let Some((texts, out)) = chosen {
            let plain: Option<Vec<String>> =
                texts.iter().map(|text| names::in_pattern(text)).collect();
            return match plain {
                Some(texts) if texts.len() == 1 => texts.join(""),
                Some(texts) if texts.len() <= 4 => format!("({})", texts.join("|")),
                _ => format!("<{}>", self.keep(&format!("{name}_{out}"), texts.clone())),
            };
        }
        let slot = variable(slot);
        match self.list(name) {
            None => {
                let mut used = self.used.borrow_mut();
                used.unknown.entry(name.to_owned()).or_insert_with(|| self.place.clone());
                format!("{{{slot}}}")
            }
            Some(List::Any) => format!("{{{slot}}}"),
            Some(List::Range { fractions: false }) => format!("{{{slot}:int}}"),
            Some(List::Range { fractions: true }) => format!("{{{slot}:number}}"),
            Some(list) => format!("{{{slot}:{}}}", self.keep(name, list.texts())),
        }
    }

    /// A rule without slots: a list.
    fn rule(&self, name: &str) -> String {
        let texts = self.fixed.get(name).map(Vec::as_slice).unwrap_or_default();
        let may_be_missing = texts.iter().any(String::is_empty);
        let items: Vec<String> = texts.iter().filter(|text| !text.is_empty()).cloned().collect();
        let list = self.keep(&format!("{name}_words"), items);
        if may_be_missing { format!("[<{list}>]") } else { format!("<{list}>") }
    }

    /// Puts a list into `[lists]`; one of that name with other items gets another name.
    fn keep(&self, name: &str, items: Vec<String>) -> String {
        let mut used = self.used.borrow_mut();
        let stem = variable(name.trim_end_matches("_words"));
        let stem =
            if matches!(stem.as_str(), "int" | "number") { format!("{stem}_") } else { stem };
        let mut name = stem.clone();
        let mut number = 2;
        loop {
            match used.lists.get(&name) {
                Some(known) if *known == items => return name,
                Some(_) => {
                    name = format!("{stem}_{number}");
                    number += 1;
                }
                None => {
                    used.lists.insert(name.clone(), items);
                    return name;
                }
            }
        }
    }

    fn rank(&self, way: &Part) -> Rank {
        let mut all = Vec::new();
        slots(way, &mut all);
        let is_any = |(list, _): &&(String, String)| {
            !matches!(self.list(list), Some(List::Range { .. } | List::Values(_)))
        };
        let no_name = !all.iter().any(|one| one.1 == "name" && !is_any(&one));
        let any = all.iter().filter(is_any).count();
        (no_name, any, Reverse(literal(way)), Reverse(all.len() - any))
    }
}

/// The lists and slots of a part.
fn slots(part: &Part, found: &mut Vec<(String, String)>) {
    match part {
        Part::List { list, slot } => {
            if !found.iter().any(|one| one.1 == *slot) {
                found.push((list.clone(), slot.clone()));
            }
        }
        Part::Seq(parts) | Part::Alt(parts) | Part::Perm(parts) => {
            parts.iter().for_each(|one| slots(one, found));
        }
        Part::Opt(inner) => slots(inner, found),
        Part::Text(_) | Part::Rule(_) => {}
    }
}

/// About how much literal text a part has.
fn literal(part: &Part) -> usize {
    match part {
        Part::Text(text) => text.chars().filter(|c| !c.is_whitespace()).count(),
        Part::Seq(parts) | Part::Perm(parts) => parts.iter().map(literal).sum(),
        Part::Alt(parts) => parts.iter().map(literal).max().unwrap_or_default(),
        Part::Rule(_) => 3,
        Part::Opt(_) | Part::List { .. } => 0,
    }
}
