//! Mistakes in `mynah.toml`, shown as those of rule files are.

use mynah_core::sort_by_key;
use std::io;
use std::path::Path;

use mynah_reader::{Finding, Lang, Mistake, Severity, SourceText, Words};

/// Everything that is wrong with a file.
#[derive(Debug)]
pub(crate) struct Problems {
    file: String,
    source: SourceText,
    list: Vec<Mistake>,
}

impl Problems {
    /// The mistakes of a file, in the order of their places.
    pub(super) fn new(path: &Path, text: &str, mut list: Vec<Mistake>) -> Self {
        sort_by_key(&mut list, |mistake| mistake.span.start);
        let file = path.display().to_string();
        Self { file, source: SourceText::new(text.to_owned()), list }
    }

    /// A file that cannot be read at all.
    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        let message = match error.kind() {
            io::ErrorKind::NotFound => {
                Words::fixed("the file cannot be read: not found", "无法读取文件：文件不存在")
            }
            io::ErrorKind::InvalidData => Words::fixed(
                "the file cannot be read: it is not saved as UTF-8",
                "无法读取文件：它不是以 UTF-8 保存的",
            ),
            _ => Words::new(
                format!("the file cannot be read: {error}"),
                format!("无法读取文件：{error}"),
            ),
        };
        let hint = match error.kind() {
            io::ErrorKind::InvalidData => Words::fixed(
                "save it again with the encoding UTF-8 (in Notepad: Save as, Encoding)",
                "用 UTF-8 编码重新保存（记事本：另存为，编码选 UTF-8）",
            ),
            _ => Words::fixed("name another file with --config", "用 --config 指定文件"),
        };
        let hint = Some(hint);
        Self::new(path, "", vec![Mistake { code: "file", span: 0..0, message, hint }])
    }

    /// Whether only variables of the environment are missing, which another environment may have.
    pub(crate) fn is_environment_only(&self) -> bool {
        self.list.iter().all(|mistake| mistake.code == "variable")
    }

    /// All of them in one language.
    pub(crate) fn findings(&self, lang: Lang) -> impl Iterator<Item = Finding<'_>> {
        self.list.iter().map(move |mistake| Finding {
            severity: Severity::Error,
            code: mistake.code,
            file: &self.file,
            line: self.source.line_at(mistake.span.start),
            span: mistake.span.clone(),
            message: mistake.message.of(lang).to_owned(),
            hint: mistake.hint.as_ref().map(|hint| hint.of(lang).to_owned()),
        })
    }

    /// All of them for people.
    pub(crate) fn render(&self, lang: Lang, colours: bool) -> String {
        self.findings(lang).map(|finding| finding.render(colours)).collect()
    }
}
