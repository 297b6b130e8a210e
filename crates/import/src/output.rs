//! Writes the files of the result.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use mynah_reader::Lang;

use crate::book::{Book, Rule};
use crate::remark::{Reason, Remark};
use crate::toml_text::{key, quoted, value};
use crate::{Input, Kind};
use mynah_core::sort_by_key;

/// With more rules than this, each section is a file of its own.
const IN_ONE_FILE: usize = 2_000;

/// The most rules of a file; a file has at most 32 MB.
const IN_A_FILE: usize = 20_000;

/// So many places of one reason are named in the comment.
const NAMED: usize = 5;

/// The keys in the order in which they are written; the order of the reference.
const ORDER: [&str; 40] = [
    "file",
    "sheet",
    "match",
    "question",
    "reply_column",
    "at_least",
    "keyword",
    "all",
    "none",
    "exact",
    "prefix",
    "suffix",
    "pattern",
    "regex",
    "similar",
    "case",
    "event",
    "in",
    "groups",
    "at_me",
    "from",
    "not_from",
    "time",
    "chance",
    "after",
    "within",
    "when",
    "set",
    "add",
    "reply",
    "reply_one_of",
    "reply_all_of",
    "image",
    "run",
    "args",
    "answer_as",
    "do",
    "silent",
    "continue",
    "id",
];

/// A rule in the written files: where it begins and ends.
#[derive(Debug)]
pub(crate) struct Written {
    /// The lines, from 1, last included.
    pub(crate) lines: std::ops::RangeInclusive<usize>,
    /// The section, and the rule in it.
    pub(crate) at: (usize, usize),
}

/// The text files of a result, `bot.toml` first, and the places of the rules in each.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) files: Vec<(String, String)>,
    pub(crate) places: BTreeMap<String, Vec<Written>>,
}

/// A text file in the making.
#[derive(Default)]
struct Page {
    text: String,
    lines: usize,
    places: Vec<Written>,
}

impl Page {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.lines += text.matches('\n').count();
    }

    fn rule(&mut self, rule: &Rule, at: (usize, usize)) {
        let begin = self.lines + 1;
        let mut text = String::new();
        for line in rule.comment.lines() {
            let _ = writeln!(text, "# {}", line.trim());
        }
        let table = if rule.table.is_empty() { "rule" } else { rule.table };
        let _ = writeln!(text, "[[{table}]]");
        let mut keys: Vec<_> = rule.keys.iter().collect();
        sort_by_key(&mut keys, |(key, _)| {
            ORDER.iter().position(|one| one == key).unwrap_or(ORDER.len())
        });
        for (name, one) in keys {
            let _ = writeln!(text, "{} = {}", key(name), value(one));
        }
        text.push('\n');
        self.push(&text);
        self.places.push(Written { lines: begin..=self.lines, at });
    }
}

/// Writes the rules, with a comment about their source and about all that is lost.
pub(crate) fn write(
    book: &Book,
    kinds: &BTreeMap<Kind, usize>,
    inputs: &[Input],
    lang: Lang,
) -> Output {
    let rules: usize = book.sections.iter().map(|section| section.rules.len()).sum();
    let mut main = Page::default();
    main.push(&head(book, kinds, inputs, lang));
    let mut parts = Vec::new();
    if rules > IN_ONE_FILE {
        parts = split(book);
        let names: Vec<String> = parts.iter().map(|(name, _)| quoted(name)).collect();
        main.push(&format!("include = [{}]\n\n", names.join(", ")));
    }
    main.push(&settings(book));
    if parts.is_empty() {
        for (number, section) in book.sections.iter().enumerate() {
            main.push(&heading(&section.title));
            for (at, rule) in section.rules.iter().enumerate() {
                main.rule(rule, (number, at));
            }
        }
    }
    let mut output = Output { files: Vec::new(), places: BTreeMap::new() };
    for (name, page) in std::iter::once(("bot.toml".to_owned(), main)).chain(parts) {
        let text = format!("{}\n", page.text.trim_end());
        output.places.insert(name.clone(), page.places);
        output.files.push((name, text));
    }
    output
}

fn heading(title: &str) -> String {
    if title.is_empty() { String::new() } else { format!("# ---- {} ----\n\n", one_line(title)) }
}

/// The sections as files.
fn split(book: &Book) -> Vec<(String, Page)> {
    let mut taken = BTreeSet::from(["bot.toml".to_owned()]);
    let mut parts: Vec<(String, Page)> = Vec::new();
    for (number, section) in book.sections.iter().enumerate() {
        for (at, rule) in section.rules.iter().enumerate() {
            if at % IN_A_FILE == 0 {
                let mut page = Page::default();
                page.push(&heading(&section.title));
                parts.push((file_name(&section.title, &mut taken), page));
            }
            if let Some((_, page)) = parts.last_mut() {
                page.rule(rule, (number, at));
            }
        }
    }
    parts
}

/// A file name made of a title: small letters, digits and hyphens.
fn file_name(title: &str, taken: &mut BTreeSet<String>) -> String {
    let words: String = title
        .chars()
        .map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' })
        .take(40)
        .collect();
    let stem = words.split_whitespace().collect::<Vec<_>>().join("-");
    let stem = if stem.is_empty() { "rules".to_owned() } else { stem };
    let mut name = format!("{stem}.toml");
    let mut number = 2;
    while !taken.insert(name.clone()) {
        name = format!("{stem}-{number}.toml");
        number += 1;
    }
    name
}

/// `[bot]` and `[lists]`.
fn settings(book: &Book) -> String {
    let mut text = String::new();
    if !book.vars.is_empty() {
        text.push_str("[bot.vars]\n");
        for (name, one) in &book.vars {
            let _ = writeln!(text, "{} = {}", key(name), quoted(one));
        }
        text.push('\n');
    }
    if !book.lists.is_empty() {
        text.push_str("[lists]\n");
        for (name, items) in &book.lists {
            let items = crate::book::Value::List(
                items.iter().map(|item| crate::book::Value::Text(item.clone())).collect(),
            );
            let _ = writeln!(text, "{} = {}", key(name), value(&items));
        }
        text.push('\n');
    }
    text
}

/// The comment at the top: the source, and all that is lost or changed.
fn head(book: &Book, kinds: &BTreeMap<Kind, usize>, inputs: &[Input], lang: Lang) -> String {
    let names: Vec<&str> = kinds.keys().map(|kind| kind.shown(lang)).collect();
    let names = names.join(", ");
    let first: Vec<String> = inputs.iter().take(NAMED).map(|input| one_line(&input.name)).collect();
    let more = if inputs.len() > NAMED { " …" } else { "" };
    let files = first.join(", ");
    let mut text = match lang {
        Lang::En => format!("# Made by `mynah import` from {files}{more} ({names}).\n"),
        Lang::Zh => format!("# 由 `mynah import` 从 {files}{more} 生成（{names}）。\n"),
    };
    for is_loss in [true, false] {
        text.push_str(&listed(&book.remarks, is_loss, lang));
    }
    text.push('\n');
    text
}

/// The remarks of one sort by their reasons: the number, and the first places.
fn listed(remarks: &[Remark], is_loss: bool, lang: Lang) -> String {
    let mut by_reason: BTreeMap<Reason, Vec<&Remark>> = BTreeMap::new();
    for remark in remarks.iter().filter(|remark| remark.is_loss() == is_loss) {
        by_reason.entry(remark.reason).or_default().push(remark);
    }
    if by_reason.is_empty() {
        return String::new();
    }
    let mut text = String::from(match (is_loss, lang) {
        (true, Lang::En) => "#\n# Not imported:\n",
        (true, Lang::Zh) => "#\n# 没有导入：\n",
        (false, Lang::En) => "#\n# Imported, but different:\n",
        (false, Lang::Zh) => "#\n# 导入了，但有不同：\n",
    });
    for (reason, all) in by_reason {
        let _ = writeln!(text, "#   {} ({})", reason.text(lang), all.len());
        for one in all.iter().take(NAMED) {
            let subject = one_line(&one.subject);
            let _ = writeln!(text, "#     {}:{} {subject}", one_line(one.file()), one.line());
        }
        if all.len() > NAMED {
            let more = all.len() - NAMED;
            let _ = match lang {
                Lang::En => writeln!(text, "#     and {more} more: `mynah import … --all`"),
                Lang::Zh => writeln!(text, "#     另有 {more} 条：`mynah import … --all`"),
            };
        }
    }
    text
}

/// A text from outside in a comment: no line end, and no character that TOML forbids there.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || c == '\u{2028}' || c == '\u{2029}' { ' ' } else { c })
        .collect()
}
