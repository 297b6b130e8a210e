//! `send` and `to`: a text, a picture or a file for other chats.

use mynah_core::{Action, Binding, Chat, Content, MediaRef, Scope, Segment};

use super::{Actor, targets, web};
use crate::decision::Warning;
use crate::model::{Sent, Target};

/// Sends something to these targets, once to each chat.
pub(super) fn send(actor: &mut Actor<'_, '_>, what: &Sent, to: &[Target], n: usize) {
    let Some(content) = content(actor, what, n) else { return };
    let mut reached: Vec<Chat> = Vec::new();
    for target in to {
        let chats = chats(actor, target);
        if chats.is_empty() {
            missing(actor, target);
        }
        for chat in chats {
            if !reached.iter().any(|one| one.id == chat.id) {
                actor.plan(&chat, Action::Send { content: content.clone() });
                reached.push(chat);
            }
        }
    }
}

fn content(actor: &mut Actor<'_, '_>, what: &Sent, n: usize) -> Option<Content> {
    Some(match what {
        Sent::Text(text) => {
            let text = text.render_text(&actor.told(n));
            if text.trim().is_empty() {
                return None;
            }
            Content::text(text)
        }
        Sent::Image(path) => {
            let media = MediaRef::file_inside(&actor.book.folder, path);
            Content(vec![Segment::Image(media)])
        }
        Sent::Web(media) => Content(vec![web::segment(actor, media)?]),
        Sent::File(path) => {
            let media = MediaRef::file_inside(&actor.book.folder, path);
            Content(vec![Segment::File(media)])
        }
    })
}

/// The chats that a target means at present.
fn chats(actor: &Actor<'_, '_>, target: &Target) -> Vec<Chat> {
    let known = &actor.at.chats;
    match target {
        Target::Named(name) => {
            let found = targets(name, known).into_iter();
            // A glob means the other groups: the sender of a broadcast has read it already.
            found
                .filter(|chat| name.is_plain() || chat.id != actor.scene.chat.id)
                .cloned()
                .collect()
        }
        Target::Sender => sender(actor).into_iter().collect(),
        Target::Admins => {
            let admins = actor.book.people.admins();
            admins.filter_map(|name| friend(actor, name)).collect()
        }
    }
}

/// The private chat with the sender.
fn sender(actor: &Actor<'_, '_>) -> Option<Chat> {
    let scene = actor.scene;
    if !scene.chat.is_group() {
        return Some(scene.chat.clone());
    }
    let person = scene.person?;
    let privately = || actor.at.chats.iter().filter(|chat| !chat.is_group());
    let by_id = privately().find(|chat| chat.id.as_str() == person.id.as_str());
    let by_name = || {
        let is_theirs = |chat: &&Chat| person.is_certainly(&chat.name) || person.chose(&chat.name);
        only(privately().filter(is_theirs))
    };
    by_id.or_else(by_name).cloned()
}

/// The private chat with the friend of a name; none if the name is bound to another person, or two friends have it.
fn friend(actor: &Actor<'_, '_>, name: &str) -> Option<Chat> {
    let privately = || actor.at.chats.iter().filter(|chat| !chat.is_group());
    let bound = actor.pending.get(Scope::Bot, &Binding::key(name));
    let by_id = bound.and_then(|id| privately().find(|chat| chat.id.as_str() == id));
    by_id.or_else(|| only(privately().filter(|chat| chat.name == name))).cloned()
}

/// The only one of them.
fn only<'c>(mut chats: impl Iterator<Item = &'c Chat>) -> Option<&'c Chat> {
    let first = chats.next()?;
    chats.next().is_none().then_some(first)
}

fn missing(actor: &mut Actor<'_, '_>, target: &Target) {
    let (en, zh) = match target {
        Target::Named(name) => (
            format!("no chat is called {name}; nothing was sent there"),
            format!("没有叫“{name}”的聊天，没有发送"),
        ),
        Target::Sender => (
            "there is no private chat with the sender; nothing was sent there".to_owned(),
            "没有和发送者的私聊，没有发送".to_owned(),
        ),
        Target::Admins => (
            "no private chat with an admin is known; nothing was sent there".to_owned(),
            "没有找到和管理员的私聊，没有发送".to_owned(),
        ),
    };
    actor.out.warnings.push(Warning { en, zh });
}
