//! The files of a bot in reading order: included files come before the tables of the including file.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

use mynah_files::Refusal;

use crate::check::{File, Report, is_inside};
use crate::keys::BotToml;
use crate::problem::{BadFile, BadInclude, CannotRead, Link, Problem};
use crate::sources::{FileId, Files, Sources, Spot};
use mynah_core::sort_by;
use mynah_matching::glob::Glob;
use mynah_reader::{Entry, TableNode, Value, parse};

/// Reads the main file and all included files, and reports files that cannot be read.
pub(super) fn read_all(
    main: &Path,
    folder: &Path,
    files: &dyn Files,
    report: &mut Report,
) -> (Sources, Vec<File>, OtherFiles) {
    let mut reader = Reader {
        folder: tidy(folder),
        files,
        report,
        sources: Sources::default(),
        trees: Vec::new(),
        open: Vec::new(),
        done: Vec::new(),
        others: OtherFiles::default(),
    };
    match files.read(main) {
        Ok(text) => reader.file(main, text),
        Err(error) => reader.unreadable_main(main, &error),
    }
    for (name, text) in files.defaults() {
        let path = reader.folder.join(name);
        reader.file(&path, text);
    }
    (reader.sources, reader.trees, reader.others)
}

struct Reader<'a> {
    /// Tidied, as all paths that are compared with it.
    folder: PathBuf,
    files: &'a dyn Files,
    report: &'a mut Report,
    sources: Sources,
    trees: Vec<File>,
    /// The files that are being read: each is included by the one before it.
    open: Vec<PathBuf>,
    /// The files that have been read.
    done: Vec<PathBuf>,
    others: OtherFiles,
}

/// The files of lists by the rule file that names them and by their path as written there.
pub(crate) type ListFiles = BTreeMap<(FileId, String), Result<FileId, BadFile>>;

/// The files of tables, likewise, with their bytes.
pub(crate) type TableFiles = BTreeMap<(FileId, String), Result<(FileId, Vec<u8>), BadFile>>;

/// The files that rule files name beside other rule files.
#[derive(Debug, Default)]
pub(crate) struct OtherFiles {
    pub(crate) lists: ListFiles,
    pub(crate) tables: TableFiles,
}

/// A path that an `include` names, with the place of its text.
struct Wanted {
    path: String,
    spot: Spot,
}

impl Reader<'_> {
    fn unreadable_main(&mut self, main: &Path, error: &io::Error) {
        let id = self.sources.add(&self.name_of(main), main.to_owned(), String::new());
        let problem = BadFile::RuleFile(CannotRead::of(error));
        self.report.add(Problem::File(problem), Spot::new(id, 0..0));
        self.trees.push(File { id, root: TableNode { broken: true, ..TableNode::default() } });
    }

    /// How a file is named to people: relative to the folder of the main file.
    fn name_of(&self, path: &Path) -> String {
        let path = tidy(path);
        let relative = path.strip_prefix(&self.folder).unwrap_or(&path);
        let parts: Vec<_> =
            relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        parts.join("/")
    }

    fn file(&mut self, path: &Path, text: String) {
        let parsed = parse(&text, &BotToml);
        let id = self.sources.add(&self.name_of(path), path.to_owned(), text);
        for (problem, span) in parsed.problems {
            self.report.add(Problem::Syntax(problem), Spot::new(id, span));
        }
        for list in list_paths(&parsed.root) {
            self.list(path, id, list);
        }
        for table in table_paths(&parsed.root) {
            self.table(path, id, table);
        }
        self.open.push(tidy(path));
        for wanted in includes(&parsed.root, id) {
            self.include(path, &wanted);
        }
        self.open.pop();
        self.done.push(tidy(path));
        self.trees.push(File { id, root: parsed.root });
    }

    /// Reads the file of a list.
    fn list(&mut self, from: &Path, rule_file: FileId, written: &str) {
        let path = tidy(&from.parent().unwrap_or(Path::new("")).join(written));
        let read = if is_inside(&path, &self.folder) {
            let read = self.files.read_inside(&self.folder, &path);
            read.map_err(|error| bad_list(written, &error))
                .and_then(|text| without_nul(written, text))
        } else {
            Err(BadFile::Outside { path: written.to_owned() })
        };
        let (text, bad) = match read {
            Ok(text) => (text, None),
            Err(bad) => (String::new(), Some(bad)),
        };
        // Also one that cannot be read belongs to the bot: it is loaded again when that file is saved.
        let file = self.sources.add(&self.name_of(&path), path, text);
        self.others.lists.insert((rule_file, written.to_owned()), bad.map_or(Ok(file), Err));
    }

    /// Reads the file of a table, once for each rule file.
    fn table(&mut self, from: &Path, rule_file: FileId, written: &str) {
        let key = (rule_file, written.to_owned());
        if self.others.tables.contains_key(&key) {
            return;
        }
        let path = tidy(&from.parent().unwrap_or(Path::new("")).join(written));
        let read = if is_inside(&path, &self.folder) {
            let bytes = self.files.read_table(&self.folder, &path);
            bytes.map_err(|error| bad_list(written, &error))
        } else {
            Err(BadFile::Outside { path: written.to_owned() })
        };
        // Like the file of a list it belongs to the bot; its bytes are not a text that could be shown.
        let file = self.sources.add(&self.name_of(&path), path, String::new());
        self.others.tables.insert(key, read.map(|bytes| (file, bytes)));
    }

    fn include(&mut self, from: &Path, wanted: &Wanted) {
        let beside = from.parent().unwrap_or(Path::new(""));
        let path = tidy(&beside.join(&wanted.path));
        if !is_inside(&path, &self.folder) {
            return self.bad(BadInclude::Outside(wanted.path.clone()), wanted);
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        if !Glob::new(folder.to_string_lossy()).is_plain() {
            return self.bad(BadInclude::StarInFolder(wanted.path.clone()), wanted);
        }
        let glob = Glob::new(name);
        if glob.is_plain() {
            return self.one(&path, wanted);
        }
        self.all(&folder, &glob, wanted);
    }

    /// All files of a folder that fit, by name; a file that is being read or has been read is not meant.
    fn all(&mut self, folder: &Path, glob: &Glob, wanted: &Wanted) {
        let mut paths: Vec<PathBuf> = self.files.list(folder).unwrap_or_default();
        paths.retain(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            glob.fits(&name) && !name.starts_with('.')
        });
        sort_by(&mut paths, |a, b| a.file_name().cmp(&b.file_name()));
        let paths: Vec<PathBuf> = paths.iter().map(|path| tidy(path)).collect();
        let others = |path: &&PathBuf| !self.open.contains(path);
        if !paths.iter().any(|path| others(&path)) {
            let problem = Problem::IncludeNothing { pattern: wanted.path.clone() };
            return self.report.add(problem, wanted.spot.clone());
        }
        for path in paths {
            if !self.open.contains(&path) && !self.done.contains(&path) {
                self.one(&path, wanted);
            }
        }
    }

    fn one(&mut self, path: &Path, wanted: &Wanted) {
        if self.open.iter().any(|open| open == path) {
            return self.bad(BadInclude::Cycle(self.name_of(path)), wanted);
        }
        if self.done.iter().any(|done| done == path) {
            return self.bad(BadInclude::Twice(wanted.path.clone()), wanted);
        }
        let error = match self.files.read_inside(&self.folder, path) {
            Ok(text) => return self.file(path, text),
            Err(error) => error,
        };
        // Of the files that fit a pattern, the one with the fault is named.
        let is_plain = Glob::new(wanted.path.clone()).is_plain();
        let shown = if is_plain { wanted.path.clone() } else { self.name_of(path) };
        let bad = match CannotRead::of(&error) {
            _ if Refusal::of(&error) == Some(Refusal::Outside) => {
                Link::of(&error).map_or(BadInclude::Outside(shown), BadInclude::Link)
            }
            CannotRead::NotFound => BadInclude::Missing(shown),
            why => BadInclude::Unreadable { path: shown, why },
        };
        self.bad(bad, wanted);
    }

    fn bad(&mut self, bad: BadInclude, wanted: &Wanted) {
        self.report.add(Problem::Include(bad), wanted.spot.clone());
    }
}

fn bad_list(path: &str, error: &io::Error) -> BadFile {
    let path = path.to_owned();
    match CannotRead::of(error) {
        _ if Refusal::of(error) == Some(Refusal::Outside) => {
            Link::of(error).map_or(BadFile::Outside { path }, BadFile::Link)
        }
        CannotRead::NotFound => BadFile::Missing { path, meant: None },
        why => BadFile::Unreadable { path, why },
    }
}

/// The text of a list, which has no NUL: a file with one is not text, or was damaged.
fn without_nul(path: &str, text: String) -> Result<String, BadFile> {
    let Some((before, _)) = text.split_once('\0') else { return Ok(text) };
    let why = CannotRead::Nul { line: before.matches('\n').count() + 1 };
    Err(BadFile::Unreadable { path: path.to_owned(), why })
}

/// The paths of the files of lists.
fn list_paths(root: &TableNode) -> impl Iterator<Item = &str> {
    let lists = root.entries.iter().filter(|entry| entry.key == "lists");
    let files = lists.flat_map(inner).flat_map(inner).filter(|entry| entry.key == "file");
    files.filter_map(|entry| match &entry.node.value {
        Value::Text(path) => Some(path.as_str()),
        _ => None,
    })
}

/// The paths of the files of tables.
fn table_paths(root: &TableNode) -> impl Iterator<Item = &str> {
    let tables = root.entries.iter().filter(|entry| entry.key == "table");
    let items = tables.flat_map(|entry| match &entry.node.value {
        Value::List(items) => items.as_slice(),
        _ => &[],
    });
    let entries = items.flat_map(|item| match &item.value {
        Value::Table(table) => table.entries.as_slice(),
        _ => &[],
    });
    entries.filter(|entry| entry.key == "file").filter_map(|entry| match &entry.node.value {
        Value::Text(path) => Some(path.as_str()),
        _ => None,
    })
}

fn inner(entry: &Entry) -> &[Entry] {
    match &entry.node.value {
        Value::Table(table) => &table.entries,
        _ => &[],
    }
}

/// The includes of a file. Wrong types are reported when the file is checked.
fn includes(root: &TableNode, file: FileId) -> Vec<Wanted> {
    let entry = root.entries.iter().find(|entry| entry.key == "include");
    let nodes: Vec<_> = match entry.map(|entry| &entry.node) {
        Some(node) => match &node.value {
            Value::List(items) => items.iter().collect(),
            _ => vec![node],
        },
        None => Vec::new(),
    };
    let texts = nodes.into_iter().filter_map(|node| match &node.value {
        Value::Text(path) => {
            Some(Wanted { path: path.clone(), spot: Spot::new(file, node.span.clone()) })
        }
        _ => None,
    });
    texts.collect()
}

/// The same path without `.` and with `..` taken back where that is plain.
fn tidy(path: &Path) -> PathBuf {
    let mut tidied = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(tidied.components().next_back(), Some(Component::Normal(_))) =>
            {
                tidied.pop();
            }
            other => tidied.push(other),
        }
    }
    tidied
}
