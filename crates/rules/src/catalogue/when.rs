//! Messages about the comparisons of `when`.

use super::{Lang, say};
use crate::comparison::BadComparison;

pub(super) fn message(bad: &BadComparison, lang: Lang) -> String {
    match bad {
        BadComparison::Form { found, .. } => {
            say!(lang, "\"{found}\" is not a comparison", "\"{found}\" 不是比较的写法")
        }
        BadComparison::NoNumber { found } => {
            say!(lang, "\"{found}\" compares with no number", "\"{found}\" 没有和数字比较")
        }
        BadComparison::Reversed { found, .. } => {
            say!(lang, "\"{found}\" ends before it begins", "\"{found}\" 的终点在起点之前")
        }
        BadComparison::InList { found } => say!(
            lang,
            "\"{found}\" is a comparison; a list holds texts and numbers",
            "\"{found}\" 是比较；列表里只能写文字和数字"
        ),
    }
}

pub(super) fn hint(bad: &BadComparison, lang: Lang) -> String {
    match bad {
        BadComparison::Form { meant: Some(meant), .. } | BadComparison::Reversed { meant, .. } => {
            say!(lang, "write \"{meant}\"", "请写 \"{meant}\"")
        }
        BadComparison::Form { meant: None, .. } => say!(
            lang,
            "like \"5\", \">= 5\", \"< 5\", \"!= x\", \"5..10\"",
            "如 \"5\"、\">= 5\"、\"< 5\"、\"!= x\"、\"5..10\""
        ),
        BadComparison::NoNumber { .. } => say!(
            lang,
            "like \">= 5\" or \">= {{user.best}}\"; texts are compared by \"x\" and \"!= x\"",
            "如 \">= 5\" 或 \">= {{user.best}}\"；文字用 \"x\" 和 \"!= x\" 比较"
        ),
        BadComparison::InList { .. } => say!(
            lang,
            "write it alone; for another condition write another [[rule]]",
            "单独写它；其他条件请另写一条 [[rule]]"
        ),
    }
}

/// A name that is not compared because a key does it.
pub(super) fn not_compared(name: &str, lang: Lang) -> String {
    say!(lang, "when does not compare {{{name}}}", "when 不比较 {{{name}}}")
}

/// The key that does it.
pub(super) fn instead(name: &str, lang: Lang) -> String {
    let key = match name {
        "sender" | "at" | "joined" => "from = [\"…\"]",
        "group" => "groups = [\"…\"]",
        "date" | "weekday" => "days = \"mon-fri\"",
        "time" => "time = \"09:00-18:00\"",
        _ => "exact = [\"…\"]",
    };
    say!(lang, "write {key}", "请写 {key}")
}
