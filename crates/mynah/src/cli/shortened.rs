//! Diagnostics for people, shortened: thousands of warnings of one kind hide the one that matters.

use std::collections::BTreeMap;
use std::io::{self, Write};

use mynah_rules::{Diagnostic, Lang, Severity};

use super::print::grouped;
use mynah_core::sort_by_key;

/// So many diagnostics of one code are shown.
const OF_ONE_CODE: usize = 20;

/// So many lines are shown, those that count the rest left out.
const LINES: usize = 150;

/// The diagnostics that are shown, in the order of their places, and for each code how many are not.
pub(super) struct Shortened<'d> {
    pub(super) shown: Vec<&'d Diagnostic>,
    hidden: BTreeMap<(Severity, &'d str), usize>,
}

impl<'d> Shortened<'d> {
    /// Chooses from diagnostics: errors first, then warnings, then notes; of these the first of each code, then the second, so
    /// that a frequent code hides no other. `lines` gives the lines that one takes.
    pub(super) fn of(
        all: impl Iterator<Item = &'d Diagnostic>,
        lines: impl Fn(&Diagnostic) -> usize,
    ) -> Self {
        let mut of_code = BTreeMap::<(Severity, &str), usize>::new();
        let counted = all.enumerate().map(|(place, one)| {
            let count = of_code.entry((one.severity, one.code)).or_default();
            *count += 1;
            (*count, place, one)
        });
        let mut ordered: Vec<(usize, usize, &Diagnostic)> = counted.collect();
        sort_by_key(&mut ordered, |(nth, place, one)| (one.severity, *nth, *place));
        let (mut shown, mut hidden, mut left) = (Vec::new(), BTreeMap::new(), LINES);
        for (nth, place, one) in ordered {
            let needs = if nth <= OF_ONE_CODE { lines(one) } else { LINES };
            if nth <= OF_ONE_CODE && needs <= left {
                left -= needs;
                shown.push((place, one));
            } else {
                *hidden.entry((one.severity, one.code)).or_default() += 1;
            }
        }
        sort_by_key(&mut shown, |(place, _)| *place);
        Self { shown: shown.into_iter().map(|(_, one)| one).collect(), hidden }
    }

    /// Writes how many are not shown, a line for each code.
    pub(super) fn write_hidden(&self, out: &mut dyn Write, lang: Lang) -> io::Result<()> {
        for ((severity, code), count) in &self.hidden {
            let (severity, count) = (severity.word(), grouped(*count));
            match lang {
                Lang::En => writeln!(out, "{severity}[{code}]: and {count} more (--all)")?,
                Lang::Zh => writeln!(out, "{severity}[{code}]：另有 {count} 条（--all）")?,
            }
        }
        Ok(())
    }
}
