//! Splits long texts into several messages, up to a limit.
//!
//! The turn splits texts at its commit: every piece is an action with its own key, so that a retry repeats one piece
//! and not all of them.

use std::collections::BTreeMap;

use mynah_core::{Action, Capabilities, ChatId, Content, Planned, Segment, Step, TextUnit};

/// The largest number of messages that the texts of one turn may become in a chat. Further short texts are still sent,
/// since the rules have them as separate messages; a further long text is cut off.
const MOST: usize = 10;

/// The longest text of a service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    /// 0 means that there is no limit.
    most: usize,
    unit: TextUnit,
}

impl Limit {
    /// The limit that a service states.
    pub(crate) const fn of(capabilities: &Capabilities) -> Self {
        Self { most: capabilities.max_text, unit: capabilities.counted_in }
    }

    fn holds(self, content: &Content) -> bool {
        self.most == 0 || content.text_length(self.unit) <= self.most
    }
}

/// The steps of a turn, ready to be committed.
pub(crate) struct Split {
    /// Actions, in order.
    pub(crate) steps: Vec<Step>,
    /// The number of messages that are not sent, because the texts would have become too many.
    pub(crate) dropped: usize,
}

/// Splits texts that are too long for the service; all other steps stay unchanged.
pub(crate) fn split_steps(steps: Vec<Step>, limit: Limit) -> Split {
    let mut room = Room::for_all(&steps);
    let mut split = Split { steps: Vec::with_capacity(steps.len()), dropped: 0 };
    for step in steps {
        let Step::Act(planned) = step else {
            split.steps.push(step);
            continue;
        };
        let chat = planned.chat.clone();
        let mut pieces = split_planned(planned, limit);
        let kept = 1 + room.take(&chat, pieces.len().saturating_sub(1));
        split.dropped += pieces.len().saturating_sub(kept);
        pieces.truncate(kept);
        split.steps.extend(pieces.into_iter().map(Step::Act));
    }
    split
}

/// For each chat, the number of messages left for texts that need more than one.
struct Room(BTreeMap<ChatId, usize>);

impl Room {
    /// Reserves one message for every text of the turn.
    fn for_all(steps: &[Step]) -> Self {
        let mut room = BTreeMap::new();
        for step in steps {
            if let Step::Act(Planned { chat, action: Action::Send { content }, .. }) = step
                && content.text_length(TextUnit::Chars) > 0
            {
                let left = room.entry(chat.clone()).or_insert(MOST);
                *left = left.saturating_sub(1);
            }
        }
        Self(room)
    }

    /// Takes the messages that are left, at most `wanted`.
    fn take(&mut self, chat: &ChatId, wanted: usize) -> usize {
        let Some(left) = self.0.get_mut(chat) else { return 0 };
        let taken = wanted.min(*left);
        *left -= taken;
        taken
    }
}

fn split_planned(planned: Planned, limit: Limit) -> Vec<Planned> {
    let Action::Send { content } = &planned.action else { return vec![planned] };
    if limit.holds(content) {
        return vec![planned];
    }
    split_content(content, limit)
        .into_iter()
        .map(|content| Planned { action: Action::Send { content }, ..planned.clone() })
        .collect()
}

/// The pieces, in order. Only text is split; a mention or a quote stays with the text after it.
fn split_content(content: &Content, limit: Limit) -> Vec<Content> {
    let mut pieces = vec![Content::default()];
    for segment in &content.0 {
        let Segment::Text { text } = segment else {
            push(&mut pieces, segment.clone());
            continue;
        };
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let used = pieces.last().map_or(0, |piece| piece.text_length(limit.unit));
            let (piece, after) = cut(rest, limit.most.saturating_sub(used), limit.unit);
            push(&mut pieces, Segment::Text { text: piece.to_owned() });
            rest = after;
            if !rest.is_empty() {
                pieces.push(Content::default());
            }
        }
    }
    pieces
}

fn push(pieces: &mut [Content], segment: Segment) {
    if let Some(last) = pieces.last_mut() {
        last.0.push(segment);
    }
}

/// Cuts off at most `room`, but at least one character: at the last line end, else at the last blank, else anywhere.
/// The line end or blank at the cut is dropped.
fn cut(text: &str, room: usize, unit: TextUnit) -> (&str, &str) {
    let Some(limit) = first_beyond(text, room, unit) else { return (text, "") };
    // A separator right after the room may be dropped as well.
    let through = limit + text[limit..].chars().next().map_or(0, char::len_utf8);
    let end = text[..through]
        .rfind('\n')
        .filter(|at| *at > 0)
        .or_else(|| text[..through].rfind(char::is_whitespace).filter(|at| *at > 0));
    match end {
        Some(at) => {
            let width = text[at..].chars().next().map_or(0, char::len_utf8);
            (&text[..at], &text[at + width..])
        }
        None => text.split_at(limit),
    }
}

/// The place of the first character, after the first one of all, that does not fit; `None` if all fit.
fn first_beyond(text: &str, room: usize, unit: TextUnit) -> Option<usize> {
    let mut used = 0;
    text.char_indices().find_map(|(at, c)| {
        used += unit.length_of(c);
        (at > 0 && used > room).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn chars(most: usize) -> Limit {
        Limit { most, unit: TextUnit::Chars }
    }

    fn pieces(text: &str, max_text: usize) -> Vec<String> {
        split_content(&Content::text(text), chars(max_text))
            .iter()
            .map(Content::plain_text)
            .collect()
    }

    #[test]
    fn texts_are_cut_at_line_ends_then_at_blanks_then_anywhere() {
        for (text, expected) in [
            ("一二三四五", vec!["一二三四五"]),
            ("一二\n三四\n五六", vec!["一二\n三四", "五六"]),
            ("ab cd ef gh", vec!["ab cd", "ef gh"]),
            ("一二三四五六七", vec!["一二三四五", "六七"]),
            ("12345\n6", vec!["12345", "6"]),
            ("\n\n\n\n\n\n\nx", vec!["\n\n\n\n\n", "\nx"]),
        ] {
            assert_eq!(pieces(text, 5), expected, "{text:?}");
        }
    }

    #[test]
    fn a_text_is_measured_in_the_unit_of_the_service() {
        let lengths = |unit| -> Vec<usize> {
            let limit = Limit { most: 8, unit };
            let pieces = split_content(&Content::text("😀😀😀😀😀"), limit);
            pieces.iter().map(|piece| piece.text_length(TextUnit::Chars)).collect()
        };
        assert_eq!(lengths(TextUnit::Chars), [5]);
        assert_eq!(lengths(TextUnit::Utf16), [4, 1]);
        assert_eq!(lengths(TextUnit::Bytes), [2, 2, 1]);
        let tiny = Limit { most: 1, unit: TextUnit::Bytes };
        assert_eq!(split_content(&Content::text("一二"), tiny).len(), 2, "no endless loop");
    }

    /// The lengths of the messages that these texts become, each with its chat, and the number of dropped ones.
    fn sent(texts: &[(&str, &str)], max_text: usize) -> (Vec<String>, usize) {
        let planned = |(chat, text): &(&str, &str)| {
            let action = Action::Send { content: Content::text(*text) };
            Step::Act(Planned {
                chat: (*chat).into(),
                action,
                delay: std::time::Duration::ZERO,
                is_reply: true,
            })
        };
        let Split { steps, dropped } =
            split_steps(texts.iter().map(planned).collect(), chars(max_text));
        let shown = steps.iter().map(|step| match step {
            Step::Act(Planned { chat, action: Action::Send { content }, .. }) => {
                format!("{chat}{}", content.text_length(TextUnit::Chars))
            }
            other => panic!("{other:?} is not a message"),
        });
        (shown.collect(), dropped)
    }

    #[test]
    fn the_texts_of_a_turn_become_ten_messages_in_a_chat() {
        let long = "x".repeat(1_000);
        let ten = |chat: &str| vec![format!("{chat}10"); 10];
        assert_eq!(sent(&[("a", &long)], 10), (ten("a"), 90));
        // Each chat has its own limit.
        let both = [ten("a"), ten("b")].concat();
        assert_eq!(sent(&[("a", &long), ("b", &long)], 10), (both, 180));
        // All texts of the turn share the limit, and a short text at the end is still sent.
        let mut shared = ten("a");
        shared[9] = "a2".to_owned();
        assert_eq!(sent(&[("a", &long), ("a", "hi")], 10), (shared, 91));
        let short = [("a", "hi"); 12];
        assert_eq!(sent(&short, 10), (vec!["a2".to_owned(); 12], 0), "none of them is long");
        assert_eq!(sent(&[("a", &long)], 0), (vec!["a1000".to_owned()], 0), "without a limit");
    }

    #[test]
    fn a_quote_counts_for_the_length_of_its_message() {
        let quote =
            Segment::Quote {
                message: None, sender: "小明".to_owned(), text: "问".repeat(6_000)
            };
        let content = Content(vec![quote]).with(Segment::Text { text: "答".repeat(3_000) });
        let pieces = split_content(&content, chars(2_000));
        let lengths: Vec<usize> =
            pieces.iter().map(|piece| piece.text_length(TextUnit::Chars)).collect();
        assert!(lengths.len() == 2 && lengths.iter().all(|length| *length <= 2_000), "{lengths:?}");
    }

    #[test]
    fn a_mention_stays_with_the_beginning() {
        let content = Content::default()
            .with(Segment::Mention { who: None, shown: "Al".to_owned() })
            .with(Segment::Text { text: "hello world".to_owned() });
        let found: Vec<String> =
            split_content(&content, chars(9)).iter().map(Content::plain_text).collect();
        assert_eq!(found, ["@Al hello", "world"]);
    }

    #[test]
    fn no_character_but_those_at_the_cuts_is_lost() {
        let text = "甲乙丙 丁戊己\n庚辛壬癸子丑寅卯辰巳午未申酉戌亥".repeat(7);
        let found = pieces(&text, 10);
        assert!(found.iter().all(|piece| piece.chars().count() <= 10));
        let squeezed = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(squeezed(&found.concat()), squeezed(&text));
    }
}
