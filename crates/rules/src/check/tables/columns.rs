//! Which columns of a table are which.

use mynah_matching::fold::Folding;
use mynah_reader::{Value, closest};
use mynah_tables::{MOST_COLUMNS, Row, Table as Sheet};

use super::super::{Checker, Fields};
use crate::problem::{Problem, SheetProblem};

/// The keys of columns.
const KEYS: [&str; 5] = ["question", "reply", "image", "attachment", "groups"];

/// Usual headers of questions, folded: also in small letters and simplified characters.
const QUESTION: [&str; 27] = [
    "问题",
    "问",
    "问句",
    "提问",
    "问法",
    "标准问",
    "标准问题",
    "标准问法",
    "用户问题",
    "关键词",
    "关键字",
    "触发词",
    "question",
    "questions",
    "q",
    "query",
    "ask",
    "keyword",
    "keywords",
    "key words",
    "trigger",
    "prompt",
    "instruction",
    "问题描述",
    "问题内容",
    "句式",
    "pattern",
];

/// Usual headers of answers, folded.
const REPLY: [&str; 22] = [
    "答案",
    "答",
    "回答",
    "答复",
    "回复",
    "回复内容",
    "回覆",
    "回覆内容",
    "答覆",
    "答案内容",
    "标准答案",
    "标准回答",
    "应答",
    "话术",
    "answer",
    "answers",
    "a",
    "reply",
    "replies",
    "response",
    "output",
    "text",
];

/// The columns of a table, from 1.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    /// The number of the row that names them.
    pub(super) header: Option<u32>,
    /// So many rows above it are titles.
    pub(super) titles: usize,
    pub(super) question: u32,
    pub(super) reply: u32,
    pub(super) image: Option<u32>,
    pub(super) attachment: Option<u32>,
    pub(super) groups: Option<u32>,
    /// The headers, by their columns.
    names: Vec<(u32, String)>,
}

/// A column as it is written.
enum Written<'n> {
    Name(&'n str),
    Number(u32),
}

impl Written<'_> {
    /// The folded header.
    fn folded(&self) -> Option<String> {
        if let Self::Name(name) = self { Some(folded(name)) } else { None }
    }
}

/// So many rows may be titles above the header.
const MOST_TITLES: usize = 5;

/// How many rows with one cell are above a row that is certainly the header: it has all the headers that the table names,
/// or usual ones for both columns.
fn titles(sheet: &Sheet, names: &[String], question: Option<&Written<'_>>) -> usize {
    let is_header = |row: &Row<'_>| {
        if names.is_empty() {
            let guess = Guess::of(row, question);
            return guess.is_header && guess.reply.is_some();
        }
        names.iter().all(|name| row.cells().any(|(_, text)| folded(text) == *name))
    };
    let rows = sheet.rows().take(MOST_TITLES + 1);
    let found = rows
        .enumerate()
        .find(|(at, row)| is_header(row) || row.cells().nth(1).is_some() || *at == MOST_TITLES);
    found.filter(|(_, row)| is_header(row)).map_or(0, |(at, _)| at)
}

impl Columns {
    /// Finds the columns; `None` if some are not there, which is reported.
    pub(super) fn of(
        checker: &mut Checker<'_>,
        fields: &Fields<'_>,
        sheet: &Sheet,
    ) -> Option<Self> {
        if sheet.rows().len() == 0 {
            return Some(Self::plain());
        }
        let mut is_known = true;
        let mut written = |key| {
            let written = written(checker, fields, key);
            is_known &= written.is_some() || !fields.has(key);
            written
        };
        let [question, reply, image, attachment, groups] = KEYS.map(&mut written);
        let all = [&question, &reply, &image, &attachment, &groups];
        let names: Vec<String> = all.into_iter().flatten().filter_map(Written::folded).collect();
        let by_name = !names.is_empty();
        let titles = titles(sheet, &names, question.as_ref());
        let first = sheet.rows().nth(titles)?;
        let guessed = Guess::of(&first, question.as_ref());
        // The keys of JSON are always names.
        let has_header = by_name || first.number() == 0 || guessed.is_header;
        let mut columns = Self {
            header: has_header.then_some(first.number()),
            titles,
            names: first.cells().map(|(column, text)| (column, text.to_owned())).collect(),
            ..Self::plain()
        };
        if !has_header {
            columns.names.clear();
        }
        let guess = if has_header { guessed } else { Guess::default() };
        let mut find = |key, column: Option<Written<'_>>| match column? {
            Written::Number(number) => Some(number),
            Written::Name(name) => {
                let found = columns.named(name);
                is_known &= found.is_some();
                if found.is_none() {
                    checker.no_column(fields, key, name, &columns);
                }
                found
            }
        };
        let (question, reply) = (find("question", question), find("reply", reply));
        let others = [("image", image), ("attachment", attachment), ("groups", groups)];
        let [image, attachment, groups] = others.map(|(key, column)| find(key, column));
        columns.question = question.or(guess.question).unwrap_or(1);
        let beside = if columns.question == 2 && question.is_none() { 1 } else { 2 };
        columns.reply = reply.or(guess.reply).unwrap_or(beside);
        (columns.image, columns.attachment, columns.groups) = (image, attachment, groups);
        let are_apart = columns.are_apart(checker, fields);
        columns.are_filled(checker, fields, sheet);
        (is_known && are_apart).then_some(columns)
    }

    /// The keys with their columns.
    fn all(&self) -> impl Iterator<Item = (&'static str, u32)> {
        let optional = [self.image, self.attachment, self.groups];
        let all = [Some(self.question), Some(self.reply)].into_iter().chain(optional);
        KEYS.into_iter().zip(all).filter_map(|(key, column)| Some((key, column?)))
    }

    /// Says which two keys mean the same column.
    fn are_apart(&self, checker: &mut Checker<'_>, fields: &Fields<'_>) -> bool {
        let all: Vec<_> = self.all().collect();
        let mut are_apart = true;
        for (at, (key, column)) in all.iter().enumerate() {
            if let Some((other, _)) = all[..at].iter().find(|(_, before)| before == column) {
                let problem = SheetProblem::SameColumn { key, other };
                checker.say(Problem::Sheet(problem), fields.key_spot(key));
                are_apart = false;
            }
        }
        are_apart
    }

    /// Says which columns are behind the last one that has text.
    fn are_filled(&self, checker: &mut Checker<'_>, fields: &Fields<'_>, sheet: &Sheet) {
        let ends = sheet.rows().filter_map(|row| row.cells().last().map(|(column, _)| column));
        let last = ends.max().unwrap_or(0);
        let is_unset = |column| sheet.rows().any(|row| row.lacks_value(column));
        for (key, column) in self.all().skip(2) {
            if column > last && last > 0 && !is_unset(column) {
                let (found, last) = (letters(column), letters(last));
                let problem = SheetProblem::EmptyColumn { key, found, last };
                checker.say(Problem::Sheet(problem), fields.key_spot(key));
            }
        }
    }

    /// Whether a row has a formula without a value in one of the columns; the first of them.
    pub(super) fn unset(&self, row: &Row<'_>) -> Option<u32> {
        self.all().map(|(_, column)| column).find(|column| row.lacks_value(*column))
    }

    fn plain() -> Self {
        Self {
            header: None,
            titles: 0,
            question: 1,
            reply: 2,
            image: None,
            attachment: None,
            groups: None,
            names: Vec::new(),
        }
    }

    fn named(&self, name: &str) -> Option<u32> {
        let name = folded(name);
        self.names.iter().find(|(_, known)| folded(known) == name).map(|(column, _)| *column)
    }

    /// A column for people: its letter, and its header.
    pub(super) fn show(&self, column: u32) -> String {
        let letters = letters(column);
        match self.names.iter().find(|(known, _)| *known == column) {
            Some((_, name)) => {
                let name: String = name.chars().take(30).collect();
                format!("{letters} ({name})")
            }
            None => letters,
        }
    }

    /// The keys with their columns, for people.
    pub(super) fn shown(&self) -> Vec<(&'static str, String)> {
        self.all().map(|(key, column)| (key, self.show(column))).collect()
    }
}

/// The columns by their usual headers.
#[derive(Default)]
struct Guess {
    is_header: bool,
    question: Option<u32>,
    reply: Option<u32>,
}

impl Guess {
    /// Row 1 is a header if the cell of the questions is a usual word for them. Without a column for them, any cell may
    /// be it, if another one is a usual word for answers.
    fn of(first: &Row<'_>, question: Option<&Written<'_>>) -> Self {
        let among = |words: &'static [&'static str]| {
            move |text: &str| words.contains(&folded(text).as_str())
        };
        let (is_question, is_reply) = (among(&QUESTION), among(&REPLY));
        let find = |is: &dyn Fn(&str) -> bool| {
            first.cells().find(|(_, text)| is(text)).map(|(column, _)| column)
        };
        let at = match question {
            Some(Written::Number(number)) => {
                Some(*number).filter(|at| is_question(first.cell(*at)))
            }
            Some(Written::Name(_)) => None,
            None => find(&is_question),
        };
        let reply = first.cells().find(|(column, text)| Some(*column) != at && is_reply(text));
        let reply = reply.map(|(column, _)| column);
        let is_plain = question.is_some() || at == Some(1);
        Self { is_header: at.is_some() && (is_plain || reply.is_some()), question: at, reply }
    }
}

fn folded(text: &str) -> String {
    let folded = Folding::new(false, true).fold(text).into_text();
    folded.trim().trim_end_matches([':', '*']).to_owned()
}

/// The letters by which a spreadsheet names a column.
fn letters(column: u32) -> String {
    let mut letters = Vec::new();
    let mut left = column;
    while left > 0 {
        let letter = (left - 1) % 26;
        letters.push(char::from(b'A' + u8::try_from(letter).unwrap_or(0)));
        left = (left - 1) / 26;
    }
    letters.into_iter().rev().collect()
}

fn written<'n>(
    checker: &mut Checker<'_>,
    fields: &Fields<'n>,
    key: &'static str,
) -> Option<Written<'n>> {
    let entry = fields.entry(key)?;
    match &entry.node.value {
        Value::Text(name) => Some(Written::Name(name)),
        Value::Integer(number) => {
            let column = u32::try_from(*number).ok().filter(|at| (1..=MOST_COLUMNS).contains(at));
            if column.is_none() {
                let problem = SheetProblem::ColumnNumber { key, found: *number };
                checker.say(Problem::Sheet(problem), fields.at(entry.node.span.clone()));
            }
            column.map(Written::Number)
        }
        _ => None,
    }
}

impl Checker<'_> {
    fn no_column(&mut self, fields: &Fields<'_>, key: &'static str, name: &str, columns: &Columns) {
        let known: Vec<String> =
            columns.names.iter().take(20).map(|(_, name)| name.clone()).collect();
        let meant = closest(name, known.iter().map(String::as_str)).map(str::to_owned);
        let problem = SheetProblem::NoColumn { key, header: name.to_owned(), known, meant };
        let spot = fields.text(key).map_or(fields.spot.clone(), |text| text.spot);
        self.say(Problem::Sheet(problem), spot);
    }
}
