//! The names of people that the bot knows or that are mentioned, which do not leave the machine.

use std::collections::BTreeSet;

use mynah_core::{Context, Message, Segment};

use super::reply::is_address;

/// Takes the place of a name.
const HIDDEN: &str = "…";

/// The signs of a mention.
const SIGNS: [char; 3] = ['@', '＠', '﹫'];

/// Ends a mention on the web protocol: the name before it may have blanks.
const END_OF_MENTION: char = '\u{2005}';

/// Where the word behind a sign ends, besides blanks.
const ENDS: &str = ",;:!?()[]{}<>\"/…，。；：！？、（）【】《》“”";

/// The names of the people around a message, the longest first.
pub(crate) struct Names(Vec<String>);

impl Names {
    /// The names of the sender, of the mentioned people and of the known members of the group.
    pub(crate) fn of(ctx: &Context, message: &Message) -> Self {
        let sender = &message.sender;
        let given = sender.certain_names.iter().chain(&sender.chosen_names).chain([&sender.name]);
        let mentioned = message.content.0.iter().filter_map(|segment| match segment {
            Segment::Mention { shown, .. } => Some(shown.clone()),
            _ => None,
        });
        let all: BTreeSet<String> = given
            .cloned()
            .chain(mentioned)
            .chain(ctx.members())
            .map(|name| name.trim().into())
            .collect();
        let mut all: Vec<String> = all.into_iter().filter(|name| !name.is_empty()).collect();
        all.sort_by_key(|name| std::cmp::Reverse(name.len()));
        Self(all)
    }

    /// The words of a person without mentions, of known people or not. Other names stay: they may be words.
    pub(crate) fn out_of_mentions(&self, text: &str) -> String {
        let mut kept = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(SIGNS) {
            let (before, from) = rest.split_at(at);
            kept.push_str(before);
            let sign = from.chars().next().map_or(1, char::len_utf8);
            let (sign, after) = from.split_at(sign);
            let mentioned = if is_address(&kept, after) { 0 } else { self.mentioned(after) };
            kept.push_str(sign);
            if mentioned > 0 {
                kept.push_str(HIDDEN);
            }
            rest = &after[mentioned..];
        }
        kept + rest
    }

    /// The length of the name behind a sign: up to the end of the mention, else a known name, else up to the end of the word.
    fn mentioned(&self, after: &str) -> usize {
        let known = self.0.iter().find(|name| {
            after.strip_prefix(name.as_str()).is_some_and(|rest| is_boundary(name, rest))
        });
        let marked = || {
            let near = after.find(|c: char| c == '\n' || SIGNS.contains(&c));
            after[..near.unwrap_or(after.len())].find(END_OF_MENTION)
        };
        marked().or(known.map(String::len)).unwrap_or_else(|| {
            let is_end = |c: char| c.is_whitespace() || ENDS.contains(c) || SIGNS.contains(&c);
            // A dot is part of a name, but not the end of a sentence.
            after[..after.find(is_end).unwrap_or(after.len())].trim_end_matches('.').len()
        })
    }

    /// The words of the bot without any name: rules greet people by their names. A name of one letter may be any word.
    pub(crate) fn out_of_answer(&self, text: &str) -> String {
        let names = self.0.iter().filter(|name| name.chars().nth(1).is_some());
        names.fold(self.out_of_mentions(text), |text, name| without_name(&text, name))
    }
}

/// A text without a name where it is a word of its own.
fn without_name(text: &str, name: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in text.match_indices(name) {
        let end = at + name.len();
        if is_boundary(&text[..at], name) && is_boundary(name, &text[end..]) {
            kept.push_str(&text[from..at]);
            kept.push_str(HIDDEN);
            from = end;
        }
    }
    kept.push_str(&text[from..]);
    kept
}

/// Whether a word may end between two texts.
fn is_boundary(before: &str, after: &str) -> bool {
    let (before, after) = (before.chars().next_back(), after.chars().next());
    !(before.is_some_and(is_of_word) && after.is_some_and(is_of_word))
}

/// Letters and digits of scripts that put blanks between words. Chinese, Japanese, Korean, Thai, Lao, Burmese and Khmer do
/// not, or add syllables to names.
fn is_of_word(c: char) -> bool {
    let is_without_blanks = matches!(u32::from(c),
        0x0e00..=0x0eff | 0x1000..=0x109f | 0x1100..=0x11ff | 0x1780..=0x17ff
        | 0x2e80..=0xa4cf | 0xa960..=0xa97f | 0xac00..=0xd7ff | 0xf900..=0xfaff
        | 0xff66..=0xffdc | 0x1_b000..=0x1_b16f | 0x2_0000..=0x3_ffff);
    let is_accent = ('\u{300}'..='\u{36f}').contains(&c);
    (c.is_alphanumeric() || c == '_' || is_accent) && !is_without_blanks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(all: &[&str]) -> Names {
        Names(all.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn every_mention_is_hidden() {
        let names = names(&["Bob Smith", "小明", "Bob"]);
        for (text, expected) in [
            ("@Bobby price? @Zed", "@… price? @…"),
            ("hello @Bob my name is Ann", "hello @… my name is Ann"),
            ("@Bob Smith, hi", "@…, hi"),
            ("@Jane Doe\u{2005}hi", "@…\u{2005}hi"),
            ("@小明你好", "@…你好"),
            ("@小明明\u{2005}你好", "@…\u{2005}你好"),
            ("@Bob你好", "@…你好"),
            ("＠Zed。﹫Ann", "＠…。﹫…"),
            ("hi@Zed and a@@Zed.", "hi@… and a@@…."),
            ("@J.R. Doe", "@…. Doe"),
            ("mail ann@example.com @ noon", "mail ann@example.com @ noon"),
            ("@", "@"),
        ] {
            assert_eq!(names.out_of_mentions(text), expected, "{text}");
        }
    }

    #[test]
    fn names_are_hidden_as_words_only() {
        let names = names(&["Ольга", "小明", "민수", "Al"]);
        for (text, expected) in [
            ("Also, all of Algeria", "Also, all of Algeria"),
            ("Dear Al, Al's and Al_1", "Dear …, …'s and Al_1"),
            ("Ольга и Ольгам", "… и Ольгам"),
            ("小明你好，我是小明", "…你好，我是…"),
            ("민수씨", "…씨"),
            ("Al你好 fatAl", "…你好 fatAl"),
            ("ask @Zed", "ask @…"),
        ] {
            assert_eq!(names.out_of_answer(text), expected, "{text}");
        }
    }
}
