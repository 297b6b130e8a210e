//! Words that say little about a question: `请问`, `的`, `the`. They do not count for likeness, unless there are no others.

/// Characters that fill a Chinese sentence. `么` counts behind `怎` and `什`.
const CHINESE: [&str; 16] = [
    "我", "你", "您", "们", "的", "呢", "吗", "啊", "呀", "吧", "了", "么", "嘛", "哦", "要", "想",
];

/// Characters that make one word with a `么` behind them.
const BEFORE_ME: [&str; 4] = ["怎", "什", "这", "那"];

/// Words that fill an English sentence.
const ENGLISH: [&str; 22] = [
    "a", "an", "the", "please", "i", "my", "me", "you", "your", "is", "are", "do", "does", "did",
    "to", "of", "it", "and", "would", "could", "can", "am",
];

/// The units of a sentence that say something; all of them if none does.
pub(super) fn without_fillers(units: Vec<String>) -> Vec<String> {
    let kept: Vec<String> =
        (0..units.len()).filter(|at| !is_filler(&units, *at)).map(|at| units[at].clone()).collect();
    if kept.is_empty() { units } else { kept }
}

fn is_filler(units: &[String], at: usize) -> bool {
    let unit = units[at].as_str();
    let before = at.checked_sub(1).map(|before| units[before].as_str());
    match unit {
        "么" => !before.is_some_and(|before| BEFORE_ME.contains(&before)),
        "请" => units.get(at + 1).is_some_and(|after| after == "问"),
        "问" => before == Some("请"),
        _ => CHINESE.contains(&unit) || ENGLISH.contains(&unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fillers_are_left_out_unless_there_is_nothing_else() {
        for (text, expected) in [
            ("请问我怎么退货呢", "怎么退货"),
            ("问题怎么提", "问题怎么提"),
            ("能退吗", "能退"),
            ("我要", "我要"),
            ("how do I return the item", "howreturnitem"),
            ("can you", "canyou"),
        ] {
            let units = crate::likeness::units(text);
            let units: Vec<String> = units.into_iter().map(|unit| unit.to_lowercase()).collect();
            assert_eq!(without_fillers(units).concat(), expected, "{text}");
        }
    }
}
