//! Rendered texts as messages: mentions and quotes. The runtime splits a text that is too long for the service.

use mynah_core::{Segment, quote};

use super::Shape;
use crate::rule_book::scene::Scene;
use mynah_matching::template::Rendered;

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
            text: quote::excerpt(scene.text),
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
