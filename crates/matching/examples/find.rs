//! Holds each line of standard input against the conditions on the command line, and prints which hold.
//!
//! `/…/` is a regular expression, a text with `{` a sentence with holes, everything else a keyword.

use std::error::Error;
use std::io::{BufRead, Write};

use mynah_matching::pattern::Pattern;
use mynah_matching::regex::RegexCondition;
use mynah_matching::{Conditions, Set};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.is_empty() {
        return Err(
            "usage: find CONDITION… < TEXTS, e.g. find price 'weather in {city}' '/^\\d+$/'".into(),
        );
    }
    let conditions: Vec<Conditions> =
        arguments.iter().map(|argument| read(argument)).collect::<Result<_, _>>()?;
    let set = Set::new(&conditions, false);
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        for found in set.all(&line) {
            writeln!(out, "{line}\t{}\t{:?}", arguments[found.place], found.taken.captures)?;
        }
    }
    Ok(())
}

fn read(argument: &str) -> Result<Conditions, Box<dyn Error>> {
    let mut conditions = Conditions::default();
    let regex = argument.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    match regex {
        Some(regex) => conditions.regex = vec![RegexCondition::parse(regex, false)?],
        None if argument.contains('{') => conditions.pattern = vec![Pattern::parse(argument)?],
        None => conditions.keyword = vec![argument.to_owned()],
    }
    Ok(conditions)
}
