//! `keyword`, `all`, `none`, `exact`, `prefix`, `suffix`: texts looked for in folded text.

use std::ops::Range;

use crate::fold::Folding;
use crate::punctuation::{is_final, is_leading};

/// An item of a text condition, folded. Remembers at which ends it must stand as a whole word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item {
    text: Box<str>,
    /// It must not begin inside a word.
    whole_begin: bool,
    /// It must not end inside a word.
    whole_end: bool,
}

/// An item as it is written, without the stars that let it begin or end inside a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stem<'t> {
    /// The item without these stars.
    pub text: &'t str,
    /// `*bao`: it may begin inside a word.
    pub begins_inside: bool,
    /// `thank*`: it may end inside a word.
    pub ends_inside: bool,
}

impl<'t> Stem<'t> {
    /// Reads an item. Only a star beside a letter or digit of a script with spaces counts; others are text.
    #[must_use]
    pub fn read(item: &'t str) -> Self {
        let item = item.trim();
        let after = item.strip_prefix('*').filter(|rest| rest.starts_with(is_word));
        let text = after.unwrap_or(item);
        let before = text.strip_suffix('*').filter(|rest| rest.ends_with(is_word));
        Self {
            text: before.unwrap_or(text),
            begins_inside: after.is_some(),
            ends_inside: before.is_some(),
        }
    }
}

impl Item {
    /// Folds an item as the texts will be. Blanks around it do not count.
    pub fn new(text: &str, folding: Folding) -> Self {
        let folded = folding.fold(text);
        let text: Box<str> = folded.text().trim().into();
        let (whole_begin, whole_end) = (text.starts_with(is_word), text.ends_with(is_word));
        Self { text, whole_begin, whole_end }
    }

    /// The same for an item of `keyword`, `all` or `none`, in which a star at an end can count ([`Stem`]).
    pub fn with_stars(text: &str, folding: Folding) -> Self {
        let Stem { text, begins_inside, ends_inside } = Stem::read(text);
        let mut item = Self::new(text, folding);
        item.whole_begin &= !begins_inside;
        item.whole_end &= !ends_inside;
        item
    }

    /// The folded text, without stars that count.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The place of its first occurrence in `text`, as `keyword` means it.
    pub fn find(&self, text: &str) -> Option<Range<usize>> {
        let (last, head) = self.text.as_bytes().split_last()?;
        let length = self.text.len();
        if !self.whole_begin && !self.whole_end {
            return find(text, &self.text).map(|start| start..start + length);
        }
        // The borders first: in one long word no letter has a border, and the item is not compared at every letter.
        let bytes = text.as_bytes();
        let start = memchr::memchr_iter(*last, bytes.get(head.len()..)?).find(|start| {
            text.is_char_boundary(*start)
                && text.is_char_boundary(start + length)
                && self.stands_alone(text, *start)
                && bytes[*start..*start + head.len()] == *head
        })?;
        Some(start..start + length)
    }

    /// Whether `text` is it, apart from spaces around it and from final punctuation that it does not end in itself.
    pub fn is(&self, text: &str) -> bool {
        let rest = text.trim().strip_prefix(&*self.text);
        rest.is_some_and(|rest| self.may_be_before(rest))
    }

    /// Whether these signs may stand between it and the end of a text.
    fn may_be_before(&self, rest: &str) -> bool {
        rest.is_empty() || (rest.chars().all(is_final) && !self.text.ends_with(is_final))
    }

    /// The rest behind it, if `text` starts with it.
    pub fn rest_after(&self, text: &str) -> Option<Range<usize>> {
        let starts = text.starts_with(&*self.text) && self.has_border_after(text, self.text.len());
        starts.then(|| without_lead(text, self.text.len()..text.len()))
    }

    /// The rest before it, if `text` ends with it, apart from final punctuation that it does not end in itself.
    pub fn rest_before(&self, text: &str) -> Option<Range<usize>> {
        let text = text.trim_end();
        let ends = |text: &str| {
            let start = text.len().checked_sub(self.text.len())?;
            let ends = text.ends_with(&*self.text) && self.has_border_before(text, start);
            ends.then_some(start)
        };
        let start = ends(text).or_else(|| {
            let is_open = !self.text.ends_with(is_final);
            is_open.then(|| ends(text.trim_end_matches(is_final))).flatten()
        })?;
        Some(without_lead(text, 0..start))
    }

    /// Whether an occurrence at byte `start` is not a part of a longer word, at the ends where that counts.
    pub fn stands_alone(&self, text: &str, start: usize) -> bool {
        self.has_border_before(text, start) && self.has_border_after(text, start + self.text.len())
    }

    /// Whether an occurrence that starts at `start` is not the end of a longer word.
    pub fn has_border_before(&self, text: &str, start: usize) -> bool {
        !(self.whole_begin && text[..start].ends_with(is_word))
    }

    /// Whether an occurrence that ends at `end` is not the beginning of a longer word.
    pub fn has_border_after(&self, text: &str, end: usize) -> bool {
        !(self.whole_end && text[end..].starts_with(is_word))
    }
}

/// Whether a text ends in a sign that can end a sentence.
pub fn ends_in_final_sign(text: &str) -> bool {
    text.trim_end().ends_with(is_final)
}

/// A text without the signs that can end a sentence at its end.
pub fn without_final_signs(text: &str) -> &str {
    text.trim().trim_end_matches(is_final)
}

/// A range of `text` without the white space at its ends and the signs that lead to it (`is_leading`).
pub fn without_lead(text: &str, range: Range<usize>) -> Range<usize> {
    let inside = &text[range.clone()];
    let start = range.start + (inside.len() - inside.trim_start_matches(is_leading).len());
    trimmed(text, start..range.end)
}

/// A range of `text` without the white space at its ends.
pub fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let inside = &text[range.clone()];
    let start = range.start + (inside.len() - inside.trim_start().len());
    start..start + inside.trim().len()
}

/// The place of the first `part` in `text`. For short parts in short texts: the search of the standard library prepares
/// itself longer than this one takes.
pub fn find(text: &str, part: &str) -> Option<usize> {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    if part.len() > LONG {
        // That search prepares itself for as long as the part is.
        return if text.starts_with(part) { Some(0) } else { memchr::memmem::find(text, part) };
    }
    let Some((last, head)) = part.split_last() else { return Some(0) };
    // The last byte selects more than the first: those of all ideographs begin alike.
    memchr::memchr_iter(*last, text.get(head.len()..)?)
        .find(|start| text[*start..*start + head.len()] == *head)
}

/// A part of more bytes is worth a search that never compares a byte many times.
const LONG: usize = 64;

/// Whether `c` is a letter or digit of a script that is written with spaces between words.
pub fn is_word(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() } else { !is_unspaced(c) && c.is_alphanumeric() }
}

/// Whether `c` belongs to a script that is written without spaces between words.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        // Thai, Lao, Tibetan, Myanmar.
        '\u{e00}'..='\u{109f}'
        // Khmer; Tai Le, New Tai Lue, Khmer signs; Tai Tham; Balinese.
        | '\u{1780}'..='\u{17ff}' | '\u{1950}'..='\u{19ff}' | '\u{1a20}'..='\u{1aaf}' | '\u{1b00}'..='\u{1b7f}'
        // Radicals, marks and digits of Chinese, kana, bopomofo.
        | '\u{2e80}'..='\u{312f}' | '\u{31a0}'..='\u{31ff}'
        // Ideographs, Yi.
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{a4cf}'
        // Javanese, Myanmar, Cham, Tai Viet.
        | '\u{a980}'..='\u{aadf}'
        | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}'
        // Kana supplements, further ideographs.
        | '\u{1aff0}'..='\u{1b16f}' | '\u{20000}'..='\u{3ffff}')
}

/// Whether `c` is Chinese, kana included: no space is needed beside it.
pub fn is_chinese(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{312f}' | '\u{31a0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{1aff0}'..='\u{1b16f}' | '\u{20000}'..='\u{3ffff}')
}

/// The short runs of bytes in a text, by which most items are ruled out.
#[derive(Debug)]
pub struct Traces {
    bits: Box<[u64]>,
}

impl Traces {
    /// So many items are worth it.
    pub const MANY: usize = 64;

    const RUN: usize = 3;
    const WORDS: usize = 1 << 10;

    /// The traces of a text.
    pub fn of(text: &str) -> Self {
        let mut bits = vec![0; Self::WORDS].into_boxed_slice();
        for run in text.as_bytes().windows(Self::RUN) {
            let (word, bit) = Self::place(run);
            bits[word] |= 1 << bit;
        }
        Self { bits }
    }

    /// Whether an item may stand in the text; `false` is certain.
    pub fn may_have(&self, item: &Item) -> bool {
        let item = item.text.as_bytes();
        let runs = [item.first_chunk::<{ Self::RUN }>(), item.last_chunk::<{ Self::RUN }>()];
        runs.into_iter().flatten().all(|run| {
            let (word, bit) = Self::place(run);
            self.bits[word] >> bit & 1 == 1
        })
    }

    fn place(run: &[u8]) -> (usize, u32) {
        let number = run.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        let hash = number.wrapping_mul(0x9e37_79b1);
        ((hash >> 22) as usize, hash >> 16 & 63)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn item(text: &str) -> Item {
        Item::with_stars(text, Folding::new(false, false))
    }

    fn fold(text: &str) -> String {
        Folding::new(false, false).fold(text).into_text()
    }

    #[test]
    fn words_of_spaced_scripts_stand_alone() {
        for (keyword, text, found) in [
            ("hi", "hi你好", true),
            ("hi", "this", false),
            ("hi", "this hi", true),
            ("HI", "hi!", true),
            ("5G", "用5G吗", true),
            ("5G", "15G", false),
            ("C++", "学C++", true),
            ("C++", "C++17", true),
            ("C++", "ABC++", false),
            ("价格", "请问价格？", true),
            ("价格", "ＡＢ价格", true),
            ("ｈｉ", "Hi", true),
            ("สวัสดี", "สวัสดีครับ", true),
            ("привет", "приветик", false),
            ("привет", "Привет!", true),
            ("hi", "hi_there", true),
            ("aa", "aaa aa", true),
            ("a a", "a a a1", true),
            ("😀", "a😀b", true),
            ("K", "\u{212a}", true),
            (" linux", "linux rocks", true),
            ("linux ", "I use linux", true),
            ("don't", "I don’t know", true),
            ("thank*", "many thanks", true),
            ("thank*", "unthankful", false),
            ("*bao*", "taobaoABC", true),
            ("*bao", "taobao!", true),
            ("*bao", "taobaoABC", false),
            ("价格*", "价格*", true),
            ("价格*", "价格", false),
            ("a**", "ab", false),
            ("*", "a", false),
            ("what?", "what", false),
        ] {
            assert_eq!(item(keyword).find(&fold(text)).is_some(), found, "{keyword} in {text}");
        }
    }

    #[test]
    fn prefix_and_suffix_leave_a_rest() {
        for (prefix, text, rest) in [
            ("天气", "天气 北京", Some("北京")),
            ("天气", "天气", Some("")),
            ("天气", "今天天气", None),
            ("buy", "buy book", Some("book")),
            ("buy", "buybook", None),
            ("buy", "buy书", Some("书")),
            ("/", "/help", Some("help")),
            ("查快递", "查快递：123", Some("123")),
            ("查快递", "查快递 = 123：4", Some("123:4")),
            ("查快递", "查快递：", Some("")),
            ("温度", "温度 -3", Some("-3")),
            (" 天气 ", "天气北京", Some("北京")),
        ] {
            let text = fold(text);
            assert_eq!(
                item(prefix).rest_after(&text).map(|range| &text[range]),
                rest,
                "{prefix}: {text}"
            );
        }
        for (suffix, text, rest) in [
            ("吗", "在吗", Some("在")),
            ("ok", "book", None),
            ("ok", "is ok", Some("is")),
            ("吗", "在吗？！", Some("在")),
            ("吗？", "在吗？", Some("在")),
            ("吗？", "在吗", None),
            ("ok", "book!", None),
        ] {
            let text = fold(text);
            assert_eq!(
                item(suffix).rest_before(&text).map(|range| &text[range]),
                rest,
                "{suffix}: {text}"
            );
        }
    }

    #[test]
    fn folding_makes_no_word_of_what_is_none() {
        for c in '\0'..=char::MAX {
            let folded = crate::fold::fold_case(c);
            assert_eq!(is_word(folded), is_word(c), "{c:?} becomes {folded:?}");
        }
    }

    /// As `keyword` is explained: the first occurrence that does not touch a letter.
    fn found_slowly(item: &Item, text: &str) -> Option<usize> {
        let starts = text.char_indices().map(|(start, _)| start);
        starts.into_iter().find(|start| {
            text[*start..].starts_with(item.text()) && item.stands_alone(text, *start)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(crate::cases(5_000)))]

        #[test]
        fn items_are_found_where_they_stand_alone(
            word in "[*]?[aéп价 ]{1,4}[*]?|(ab|价格){1,40}",
            text in "([aéпb ]|价格|ab){0,60}",
        ) {
            prop_assume!(!word.trim().is_empty());
            let (item, text) = (item(&word), fold(&text));
            let found = item.find(&text).map(|range| range.start);
            prop_assert_eq!(found, found_slowly(&item, &text));
            prop_assert!(found.is_none() || Traces::of(&text).may_have(&item));
        }
    }

    #[test]
    fn exact_ignores_spaces_around_and_final_punctuation() {
        for (exact, text, is) in [
            ("菜单", " 菜单\u{3000}", true),
            ("菜单", "菜单!", true),
            ("签到", "签到 ！？", true),
            ("签到", "签到，在", false),
            ("你好？", "你好？", true),
            ("你好？", "你好", false),
            ("？", "？", true),
            ("？", "？？", false),
            ("007", "007。", true),
            ("007", "7", false),
            ("Hi  there", "hi there", true),
        ] {
            let exact = Item::new(exact, Folding::new(false, false));
            assert_eq!(exact.is(&fold(text)), is, "{exact:?}: {text}");
        }
    }
}
