//! Sentences about keys that hold for every file.

use crate::{Lang, say};

/// A key that its table does not have; `table` is `None` for the top of the file.
#[must_use]
pub fn unknown_key(key: &str, table: Option<&str>, lang: Lang) -> String {
    match table {
        None => say!(lang, "`{key}` is not a key of the file itself", "`{key}` 不是文件顶层的键"),
        Some(table) => say!(lang, "`{key}` is not a key of {table}", "`{key}` 不是 {table} 的键"),
    }
}

/// The name that was probably meant.
#[must_use]
pub fn did_you_mean(meant: &str, lang: Lang) -> String {
    say!(lang, "did you mean `{meant}`?", "是否想写 `{meant}`？")
}

/// `a, b or c`.
#[must_use]
pub fn any_of(words: &[&str], lang: Lang) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    let (comma, or) = match lang {
        Lang::En => (", ", " or "),
        Lang::Zh => ("、", " 或 "),
    };
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{}{or}{last}", rest.join(comma)),
        None => String::new(),
    }
}

/// A required key.
#[must_use]
pub fn missing(table: &str, keys: &[&str], lang: Lang) -> String {
    let keys = any_of(keys, lang);
    say!(lang, "{table} needs {keys}", "{table} 需要 {keys}")
}

/// A word that is not one of the possible ones.
pub(crate) fn impossible(found: &str, lang: Lang) -> String {
    say!(lang, "\"{found}\" is not a valid value here", "这里不能写 \"{found}\"")
}

/// A number out of its bounds.
pub(crate) fn out_of_bounds(key: &str, found: i64, least: i64, lang: Lang) -> String {
    if found < least {
        return say!(lang, "{key} = {found} is too small", "{key} = {found} 太小");
    }
    say!(lang, "{key} = {found} is too large", "{key} = {found} 太大")
}

/// The bounds of a number.
pub(crate) fn bounds(least: i64, most: i64, lang: Lang) -> String {
    say!(lang, "from {least} to {most}", "从 {least} 到 {most}")
}
