//! The rule file as it is being written in the page: checked before it is saved, saved whole or not at all.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use mynah_page::view::DiagnosticRow;
use mynah_reader::{Entry, KeyGrammar, Node, Value, parse, say};
use mynah_rules::{Disk, Files, Lang, Loaded, Severity};

/// The disk, but with the text of the page in place of the main file.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    /// The main rule file.
    pub(crate) main: &'a Path,
    /// Its text in the page.
    pub(crate) text: &'a str,
}

impl Files for Draft<'_> {
    fn read(&self, path: &Path) -> io::Result<String> {
        if path == self.main { Ok(self.text.to_owned()) } else { Disk.read(path) }
    }

    fn read_inside(&self, folder: &Path, path: &Path) -> io::Result<String> {
        Disk.read_inside(folder, path)
    }

    fn read_table(&self, folder: &Path, path: &Path) -> io::Result<Vec<u8>> {
        Disk.read_table(folder, path)
    }

    fn size(&self, folder: &Path, path: &Path) -> io::Result<u64> {
        Disk.size(folder, path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        Disk.list(folder)
    }
}

/// Refuses a text that is not exactly one `[[test]]`, in this language.
pub(super) fn one_test(text: &str, lang: Lang) -> Result<(), String> {
    if is_one_test(text) {
        return Ok(());
    }
    Err(say!(
        lang,
        "the text must be exactly one [[test]] table; nothing was written",
        "文本必须正好是一个 [[test]] 表；没有写入任何内容"
    ))
}

/// Whether a text is exactly one `[[test]]`: with it at its end, a rule file has one more test and no other change.
fn is_one_test(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    let root = parse(text, &KeyGrammar(&[])).root;
    first.is_some_and(|line| line.starts_with("[[test]]"))
        && matches!(
            root.entries.as_slice(),
            [Entry { key, node: Node { value: Value::List(tests), .. }, .. }]
                if key == "test" && tests.len() == 1
        )
}

/// Replaces a file whole: a reader sees the old text or the new one, never a part.
pub(super) fn replace(file: &Path, text: &str) -> io::Result<()> {
    let draft = file.with_extension("toml.draft");
    // A new file: a link of this name would lead the text into another one.
    match std::fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    File::create_new(&draft)?.write_all(text.as_bytes())?;
    std::fs::rename(&draft, file)
}

/// The mistakes and warnings of a file, for the page.
pub(super) fn diagnostics(loaded: &Loaded, lang: Lang) -> Vec<DiagnosticRow> {
    let shown = loaded.diagnostics.iter().filter(|one| one.severity != Severity::Note);
    shown
        .map(|one| DiagnosticRow {
            severity: one.severity.word(),
            file: one.file.to_string(),
            line: one.line,
            column: one.column,
            message: one.message(lang),
            hint: one.hint(lang),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_text_with_one_test_is_one() {
        let test = "[[test]]\nscript = \"\"\"\nG/A: x\n> y\n\"\"\"\n";
        let rule = "[[rule]]\nkeyword = 'a'\nreply = 'b'\n";
        for (text, expected) in [
            (test.to_owned(), true),
            (format!("\n# From the page.\n  {test}"), true),
            ("[[test]]\nscript = 'never closed\n".to_owned(), true),
            (String::new(), false),
            (rule.to_owned(), false),
            (format!("{test}{rule}"), false),
            (format!("{rule}{test}"), false),
            (format!("{test}{test}"), false),
            (format!("reply = 'c'\n{test}"), false),
            (format!("{test}[bot]\nnames = ['x']\n"), false),
            ("test = [{ script = 'G/A: x' }]\n".to_owned(), false),
            ("[test]\nscript = 'G/A: x'\n".to_owned(), false),
        ] {
            assert_eq!(one_test(&text, Lang::En).is_ok(), expected, "{text}");
        }
        assert!(one_test("", Lang::Zh).unwrap_err().contains("没有写入任何内容"));
    }
}
