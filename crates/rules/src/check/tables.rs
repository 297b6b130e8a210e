//! One `[[table]]`: its file, its columns and its rows.

mod columns;
mod rows;

use std::sync::Arc;

use mynah_tables::Table as Sheet;

use self::columns::Columns;
use super::names::Names;
use super::{Checker, Fields};
use crate::keys::Table;
use crate::model::{AnswerTable, Matching, Rule, Shape, Step};
use crate::problem::{Conflict, Problem, SheetProblem};
use crate::shadow::RuleSpots;
use crate::sources::Spot;
use mynah_core::ActionKind;
use mynah_reader::TableNode;

/// How much a message has in common with a question of a table, unless `at_least` says so.
/// Chosen with the lists in `tests/similar`.
const AT_LEAST: f64 = 0.6;

impl Checker<'_> {
    pub(super) fn table(&mut self, node: &TableNode, spot: Spot) -> Rule {
        let fields = Fields::read(Table::Sheet, node, spot, self.report);
        self.needs(&fields, &["file"]);
        let (when, mut names) = self.conditions(&fields);
        let matching = self.matching(&fields);
        self.uses_broken_list |= self.has_broken_lists && matching == Matching::Pattern;
        let read = self.sheet(&fields);
        let mut table =
            read.map(|(name, sheet)| self.answers(&fields, name, &sheet, matching, &mut names));
        if fields.is_partly_unknown() || table.is_none() {
            names = names.partial();
        }
        let (then, before_reply) = self.table_actions(&fields, &names);
        if let Some(table) = &mut table {
            table.before_reply = before_reply;
        }
        let brakes = self.brakes(&fields, &names);
        self.spots.push(RuleSpots::of(&fields));
        Rule {
            place: self.place(&fields.spot),
            name: self.name(&fields, "table"),
            // Without rows it answers nothing; then the report has an error.
            off: fields.flag("off") || table.is_none(),
            table: table.map(Box::new),
            when,
            then,
            fetch: None,
            answer_as: None,
            brakes,
            priority: fields.integer("priority").unwrap_or(0),
            go_on: fields.flag("continue"),
            silent: false,
        }
    }

    fn matching(&mut self, fields: &Fields<'_>) -> Matching {
        let word = self.word(fields, "match");
        let is_similar = word == Some("similar");
        if fields.has("at_least") && !is_similar && !fields.is_unreadable("match") {
            self.conflict(fields, "at_least", Conflict::AtLeastWithout);
        }
        match word {
            Some("keyword") => Matching::Keyword,
            Some("pattern") => Matching::Pattern,
            Some("similar") => Matching::Similar(self.at_least(fields).unwrap_or(AT_LEAST)),
            _ => Matching::Exact,
        }
    }

    /// The sheet of a table, and its name for people.
    fn sheet(&mut self, fields: &Fields<'_>) -> Option<(Arc<str>, Sheet)> {
        let file = fields.text("file")?;
        if self.is_blank("file", &file) {
            return None;
        }
        let around = self.around;
        let read = around.table_files.get(&(file.spot.file, file.text.to_owned()))?;
        let (id, bytes) = match read {
            Ok((id, bytes)) => (*id, bytes),
            Err(bad) => {
                self.say(Problem::File(bad.clone()), file.spot);
                return None;
            }
        };
        let sheet = fields.text("sheet");
        let path = around.sources.name(id);
        match mynah_tables::read(bytes, file.text, sheet.as_ref().map(|sheet| sheet.text)) {
            Ok(read) => {
                if let Some(sheet) = &sheet
                    && !matches!(read.form(), mynah_tables::Form::Sheet { .. })
                {
                    let spot = sheet.spot.clone();
                    self.say(Problem::Sheet(SheetProblem::SheetOfText), spot);
                }
                let name = sheet.map_or_else(
                    || Arc::clone(&path),
                    |sheet| format!("{path}#{}", sheet.text.trim()).into(),
                );
                Some((name, read))
            }
            Err(why) => {
                let spot = match (&why, sheet) {
                    (mynah_tables::Unreadable::NoSheet { .. }, Some(sheet)) => sheet.spot,
                    _ => file.spot,
                };
                let path = path.to_string();
                self.say(Problem::Sheet(SheetProblem::Unreadable { path, why }), spot);
                None
            }
        }
    }

    /// The questions and answers of a sheet.
    fn answers(
        &mut self,
        fields: &Fields<'_>,
        name: Arc<str>,
        sheet: &Sheet,
        matching: Matching,
        names: &mut Names,
    ) -> AnswerTable {
        let shape = Shape { at_sender: fields.flag("at_sender"), quote: fields.flag("quote") };
        let mut table = AnswerTable {
            name,
            matching,
            questions: Vec::new(),
            patterns: Vec::new(),
            rows: crate::rows::Rows::default(),
            shape,
            templates: fields.flag("templates"),
            before_reply: 0,
        };
        if let Some(columns) = Columns::of(self, fields, sheet) {
            self.rows_of(fields, sheet, &columns, &mut table, names);
            self.say_read(fields, sheet, &columns, &table);
        }
        table
    }

    /// Says how a table was read, or that it has no rows.
    fn say_read(
        &mut self,
        fields: &Fields<'_>,
        sheet: &Sheet,
        columns: &Columns,
        table: &AnswerTable,
    ) {
        let name = table.name.to_string();
        let spot = fields.text("file").map_or(fields.spot.clone(), |file| file.spot);
        let problem = if table.rows.len() == 0 {
            SheetProblem::NoRows { name }
        } else {
            SheetProblem::Read {
                name,
                rows: table.rows.len(),
                header: columns.header,
                titles: columns.titles,
                columns: columns.shown(),
                form: sheet.form().clone(),
            }
        };
        self.say(Problem::Sheet(problem), spot);
    }

    /// The actions beside the answer, and how many of them come before it.
    fn table_actions(&mut self, fields: &Fields<'_>, names: &Names) -> (Vec<Step>, usize) {
        let kinds = [("image", ActionKind::Image), ("attachment", ActionKind::File)];
        self.service_has(fields, &kinds);
        self.unread.sets |= ["set", "add"].iter().any(|key| fields.is_unreadable(key));
        if fields.flag("at_sender") {
            let spot = fields.key_spot("at_sender");
            self.plain_mention("at_sender", spot);
        }
        let mut steps = self.sets(fields, names);
        steps.extend(self.additions(fields, names));
        let before = steps.len();
        if fields.entry("forward_to").is_some() {
            steps.push(Step::Forward(self.globs(fields, "forward_to")));
        }
        (steps, before)
    }
}
