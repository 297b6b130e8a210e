//! `kick`, `invite_to` and `recall`: actions on the people of a message, and on the message itself.

use mynah_core::{Action, Chat, Person};

use super::Actor;
use crate::decision::Warning;

/// Removes the people of the scene from its group; the admins stay.
pub(super) fn kick(actor: &mut Actor<'_, '_>) {
    let chat = actor.scene.chat;
    if !chat.is_group() {
        return;
    }
    for person in actor.scene.people_meant() {
        if actor.book.people.is_admin(person, actor.pending) {
            let name = &person.name;
            actor.out.warnings.push(Warning {
                en: format!("{name} was not removed from {}: an admin of the bot", chat.name),
                zh: format!("没有把“{name}”移出“{}”：此人是机器人的管理员", chat.name),
            });
        } else {
            actor.plan(chat, Action::Kick { person: person.without_names() });
        }
    }
}

/// Invites the people of the scene into the group of that name.
pub(super) fn invite(actor: &mut Actor<'_, '_>, group: &str) {
    let Some(target) = only_group(actor, group) else { return };
    let people: Vec<Person> =
        actor.scene.people_meant().iter().map(Person::without_names).collect();
    for person in people {
        actor.plan(&target, Action::Invite { person });
    }
}

/// The only group of that name, unless it is the one of the scene.
fn only_group(actor: &mut Actor<'_, '_>, name: &str) -> Option<Chat> {
    let mut groups =
        actor.at.chats.iter().filter(|chat| chat.is_group() && chat.name == name).cloned();
    let (first, second) = (groups.next(), groups.next());
    drop(groups);
    let (en, zh) = match (first, second) {
        (Some(group), None) if group.id != actor.scene.chat.id => return Some(group),
        (Some(_), None) => (
            format!("the message came from {name} itself; nobody was invited"),
            format!("消息就来自“{name}”，没有邀请任何人"),
        ),
        (Some(_), Some(_)) => (
            format!("several groups are called {name}; nobody was invited"),
            format!("有多个群叫“{name}”，没有邀请任何人"),
        ),
        (None, _) => (
            format!("no group is called {name}; nobody was invited"),
            format!("没有叫“{name}”的群，没有邀请任何人"),
        ),
    };
    actor.out.warnings.push(Warning { en, zh });
    None
}

/// Recalls the message of the scene.
pub(super) fn recall(actor: &mut Actor<'_, '_>) {
    let scene = actor.scene;
    if let (Some(message), Some(sender)) = (scene.message_id, scene.person) {
        let (message, sender) = (message.clone(), Some(sender.without_names()));
        actor.plan(scene.chat, Action::Recall { message, sender });
    }
}
