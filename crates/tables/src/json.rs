//! JSON: question → answer or answers, or a list of objects.
//!
//! `serde_json` says whether the text is JSON; then its values are read one after the other, and none is kept: a value in
//! memory takes many times its text. Numbers stay as they are written.

use std::collections::HashMap;

use serde::de::IgnoredAny;

use crate::builder::Builder;
use crate::decode::decode;
use crate::form::Form;
use crate::table::Table;
use crate::unreadable::Unreadable;

/// Reads JSON. The keys of objects in a list become a header with the row number 0: the first object is row 1.
pub(crate) fn read(bytes: &[u8]) -> Result<Table, Unreadable> {
    if bytes.is_empty() {
        return Err(Unreadable::Empty);
    }
    let (text, _) = decode(bytes)?;
    let _: IgnoredAny = serde_json::from_str(&text)
        .map_err(|error| Unreadable::Json { line: error.line(), column: error.column() })?;
    let mut builder = Builder::default();
    let mut walk = Walk::new(&text);
    match walk.next() {
        Some(Token::Object) => pairs(&mut builder, &mut walk)?,
        Some(Token::List) => {
            let keys = keys(&mut walk.clone())?;
            objects(&mut builder, &mut walk, &keys)?;
        }
        _ => return Err(Unreadable::JsonShape),
    }
    Ok(builder.finish(Form::Json))
}

/// `{"question": "answer"}`, or several answers: a row for each of them.
fn pairs(builder: &mut Builder, walk: &mut Walk<'_>) -> Result<(), Unreadable> {
    for number in 1.. {
        let Some(question) = walk.key()? else { break };
        builder.end_row();
        match walk.next() {
            Some(Token::List) => {
                while let Some(answer) = walk.item()? {
                    builder.end_row();
                    builder.cell(number, 1, &question)?;
                    builder.cell(number, 2, &answer)?;
                }
            }
            Some(token) => {
                let answer = walk.cell(token)?;
                builder.cell(number, 1, &question)?;
                builder.cell(number, 2, &answer)?;
            }
            None => break,
        }
    }
    Ok(())
}

/// The columns of all keys of objects in a list, by their first places.
fn keys(walk: &mut Walk<'_>) -> Result<HashMap<String, u32>, Unreadable> {
    let mut keys = HashMap::new();
    while let Some(token) = walk.next().filter(|token| *token != Token::End) {
        if token != Token::Object {
            walk.skip(token);
            continue;
        }
        while let Some(key) = walk.key()? {
            let next = u32::try_from(keys.len()).unwrap_or(u32::MAX).saturating_add(1);
            let column = *keys.entry(key).or_insert(next);
            if column > crate::MOST_COLUMNS {
                return Err(Unreadable::Columns { row: 1 });
            }
            if let Some(value) = walk.next() {
                walk.skip(value);
            }
        }
    }
    Ok(keys)
}

/// `[{"question": …, "answer": …}]`, also with other keys, or `[["question", "answer"]]`.
fn objects(
    builder: &mut Builder,
    walk: &mut Walk<'_>,
    keys: &HashMap<String, u32>,
) -> Result<(), Unreadable> {
    let mut header: Vec<(u32, &String)> = keys.iter().map(|(key, column)| (*column, key)).collect();
    header.sort_unstable();
    for (column, key) in header {
        builder.cell(0, column, key)?;
    }
    // The last row that has the key of each column.
    let mut filled: Vec<u32> = vec![0; keys.len() + 1];
    let mut cells: Vec<(u32, String)> = Vec::new();
    for row in 1.. {
        match walk.next() {
            Some(Token::Object) => {
                while let Some(key) = walk.key()? {
                    let place = walk.at;
                    let (Some(column), Some(token)) = (keys.get(&key), walk.next()) else { break };
                    if std::mem::replace(&mut filled[*column as usize], row) == row {
                        return Err(Unreadable::RepeatedKey { key, line: walk.line_at(place) });
                    }
                    cells.push((*column, walk.cell(token)?));
                }
                cells.sort_unstable_by_key(|(column, _)| *column);
                for (column, text) in cells.drain(..) {
                    builder.cell(row, column, &text)?;
                }
            }
            Some(Token::List) => {
                for column in 1.. {
                    let Some(token) = walk.next().filter(|token| *token != Token::End) else {
                        break;
                    };
                    builder.cell(row, column, &walk.cell(token)?)?;
                }
            }
            Some(Token::End) | None => break,
            Some(Token::Text(_) | Token::Plain(_)) => return Err(Unreadable::JsonShape),
        }
    }
    Ok(())
}

/// Walks over a text that is JSON.
#[derive(Clone)]
struct Walk<'t> {
    text: &'t str,
    at: usize,
}

/// A part of JSON. In an object keys and values alternate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'t> {
    Object,
    List,
    /// The end of an object or a list.
    End,
    /// With its quotation marks.
    Text(&'t str),
    /// A number, a truth value or `null`.
    Plain(&'t str),
}

impl<'t> Walk<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// The next part, beyond white space and the signs between parts.
    fn next(&mut self) -> Option<Token<'t>> {
        let bytes = self.text.as_bytes();
        let is_between = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':');
        while bytes.get(self.at).is_some_and(is_between) {
            self.at += 1;
        }
        let start = self.at;
        self.at += 1;
        let token = match bytes.get(start)? {
            b'{' => Token::Object,
            b'[' => Token::List,
            b'}' | b']' => Token::End,
            b'"' => {
                while let Some(byte) = bytes.get(self.at).filter(|byte| **byte != b'"') {
                    self.at += if *byte == b'\\' { 2 } else { 1 };
                }
                self.at += 1;
                Token::Text(self.text.get(start..self.at)?)
            }
            _ => {
                let is_over = |byte: &u8| is_between(byte) || matches!(byte, b'}' | b']');
                while bytes.get(self.at).is_some_and(|byte| !is_over(byte)) {
                    self.at += 1;
                }
                Token::Plain(self.text.get(start..self.at)?)
            }
        };
        Some(token)
    }

    /// The next key of an object; `None` at its end.
    fn key(&mut self) -> Result<Option<String>, Unreadable> {
        match self.next() {
            Some(Token::Text(key)) => self.unquoted(key).map(Some),
            _ => Ok(None),
        }
    }

    /// The next text or number of a list; `None` at its end.
    fn item(&mut self) -> Result<Option<String>, Unreadable> {
        match self.next() {
            Some(Token::Text(text)) => self.unquoted(text).map(Some),
            Some(Token::Plain(plain)) if plain != "null" => Ok(Some(plain.to_owned())),
            Some(Token::End) | None => Ok(None),
            Some(_) => Err(Unreadable::JsonShape),
        }
    }

    /// A cell; several texts become its lines.
    fn cell(&mut self, token: Token<'_>) -> Result<String, Unreadable> {
        match token {
            Token::Text(text) => self.unquoted(text),
            Token::Plain("null") => Ok(String::new()),
            Token::Plain(plain) => Ok(plain.to_owned()),
            Token::List => {
                let mut lines = String::new();
                while let Some(item) = self.item()? {
                    if !lines.is_empty() {
                        lines.push('\n');
                    }
                    lines.push_str(&item);
                }
                Ok(lines)
            }
            Token::Object | Token::End => Err(Unreadable::JsonShape),
        }
    }

    /// Goes beyond a value of which the first part was read.
    fn skip(&mut self, first: Token<'_>) {
        let mut depth = 0_usize;
        let mut token = Some(first);
        while let Some(part) = token {
            match part {
                Token::Object | Token::List => depth += 1,
                Token::End => depth = depth.saturating_sub(1),
                Token::Text(_) | Token::Plain(_) => {}
            }
            if depth == 0 {
                return;
            }
            token = self.next();
        }
    }

    /// A text without its quotation marks. Only half of a character in two escapes is not valid here.
    fn unquoted(&self, quoted: &str) -> Result<String, Unreadable> {
        serde_json::from_str(quoted).map_err(|_| {
            let before = &self.text[..self.at.min(self.text.len())];
            let line = before.rfind('\n').map_or(0, |at| at + 1);
            Unreadable::Json {
                line: self.line_at(before.len()),
                column: before[line..].chars().count(),
            }
        })
    }

    /// The number of the line of a place.
    fn line_at(&self, place: usize) -> usize {
        self.text[..place].matches('\n').count() + 1
    }
}
