//! The rows of a table: questions, answers, pictures, files and groups.

use std::collections::HashMap;
use std::path::PathBuf;

use mynah_core::ActionKind;
use mynah_matching::fold::Folding;
use mynah_matching::glob::Glob;
use mynah_matching::pattern::{CaptureName, Pattern};
use mynah_matching::template::{NameUse, Template};
use mynah_tables::{Row, Table as Sheet};

use super::super::names::{Known, Names};
use super::super::{Checker, Fields, Text, UsedVariable};
use super::columns::Columns;
use crate::computed::{self, Computed};
use crate::model::{AnswerTable, Asked, Matching};
use crate::problem::{BadCell, BadFile, Problem, SheetProblem};
use crate::rows::Answer;
use crate::sources::Spot;

/// So many mistakes of a kind are named.
const MOST_NAMED: usize = 10;

/// Which of more patterns always set a name is not found out.
const MOST_PATTERNS: usize = 200;

/// The faults that spreadsheets show in place of a value.
const FAULTS: [&str; 8] =
    ["#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!"];

/// The reading of the rows of one table.
struct Reading<'t> {
    columns: &'t Columns,
    table: &'t mut AnswerTable,
    /// The place of the table in its rule file.
    spot: Spot,
    folding: Folding,
    /// The mistakes of each kind, by their number.
    found: HashMap<std::mem::Discriminant<BadCell>, (usize, BadCell)>,
    /// The files that were looked for.
    media: HashMap<(String, ActionKind), Result<PathBuf, BadFile>>,
    /// The names that the patterns capture.
    captures: Vec<Vec<CaptureName>>,
}

impl Checker<'_> {
    /// Reads the rows into a table, and notes the names that its patterns capture.
    pub(super) fn rows_of(
        &mut self,
        fields: &Fields<'_>,
        sheet: &Sheet,
        columns: &Columns,
        table: &mut AnswerTable,
        names: &mut Names,
    ) {
        let spot = fields.text("file").map_or(fields.spot.clone(), |file| file.spot);
        let mut reading = Reading {
            columns,
            table,
            spot,
            folding: Folding::new(false, self.fold_hant),
            found: HashMap::new(),
            media: HashMap::new(),
            captures: Vec::new(),
        };
        let header = columns.titles + usize::from(columns.header.is_some());
        for row in sheet.rows().skip(header) {
            self.row(&mut reading, row, names);
        }
        for (count, first) in std::mem::take(&mut reading.found).into_values() {
            if count > MOST_NAMED {
                let problem = SheetProblem::More { count: count - MOST_NAMED, first };
                self.say(Problem::Sheet(problem), reading.spot.clone());
            }
        }
        match reading.captures {
            many if many.len() > MOST_PATTERNS => {
                *names = std::mem::take(names).partial();
                many.iter().flatten().for_each(|capture| names.add(&capture.name));
            }
            few => names.add_captures("pattern", few.len(), &few),
        }
    }

    fn row(&mut self, reading: &mut Reading<'_>, row: Row<'_>, names: &Names) {
        let columns = reading.columns;
        let (question, reply) = (row.cell(columns.question), row.cell(columns.reply));
        let cell = |column: Option<u32>| column.map_or("", |column| row.cell(column));
        let (image, file) = (cell(columns.image), cell(columns.attachment));
        let has_answer = ![reply, image, file].iter().all(|text| text.is_empty());
        if let Some(column) = columns.unset(&row) {
            return self.bad_cell(reading, row, column, BadCell::Formula);
        }
        if question.is_empty() && !has_answer {
            return;
        }
        let places = [(columns.question, question), (columns.reply, reply)];
        if let Some((column, fault)) = places.into_iter().find(|(_, text)| FAULTS.contains(text)) {
            return self.bad_cell(reading, row, column, BadCell::Fault(fault.to_owned()));
        }
        if question.is_empty() {
            return self.bad_cell(reading, row, columns.question, BadCell::NoQuestion);
        }
        if !has_answer {
            return self.bad_cell(reading, row, columns.reply, BadCell::NoAnswer);
        }
        let questions = self.questions_in_cell(reading, row, question);
        if questions.is_empty() {
            return;
        }
        if reading.table.templates {
            let mut names = names.clone();
            let captures: Vec<_> = questions
                .iter()
                .filter_map(|(_, pattern)| Some(pattern.as_ref()?.captures()))
                .collect();
            names.add_captures("pattern", captures.len(), &captures);
            self.template_in_cell(reading, row, reply, &names);
        }
        let image =
            columns.image.and_then(|at| self.media_in_cell(reading, row, at, ActionKind::Image));
        let file = columns
            .attachment
            .and_then(|at| self.media_in_cell(reading, row, at, ActionKind::File));
        let groups = parts(cell(columns.groups), true).map(Glob::new).collect();
        let place = reading.table.rows.add(row.number(), Answer { reply, image, file, groups });
        for (text, pattern) in questions {
            reading.captures.extend(pattern.as_ref().map(Pattern::captures));
            reading.table.patterns.extend(pattern);
            reading.table.questions.push(Asked { text: text.into(), row: place });
        }
    }

    /// The questions of a cell; those with a mistake are reported and left out.
    fn questions_in_cell<'c>(
        &mut self,
        reading: &mut Reading<'_>,
        row: Row<'_>,
        cell: &'c str,
    ) -> Vec<(&'c str, Option<Pattern>)> {
        let is_pattern = reading.table.matching == Matching::Pattern;
        let mut questions = Vec::new();
        for part in parts(cell, !is_pattern) {
            let column = reading.columns.question;
            if self.is_nothing(reading, part) {
                self.bad_cell(reading, row, column, BadCell::Nothing(part.to_owned()));
                continue;
            }
            if !is_pattern {
                questions.push((part, None));
                continue;
            }
            match Pattern::parse_with(part, &self.lists) {
                Ok(pattern) if pattern.fits_every() => {
                    self.bad_cell(reading, row, column, BadCell::PatternEvery(part.to_owned()));
                }
                Ok(pattern) => questions.push((part, Some(pattern))),
                Err(error) => {
                    let bad = BadCell::Pattern(part.to_owned(), error.kind);
                    self.bad_cell(reading, row, column, bad);
                }
            }
        }
        questions
    }

    /// Whether nothing of a question counts when it is compared.
    fn is_nothing(&self, reading: &Reading<'_>, part: &str) -> bool {
        match reading.table.matching {
            Matching::Similar(_) => !part.chars().any(char::is_alphanumeric),
            _ => reading.folding.fold(part).text().trim().is_empty(),
        }
    }

    fn template_in_cell(
        &mut self,
        reading: &mut Reading<'_>,
        row: Row<'_>,
        text: &str,
        names: &Names,
    ) {
        let bad = match Template::parse(text) {
            Err(error) => Some(BadCell::Template(error.kind)),
            Ok(template) => {
                let names_used: Vec<NameUse<'_>> = template.names().collect();
                names_used
                    .iter()
                    .find_map(|used| self.bad_name(reading, used.name, used.has_default, names))
            }
        };
        if let Some(bad) = bad {
            self.bad_cell(reading, row, reading.columns.reply, bad);
        }
    }

    /// The mistake of a name in a cell, if it is one.
    fn bad_name(
        &mut self,
        reading: &Reading<'_>,
        name: &str,
        has_default: bool,
        names: &Names,
    ) -> Option<BadCell> {
        match computed::read(name) {
            Some(Ok(Computed::Upper(name) | Computed::Lower(name))) => {
                return self.bad_name(reading, name, has_default, names);
            }
            Some(Ok(Computed::OfMembers(asked))) => {
                let (name, spot) = (format!("user.{}", asked.key), reading.spot.clone());
                self.used.push(UsedVariable { name, has_default, has_no_text: true, spot });
                return None;
            }
            Some(Ok(Computed::Between(..) | Computed::OneOf(_))) => return None,
            Some(Err(bad)) => return Some(BadCell::Computed(bad)),
            None => {}
        }
        match names.look_up(name) {
            Known::Yes | Known::Perhaps => None,
            Known::Variable => {
                let (name, spot) = (name.to_owned(), reading.spot.clone());
                self.used.push(UsedVariable { name, has_default, has_no_text: false, spot });
                None
            }
            Known::NotAlways(_) if has_default => None,
            Known::NotAlways(_) => Some(BadCell::NotAlways(name.to_owned())),
            Known::No => Some(BadCell::Name(name.to_owned())),
        }
    }

    /// The path of a picture or file in a cell; looked for once.
    fn media_in_cell(
        &mut self,
        reading: &mut Reading<'_>,
        row: Row<'_>,
        column: u32,
        kind: ActionKind,
    ) -> Option<PathBuf> {
        let text = row.cell(column);
        if text.is_empty() {
            return None;
        }
        let key = (text.to_owned(), kind);
        if !reading.media.contains_key(&key) {
            let found = self.sendable(&Text { text, spot: reading.spot.clone() }, kind);
            reading.media.insert(key.clone(), found);
        }
        match reading.media.get(&key)?.clone() {
            Ok(path) => Some(path),
            Err(bad) => {
                self.bad_cell(reading, row, column, BadCell::File(bad));
                None
            }
        }
    }

    /// Reports a mistake in a cell, of each kind the first ones.
    fn bad_cell(&mut self, reading: &mut Reading<'_>, row: Row<'_>, column: u32, what: BadCell) {
        let kind = std::mem::discriminant(&what);
        let (count, _) = reading.found.entry(kind).or_insert_with(|| (0, what.clone()));
        *count += 1;
        if *count > MOST_NAMED {
            return;
        }
        let name = format!("{}:{}", reading.table.name, row.number());
        let column = reading.columns.show(column);
        let problem = SheetProblem::Cell { row: name, column, what };
        self.say(Problem::Sheet(problem), reading.spot.clone());
    }
}

/// The texts of a cell: its lines, and with `bars` the parts between bars.
fn parts(cell: &str, bars: bool) -> impl Iterator<Item = &str> {
    let parts = cell.split(move |c| c == '\n' || (bars && matches!(c, '|' | '｜')));
    parts.map(str::trim).filter(|part| !part.is_empty())
}
