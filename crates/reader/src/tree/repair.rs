//! Mends the broken statements of a file, so that the others can be checked all the same.
//!
//! A statement that cannot be read by itself is reported once. If its intention is plain (typographic quotes, a bracket
//! missing in a header) it is repaired; else its value is marked as unreadable; else it is blanked out.

use std::ops::Range;

use toml::de::{DeTable, Error};

use super::Origin;
use super::blame;
use super::slip;
use super::statement::{is_header, statements};
use super::typographic::{self, Mended};
use crate::{Grammar, Syntax, plain_width};

/// Replaces a value that cannot be read. Its place, not its text, distinguishes it from a date in the file.
const UNREADABLE: &str = "1970-01-01";

/// A file whose statements are all whole.
pub(super) struct Repaired<'g> {
    /// The keys of the file.
    grammar: &'g dyn Grammar,
    /// The mended text.
    pub(super) text: String,
    /// Where its bytes were.
    pub(super) origin: Origin,
    /// The mistakes, with their places in the original file.
    pub(super) problems: Vec<(Syntax, Range<usize>)>,
    /// The statements that were wrong.
    reported: Vec<Range<usize>>,
    /// The place of the last header.
    header: Range<usize>,
    /// Whether a mistake was mended that the check of keys reports.
    pub(super) is_left_to_the_check: bool,
    /// Its name.
    name: String,
    /// Whether the keys below it are names that the author chose.
    own_names: bool,
}

/// Mends a file.
pub(super) fn repair<'g>(source: &str, grammar: &'g dyn Grammar) -> Repaired<'g> {
    let mut repaired = Repaired::new(grammar);
    let mut read = 0;
    for span in statements(source) {
        repaired.between(source, read..span.start);
        read = span.end;
        let statement = &source[span.clone()];
        if is_header(statement) {
            repaired.header = span.clone();
            let name = statement.trim().trim_matches(['[', ']']);
            repaired.own_names = grammar.has_own_names(name);
            name.clone_into(&mut repaired.name);
            repaired.header(statement, span);
        } else {
            repaired.pair(statement, span);
        }
    }
    repaired.between(source, read..source.len());
    repaired
}

impl<'g> Repaired<'g> {
    fn new(grammar: &'g dyn Grammar) -> Self {
        Self {
            grammar,
            text: String::new(),
            origin: Origin::default(),
            problems: Vec::new(),
            reported: Vec::new(),
            header: 0..0,
            is_left_to_the_check: false,
            name: String::new(),
            own_names: false,
        }
    }

    /// The parser's errors about the repaired file that were not reported before: clashes between statements, each good
    /// by itself.
    pub(super) fn clashes(&self, source: &str, errors: &[Error]) -> Vec<(Syntax, Range<usize>)> {
        let places =
            errors.iter().map(|error| (error, self.origin.range(error.span().unwrap_or(0..0))));
        places
            .filter(|(_, span)| !self.is_reported(span.start))
            .map(|(error, span)| {
                (blame::syntax(source, error.message(), &span, self.grammar), span)
            })
            .collect()
    }

    /// Whether the statement at this place was wrong. They were reported in their order.
    fn is_reported(&self, at: usize) -> bool {
        let after = self.reported.partition_point(|statement| statement.start <= at);
        after > 0 && self.reported[after - 1].contains(&at)
    }

    /// Blank lines and comments: there, too, something may be wrong.
    fn between(&mut self, source: &str, span: Range<usize>) {
        if !span.is_empty() {
            self.keep(&source[span.clone()], span.start);
        }
    }

    fn keep(&mut self, text: &str, from: usize) {
        self.shift(from);
        self.text.push_str(text);
        if !text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    /// From here on, the text is that of the file from `from` on.
    fn shift(&mut self, from: usize) {
        let by = from.cast_signed().wrapping_sub(self.text.len().cast_signed());
        self.origin.shifts.push((self.text.len(), by));
    }

    fn report(&mut self, problem: Syntax, place: Range<usize>, statement: Range<usize>) {
        self.problems.push((problem, place));
        self.reported.push(statement);
    }

    fn header(&mut self, statement: &str, span: Range<usize>) {
        let body = statement.trim().trim_start_matches('[');
        let end = body.find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '_' | '-')));
        let name = &body[..end.unwrap_or(body.len())];
        let expected = match self.grammar.header(name) {
            Some(expected) => expected,
            // It is unknown in any case, which is reported later.
            None if errors_of(statement).is_empty() => return self.keep(statement, span.start),
            // A name in another script needs quotes; that it is unknown is said later.
            None if !name.is_ascii() => return self.unknown_header(statement, name, span.start),
            None => format!("[[{name}]]"),
        };
        let written = statement.split('#').next().unwrap_or_default().trim();
        if written == expected && errors_of(statement).is_empty() {
            return self.keep(statement, span.start);
        }
        let start = span.start + (statement.len() - statement.trim_start().len());
        let place = start..start + written.len();
        if let Some(behind) = written.strip_prefix(&expected).filter(|rest| rest.contains('=')) {
            let behind = start + written.len() - behind.trim_start().len()..place.end;
            self.report(Syntax::Leftover, behind, span);
            self.origin.broken.insert(self.header.start);
            return self.keep(&expected, start);
        }
        let problem = Syntax::Header { found: written.to_owned(), expected: expected.clone() };
        self.report(problem, place, span.clone());
        self.keep(&expected, start);
    }

    /// Keeps a header whose name is not a word of the language, in quotes.
    fn unknown_header(&mut self, statement: &str, name: &str, start: usize) {
        let at = start + statement.find(name).unwrap_or_default();
        self.shift(start);
        self.text.push_str("[[");
        self.quoted(name, at);
        self.text.push_str("]]\n");
    }

    /// Puts a key of the file in quotes, each of which counts as the character beside it.
    fn quoted(&mut self, key: &str, at: usize) {
        self.is_left_to_the_check = true;
        self.shift(at);
        self.text.push('"');
        self.shift(at);
        self.text.push_str(key);
        self.shift(at + key.len() - 1);
        self.text.push('"');
        self.shift(at + key.len());
    }

    /// Keeps a statement whose key is a word in another script: it is reported later as unknown, with the probable key.
    fn unquoted_key(&mut self, statement: &str, start: usize) -> bool {
        let lead = statement.len() - statement.trim_start().len();
        let body = &statement[lead..];
        let end =
            body.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'))).unwrap_or(0);
        let (key, rest) = body.split_at(end);
        let is_wide = key.chars().any(|c| plain_width(c) != c);
        let is_whole = || errors_of(&format!("\"{key}\"{rest}")).is_empty();
        if key.is_ascii() || is_wide || self.own_names || !is_whole() {
            return false;
        }
        self.quoted(key, start + lead);
        self.text.push_str(rest);
        if !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        true
    }

    /// Reports a line that is not a statement. A line in another format may mean anything.
    fn stranger(&mut self, syntax: Syntax, statement: &str, span: &Range<usize>) {
        if matches!(syntax, Syntax::Format(_)) {
            self.origin.broken.insert(self.header.start);
            if self.problems.iter().any(|(known, _)| matches!(known, Syntax::Format(_))) {
                return;
            }
        }
        let line = statement.lines().next().unwrap_or_default();
        let start = span.start + (line.len() - line.trim_start().len());
        self.report(syntax, start..start + line.trim().len(), span.clone());
    }

    /// Reports the lines of a test that stand below its header instead of in a text, once per test.
    fn bare_script(&mut self, statement: &str, span: &Range<usize>) -> bool {
        let key = statement.trim_start().split([' ', '=', ':', '：']).next().unwrap_or_default();
        let is_quoted = statement.trim_start().starts_with(['\'', '"']);
        if is_quoted || !self.grammar.script_of(&self.name, key) {
            return false;
        }
        let is_first = !self.origin.broken.contains(&self.header.start);
        if is_first {
            let line = statement.lines().next().unwrap_or_default().trim_end();
            let place = span.start..span.start + line.len();
            self.report(Syntax::BareScript, place, span.clone());
            self.origin.broken.insert(self.header.start);
        }
        true
    }

    fn pair(&mut self, statement: &str, span: Range<usize>) {
        if self.bare_script(statement, &span) {
            return;
        }
        if let Some(sign) = slip::comment(statement) {
            let place = span.start..span.start + sign.len();
            return self.report(Syntax::Comment(sign), place, span);
        }
        let errors = errors_of(statement);
        // The parser gives them in the order of its passes, not of their places.
        let place = |error: &&Error| error.span().map_or(0, |span| span.start);
        let Some(first) = errors.iter().min_by_key(place) else {
            return self.keep(statement, span.start);
        };
        if self.unquoted_key(statement, span.start) {
            return;
        }
        if let Some(mended) =
            typographic::mend(statement).filter(|mended| errors_of(&mended.text).is_empty())
        {
            return self.mended(&mended, &span);
        }
        if let Some(syntax) = slip::stranger(statement, self.grammar) {
            return self.stranger(syntax, statement, &span);
        }
        if errors.iter().all(is_escape) && slip::slip(statement, self.grammar).is_none() {
            // The parser keeps such an escape literally, which is its meaning in a regular expression.
            self.escapes(statement, &span, &errors);
            return self.keep(statement, span.start);
        }
        let (syntax, place) = blame::pair(statement, first, self.grammar);
        if matches!(syntax, Syntax::Leftover) {
            // A second key may stand behind the value.
            self.origin.broken.insert(self.header.start);
        }
        let place = span.start + place.start..span.start + place.end;
        self.report(syntax, place, span.clone());
        self.without_value(statement, span.start);
    }

    fn mended(&mut self, mended: &Mended, span: &Range<usize>) {
        let (found, at) = mended.first;
        let place = span.start + at..span.start + at + found.len_utf8();
        self.report(Syntax::Typographic { found, ascii: mended.ascii }, place, span.clone());
        let mut from = 0;
        for (place, original) in &mended.shifts {
            self.text.push_str(&mended.text[from..*place]);
            self.shift(span.start + original);
            from = *place;
        }
        self.text.push_str(&mended.text[from..]);
        if !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    /// Reports wrong escapes, once per text.
    fn escapes(&mut self, statement: &str, span: &Range<usize>, errors: &[Error]) {
        let mut last = 0..0;
        for error in errors {
            let at = error.span().unwrap_or(0..0).start;
            let place = quoted_around(statement, at);
            if place == last {
                continue;
            }
            let escaped = statement[at..].chars().next().unwrap_or(' ');
            let shifted = span.start + place.start..span.start + place.end;
            let syntax = blame::wrong_escape(statement, escaped, self.grammar);
            self.report(syntax, shifted, span.clone());
            last = place;
        }
    }

    /// Keeps the key of a statement whose value cannot be read; without a key, marks the table as not whole.
    fn without_value(&mut self, statement: &str, start: usize) {
        let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let key = &statement[..statement.find(|c| !is_key(c)).unwrap_or(statement.len())];
        let pair = format!("{key} = {UNREADABLE}\n");
        if key.is_empty() || !errors_of(&pair).is_empty() {
            self.origin.broken.insert(self.header.start);
            return;
        }
        self.origin.unreadable.insert(start + key.len() + 3);
        self.keep(&pair, start);
    }
}

fn errors_of(statement: &str) -> Vec<Error> {
    DeTable::parse_recoverable(statement).1
}

fn is_escape(error: &Error) -> bool {
    error.message().starts_with("missing escaped value")
}

/// The text in double quotes around a place.
fn quoted_around(statement: &str, at: usize) -> Range<usize> {
    let mut place = 0..0;
    let mut open: Option<(usize, char)> = None;
    let mut escaped = false;
    for (here, c) in statement.char_indices() {
        match open {
            Some((from, quote)) if c == quote && !escaped => {
                place = from..here + 1;
                open = None;
                if here >= at {
                    break;
                }
            }
            Some((_, '"')) => escaped = c == '\\' && !escaped,
            Some(_) => {}
            None if matches!(c, '"' | '\'') => open = Some((here, c)),
            None => {}
        }
    }
    place
}
