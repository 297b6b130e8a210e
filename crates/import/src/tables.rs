//! Tables of questions and answers: the file is put beside `bot.toml`.

use std::collections::BTreeSet;

use crate::book::{Book, Rule, Value};
use crate::remark::{Place, Reason};
use crate::{ImportError, Input};

/// Reads the files, one `[[table]]` for each.
pub(crate) fn read(inputs: &[&Input], book: &mut Book) -> Result<(), ImportError> {
    for input in inputs {
        let table = mynah_tables::read(&input.bytes, &input.name, None)
            .map_err(|error| input.bad(1, error.to_string()))?;
        let rows = table.rows().len();
        let place = Place { file: input.name.as_str().into(), line: 1 };
        if rows == 0 {
            book.items += 1;
            book.remark(&place, Reason::Empty, &input.name);
            continue;
        }
        book.items += rows;
        let name = file_name(&input.name, book);
        let rule = Rule { table: "table", ..Rule::new(place, &input.name) };
        book.section("").rules.push(rule.with("file", Value::text(name.clone())));
        book.files.push((name, input.bytes.clone()));
    }
    Ok(())
}

/// A name for a file in the folder of the bot: without folders, and each once.
pub(crate) fn file_name(path: &str, book: &Book) -> String {
    let last = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_good = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
    let clean: String = last.chars().filter(|c| is_good(*c)).take(80).collect();
    let clean = clean.trim().trim_start_matches('.');
    let (stem, extension) = clean.rsplit_once('.').unwrap_or((clean, "csv"));
    let stem = if stem.is_empty() { "table" } else { stem };
    let taken: BTreeSet<&str> = book.files.iter().map(|(name, _)| name.as_str()).collect();
    let mut name = format!("{stem}.{extension}");
    let mut number = 2;
    while taken.contains(name.as_str()) {
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
            ("..\\faq.csv", "faq-2.csv"),
            (".csv", "csv.csv"),
            ("a:b\n.json", "ab.json"),
            ("价格 表.xlsx", "价格 表.xlsx"),
        ] {
            let name = file_name(path, &book);
            assert_eq!(name, expected);
            book.files.push((name, Vec::new()));
        }
    }
}
