//! Reads templates: `turn on [the] {name} (in|at) <area>`.

use crate::remark::Reason;

/// Brackets may be nested so deep.
const DEPTH: usize = 32;

/// The longest template, in bytes.
const LENGTH: usize = 20_000;

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Seq(Vec<Part>),
    Alt(Vec<Part>),
    Opt(Box<Part>),
    /// `(a;b)`: in any order.
    Perm(Vec<Part>),
    /// `{list:slot}`.
    List {
        list: String,
        slot: String,
    },
    /// `<rule>`.
    Rule(String),
}

impl Part {
    pub(super) fn nothing() -> Self {
        Self::Seq(Vec::new())
    }

    /// Whether it can only be nothing, or blanks.
    pub(super) fn is_blank(&self) -> bool {
        match self {
            Self::Text(text) => text.trim().is_empty(),
            Self::Seq(parts) | Self::Alt(parts) | Self::Perm(parts) => {
                parts.iter().all(Self::is_blank)
            }
            Self::Opt(inner) => inner.is_blank(),
            Self::List { .. } | Self::Rule(_) => false,
        }
    }
}

/// The template of a language that is written without blanks: one that is not between two letters or digits of Latin goes.
pub(super) fn without_blanks(part: &Part) -> Part {
    let all = |parts: &[Part]| parts.iter().map(without_blanks).collect();
    match part {
        Part::Text(text) => {
            let chars: Vec<char> = text.chars().collect();
            let is_latin = |at: Option<usize>| {
                at.and_then(|at| chars.get(at)).is_some_and(char::is_ascii_alphanumeric)
            };
            let counts = |at: usize| {
                chars[at] != ' ' || (is_latin(at.checked_sub(1)) && is_latin(Some(at + 1)))
            };
            Part::Text((0..chars.len()).filter(|at| counts(*at)).map(|at| chars[at]).collect())
        }
        Part::Seq(parts) => Part::Seq(all(parts)),
        Part::Alt(parts) => Part::Alt(all(parts)),
        Part::Perm(parts) => Part::Perm(all(parts)),
        Part::Opt(inner) => Part::Opt(Box::new(without_blanks(inner))),
        Part::List { .. } | Part::Rule(_) => part.clone(),
    }
}

pub(super) fn parse(text: &str) -> Result<Part, Reason> {
    if text.len() > LENGTH {
        return Err(Reason::TooLong);
    }
    let mut parser = Parser { rest: text, depth: 0 };
    let part = parser.alternatives()?;
    if parser.rest.is_empty() { Ok(part) } else { Err(Reason::Unreadable) }
}

struct Parser<'p> {
    rest: &'p str,
    depth: usize,
}

impl Parser<'_> {
    fn take(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    /// Sequences between `|`, or between `;`.
    fn alternatives(&mut self) -> Result<Part, Reason> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Reason::TooLong);
        }
        let mut parts = vec![self.sequence()?];
        let mut sign = None;
        while let Some(c) = self.rest.chars().next().filter(|c| matches!(c, '|' | ';')) {
            if *sign.get_or_insert(c) != c {
                return Err(Reason::Form);
            }
            self.take();
            parts.push(self.sequence()?);
        }
        self.depth -= 1;
        Ok(match sign {
            None => parts.remove(0),
            Some('|') => Part::Alt(parts),
            Some(_) => Part::Perm(parts),
        })
    }

    fn sequence(&mut self) -> Result<Part, Reason> {
        let mut parts: Vec<Part> = Vec::new();
        let mut text = String::new();
        while let Some(c) = self.rest.chars().next() {
            if matches!(c, '|' | ';' | ')' | ']') {
                break;
            }
            self.take();
            let part = match c {
                '(' | '[' => {
                    let inner = self.alternatives()?;
                    let close = if c == '(' { ')' } else { ']' };
                    if self.take() != Some(close) {
                        return Err(Reason::Unreadable);
                    }
                    if c == '(' { inner } else { Part::Opt(Box::new(inner)) }
                }
                '{' => {
                    let (list, slot) = self.name('}')?;
                    let slot = slot.unwrap_or_else(|| list.clone());
                    Part::List { list, slot }
                }
                '<' => Part::Rule(self.name('>')?.0),
                '\\' => {
                    text.extend(self.take());
                    continue;
                }
                c => {
                    text.push(if c.is_whitespace() { ' ' } else { c });
                    continue;
                }
            };
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text)));
            }
            parts.push(part);
        }
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Part::Seq(parts) })
    }

    /// A name up to the closing sign, and the one behind the colon.
    fn name(&mut self, close: char) -> Result<(String, Option<String>), Reason> {
        let end = self.rest.find(close).ok_or(Reason::Unreadable)?;
        let inside = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        let (name, slot) = match inside.split_once(':') {
            Some((name, slot)) => (name, Some(slot.trim().to_owned())),
            None => (inside, None),
        };
        if name.trim().is_empty() {
            Err(Reason::Unreadable)
        } else {
            Ok((name.trim().to_owned(), slot))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_read() {
        let text = |text: &str| Part::Text(text.into());
        assert_eq!(
            parse("turn on [the] {name:who}").expect("template"),
            Part::Seq(vec![
                text("turn on "),
                Part::Opt(Box::new(text("the"))),
                text(" "),
                Part::List { list: "name".into(), slot: "who".into() },
            ])
        );
        assert_eq!(
            parse("<a>|b").expect("template"),
            Part::Alt(vec![Part::Rule("a".into()), text("b")])
        );
        assert_eq!(parse("(a;b)").expect("template"), Part::Perm(vec![text("a"), text("b")]));
        for bad in ["(a", "a)", "{a", "<>", "(a|b;c)", "[a)"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(parse(&"(".repeat(10_000)).is_err());
    }
}
