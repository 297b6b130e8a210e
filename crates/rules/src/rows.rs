//! The rows of a `[[table]]`: answers, pictures, files and groups. Small: a table may have a hundred thousand of them.

use std::collections::HashMap;
use std::hash::Hash;
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
    /// The pictures and files.
    media: Once<PathBuf>,
    /// The lists of groups.
    groups: Once<Vec<Glob>>,
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
            image: image.map_or(NONE, |path| self.media.add(path)),
            file: file.map_or(NONE, |path| self.media.add(path)),
            groups: if groups.is_empty() { NONE } else { self.groups.add(groups) },
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
        self.media.get(self.rows[row as usize].image).map(PathBuf::as_path)
    }

    /// The file of an answer.
    pub(crate) fn file(&self, row: u32) -> Option<&Path> {
        self.media.get(self.rows[row as usize].file).map(PathBuf::as_path)
    }

    /// The groups of a row; `None` for all chats.
    pub(crate) fn groups(&self, row: u32) -> Option<&[Glob]> {
        self.groups.get(self.rows[row as usize].groups).map(Vec::as_slice)
    }

    /// Gives up spare room, after the last row.
    pub(crate) fn shrink(&mut self) {
        self.media.places = HashMap::new();
        self.groups.places = HashMap::new();
        self.rows.shrink_to_fit();
        self.replies.shrink_to_fit();
    }

    /// Bytes on the heap.
    pub(crate) fn heap(&self) -> usize {
        let media = self.media.values.iter().map(|path| path.as_os_str().len());
        self.rows.capacity() * size_of::<Row>() + self.replies.capacity() + media.sum::<usize>()
    }
}

/// Values, each once. A table may have another one in every row.
#[derive(Debug, Clone)]
struct Once<T> {
    values: Vec<T>,
    /// The place of each value; only while rows are added.
    places: HashMap<T, u32>,
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self { values: Vec::new(), places: HashMap::new() }
    }
}

impl<T: Clone + Eq + Hash> Once<T> {
    /// The place of a value, which is added if it is new.
    fn add(&mut self, value: T) -> u32 {
        if let Some(place) = self.places.get(&value) {
            return *place;
        }
        let place = place_of(self.values.len());
        self.values.push(value.clone());
        self.places.insert(value, place);
        place
    }

    fn get(&self, place: u32) -> Option<&T> {
        self.values.get(place as usize)
    }
}

/// A place in a list that is never so long.
pub(crate) fn place_of(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(NONE)
}

/// How a row is named towards people: `faq.xlsx:12`.
pub(crate) fn reference(table: &Arc<str>, number: u32) -> RuleRef {
    RuleRef { id: format!("{table}:{number}").into(), file: Arc::clone(table), line: number }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With a search through all values for each row this takes minutes.
    #[test]
    fn every_row_may_have_its_own_picture_and_groups() {
        let begin = std::time::Instant::now();
        let mut rows = Rows::default();
        let path = |n: u32| PathBuf::from(format!("{}.png", n % 60_000));
        for n in 0..120_000 {
            let groups = vec![Glob::new(format!("群 {}", n % 60_000))];
            let answer = Answer { reply: "x", image: Some(path(n)), file: Some(path(n)), groups };
            assert_eq!(rows.add(n, answer), n);
        }
        assert_eq!((rows.media.values.len(), rows.groups.values.len()), (60_000, 60_000));
        rows.shrink();
        assert_eq!(rows.image(60_007), Some(Path::new("7.png")));
        assert_eq!(rows.file(59_999), Some(Path::new("59999.png")));
        assert_eq!(rows.groups(60_001).map(|globs| globs[0].as_str()), Some("群 1"));
        assert!(begin.elapsed().as_secs() < 20, "{:?}", begin.elapsed());
    }
}
