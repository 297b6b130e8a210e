//! Brackets, bars and braces of full width in a pattern: text, though a Chinese keyboard writes them where a plain one
//! writes signs.

use std::ops::Range;

use super::Pattern;
use crate::template::is_name;

/// A sign of full width that was probably meant as a sign of the language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slip {
    /// Its place, in bytes of the pattern.
    pub span: Range<usize>,
    /// The sign.
    pub found: char,
    /// The correction: the sign, or all of the part that it begins, in plain signs.
    pub plain: String,
}

/// The first sign of full width where a sign of the language would be meant: a choice in brackets, or a name in braces.
///
/// Brackets around something else are text that people write, and so are square ones: that is how a pattern says `[微笑]`.
pub(super) fn slip(source: &str) -> Option<Slip> {
    let mut open: Vec<Open> = Vec::new();
    for (at, c) in source.char_indices() {
        match c {
            '(' | '（' | '[' => open.push(Open { at, sign: c, is_choice: false }),
            ')' => close(&mut open, '('),
            ']' => close(&mut open, '['),
            '）' if open.last().is_some_and(|last| last.sign == '（') => {
                if let Some(Open { at: from, is_choice: true, .. }) = open.pop() {
                    return Some(begun_at(source, from, at));
                }
            }
            '|' | '｜' => match open.last_mut() {
                Some(last) if last.sign == '（' => last.is_choice = true,
                Some(last) if last.sign == '(' && c == '｜' => {
                    return Some(begun_at(source, at, at));
                }
                _ => {}
            },
            '｛' => {
                let end = at + source[at..].find('｝').unwrap_or_default();
                let inside = source.get(at + c.len_utf8()..end).unwrap_or_default();
                if is_hole(&in_plain_signs(inside)) {
                    return Some(begun_at(source, at, end));
                }
            }
            _ => {}
        }
    }
    None
}

/// The sign of full width that keeps a pattern from being read; where there are several, the first of them.
pub(super) fn mixed(source: &str) -> Option<Slip> {
    let is_good = |source: &str| Pattern::parse(source).is_ok();
    let wide = || source.char_indices().filter(|(_, c)| plain(*c) != *c);
    let alone = wide().find(|(at, c)| {
        let (before, after) = (&source[..*at], &source[at + c.len_utf8()..]);
        is_good(&format!("{before}{}{after}", plain(*c)))
    });
    let (at, _) = alone.or_else(|| wide().next().filter(|_| is_good(&in_plain_signs(source))))?;
    Some(begun_at(source, at, at))
}

struct Open {
    at: usize,
    sign: char,
    is_choice: bool,
}

/// Closes the last bracket of that sign; those of full width that were opened within are text.
fn close(open: &mut Vec<Open>, sign: char) {
    if let Some(last) = open.iter().rposition(|open| open.sign == sign) {
        open.truncate(last);
    }
}

fn begun_at(source: &str, from: usize, to: usize) -> Slip {
    let width = |at: usize| source[at..].chars().next().map_or(0, char::len_utf8);
    Slip {
        span: from..from + width(from),
        found: source[from..].chars().next().unwrap_or_default(),
        plain: in_plain_signs(&source[from..to + width(to)]),
    }
}

fn in_plain_signs(text: &str) -> String {
    text.chars().map(plain).collect()
}

fn plain(c: char) -> char {
    match c {
        '（' => '(',
        '）' => ')',
        '｜' => '|',
        '｛' => '{',
        '｝' => '}',
        '［' => '[',
        '］' => ']',
        c => c,
    }
}

fn is_hole(inside: &str) -> bool {
    let (name, kind) = inside.split_once([':', '：']).unwrap_or((inside, "int"));
    is_name(name.trim()) && kind.trim() == "int"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_width_signs_are_slips_where_plain_ones_would_mean_something() {
        for (source, found, plain) in [
            ("（买|卖）{what}", '（', "(买|卖)"),
            ("我要（买｜卖） {what}", '（', "(买|卖)"),
            ("(买｜卖) {what}", '｜', "|"),
            ("(买|卖｜换) {what}", '｜', "|"),
            ("天气 ｛city｝", '｛', "{city}"),
            ("退款 ｛no:int｝", '｛', "{no:int}"),
            ("（含（a|b））", '（', "(a|b)"),
        ] {
            let slip = slip(source).expect(source);
            assert_eq!((slip.found, slip.plain.as_str()), (found, plain), "{source}");
            assert!(source[slip.span].starts_with(found));
        }
    }

    #[test]
    fn full_width_signs_in_sentences_are_text() {
        for source in [
            "价格（含税）",
            "（{what}）",
            "（含(a|b)）",
            "(（a）|（b）)",
            "报名｜{name}｜{phone}",
            "［微笑］",
            "［a］",
            "）a（",
            "（a",
            "｛｝",
            "｛不 是｝",
            "｛a",
            "(a|b)（注）",
        ] {
            assert_eq!(slip(source), None, "{source}");
        }
    }

    #[test]
    fn brackets_of_two_widths_are_told() {
        for (source, found) in [
            ("（买|卖) {what}", '（'),
            ("(买|卖）{what}", '）'),
            ("天气 {city｝", '｝'),
            ("你好［呀]", '［'),
            ("（注）(买|卖）{what}", '）'),
            ("（买|卖) (几|多）个", '（'),
        ] {
            assert!(Pattern::parse(source).is_err(), "{source}");
            assert_eq!(mixed(source).expect(source).found, found, "{source}");
        }
        for source in ["（注）(a|b", "（注）{a}{b}", "a)"] {
            assert_eq!(mixed(source), None, "{source}");
        }
    }
}
