//! The reference page of a table of keys, as Markdown.

use std::fmt::Write as _;

use crate::reading::header_of;
use crate::{Key, Kind, Lang};

/// The tables of a file with these keys: one for the top of the file, one for each header.
#[must_use]
pub fn reference(top: &str, keys: &[Key], lang: Lang) -> String {
    let mut page = String::new();
    section(&mut page, top, None, keys, lang);
    page
}

fn section(page: &mut String, title: &str, header: Option<&str>, keys: &[Key], lang: Lang) {
    let head = match lang {
        Lang::En => "| key | value | default | meaning |",
        Lang::Zh => "| 键 | 值 | 默认 | 含义 |",
    };
    // Writing to a string cannot fail.
    let _ = write!(page, "\n### `{title}`\n\n{head}\n|---|---|---|---|\n");
    let is_table = |key: &&Key| matches!(key.kind, Kind::Section(_) | Kind::Sections(_));
    for key in keys.iter().filter(|key| !is_table(key)) {
        let _ = writeln!(page, "{}", row(key, lang));
    }
    for key in keys.iter().filter(is_table) {
        if let Kind::Section(inner) | Kind::Sections(inner) = key.kind {
            let header = header_of(header, key);
            let _ = write!(page, "");
            section(page, &header, Some(&header), inner, lang);
        }
    }
}

fn row(key: &Key, lang: Lang) -> String {
    let required = match (key.required, lang) {
        (false, _) => "",
        (true, Lang::En) => "Required. ",
        (true, Lang::Zh) => "必填。",
    };
    let default = key.default.map(|default| format!("`{default}`")).unwrap_or_default();
    let takes = key.kind.takes();
    let (takes, help) = (takes.of(lang).trim(), key.help.of(lang));
    format!("| `{}` | {takes} | {default} | {required}{help} |", key.name).replace("\\", "\\\\")
}
