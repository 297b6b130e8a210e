//! The reference page of the language: the tables are made from the table of keys, the rest is prose.

use std::fmt::Write as _;

use crate::catalogue::CODES;
use crate::keys::{Key, Kind, Role, Table};
use mynah_reader::Lang;

/// The reference page of `bot.toml` as Markdown.
#[must_use]
pub fn reference(lang: Lang) -> String {
    let (title, keys, codes, prose) = match lang {
        Lang::En => (
            "# The rule language",
            "## Keys",
            "## Diagnostics",
            include_str!("reference/meaning.en.md"),
        ),
        Lang::Zh => ("# 规则语言", "## 键", "## 诊断", include_str!("reference/meaning.zh.md")),
    };
    let mut page = format!("{title}\n\n{}\n{keys}\n", prose.trim_start());
    for table in Table::ALL {
        section(&mut page, table, lang);
    }
    // Writing to a string cannot fail.
    let _ = write!(page, "\n{codes}\n\n{}", codes_table(lang));
    page
}

fn section(page: &mut String, table: Table, lang: Lang) {
    let (key, value, meaning) = match lang {
        Lang::En => ("key", "value", "meaning"),
        Lang::Zh => ("键", "值", "含义"),
    };
    let _ = write!(
        page,
        "\n### `{}`\n\n| {key} | {value} | {meaning} |\n|---|---|---|\n",
        table.shown()
    );
    for key in table.keys() {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} |",
            key.name,
            value_of(key, lang),
            cell(&meaning_of(key, lang))
        );
    }
}

fn meaning_of(key: &Key, lang: Lang) -> String {
    let part = match (key.role, lang) {
        (Role::Condition, Lang::En) => "Condition. ",
        (Role::Restriction, Lang::En) => "Restriction. ",
        (Role::Action, Lang::En) => "Action. ",
        (Role::Condition, Lang::Zh) => "条件。",
        (Role::Restriction, Lang::Zh) => "限制。",
        (Role::Action, Lang::Zh) => "动作。",
        (Role::Setting | Role::Section, _) => "",
    };
    // Only rules have all three; elsewhere the words would add nothing.
    let part = if key.tables.contains(&Table::Rule) { part } else { "" };
    format!("{part}{}", key.help(lang))
}

/// A text that stays inside its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn value_of(key: &Key, lang: Lang) -> String {
    let (en, zh) = match key.kind {
        Kind::Text | Kind::Script => ("text", "文字"),
        Kind::Texts => ("text or list", "文字或列表"),
        Kind::Groups => ("name or list, `*` `?`", "名称或列表，可用 `*` `?`"),
        Kind::Patterns => ("pattern or list", "句式或列表"),
        Kind::Regex => ("regex", "正则"),
        Kind::Regexes => ("regex or list", "正则或列表"),
        Kind::Template => ("text with `{names}`", "文字，可含 `{名字}`"),
        Kind::Templates => ("list of texts with `{names}`", "文字列表，可含 `{名字}`"),
        Kind::Weighted => (
            "list of texts with `{names}`, or of `{ text = …, weight = … }`",
            "文字列表，可含 `{名字}`，也可写 `{ text = …, weight = … }`",
        ),
        Kind::Flag => ("`true` or `false`", "`true` 或 `false`"),
        Kind::Integer => ("whole number", "整数"),
        Kind::Chance => ("between 0 and 1", "0 与 1 之间"),
        Kind::Duration => ("`30s`, `5m`, `2h`, `1d`", "`30s`、`5m`、`2h`、`1d`"),
        Kind::Cooldown => ("`30s`, or a table", "`30s`，或表"),
        Kind::Limit | Kind::Section(_) => ("table", "表"),
        Kind::Times => ("`09:00-18:00` or list", "`09:00-18:00` 或列表"),
        Kind::At => ("`09:00` or list", "`09:00` 或列表"),
        Kind::Days => ("`mon-fri`, `sat,sun` or list", "`mon-fri`、`sat,sun` 或列表"),
        Kind::Cron => ("five fields", "五段"),
        Kind::Zone => ("time zone", "时区"),
        Kind::Word(words) | Kind::Words(words) => return quoted(words),
        Kind::Column => ("header or number", "列名或序号"),
        Kind::Path => ("path", "路径"),
        Kind::FileName => ("name ending in `.csv`", "以 `.csv` 结尾的文件名"),
        Kind::Handler => ("name", "名称"),
        Kind::Lists => ("`{ k = [\"v\"] }`", "`{ k = [\"v\"] }`"),
        Kind::Vars => ("`{ k = \"v\" }`", "`{ k = \"v\" }`"),
        Kind::TemplateVars => ("`{ k = \"v\" }` with `{names}`", "`{ k = \"v\" }`，可含 `{名字}`"),
        Kind::Comparisons => ("`{ k = \">= 5\" }`", "`{ k = \">= 5\" }`"),
        Kind::Counts => ("`{ k = 1 }`, `{ k = \"{n}\" }`", "`{ k = 1 }`、`{ k = \"{n}\" }`"),
        Kind::Streaks => ("`{ k = \"day\" }`, `\"week\"`", "`{ k = \"day\" }`、`\"week\"`"),
        Kind::Next => ("text, or `{ answer = \"id\" }`", "文字，或 `{ 回答 = \"id\" }`"),
        Kind::Paths => ("list of paths", "路径列表"),
        Kind::Address => ("address with `{names}`", "地址，可含 `{名字}`"),
        Kind::Body => ("text, or table", "文字，或表"),
        Kind::Taken => ("`{ k = \"/pointer\" }`", "`{ k = \"/指针\" }`"),
        Kind::Statuses => ("`404`, `\"200-299, 404\"`", "`404`、`\"200-299, 404\"`"),
        Kind::Steps | Kind::Sections(_) => ("list of tables", "表的列表"),
    };
    match lang {
        Lang::En => en.to_owned(),
        Lang::Zh => zh.to_owned(),
    }
}

fn quoted(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(" ")
}

fn codes_table(lang: Lang) -> String {
    let mut table = match lang {
        Lang::En => String::from("| code | meaning |\n|---|---|\n"),
        Lang::Zh => String::from("| 代码 | 含义 |\n|---|---|\n"),
    };
    for (code, en, zh) in CODES {
        let says = match lang {
            Lang::En => en,
            Lang::Zh => zh,
        };
        let _ = writeln!(table, "| `{code}` | {says} |");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_line_in_both_languages() {
        for lang in [Lang::En, Lang::Zh] {
            let page = reference(lang);
            for table in Table::ALL {
                for key in table.keys() {
                    assert!(page.contains(&format!("| `{}` | ", key.name)), "{}", key.name);
                }
            }
        }
    }
}
