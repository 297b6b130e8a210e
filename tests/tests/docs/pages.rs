//! The pages of the documentation, and their parts.

use std::fs;
use std::path::{Path, PathBuf};

use super::root;

/// A page of Markdown.
pub(crate) struct Page {
    pub(crate) path: PathBuf,
    /// Its path in the repository.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// A fenced block.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) language: String,
    pub(crate) text: String,
}

/// Every page: Markdown in the root, and under `docs/`, `crates/`, `bots/`, `config/` and `.github/`.
pub(crate) fn all() -> Vec<Page> {
    let mut pages = Vec::new();
    for folder in [".", "docs", "bots", "crates", "config", ".github"] {
        collect(&root().join(folder), folder != ".", &mut pages);
    }
    assert!(pages.len() > 20, "only {} pages were found", pages.len());
    pages
}

fn collect(folder: &Path, deep: bool, pages: &mut Vec<Page>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && deep {
            collect(&path, deep, pages);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap();
            let name = name.trim_start_matches("./").replace('\\', "/");
            pages.push(Page { text: fs::read_to_string(&path).unwrap(), name, path });
        }
    }
}

impl Page {
    /// The locale of the page.
    pub(crate) fn locale(&self) -> &'static str {
        if self.name.contains("zh-CN") { "zh_CN.UTF-8" } else { "C" }
    }

    /// Its fenced blocks, also the indented ones in lists.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<(usize, Block)> = None;
        for line in self.text.lines() {
            let inner = line.trim_start();
            match open.take() {
                Some((_, block)) if inner == "```" => blocks.push(block),
                Some((indent, mut block)) => {
                    block.text.push_str(line.get(indent..).unwrap_or(inner));
                    block.text.push('\n');
                    open = Some((indent, block));
                }
                None => {
                    if let Some(language) = inner.strip_prefix("```") {
                        let block = Block { language: language.to_owned(), text: String::new() };
                        open = Some((line.len() - inner.len(), block));
                    }
                }
            }
        }
        assert!(open.is_none(), "{}: a block is not closed", self.name);
        blocks
    }

    /// Its prose: everything outside of fenced blocks.
    pub(crate) fn prose(&self) -> String {
        let mut fenced = false;
        let mut prose = String::new();
        for line in self.text.lines() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            } else if !fenced {
                prose.push_str(line);
                prose.push('\n');
            }
        }
        prose
    }

    /// The code spans of its prose, one per line.
    pub(crate) fn code_spans(&self) -> Vec<String> {
        let prose = self.prose();
        let paragraphs = prose.split("\n\n");
        let spans = paragraphs.flat_map(|paragraph| paragraph.split('`').skip(1).step_by(2));
        spans.map(|span| span.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }
}

/// The page of that name.
pub(crate) fn page(name: &str) -> Page {
    all().into_iter().find(|page| page.name == name).unwrap_or_else(|| panic!("no page {name}"))
}
