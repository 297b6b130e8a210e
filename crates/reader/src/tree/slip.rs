//! Slips in a key and its value that are plain from the statement as a whole, where the parser only knows the first sign
//! that it cannot take.

use std::ops::Range;

use crate::{Grammar, Shape, Syntax};

/// Signs that begin a comment elsewhere.
const COMMENTS: [&str; 4] = ["//", "--", "/*", "<!--"];

/// The sign of a comment of another language that a statement begins with.
pub(super) fn comment(statement: &str) -> Option<&'static str> {
    let statement = statement.trim_start();
    COMMENTS.into_iter().find(|sign| statement.starts_with(sign))
}

/// The kind of a statement that is neither a header nor `key = value`: another format, or plain words.
pub(super) fn stranger(statement: &str, grammar: &dyn Grammar) -> Option<Syntax> {
    let line = statement.trim();
    if line.starts_with('{') {
        return Some(Syntax::Format("JSON"));
    }
    let key = line.strip_prefix("- ").unwrap_or(line).split([':', '：']).next().unwrap_or_default();
    let is_table = grammar.is_table(key);
    if (line.starts_with("- ") && line.contains(':')) || (is_table && line == format!("{key}:")) {
        return Some(Syntax::Format("YAML"));
    }
    let has_syntax = line.contains(['=', '"', '\'', '[', '{', '“', '”']) || line.contains('\n');
    let is_words = !line.is_ascii() || line.split_whitespace().count() > 2;
    let first = line.split([':', '：', ' ']).next().unwrap_or_default();
    (!has_syntax && is_words && !grammar.is_word(first)).then_some(Syntax::Prose)
}

/// The mistake in a statement of one line, with its place.
pub(super) fn slip(statement: &str, grammar: &dyn Grammar) -> Option<(Syntax, Range<usize>)> {
    let equals = statement.find('=')?;
    let (key, after) = (statement[..equals].trim(), &statement[equals + 1..]);
    if let Some(sign) = after.chars().next().filter(|c| matches!(c, '=' | '>')) {
        return Some((Syntax::Assignment(format!("={sign}")), equals..equals + 2));
    }
    let start = equals + 1 + (after.len() - after.trim_start().len());
    let value = Value { key, text: after.trim(), start, grammar };
    let is_known = !value.text.contains('\n') && !value.text.is_empty();
    is_known.then(|| value.slip()).flatten()
}

/// A value as written, with the byte of the statement that it begins at.
struct Value<'s> {
    key: &'s str,
    text: &'s str,
    start: usize,
    grammar: &'s dyn Grammar,
}

impl Value<'_> {
    fn slip(&self) -> Option<(Syntax, Range<usize>)> {
        match self.text.chars().next()? {
            quote @ ('"' | '\'') if !self.text.starts_with(&quote.to_string().repeat(3)) => {
                self.in_quotes(quote)
            }
            '[' | '{' | '"' | '\'' => None,
            '(' | '（' => {
                let inside = self.text.trim_matches(['(', ')', '（', '）']);
                self.list(inside)
            }
            prefix @ ('r' | 'R' | 'f' | 'F' | 'b' | 'u')
                if self.text[1..].starts_with(['"', '\'']) =>
            {
                let at = self.start..self.start + 1;
                Some((Syntax::Prefix(prefix), at))
            }
            _ => self.without_quote(),
        }
    }

    /// A value that begins with a quote: checks the text after the closing quote.
    fn in_quotes(&self, quote: char) -> Option<(Syntax, Range<usize>)> {
        let whole = self.start..self.start + self.text.len();
        let Some(end) = closing(&self.text[1..], quote).map(|end| end + 2) else {
            let is_mixed = self.text.len() > 1 && self.text.ends_with(is_quote);
            // The same quote at the end can only be one with a backslash before it.
            let syntax = if self.text.ends_with(quote) {
                Syntax::EscapedQuote
            } else {
                Syntax::MixedQuotes(quote)
            };
            return is_mixed.then_some((syntax, whole));
        };
        let rest = self.text[end..].trim_start();
        let at = self.start + self.text.len() - rest.len();
        let sign = rest.chars().next()?;
        if let Some(comment) = comment(rest) {
            return Some((Syntax::Comment(comment), at..at + comment.len()));
        }
        if matches!(sign, ',' | '，' | '、' | '|')
            && rest[sign.len_utf8()..].trim_start().starts_with(is_quote)
        {
            return self.list(self.text);
        }
        let behind = rest[sign.len_utf8()..].trim();
        let is_lone = behind.is_empty() || behind.starts_with('#') || comment(behind).is_some();
        if is_lone && !sign.is_alphanumeric() && !is_quote(sign) {
            return Some((Syntax::Trailing(sign), at..at + sign.len_utf8()));
        }
        let ends_it = rest.ends_with(is_quote) && !begins_with_key(rest);
        ends_it.then_some((Syntax::InnerQuotes(quote), whole))
    }

    fn without_quote(&self) -> Option<(Syntax, Range<usize>)> {
        let whole = self.start..self.start + self.text.len();
        let body = self.text.strip_suffix(is_quote);
        if body.is_some_and(|body| !body.contains(is_quote)) {
            return Some((Syntax::NoOpeningQuote, whole));
        }
        let has = |shape| self.grammar.has_shape(self.key, shape);
        let takes_list = has(Shape::TextOrList) || has(Shape::TextList);
        let is_list = takes_list && self.text.contains([',', '，', '、']);
        is_list.then(|| self.list(self.text)).flatten()
    }

    /// Texts between commas, as the list that they make.
    fn list(&self, inside: &str) -> Option<(Syntax, Range<usize>)> {
        let items: Vec<String> = inside
            .split([',', '，', '、', '|'])
            .map(|item| item.trim().trim_matches(is_quote).to_owned())
            .filter(|item| !item.is_empty())
            .collect();
        let has = |shape| self.grammar.has_shape(self.key, shape);
        let key = self.grammar.key_of_list(self.key);
        if key == self.key && has(Shape::Text) && !has(Shape::TextOrList) {
            return None;
        }
        let list = Syntax::BareList { key: key.to_owned(), items };
        Some((list, self.start..self.start + self.text.len()))
    }
}

/// Where a text ends that was opened with this quote.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if quote == '"' => is_escaped = true,
            c if c == quote => return Some(at),
            _ => {}
        }
    }
    None
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '“' | '”' | '‘' | '’')
}

/// Whether a second `key = …` follows.
fn begins_with_key(text: &str) -> bool {
    let text = text.trim_start_matches([',', ';', '，', '；', ' ']);
    let Some((key, _)) = text.split_once('=') else { return false };
    let key = key.trim();
    !key.is_empty()
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Rules;

    fn found(statement: &str) -> Option<Syntax> {
        slip(statement, &Rules).map(|(syntax, _)| syntax)
    }

    #[test]
    fn slips_are_known_by_the_whole_value() {
        let list = |key: &str| {
            Some(Syntax::BareList {
                key: key.to_owned(),
                items: vec!["a".to_owned(), "b".to_owned()],
            })
        };
        for (statement, expected) in [
            (r#"reply = "他说"你好"""#, Some(Syntax::InnerQuotes('"'))),
            ("reply = 'it's here'", Some(Syntax::InnerQuotes('\''))),
            (r#"keyword = "a", "b""#, list("keyword")),
            (r#"keyword = "a"，"b""#, list("keyword")),
            (r#"keyword = ("a", "b")"#, list("keyword")),
            ("keyword = a，b", list("keyword")),
            ("reply = 价目表\"", Some(Syntax::NoOpeningQuote)),
            ("reply = 价目表”", Some(Syntax::NoOpeningQuote)),
            (r#"reply = "x" // y"#, Some(Syntax::Comment("//"))),
            (r#"reply = "x","#, Some(Syntax::Trailing(','))),
            (r#"reply = "x"；"#, Some(Syntax::Trailing('；'))),
            (r#"reply == "x""#, Some(Syntax::Assignment("==".to_owned()))),
            (r#"reply => "x""#, Some(Syntax::Assignment("=>".to_owned()))),
            (r#"reply = "x" image = "y""#, None),
            (r#"reply = "x", image = "y""#, None),
            (r#"reply = "x\""#, Some(Syntax::EscapedQuote)),
            (r#"regex = r"x""#, Some(Syntax::Prefix('r'))),
            (r#"send = "x", "y""#, None),
            (r#"reply = 'x""#, Some(Syntax::MixedQuotes('\''))),
            (r#"reply = "x"#, None),
            (r#"reply = "\d""#, None),
            ("reply = 价格", None),
            ("reply =", None),
            ("reply = 你好，再见", None),
        ] {
            assert_eq!(found(statement), expected, "{statement}");
        }
        assert_eq!(comment("  // x"), Some("//"));
        assert_eq!(comment("a = 1"), None);
        for (statement, expected) in [
            ("{", Some(Syntax::Format("JSON"))),
            ("- keyword: 价格", Some(Syntax::Format("YAML"))),
            ("rule:", Some(Syntax::Format("YAML"))),
            ("规则1：", Some(Syntax::Prose)),
            ("下面是价格的规则", Some(Syntax::Prose)),
            ("these are the prices", Some(Syntax::Prose)),
            ("keyword: 价格", None),
            ("关键词：价格", None),
            ("keyword \"价格\"", None),
            ("reply", None),
            ("a = 1", None),
        ] {
            assert_eq!(stranger(statement, &Rules), expected, "{statement}");
        }
    }
}
