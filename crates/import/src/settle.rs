//! Makes sure that the result loads: a rule that `mynah-rules` refuses is taken out and listed.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mynah_core::{sort_by, to_map};

use mynah_reader::Lang;
use mynah_rules::{Files, LoadOptions, RuleBook};

use crate::book::{Book, Value};
use crate::output::{self, Output};
use crate::remark::{Reason, Remark};
use crate::{ImportError, Imported, Input, Kind};

/// So many times rules are taken out. A rule that is taken out can be the last one with an id, or the end of a redirect.
const ROUNDS: usize = 8;

/// The files of the result, as rule files are read.
struct Memory<'m> {
    texts: BTreeMap<PathBuf, &'m str>,
    others: BTreeMap<PathBuf, &'m [u8]>,
}

impl Files for Memory<'_> {
    fn read(&self, path: &Path) -> io::Result<String> {
        let text = self.texts.get(path).map(|text| (*text).to_owned());
        let other = || {
            let bytes = self.others.get(path).ok_or(io::ErrorKind::NotFound)?;
            String::from_utf8(bytes.to_vec()).map_err(|_| io::ErrorKind::InvalidData)
        };
        text.map_or_else(|| other().map_err(io::Error::from), Ok)
    }

    fn read_table(&self, _folder: &Path, path: &Path) -> io::Result<Vec<u8>> {
        let bytes = self.others.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(bytes.to_vec())
    }

    fn size(&self, _folder: &Path, path: &Path) -> io::Result<u64> {
        let name = Path::new(path.file_name().unwrap_or_default());
        let bytes = self.others.get(path).or_else(|| self.others.get(name));
        bytes.map(|bytes| bytes.len() as u64).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn list(&self, _folder: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(self.texts.keys().cloned().collect())
    }
}

/// Writes the book, checks it, and takes out the rules with errors until there are none.
pub(crate) fn settle(
    mut book: Book,
    kinds: BTreeMap<Kind, usize>,
    inputs: &[Input],
    lang: Lang,
) -> Result<Imported, ImportError> {
    let mut first = None;
    for _ in 0..=ROUNDS {
        let output = output::write(&book, &kinds, inputs, lang);
        let (errors, rules) = checked(&output, &book.files);
        if let Some(rules) = rules {
            return finished(book, &rules, kinds, inputs, lang);
        }
        let is_shorter = take_out(&mut book, &output, &errors);
        first = errors.into_iter().next();
        if !is_shorter {
            break;
        }
    }
    Err(match first {
        Some((file, line, _, message)) => {
            ImportError::Form { file: format!("the result, {file}"), line, message }
        }
        None => ImportError::NoRule { reason: "the rules do not load".to_owned() },
    })
}

/// File, line, code and message.
type Mistake = (String, usize, &'static str, String);

/// Loads the result: its mistakes, and the rules if there are none.
fn checked(output: &Output, files: &[(String, Vec<u8>)]) -> (Vec<Mistake>, Option<Arc<RuleBook>>) {
    let texts = output.files.iter().map(|(name, text)| (PathBuf::from(name), text.as_str()));
    let others = files.iter().map(|(name, bytes)| (PathBuf::from(name), bytes.as_slice()));
    let memory = Memory { texts: to_map(texts), others: to_map(others) };
    let loaded = mynah_rules::load(Path::new("bot.toml"), &memory, &LoadOptions::default());
    let errors = loaded.diagnostics.iter().filter(|one| one.is_error());
    let errors = errors
        .map(|one| (one.file.to_string(), one.line as usize, one.code, one.message(Lang::En)))
        .collect();
    (errors, loaded.book)
}

/// Takes out the rules in which errors are. Returns whether there was one.
fn take_out(book: &mut Book, output: &Output, errors: &[Mistake]) -> bool {
    let mut out: BTreeMap<(usize, usize), (&'static str, &str)> = BTreeMap::new();
    for (file, line, code, message) in errors {
        let places = output.places.get(file).map(Vec::as_slice).unwrap_or_default();
        let at = places.partition_point(|one| one.lines.end() < line);
        if let Some(one) = places.get(at).filter(|one| one.lines.contains(line)) {
            out.entry(one.at).or_insert((code, message));
        }
    }
    for (at, (code, message)) in &out {
        let rule = &book.sections[at.0].rules[at.1];
        let reason = if *code == "loop" { Reason::Loop } else { Reason::Refused };
        let subject = match reason {
            Reason::Loop => rule.subject.clone(),
            _ => format!("{} ({message})", rule.subject),
        };
        let remark = Remark::new(rule.place.clone(), reason, &subject);
        book.remarks.push(remark);
    }
    let gone: BTreeSet<(usize, usize)> = out.keys().copied().collect();
    let mut ids = BTreeSet::new();
    for (number, section) in book.sections.iter_mut().enumerate() {
        let mut at = 0;
        section.rules.retain(|rule| {
            at += 1;
            let stays = !gone.contains(&(number, at - 1));
            if !stays && let Some(Value::Text(id)) = rule.get("id") {
                ids.insert(id.clone());
            }
            stays
        });
    }
    if !ids.is_empty() {
        forget(book, &ids);
    }
    !gone.is_empty()
}

/// Takes the ids of rules that are gone out of `after`. A rule that follows nothing any more goes, too.
fn forget(book: &mut Book, ids: &BTreeSet<String>) {
    let mut remarks = Vec::new();
    for section in &mut book.sections {
        section.rules.retain_mut(|rule| {
            let after = match rule.get("after") {
                Some(Value::Text(id)) => vec![id.clone()],
                Some(Value::List(all)) => {
                    let ids = all
                        .iter()
                        .filter_map(|one| if let Value::Text(id) = one { Some(id) } else { None });
                    ids.cloned().collect()
                }
                _ => return true,
            };
            let left: Vec<String> = after.iter().filter(|id| !ids.contains(*id)).cloned().collect();
            if left.is_empty() {
                let place = rule.place.clone();
                remarks.push(Remark::new(place, Reason::NoSuchReply, &rule.subject));
                return false;
            }
            rule.put("after", Value::texts(left));
            true
        });
    }
    book.remarks.append(&mut remarks);
}

/// The files, with the remarks in the order of their places.
fn finished(
    mut book: Book,
    loaded: &RuleBook,
    kinds: BTreeMap<Kind, usize>,
    inputs: &[Input],
    lang: Lang,
) -> Result<Imported, ImportError> {
    sort_by(&mut book.remarks, |a, b| (&a.place, a.reason).cmp(&(&b.place, b.reason)));
    book.remarks.dedup();
    let output = output::write(&book, &kinds, inputs, lang);
    let mut files: Vec<(String, Vec<u8>)> =
        output.files.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
    files.append(&mut book.files);
    let rules = book.sections.iter().map(|section| section.rules.len()).sum();
    if rules == 0 {
        return Err(ImportError::no_rule(&book.remarks, lang));
    }
    // The header of a table, and its rows without an answer, are not items.
    let rules_of_tables = book.sections.iter().flat_map(|section| &section.rules);
    let of_tables: usize = rules_of_tables
        .filter(|rule| rule.table == "table")
        .filter_map(|rule| book.rows.get(&rule.place.item))
        .sum();
    let answered = if of_tables == 0 { 0 } else { loaded.rows().count() };
    let items = book.items - of_tables.saturating_sub(answered);
    Ok(Imported { files, kinds, items, lost: book.lost(), rules, remarks: book.remarks })
}
