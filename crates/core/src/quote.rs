//! Quoted replies that arrive as text.
//!
//! To clients without quotes, WeChat delivers a quoted reply as one text: `「NAME：QUOTED」`, dashes, the answer.
//! [`split`] reads this form, for services that deliver it, for tests and for replay; [`written`] writes it. Any person
//! can type it, so a quote read from text proves neither the sender nor the words.

use crate::Segment;

/// The longest name that is accepted as the sender of a quote, in characters. Names of the service have at most half.
const LONGEST_NAME: usize = 64;

/// The least number of dashes in a line of dashes; the service writes about 15.
const FEWEST_DASHES: usize = 5;

/// The length to which a quoted text is cut when it is written, in characters.
const EXCERPT: usize = 60;

/// The length to which the name before a quoted text is cut when it is written, in characters.
const NAME_EXCERPT: usize = 32;

/// The line of dashes as it is written.
const DASHES: &str = "- - - - - - - - - - - - - - -";

/// Splits a text into the quotes at its beginning and the sender's own words after them.
///
/// ```
/// use mynah_core::{Segment, quote};
///
/// let (quotes, own) = quote::split("「小明：多少钱」\n- - - - - - - - -\n谢谢");
/// assert!(matches!(&quotes[..], [Segment::Quote { sender, text, .. }] if sender == "小明" && text == "多少钱"));
/// assert_eq!(own, "谢谢");
/// ```
#[must_use]
pub fn split(text: &str) -> (Vec<Segment>, &str) {
    let mut quotes = Vec::new();
    let mut rest = text;
    while let Some(read) = Read::first(rest) {
        quotes.push(Segment::Quote {
            message: None,
            sender: read.name.to_owned(),
            text: read.quoted.to_owned(),
        });
        rest = read.answer;
    }
    (quotes, rest)
}

/// A quote as text, to be put before an answer: name and text on one line, each cut if it is long.
#[must_use]
pub fn written(sender: &str, text: &str) -> String {
    let (sender, text) = (cut_to(sender, NAME_EXCERPT), excerpt(text));
    format!("「{sender}：{text}」\n{DASHES}\n")
}

/// The beginning of a text on one line, as a quote shows it.
#[must_use]
pub fn excerpt(text: &str) -> String {
    cut_to(text, EXCERPT)
}

/// The text on one line, with an ellipsis in place of the characters beyond `most`.
fn cut_to(text: &str, most: usize) -> String {
    let mut line = String::new();
    let mut characters = 0;
    for word in text.split_whitespace() {
        let blank = if line.is_empty() { None } else { Some(' ') };
        for c in blank.into_iter().chain(word.chars()) {
            if characters == most {
                line.pop();
                // Half of a joined emoji would appear as another emoji.
                line.truncate(line.trim_end_matches(['\u{200d}', ' ']).len());
                line.push('…');
                return line;
            }
            line.push(c);
            characters += 1;
        }
    }
    line
}

/// A quote at the beginning of a text.
struct Read<'t> {
    name: &'t str,
    quoted: &'t str,
    answer: &'t str,
}

impl<'t> Read<'t> {
    fn first(text: &'t str) -> Option<Self> {
        let (name, body) = opened(text)?;
        // A quoted text that contains quotes has its own lines of dashes. Only brackets at its beginning count: those
        // further inside are ordinary text.
        let depth = 1 + std::iter::successors(opened(body), |(_, inner)| opened(inner)).count();
        let (end, answer) = closings(body).take(depth).last()?;
        Some(Self { name, quoted: body[..end].trim(), answer })
    }
}

/// The name and the text after it, if a text begins with `「NAME：`.
fn opened(text: &str) -> Option<(&str, &str)> {
    let inner = text.trim_start().strip_prefix('「')?;
    let end = inner
        .char_indices()
        .take(LONGEST_NAME + 1)
        .take_while(|(_, c)| *c != '\n')
        .find(|(_, c)| matches!(c, '：' | ':'));
    let (at, colon) = end?;
    let name = inner[..at].trim();
    (!name.is_empty()).then(|| (name, &inner[at + colon.len_utf8()..]))
}

/// The position of a `」` that ends its line before a line of dashes, and the text after the dashes.
fn closings(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices('」').filter_map(|(at, bracket)| {
        let (blank, after) = text[at + bracket.len()..].split_once('\n')?;
        let (dashes, answer) = after.split_once('\n').unwrap_or((after, ""));
        (blank.trim().is_empty() && is_line_of_dashes(dashes)).then_some((at, answer))
    })
}

fn is_line_of_dashes(line: &str) -> bool {
    let mut dashes = 0;
    let only = line.chars().all(|c| {
        let is_dash =
            matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '─' | '━' | '﹣' | '－');
        dashes += usize::from(is_dash);
        is_dash || c.is_whitespace()
    });
    only && dashes >= FEWEST_DASHES
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The quotes as name and text, and the own words.
    fn read(text: &str) -> (Vec<(String, String)>, String) {
        let (quotes, own) = split(text);
        let quotes = quotes.into_iter().map(|quote| match quote {
            Segment::Quote { sender, text, .. } => (sender, text),
            other => panic!("{other:?} is not a quote"),
        });
        (quotes.collect(), own.to_owned())
    }

    fn quote(name: &str, text: &str) -> (String, String) {
        (name.to_owned(), text.to_owned())
    }

    #[test]
    fn a_quoted_reply_is_a_quote_and_an_answer() {
        for (text, name, quoted, own) in [
            ("「小明：多少钱」\n- - - - - - - - - - - - - - -\n谢谢", "小明", "多少钱", "谢谢"),
            ("「Bob: hi」\n- - - - - - -\nhello", "Bob", "hi", "hello"),
            ("「小明：hi」\n———————\n好", "小明", "hi", "好"),
            ("「小明：hi」\r\n----------------\r\n好", "小明", "hi", "好"),
            ("「小明：hi」 \n- - - - - -\n\n一\n二", "小明", "hi", "\n一\n二"),
            ("「小明：一\n二」三\n四」\n- - - - - -\n好", "小明", "一\n二」三\n四", "好"),
            ("「小明：看「例子」再说」\n- - - - - -\n好", "小明", "看「例子」再说", "好"),
            ("「「小明」：hi」\n- - - - - -\n好", "「小明」", "hi", "好"),
            ("「小明：」\n- - - - - -\n好", "小明", "", "好"),
            ("「小明：hi」\n- - - - - -", "小明", "hi", ""),
        ] {
            let expected = (vec![quote(name, quoted)], own.to_owned());
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_quote_in_a_quote_belongs_to_the_outer_one() {
        let inner = "「小明：多少钱」\n- - - - - - - -\n99";
        let text = format!("「小红：{inner}」\n- - - - - - - -\n谢谢");
        assert_eq!(read(&text), (vec![quote("小红", inner)], "谢谢".to_owned()));
        // Brackets at the beginning of the quoted words that are not a quote.
        let text = "「小红：「重要：明天」开会」\n- - - - - - - -\n收到";
        assert_eq!(read(text), (vec![quote("小红", "「重要：明天」开会")], "收到".to_owned()));
    }

    #[test]
    fn an_answer_that_is_a_quote_again_is_no_own_word() {
        let text = "「甲：一」\n- - - - - -\n「乙：二」\n- - - - - -\n三";
        assert_eq!(read(text), (vec![quote("甲", "一"), quote("乙", "二")], "三".to_owned()));
    }

    #[test]
    fn brackets_alone_are_no_quote() {
        for text in [
            "「小明：多少钱」",
            "「小明：多少钱」\n谢谢",
            "「小明：多少钱」- - - - - - -\n谢谢",
            "「小明：多少钱」\n- -\n谢谢",
            "「小明：多少钱」\n- - - - - - - 谢谢",
            "「公告」\n- - - - - - - -\n明天放假",
            "「：多少钱」\n- - - - - - - -\n谢谢",
            "看「小明：多少钱」\n- - - - - - - -\n谢谢",
            "- - - - - - - -\n谢谢",
            "「",
            "",
        ] {
            assert_eq!(read(text), (Vec::new(), text.to_owned()), "{text:?}");
        }
        let name = "长".repeat(LONGEST_NAME + 1);
        let text = format!("「{name}：x」\n- - - - - -\ny");
        assert_eq!(read(&text).0, []);
    }

    #[test]
    fn a_written_quote_is_short_and_reads_as_one() {
        let long = "很长的话\n".repeat(2_000);
        let text = written("小明", &long) + "好";
        let (quotes, own) = read(&text);
        assert_eq!((quotes.len(), own.as_str(), text.lines().count()), (1, "好", 3));
        let (name, quoted) = &quotes[0];
        assert_eq!((name.as_str(), quoted.chars().count()), ("小明", EXCERPT));
        assert!(quoted.ends_with('…'), "{quoted}");
        assert_eq!(excerpt(quoted), *quoted, "cut once");
        assert_eq!(excerpt(" 一\n\t二 "), "一 二");
        let full = "满".repeat(EXCERPT);
        assert_eq!(excerpt(&full), full);
    }

    proptest! {
        #[test]
        fn what_is_written_before_an_answer_is_taken_off_again(
            name in "[^\\s:：]{1,20}", quoted in "\\PC{0,200}", answer in "[^「].{0,100}",
        ) {
            let text = written(&name, &quoted) + &answer;
            let (quotes, own) = split(&text);
            prop_assert_eq!(quotes.len(), 1);
            prop_assert_eq!(own, answer.as_str());
        }

        #[test]
        fn any_text_is_read_without_panic(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "「", "」", "：", ":", "\n", "- - - - - -", "-", "甲", "—————", " ", "「甲：", "」\n- - - - -\n",
            ]), 0..40),
        ) {
            let text = pieces.concat();
            let (_, own) = split(&text);
            prop_assert!(text.ends_with(own));
        }
    }
}
