//! Long texts become several messages.
//!
//! Splitting happens when the turn commits: every piece is an action with its own key, so that a retry repeats one piece
//! and not all of them.

use mynah_core::{Action, Content, Planned, Segment, Step};

/// Splits what is too long for the service; everything else stays as it is.
pub(crate) fn split_steps(steps: Vec<Step>, max_text: usize) -> Vec<Step> {
    steps
        .into_iter()
        .flat_map(|step| match step {
            Step::Act(planned) => {
                split_planned(planned, max_text).into_iter().map(Step::Act).collect()
            }
            Step::Run(call) => vec![Step::Run(call)],
        })
        .collect()
}

fn split_planned(planned: Planned, max_text: usize) -> Vec<Planned> {
    let Action::Send { content } = &planned.action else { return vec![planned] };
    if max_text == 0 || length(content) <= max_text {
        return vec![planned];
    }
    split_content(content, max_text)
        .into_iter()
        .map(|content| Planned { action: Action::Send { content }, ..planned.clone() })
        .collect()
}

fn length(content: &Content) -> usize {
    content.plain_text().chars().count()
}

/// The pieces, in order. Only text is cut; a mention or a quote stays with the text that follows it.
fn split_content(content: &Content, max_text: usize) -> Vec<Content> {
    let mut pieces = vec![Content::default()];
    for segment in &content.0 {
        let Segment::Text { text } = segment else {
            push(&mut pieces, segment.clone());
            continue;
        };
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let room = max_text.saturating_sub(pieces.last().map_or(0, length)).max(1);
            let (piece, after) = cut(rest, room);
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

/// Cuts at most `room` characters off: at the last line end, else at the last blank, else anywhere. The line end or
/// blank at the cut belongs to neither side.
fn cut(text: &str, room: usize) -> (&str, &str) {
    let Some((limit, _)) = text.char_indices().nth(room) else { return (text, "") };
    // A separator right behind the room may go as well.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str, max_text: usize) -> Vec<String> {
        split_content(&Content::text(text), max_text).iter().map(Content::plain_text).collect()
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
    fn a_mention_stays_with_the_beginning() {
        let content = Content::default()
            .with(Segment::Mention { who: None, shown: "Al".to_owned() })
            .with(Segment::Text { text: "hello world".to_owned() });
        let found: Vec<String> =
            split_content(&content, 9).iter().map(Content::plain_text).collect();
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
