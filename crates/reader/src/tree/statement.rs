//! A file cut into statements: headers and key-value pairs, each with the lines it goes over.
//!
//! This needs no valid TOML: an unclosed quote or bracket ends where the next statement visibly begins.

use std::ops::Range;

/// Cuts a file into its statements; blank lines and comments between them belong to none.
pub(super) fn statements(source: &str) -> Vec<Range<usize>> {
    let mut statements = Vec::new();
    let mut at = 0;
    while at < source.len() {
        let line = line_end(source, at);
        if is_blank(&source[at..line]) {
            at = line;
            continue;
        }
        let end = statement_end(source, at);
        statements.push(at..end);
        at = end;
    }
    statements
}

fn is_blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

/// The place after the line that contains `at`.
fn line_end(source: &str, at: usize) -> usize {
    source[at..].find('\n').map_or(source.len(), |length| at + length + 1)
}

/// Behind the last line of the statement that begins at `start`.
fn statement_end(source: &str, start: usize) -> usize {
    let first = line_end(source, start);
    if is_header(&source[start..first]) {
        return first;
    }
    if let Some(end) = end_of_typographic_text(source, first, &source[start..first]) {
        return end;
    }
    let mut scan = Scan::default();
    let mut at = start;
    loop {
        let end = line_end(source, at);
        scan.line(&source[at..end]);
        if scan.is_closed() || end == source.len() {
            return scan.cut.and_then(|quote| end_of_cut_text(source, end, quote)).unwrap_or(end);
        }
        // Something is open. If the next line is plainly a new statement, it was never closed.
        if scan.must_have_ended_before(&source[end..line_end(source, end)]) {
            return end;
        }
        at = end;
    }
}

/// Behind the line that ends a long text whose three quotes are typographic, if such a text begins on the line `first`.
fn end_of_typographic_text(source: &str, from: usize, first: &str) -> Option<usize> {
    let (_, value) = first.split_once('=')?;
    if !begins_with_three_quotes(value.trim()) || value.trim().chars().nth(3).is_some() {
        return None;
    }
    let mut at = from;
    while at < source.len() {
        let end = line_end(source, at);
        let line = &source[at..end];
        if begins_with_three_quotes(line.trim()) {
            return Some(end);
        }
        if line.starts_with("[[") && is_header(line) {
            return None;
        }
        at = end;
    }
    None
}

/// Whether a text begins with three quotes of which one at least is typographic.
fn begins_with_three_quotes(text: &str) -> bool {
    let three: Vec<char> = text.chars().take(3).collect();
    let is_quote = |c: &char| matches!(c, '\'' | '‘' | '’' | '＇' | '"' | '“' | '”' | '＂');
    three.len() == 3 && three.iter().all(is_quote) && !three.iter().all(char::is_ascii)
}

/// Behind the line that ends a short text with a line break in it, if one of the next lines plainly does that.
fn end_of_cut_text(source: &str, from: usize, quote: char) -> Option<usize> {
    let mut at = from;
    while at < source.len() {
        let end = line_end(source, at);
        let line = &source[at..end];
        if is_header(line) || is_assignment(line) || line.trim_start().starts_with('#') {
            return None;
        }
        if line.contains(quote) {
            return Some(end);
        }
        at = end;
    }
    None
}

/// Whether a line is a header: `[bot]`, `[[rule]]`, also with a bracket missing.
pub(super) fn is_header(line: &str) -> bool {
    let line = line.trim();
    let body = line.trim_start_matches('[');
    let brackets = line.len() - body.len();
    let name: String =
        body.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-')).collect();
    let rest = body[name.len()..].trim_start();
    (1..=2).contains(&brackets)
        && !name.is_empty()
        && (rest.is_empty() || rest.starts_with(']') || rest.starts_with('#'))
}

/// Whether a line begins with `key =`.
fn is_assignment(line: &str) -> bool {
    let Some((key, _)) = line.split_once('=') else { return false };
    let key = key.trim();
    !key.is_empty()
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// The brackets and quotes still open at the end of the lines read so far.
#[derive(Default)]
struct Scan {
    brackets: usize,
    braces: usize,
    quotes: Option<&'static str>,
    /// The quote of a short text that the last line left open.
    cut: Option<char>,
}

impl Scan {
    fn is_closed(&self) -> bool {
        self.brackets == 0 && self.braces == 0 && self.quotes.is_none()
    }

    fn must_have_ended_before(&self, next: &str) -> bool {
        // In a long text anything may stand, so only a header of two brackets ends it.
        if self.quotes.is_some() {
            return next.starts_with("[[") && is_header(next);
        }
        // `[[` at the beginning of a line inside a list could only be a list of lists, which no key holds.
        is_header(next) || (self.braces == 0 && is_assignment(next))
    }

    fn line(&mut self, line: &str) {
        let mut rest = line;
        while let Some(c) = rest.chars().next() {
            rest = match self.quotes {
                Some(quotes) => self.in_text(rest, quotes),
                None => self.outside(rest, c),
            };
        }
        // A short text ends with its line, closed or not.
        self.cut =
            self.quotes.filter(|quotes| quotes.len() == 1).and_then(|one| one.chars().next());
        if self.cut.is_some() {
            self.quotes = None;
        }
    }

    fn in_text<'l>(&mut self, rest: &'l str, quotes: &'static str) -> &'l str {
        if let Some(after) = rest.strip_prefix(quotes) {
            self.quotes = None;
            // Up to two more quotes belong to a long text.
            return if quotes.len() == 3 { after.trim_start_matches(&quotes[..1]) } else { after };
        }
        let skipped = if quotes.starts_with('"') && rest.starts_with('\\') { 2 } else { 1 };
        after(rest, skipped)
    }

    fn outside<'l>(&mut self, rest: &'l str, c: char) -> &'l str {
        for quotes in ["\"\"\"", "'''", "\"", "'"] {
            if let Some(after) = rest.strip_prefix(quotes) {
                self.quotes = Some(quotes);
                return after;
            }
        }
        match c {
            '#' => return "",
            '[' => self.brackets += 1,
            ']' => self.brackets = self.brackets.saturating_sub(1),
            '{' => self.braces += 1,
            '}' => self.braces = self.braces.saturating_sub(1),
            _ => {}
        }
        after(rest, 1)
    }
}

/// The text after so many characters.
fn after(text: &str, characters: usize) -> &str {
    let mut characters_left = text.chars();
    for _ in 0..characters {
        characters_left.next();
    }
    characters_left.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(source: &str) -> Vec<&str> {
        statements(source).into_iter().map(|span| source[span].trim_end()).collect()
    }

    #[test]
    fn statements_end_where_they_are_closed() {
        let source = "# c\n[[rule]]\nkeyword = [\n  \"a\", # ]\n  'b',\n]\n\nreply = \"\"\"\nx = 1\n[y]\n\"\"\"\nid = 'z'\n";
        assert_eq!(
            cut(source),
            [
                "[[rule]]",
                "keyword = [\n  \"a\", # ]\n  'b',\n]",
                "reply = \"\"\"\nx = 1\n[y]\n\"\"\"",
                "id = 'z'"
            ]
        );
    }

    #[test]
    fn what_is_never_closed_ends_before_the_next_statement() {
        assert_eq!(cut("a = [1,\nb = 2\n"), ["a = [1,", "b = 2"]);
        assert_eq!(cut("a = \"x\nb = 2\n"), ["a = \"x", "b = 2"]);
        assert_eq!(
            cut("a = '''x\nb = 2\n[[rule]]\nc = 1\n"),
            ["a = '''x\nb = 2", "[[rule]]", "c = 1"]
        );
        assert_eq!(cut("[[rule]\nc = 1\n"), ["[[rule]", "c = 1"]);
        assert_eq!(cut("a = \"x\ny\nz\"\nb = 2\n"), ["a = \"x\ny\nz\"", "b = 2"]);
        assert_eq!(cut("a = \"x\n# \"\nb = 2\n"), ["a = \"x", "b = 2"]);
        assert_eq!(cut("a = ‘’‘\nx: y\n’’’\nb = 2\n"), ["a = ‘’‘\nx: y\n’’’", "b = 2"]);
        assert_eq!(cut("a = [\n  \"x\"\n[[rule]]"), ["a = [\n  \"x\"", "[[rule]]"]);
    }
}
