//! Tables of questions and answers: the file is put beside `bot.toml`.

use std::collections::BTreeSet;

use crate::book::{Book, Rule, Value};
use crate::remark::Reason;
use crate::{ImportError, Input};

/// Reads the files, one `[[table]]` for each.
pub(crate) fn read(inputs: &[&Input], book: &mut Book) -> Result<(), ImportError> {
    for input in inputs {
        let table = mynah_tables::read(&input.bytes, &input.name, None)
            .map_err(|error| input.bad(1, error.to_string()))?;
        let rows = table.rows().len();
        if rows == 0 {
            let place = book.item(input.name.as_str(), 1);
            book.remark(&place, Reason::Empty, &input.name);
            continue;
        }
        let place = book.table(input.name.as_str(), 1, rows);
        book.items += rows;
        let name = file_name(&input.name, &input.extension(), book);
        let rule = Rule { table: "table", ..Rule::new(place, &input.name) };
        book.section("").rules.push(rule.with("file", Value::text(name.clone())));
        book.files.push((name, input.bytes.clone()));
    }
    Ok(())
}

/// A name for a file in the folder of the bot: without folders, with the extension by which tables are read, and each once,
/// also on a disk that takes large and small letters for the same.
pub(crate) fn file_name(path: &str, extension: &str, book: &Book) -> String {
    let last = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
    let is_good = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
    let clean: String = stem.chars().filter(|c| is_good(*c)).take(80).collect();
    let clean = clean.trim().trim_matches('.');
    let stem = if clean.is_empty() { "table" } else { clean };
    let is_table = ["csv", "tsv", "json", "xlsx", "ods"].contains(&extension);
    let extension = if is_table { extension } else { "csv" };
    let taken: BTreeSet<String> = book.files.iter().map(|(name, _)| name.to_lowercase()).collect();
    let mut name = format!("{stem}.{extension}");
    let mut number = 2;
    while taken.contains(&name.to_lowercase()) {
        name = format!("{stem}-{number}.{extension}");
        number += 1;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_has_no_folder() {
        let mut book = Book::default();
        for (path, expected) in [
            ("faq.xlsx", "faq.xlsx"),
            ("../../etc/faq.csv", "faq.csv"),
            ("..\\FAQ.csv", "FAQ-2.csv"),
            (".csv", "table.csv"),
            ("a:b\n.json", "ab.json"),
            ("价格 表.xlsx", "价格 表.xlsx"),
            ("bank.txt", "bank.csv"),
        ] {
            let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
            let name = file_name(path, extension, &book);
            assert_eq!(name, expected);
            book.files.push((name, Vec::new()));
        }
    }
}
