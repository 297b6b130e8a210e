//! From the answer of a model to a text for people.

use mynah_core::is_unprintable;

/// The text that is sent: without reasoning, control characters and signs of mentions, at most so many characters. `None` if
/// nothing is left.
pub(crate) fn cleaned(text: &str, most: usize) -> Option<String> {
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{2028}'], "\n");
    let text: String = text
        .chars()
        .filter_map(|c| match c {
            '\n' => Some('\n'),
            // Ends a mention on the web protocol.
            '\t' | '\u{2005}' => Some(' '),
            c if is_unprintable(c) => None,
            c => Some(c),
        })
        .collect();
    let text = without_mentions(&text);
    // Last: what was taken out before must not put a tag together.
    let cut = cut(without_reasoning(&text).trim(), most);
    (!cut.is_empty()).then_some(cut)
}

/// The names of the tags around reasoning.
const REASONING: [&str; 3] = ["think", "thinking", "reasoning"];

/// The text behind the last closing tag of reasoning and in front of an opening one that nothing closes. The opening tag is
/// part of the prompt of some models, so that their answers have only the closing one.
fn without_reasoning(text: &str) -> &str {
    let (mut from, mut to) = (0, text.len());
    for (at, _) in text.match_indices('<') {
        match tag(&text[at..]) {
            Some(Tag::Closing { len }) => (from, to) = (at + len, text.len()),
            Some(Tag::Opening) => to = to.min(at),
            None => {}
        }
    }
    &text[from..to]
}

/// A tag of reasoning.
enum Tag {
    Opening,
    Closing { len: usize },
}

/// The tag of reasoning that a text begins with.
fn tag(text: &str) -> Option<Tag> {
    let inner = text.strip_prefix('<')?.trim_start();
    let closing = inner.strip_prefix('/').map(str::trim_start);
    let inner = closing.unwrap_or(inner);
    let (name, rest) = inner.split_at(inner.find(|c: char| !c.is_ascii_alphabetic())?);
    let end = rest.find('>')?;
    let attributes = &rest[..end];
    let is_tag = REASONING.iter().any(|one| name.eq_ignore_ascii_case(one))
        && (attributes.is_empty() || attributes.starts_with(char::is_whitespace))
        && !attributes.contains(['<', '\n']);
    let len = text.len() - rest.len() + end + 1;
    is_tag.then_some(if closing.is_some() { Tag::Closing { len } } else { Tag::Opening })
}

/// Takes the signs away that call people on services whose mentions are text; addresses of mail keep theirs.
fn without_mentions(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['@', '＠', '﹫']) {
        let (before, from) = rest.split_at(at);
        kept.push_str(before);
        let sign = from.chars().next().map_or(1, char::len_utf8);
        let (sign, after) = from.split_at(sign);
        if sign == "@" && is_address(&kept, after) {
            kept.push_str(sign);
        }
        rest = after;
    }
    kept + rest
}

/// Whether a sign is part of an address of mail: between a name and a host with a dot.
pub(super) fn is_address(before: &str, after: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let host = &after[..after.find(|c| !is_host(c)).unwrap_or(after.len())];
    let has_dot = host.split('.').filter(|part| !part.is_empty()).count() > 1;
    before.ends_with(is_name) && !host.starts_with('.') && has_dot
}

/// The beginning of a text with at most so many characters: up to the end of a sentence, else of a word.
fn cut(text: &str, most: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(most) else { return text.to_owned() };
    let room = &text[..end];
    // Half of the room is not given up for a nice end.
    let half = room.char_indices().nth(most / 2).map_or(0, |(at, _)| at);
    if let Some(end) = last_sentence(text, end).filter(|end| *end > half) {
        return text[..end].trim_end().to_owned();
    }
    let end = room.char_indices().next_back().map_or(0, |(at, _)| at);
    let room = &text[..end];
    let is_inside_word = text[end..].starts_with(is_letter) && room.ends_with(is_letter);
    let word = room.rfind(|c| !is_letter(c)).filter(|_| is_inside_word);
    let room = word.map_or(room, |at| {
        let separator = room[at..].chars().next().map_or(1, char::len_utf8);
        &room[..at + separator]
    });
    format!("{}…", room.trim_end())
}

/// Characters that stand together in a word, a number or an address: Chinese characters are words of their own.
fn is_letter(c: char) -> bool {
    u32::from(c) < 0x2e80 && !c.is_whitespace()
}

/// Where the last sentence ends that ends before a place.
fn last_sentence(text: &str, place: usize) -> Option<usize> {
    let mut ends = text[..place].char_indices().filter_map(|(at, c)| {
        let end = at + c.len_utf8();
        let is_end = match c {
            '。' | '！' | '？' | '；' | '…' | '\n' => true,
            // Not inside of 3.14.
            '.' | '!' | '?' => text[end..].starts_with(char::is_whitespace),
            _ => false,
        };
        is_end.then_some(end)
    });
    ends.next_back()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn clean(text: &str) -> String {
        cleaned(text, 500).unwrap_or_default()
    }

    #[test]
    fn nothing_but_plain_words_is_left() {
        for (text, expected) in [
            ("  Hello\r\nyou\t! \n", "Hello\nyou !"),
            ("\u{1b}[31mred\u{7}\u{202e}\u{0}", "[31mred"),
            ("@all come", "all come"),
            ("@所有人 看这里", "所有人 看这里"),
            ("＠Bob\u{2005}hi ﹫Ann", "Bob hi Ann"),
            ("a@all b@Bob", "aall bBob"),
            ("mail shop@example.com, or @shop.com", "mail shop@example.com, or shop.com"),
            ("a@.x.y", "a.x.y"),
            ("{name} ${KEY} {at} /quit", "{name} ${KEY} {at} /quit"),
            ("<think>she wants\n…</think>\n\nYes.", "Yes."),
            ("<think>she wants", ""),
            ("\u{200e} \u{1}", ""),
        ] {
            assert_eq!(clean(text), expected, "{text:?}");
        }
    }

    #[test]
    fn reasoning_reaches_nobody() {
        for (text, expected) in [
            ("Hmm.</think>Yes", "Yes"),
            ("<think>a</think>x<think>secret</think>y", "y"),
            ("<think>a<think>b</think>c</think>Yes", "Yes"),
            ("<think>a</think>Yes<think>secret", "Yes"),
            ("Yes<think>secret<think>more", "Yes"),
            ("Hmm.</think>", ""),
            ("<THINK>a</Think>Yes", "Yes"),
            ("<thinking>a</thinking>\nYes", "Yes"),
            ("a</ reasoning >Yes< Reasoning type=\"x\">b", "Yes"),
            ("a</th\u{7}ink>Yes<th@ink>b", "Yes"),
            ("a < b, <b>bold</b>, <thinker>, <think", "a < b, <b>bold</b>, <thinker>, <think"),
            ("我想想</think>好的", "好的"),
        ] {
            assert_eq!(clean(text), expected, "{text:?}");
        }
    }

    #[test]
    fn long_answers_end_with_a_sentence_or_a_word() {
        for (text, most, expected) in [
            ("One. Two two. Three three three", 16, "One. Two two."),
            ("价格是 3.5 元。明天再来看看吧", 12, "价格是 3.5 元。"),
            ("It is 3.14159 and more of this", 12, "It is…"),
            ("A few more words here", 14, "A few more…"),
            ("没有标点的一句很长的话", 6, "没有标点的…"),
            ("价格是3.14159元", 6, "价格是…"),
            ("abcdefghijklmnop", 5, "abcd…"),
            ("A. bcdefghijklmnop", 10, "A.…"),
            ("short", 5, "short"),
        ] {
            let found = cut(text, most);
            assert_eq!(found, expected, "{text}");
            assert!(found.chars().count() <= most, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_is_longer_than_allowed_or_calls_anybody(text in "[a-c @＠.。\\n\u{7}字<>]{0,60}", most in 1..40_usize) {
            if let Some(text) = cleaned(&text, most) {
                prop_assert!(text.chars().count() <= most);
                let calls = text.contains(['＠', '\u{7}']) || text.starts_with('@') || text.contains(" @");
                prop_assert!(!calls, "{}", text);
            }
        }
    }
}
