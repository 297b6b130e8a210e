//! `forward_to`: the message goes on to other chats.

use mynah_core::{Action, Chat, Content, NoticeKind, Person, Segment, quote};

use super::Actor;
use crate::decision::Warning;
use mynah_matching::glob::Glob;

/// Sends the message of the scene to the chats of these names.
pub(super) fn forward(actor: &mut Actor<'_, '_>, to: &[Glob]) {
    let contents = contents(actor);
    for name in to {
        let chats = targets(name, &actor.at.chats);
        if chats.is_empty() {
            actor.out.warnings.push(Warning {
                en: format!("no chat is called {name}; nothing was forwarded there"),
                zh: format!("没有叫“{name}”的聊天，没有转发"),
            });
        }
        for chat in chats.into_iter().filter(|chat| chat.id != actor.scene.chat.id) {
            for content in &contents {
                actor.plan(chat, Action::Send { content: content.clone() });
            }
        }
    }
}

/// The chats that a name or glob means. A glob means groups; a plain name the groups of that name, else the friend.
pub(crate) fn targets<'c>(name: &Glob, chats: &'c [Chat]) -> Vec<&'c Chat> {
    let groups: Vec<&Chat> =
        chats.iter().filter(|chat| chat.is_group() && name.fits(&chat.name)).collect();
    if groups.is_empty() && name.is_plain() {
        return chats.iter().filter(|chat| name.fits(&chat.name)).take(1).collect();
    }
    groups
}

/// The forwarded content: the message, or words that describe the event.
fn contents(actor: &Actor<'_, '_>) -> Vec<Content> {
    let scene = actor.scene;
    if let Some(message) = scene.message {
        return of_message(&message.content, Some(&message.sender), scene.chat);
    }
    match scene.notice.map(|notice| &notice.kind) {
        Some(NoticeKind::Recall { original: Some(original), .. }) => {
            of_message(&original.content, Some(&original.sender), scene.chat)
        }
        Some(NoticeKind::Recall { original: None, .. }) | None => Vec::new(),
        Some(kind) => {
            let names = scene.people().unwrap_or_default();
            let words = [&names, scene.text].into_iter().find(|words| !words.is_empty());
            let text = words.map_or_else(
                || format!("[{}]", kind.word()),
                |words| format!("[{}] {words}", kind.word()),
            );
            of_message(&Content::text(text), scene.person, scene.chat)
        }
    }
}

fn of_message(content: &Content, sender: Option<&Person>, chat: &Chat) -> Vec<Content> {
    // The sender is named before a text; media are forwarded unchanged.
    let text = content.plain_text();
    let text = format!("{}{}", quotes(content), text.trim());
    let mut contents = Vec::new();
    if !text.is_empty() {
        contents.push(Content::text(format!("{}{text}", heading(sender, chat))));
    }
    let others = content.0.iter().filter(|segment| {
        !matches!(segment, Segment::Text { .. } | Segment::Mention { .. } | Segment::Quote { .. })
    });
    contents.extend(others.map(|segment| Content(vec![segment.clone()])));
    contents
}

/// The quoted texts of the message, a line for each.
fn quotes(content: &Content) -> String {
    let lines = content.0.iter().filter_map(|segment| match segment {
        Segment::Quote { sender, text, .. } => {
            Some(format!("「{sender}：{}」\n", quote::excerpt(text)))
        }
        _ => None,
    });
    lines.collect()
}

/// `sender（group）：`, in private `sender：`.
fn heading(sender: Option<&Person>, chat: &Chat) -> String {
    let sender = sender.map_or("", |person| person.name.as_str());
    if chat.is_group() { format!("{sender}（{}）：", chat.name) } else { format!("{sender}：") }
}
