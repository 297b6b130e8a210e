//! The rows of a `[[table]]`: answers, pictures, files and groups. Small: a table may have a hundred thousand of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mynah_matching::glob::Glob;

use crate::decision::RuleRef;

/// No picture, no file, all groups.
const NONE: u32 = u32::MAX;

/// The rows of a table, from the top.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    rows: Vec<Row>,
    /// The texts of all answers, one after the other.
    replies: String,
    /// The pictures and files, each once.
    media: Vec<PathBuf>,
    /// The lists of groups, each once.
    groups: Vec<Vec<Glob>>,
}

/// One row.
#[derive(Debug, Clone, Copy)]
struct Row {
    /// Its number as a spreadsheet shows it.
    number: u32,
    /// Where its answer ends; it begins where the one before ends.
    reply_end: u32,
    image: u32,
    file: u32,
    groups: u32,
}

/// The answer of a row, as it was read.
#[derive(Debug, Default)]
pub(crate) struct Answer<'a> {
    pub(crate) reply: &'a str,
    pub(crate) image: Option<PathBuf>,
    pub(crate) file: Option<PathBuf>,
    /// Only in these groups; empty for all chats.
    pub(crate) groups: Vec<Glob>,
}

impl Rows {
    /// Adds a row; gives its place.
    pub(crate) fn add(&mut self, number: u32, answer: Answer<'_>) -> u32 {
        let Answer { reply, image, file, groups } = answer;
        self.replies.push_str(reply);
        let row = Row {
            number,
            reply_end: place_of(self.replies.len()),
            image: image.map_or(NONE, |path| once(&mut self.media, path)),
            file: file.map_or(NONE, |path| once(&mut self.media, path)),
            groups: if groups.is_empty() { NONE } else { once(&mut self.groups, groups) },
        };
        self.rows.push(row);
        place_of(self.rows.len() - 1)
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The number of a row as a spreadsheet shows it.
    pub(crate) fn number(&self, row: u32) -> u32 {
        self.rows[row as usize].number
    }

    /// The text of an answer; empty if there is none.
    pub(crate) fn reply(&self, row: u32) -> &str {
        let row = row as usize;
        let start = row.checked_sub(1).map_or(0, |before| self.rows[before].reply_end as usize);
        &self.replies[start..self.rows[row].reply_end as usize]
    }

    /// The picture of an answer.
    pub(crate) fn image(&self, row: u32) -> Option<&Path> {
        self.media.get(self.rows[row as usize].image as usize).map(PathBuf::as_path)
    }

    /// The file of an answer.
    pub(crate) fn file(&self, row: u32) -> Option<&Path> {
        self.media.get(self.rows[row as usize].file as usize).map(PathBuf::as_path)
    }

    /// The groups of a row; `None` for all chats.
    pub(crate) fn groups(&self, row: u32) -> Option<&[Glob]> {
        self.groups.get(self.rows[row as usize].groups as usize).map(Vec::as_slice)
    }

    /// Gives up spare room.
    pub(crate) fn shrink(&mut self) {
        self.rows.shrink_to_fit();
        self.replies.shrink_to_fit();
    }

    /// Bytes on the heap.
    pub(crate) fn heap(&self) -> usize {
        let media = self.media.iter().map(|path| path.as_os_str().len());
        self.rows.capacity() * size_of::<Row>() + self.replies.capacity() + media.sum::<usize>()
    }
}

/// The place of a value in a list that has each once. Most tables have few pictures, and the last one is looked at first.
fn once<T: PartialEq>(list: &mut Vec<T>, value: T) -> u32 {
    let known = list.iter().rposition(|known| *known == value);
    place_of(known.unwrap_or_else(|| {
        list.push(value);
        list.len() - 1
    }))
}

/// A place in a list that is never so long.
pub(crate) fn place_of(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(NONE)
}

/// How a row is named towards people: `faq.xlsx:12`.
pub(crate) fn reference(table: &Arc<str>, number: u32) -> RuleRef {
    RuleRef { id: format!("{table}:{number}").into(), file: Arc::clone(table), line: number }
}
