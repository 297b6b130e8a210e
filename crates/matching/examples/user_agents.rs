//! Compares the index with another implementation on real regular expressions: those by which browsers are recognised.
//!
//! Reads from standard input what `tests/interop/user_agents.js` of the repository writes: a line with tables of regular
//! expressions, then a line for each text with the first expression of each table that is found in it, and its groups.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, Write};
use std::time::Instant;

use mynah_matching::regex::RegexCondition;
use mynah_matching::{Conditions, Set};
use serde::Deserialize;

#[derive(Deserialize)]
struct Entry {
    regex: String,
    ignore_case: bool,
}

#[derive(Deserialize)]
struct Line {
    text: String,
    found: BTreeMap<String, Option<Expected>>,
}

#[derive(Deserialize)]
struct Expected {
    place: usize,
    groups: Vec<Option<String>>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut lines = std::io::stdin().lock().lines();
    let first = lines.next().ok_or("expected a line with tables")??;
    let written: BTreeMap<String, Vec<Entry>> = serde_json::from_str(&first)?;
    let started = Instant::now();
    let tables = load(&written)?;
    let loaded = started.elapsed();

    let mut out = std::io::stdout().lock();
    let (mut texts, mut wrong) = (0, 0);
    for line in lines {
        let line: Line = serde_json::from_str(&line?)?;
        texts += 1;
        for (name, expected) in &line.found {
            let table = tables.get(name.as_str()).ok_or("a text names an unknown table")?;
            if !answers_like(table, &line.text, expected.as_ref()) {
                wrong += 1;
                writeln!(out, "differs in {name}: {}", line.text)?;
            }
        }
    }
    let count: usize = written.values().map(Vec::len).sum();
    writeln!(
        out,
        "{count} expressions in {} tables loaded in {loaded:?}; {texts} texts, {wrong} differences",
        tables.len()
    )?;
    if wrong > 0 || texts == 0 { Err("the answers differ".into()) } else { Ok(()) }
}

fn load(written: &BTreeMap<String, Vec<Entry>>) -> Result<BTreeMap<&str, Set>, Box<dyn Error>> {
    let mut tables = BTreeMap::new();
    for (name, entries) in written {
        let mut conditions = Vec::new();
        for Entry { regex, ignore_case } in entries {
            let parsed = RegexCondition::parse(regex, !ignore_case)
                .map_err(|error| format!("{name}: {regex}: {error}"))?;
            conditions.push(Conditions {
                regex: vec![parsed],
                case: true,
                ..Conditions::default()
            });
        }
        tables.insert(name.as_str(), Set::new(&conditions, false));
    }
    Ok(tables)
}

fn answers_like(table: &Set, text: &str, expected: Option<&Expected>) -> bool {
    match (table.first(text), expected) {
        (None, None) => true,
        (Some(found), Some(expected)) => {
            let groups = (1..).zip(&expected.groups);
            found.place == expected.place
                && groups.into_iter().all(|(number, group): (usize, _)| {
                    found.taken.captures.get(&number.to_string()) == group.as_ref()
                })
        }
        _ => false,
    }
}
