//! Rendered texts as messages: mentions, quotes, and what is too long in pieces.

use mynah_core::{Content, Segment};

use super::Shape;
use crate::rule_book::scene::Scene;
use mynah_matching::template::Rendered;

/// The longest reply in characters; a longer one is split at line ends.
const MAX_CHARACTERS: usize = 2_000;

/// The message that says a rendered text, as long as it is; empty if there is nothing to say.
pub(super) fn shape(rendered: Vec<Rendered>, shape: Shape, scene: &Scene<'_>) -> Vec<Segment> {
    let says_something = rendered
        .iter()
        .any(|piece| matches!(piece, Rendered::Text(text) if !text.trim().is_empty()));
    if !says_something {
        return Vec::new();
    }
    let mention = || {
        let person = scene.person.filter(|_| scene.chat.is_group())?;
        Some(Segment::Mention { who: Some(person.id.clone()), shown: person.name.clone() })
    };
    let mut segments = Vec::with_capacity(rendered.len());
    if shape.quote {
        segments.extend(scene.message.map(|message| Segment::Quote {
            message: Some(message.id.clone()),
            sender: message.sender.name.clone(),
            text: scene.text.to_owned(),
        }));
    }
    if shape.at_sender && rendered.first() != Some(&Rendered::At) {
        segments.extend(mention());
    }
    for piece in rendered {
        match piece {
            Rendered::Text(text) => segments.push(Segment::Text { text }),
            Rendered::At => segments.extend(mention()),
        }
    }
    segments
}

/// Whether one message surely has room for all of it.
pub(super) fn has_room(segments: &[Segment]) -> bool {
    let bytes = segments.iter().map(|segment| match segment {
        Segment::Text { text } => text.len(),
        _ => 0,
    });
    bytes.sum::<usize>() <= MAX_CHARACTERS
}

/// Splits what is too long: the first piece keeps what stands in front of the text.
pub(super) fn split(segments: Vec<Segment>) -> Vec<Content> {
    let mut pieces = vec![Vec::new()];
    let mut room = MAX_CHARACTERS;
    for segment in segments {
        let Segment::Text { text } = segment else {
            pieces.last_mut().expect("there is always one piece").push(segment);
            continue;
        };
        let mut rest = text.as_str();
        while rest.chars().count() > room {
            let (head, tail) = cut(rest, room);
            let piece = pieces.last_mut().expect("there is always one piece");
            piece.push(Segment::Text { text: head.to_owned() });
            pieces.push(Vec::new());
            (rest, room) = (tail, MAX_CHARACTERS);
        }
        room -= rest.chars().count();
        pieces
            .last_mut()
            .expect("there is always one piece")
            .push(Segment::Text { text: rest.to_owned() });
    }
    let has_text = |piece: &Vec<Segment>| {
        piece.iter().any(|segment| !matches!(segment, Segment::Text { text } if text.is_empty()))
    };
    pieces.into_iter().filter(has_text).map(Content).collect()
}

/// The beginning of a text that has room, up to a line end if there is one, and what comes after it.
fn cut(text: &str, room: usize) -> (&str, &str) {
    let end = text.char_indices().nth(room).map_or(text.len(), |(end, _)| end);
    // The line end itself may stand just behind what has room.
    let within = &text[..text[end..].chars().next().map_or(end, |c| end + c.len_utf8())];
    match within.rfind('\n').filter(|at| *at > 0) {
        Some(line_end) => (&text[..line_end], &text[line_end + 1..]),
        None => text.split_at(end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<String> {
        split(vec![Segment::Text { text: text.to_owned() }])
            .iter()
            .map(Content::plain_text)
            .collect()
    }

    #[test]
    fn long_texts_are_split_at_line_ends() {
        let line = "字".repeat(1500);
        assert_eq!(pieces("短"), ["短"]);
        assert_eq!(pieces(&format!("{line}\n{line}")), [line.clone(), line.clone()]);
        assert_eq!(
            pieces(&"长".repeat(4500))
                .iter()
                .map(|piece| piece.chars().count())
                .collect::<Vec<_>>(),
            [2000, 2000, 500]
        );
        let full = "满".repeat(2000);
        assert_eq!(pieces(&full).len(), 1);
        assert_eq!(pieces(&format!("{full}\nx")), [full.clone(), "x".to_owned()]);
        assert_eq!(pieces(&format!("{full}\n")), [full]);
    }
}
