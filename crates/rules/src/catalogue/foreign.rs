//! Texts for the errors of the regex and cron parsers, which are English only, and for cron not in plain words.
//!
//! Each error is recognised by its first words. An unknown one, of a newer parser, is shown in English.

use super::{Lang, say};

/// The error of a regular expression.
pub(super) fn regex(words: &str) -> String {
    found_in(&REGEX, words).map_or_else(|| format!("正则有误：{words}"), ToOwned::to_owned)
}

/// The error of a cron line.
pub(super) fn cron(words: &str, lang: Lang) -> String {
    let bare = words
        .trim_start_matches("Component error: ")
        .trim_start_matches("Pattern contains illegal characters: ")
        .trim_start_matches("Invalid pattern: ");
    let illegal = bare.strip_prefix("CronPattern contains illegal character '");
    let illegal = illegal.and_then(|illegal| illegal.strip_suffix('\'')?.split_once("' in part '"));
    if let Some((sign, part)) = illegal {
        return say!(
            lang,
            "{sign} in \"{part}\" has no meaning",
            "\"{part}\" 里的 {sign} 没有意义"
        );
    }
    match CRON.iter().find(|(known, ..)| bare.starts_with(known)) {
        Some((_, en, zh)) => say!(lang, "{en}", "{zh}"),
        None => words.to_owned(),
    }
}

fn found_in(known: &[(&str, &'static str)], words: &str) -> Option<&'static str> {
    let found = known.iter().find(|(english, _)| words.starts_with(english));
    found.map(|(_, chinese)| *chinese)
}

const REGEX: [(&str, &str); 36] = [
    ("unclosed group", "分组没有结束"),
    ("unopened group", "多余的 )"),
    ("unclosed character class", "字符类 [ 没有结束"),
    ("unclosed counted repetition", "重复次数 { 没有结束"),
    ("unclosed capture group name", "分组名没有结束"),
    ("repetition operator missing expression", "重复符号前面没有内容"),
    ("unrecognized escape sequence", "未知的转义"),
    ("incomplete escape sequence", "转义不完整"),
    ("invalid escape sequence found in character class", "字符类里不能有这个转义"),
    ("duplicate capture group name", "分组名重复"),
    ("empty capture group name", "分组名为空"),
    ("invalid capture group character", "分组名里有不能用的字符"),
    ("exceeded the maximum number of capturing groups", "分组太多"),
    ("exceed the maximum number of nested", "括号嵌套太深"),
    ("invalid character class range", "字符范围的起点大于终点"),
    ("invalid range boundary", "字符范围的两端应是单个字符"),
    ("invalid repetition count range", "重复次数的范围无效"),
    ("repetition quantifier expects a valid decimal", "重复次数应为数字"),
    ("decimal literal empty", "这里应有数字"),
    ("decimal literal invalid", "数字无效"),
    ("hexadecimal literal empty", "这里应有十六进制数"),
    ("hexadecimal literal is not", "这个十六进制数不是任何字符"),
    ("invalid hexadecimal digit", "不是十六进制数字"),
    ("unrecognized flag", "未知的标志"),
    ("duplicate flag", "标志重复"),
    ("dangling flag negation", "标志里的 - 后面没有内容"),
    ("flag negation operator repeated", "标志里有两个 -"),
    ("expected flag but got end", "标志没有写完"),
    ("special word boundary assertion is either", r"\b{ 没有结束，或写错了"),
    ("unrecognized special word boundary", r"\b{…} 里只能写 start、end、start-half 或 end-half"),
    ("found either the beginning of a special word", r"\b{ 没有结束"),
    ("invalid Unicode character class", r"\p 的写法不对"),
    ("Unicode property value not found", "没有这个 Unicode 属性值"),
    ("Unicode property not found", "没有这个 Unicode 属性"),
    ("Unicode not allowed here", "(?-u) 里不能用 Unicode 的字符和类"),
    ("pattern can match invalid UTF-8", "(?-u) 可能匹配到半个字符"),
];

const CRON: [(&str, &str, &str); 19] = [
    (
        "Number out of bounds",
        "a number is outside of the range of its field",
        "数字超出这一段的范围",
    ),
    ("Invalid number", "a number is expected", "应为数字"),
    (
        "Range out of bounds",
        "a range ends before it begins, or is outside of its field",
        "起点大于终点，或超出这一段的范围",
    ),
    ("Invalid range syntax", "a range is written like 1-5", "范围的写法不对，应如 1-5"),
    ("Invalid start of range", "a range begins with a number", "范围的起点应为数字"),
    ("Invalid range start", "a range begins with a number", "范围的起点应为数字"),
    ("Invalid end of range", "a range ends with a number", "范围的终点应为数字"),
    ("Invalid range end", "a range ends with a number", "范围的终点应为数字"),
    ("Invalid stepped range syntax", "there can be one / only", "只能有一个 /"),
    (
        "Invalid step syntax",
        "before / comes * or a range, as in */10 and 0-30/10",
        "/ 前面应是 * 或范围，如 */10、0-30/10",
    ),
    ("Invalid step", "behind / comes a number", "/ 后面应为数字"),
    ("Step cannot be zero", "behind / there cannot be 0", "/ 后面不能是 0"),
    ("Nth specifier # not allowed", "# is not possible in this field", "这一段不能用 #"),
    ("Nth specifier out of bounds", "behind # comes 1 to 5", "# 后面应是 1 到 5"),
    ("Invalid nth specifier", "behind # comes 1 to 5", "# 后面应是 1 到 5"),
    ("L not allowed", "L is not possible in this field", "这一段不能用 L"),
    ("Invalid day for closest weekday", "before W comes a day of the month", "W 前面应是几号"),
    (
        "Day for closest weekday out of bounds",
        "the number before W is not a day of any month",
        "W 前面不是任何一天",
    ),
    ("Position", "a number is outside of the range of its field", "数字超出这一段的范围"),
];

#[cfg(test)]
mod tests {
    use croner::parser::{CronParser, Seconds};

    use super::*;
    use mynah_matching::regex::{RegexCondition, RegexErrorKind};

    #[test]
    fn every_complaint_about_a_regex_is_translated() {
        let deep = "(".repeat(300) + &")".repeat(300);
        for source in [
            "(a",
            "a)",
            "[a",
            "a{2",
            "(?P<a",
            "*",
            r"\q",
            "a\\",
            r"[\b]",
            r"[\A]",
            "(?<a>x)(?<a>y)",
            "(?<>x)",
            "(?<a b>x)",
            &deep,
            "[z-a]",
            r"[a-\d]",
            "a{3,2}",
            "a{,2}",
            "a{x}",
            "a{99999999999}",
            r"\x{}",
            r"\x{110000}",
            r"\xg",
            "(?q)",
            "(?ii)",
            "(?i-)",
            "(?i--s)",
            "(?i",
            r"\b{x}",
            r"\b{start",
            r"\b{",
            r"\b{3",
            r"\p{",
            r"\p{x=y=z}",
            r"\p{Nothing}",
            r"\p{sc=Nothing}",
            r"(?-u)汉|\xFF",
            r"(?-u:[汉])",
            r"(?-u)\xFF",
            r"(?-u)\W",
        ] {
            let Err(error) = RegexCondition::parse(source, false) else {
                panic!("{source} is a regex");
            };
            let RegexErrorKind::Syntax(words) = error.kind else { panic!("{source}: {error}") };
            assert!(found_in(&REGEX, &words).is_some(), "{source}: {words}");
        }
    }

    #[test]
    fn every_complaint_about_a_cron_line_is_translated() {
        for line in [
            "60 9 * * *",
            "0 24 * * *",
            "0 9 32 * *",
            "0 9 0 * *",
            "0 9 * 13 *",
            "0 9 * * 8",
            "0 9 5-1 * *",
            "0 9 1-2-3 * *",
            "0 9 -5 * *",
            "0 9 5- * *",
            "*/5/5 9 * * *",
            "0 9 5/10 * *",
            "0 9 /10 * *",
            "*/ 9 * * *",
            "*/0 9 * * *",
            "5-/3 9 * * *",
            "-5/3 9 * * *",
            "1-2-3/3 9 * * *",
            "0 9 * * 1#6",
            "0 9 * * 1#",
            "0 9 * * 1-5#6",
            "0 9 5L * *",
            "0 9 W * *",
            "0 9 32W * *",
            "0 9 * * L1",
            "0 九 * * *",
            "0 9 * * 周一",
            "0 ' * * *",
            "0 9 ** * *",
            "0 9 1#2 * *",
            "@every 9 * * *",
        ] {
            let parser = CronParser::builder().seconds(Seconds::Disallowed).build();
            let Err(error) = parser.parse(line) else { panic!("{line} is a cron line") };
            let error = error.to_string();
            let said = [cron(&error, Lang::En), cron(&error, Lang::Zh)];
            for said in &said {
                assert!(!said.contains("rror") && !said.contains("attern"), "{line}: {said}");
            }
            assert!(!said[0].starts_with(char::is_uppercase) || said[0].starts_with('L'), "{line}");
            assert!(!said[1].is_ascii(), "{line}: {said:?}");
        }
        let parser = CronParser::builder().seconds(Seconds::Disallowed).build();
        let error = parser.parse("0 九点 * * *").expect_err("no number").to_string();
        assert_eq!(cron(&error, Lang::Zh), "\"九点\" 里的 九 没有意义");
    }
}
