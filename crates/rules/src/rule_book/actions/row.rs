//! `save_to`: a row of a table.

use crate::rule_book::scene::Scene;

/// Time, chat, sender and captures, in the order of the rule.
pub(super) fn of(scene: &Scene<'_>) -> Vec<String> {
    let time = scene.clock().strftime("%Y-%m-%d %H:%M:%S").to_string();
    let sender = scene.person.map(|person| person.name.clone()).unwrap_or_default();
    let captures =
        scene.columns.iter().map(|name| scene.captures.get(name).cloned().unwrap_or_default());
    [time, scene.chat.name.clone(), sender]
        .into_iter()
        .chain(captures)
        .map(|cell| harmless(&cell))
        .collect()
}

/// A cell that no table program takes for a formula.
fn harmless(cell: &str) -> String {
    // Also after white space and control characters, which some programs skip.
    let begins =
        cell.trim_start_matches(|c: char| c.is_whitespace() || c.is_control()).chars().next();
    let formula = begins
        .is_some_and(|c| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠'))
        || cell.starts_with(['\t', '\r']);
    if formula { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_plain_text() {
        for (cell, expected) in [
            ("张三", "张三"),
            ("=1+1", "'=1+1"),
            ("+86", "'+86"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            (" =1", "' =1"),
            ("\t=1", "'\t=1"),
            ("＝1", "'＝1"),
            ("1=1", "1=1"),
            ("'=1", "'=1"),
            ("", ""),
        ] {
            assert_eq!(harmless(cell), expected, "{cell:?}");
        }
    }
}
