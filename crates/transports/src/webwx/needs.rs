//! The contacts that the service must be asked about before an answer of webwxsync can be translated.

use std::time::Duration;

use mynah_core::Timestamp;
use mynah_webwx::text;
use mynah_webwx::wire::{self, Synced, is_group, is_special, message_type};

use super::directory::{Directory, Roster};
use super::system_text::{self, SystemLine};
use super::system_xml;

/// A list of members counts as fresh this long where a member is mentioned: names in groups change without notice.
const FRESH_FOR_MENTIONS: Duration = Duration::from_secs(10 * 60);

/// A list counts as fresh this long otherwise; the service reports joins and leaves.
const FRESH: Duration = Duration::from_secs(6 * 60 * 60);

/// A list that lacks the sender is asked for again, but not more often than this.
const RETRY: Duration = Duration::from_secs(5);

/// No more names than one call takes.
const MOST: usize = mynah_webwx::BATCH;

/// A person or a group to ask about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) name: String,
    /// Who spoke in the group and is not in the list at hand.
    pub(crate) unknown: Vec<String>,
}

/// The names to ask about.
pub(crate) fn of(synced: &Synced, directory: &Directory, now: Timestamp) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    for message in &synced.add_msg_list {
        let Some(name) = needed(message, synced, directory, now) else { continue };
        let at = match needs.iter().position(|need| need.name == name) {
            Some(at) => at,
            None if needs.len() < MOST => {
                needs.push(Need { name: name.to_owned(), unknown: Vec::new() });
                needs.len() - 1
            }
            None => continue,
        };
        let unknown = directory.roster(name).and_then(|roster| unknown_sender(message, roster));
        needs[at].unknown.extend(unknown.map(str::to_owned));
    }
    needs
}

fn needed<'m>(
    message: &'m wire::Message,
    synced: &Synced,
    directory: &Directory,
    now: Timestamp,
) -> Option<&'m str> {
    if matches!(
        message.msg_type,
        message_type::STATUS_NOTIFY | message_type::SYSTEM_NOTICE | message_type::VERIFY
    ) {
        return None;
    }
    let mine = directory.is_me(&message.from_user_name);
    let peer = if mine { &*message.to_user_name } else { &*message.from_user_name };
    if peer.is_empty() {
        return None;
    }
    let listed = synced.mod_contact_list.iter().find(|contact| contact.user_name == peer);
    if !is_group(peer) {
        let known = directory.is_me(peer)
            || is_special(peer)
            || directory.has_name(peer)
            || listed.is_some();
        return (!known).then_some(peer);
    }
    // A change that came along holds the whole list of members.
    let comes_along = listed.is_some_and(|group| {
        !group.nick_name.is_empty()
            && group.member_list.iter().any(|member| !member.nick_name.is_empty())
    });
    if comes_along
        || (directory.knows_group(peer) && !is_stale(message, directory.roster(peer), now))
    {
        return None;
    }
    Some(peer)
}

/// Whether the list at hand will not do for this message.
fn is_stale(message: &wire::Message, roster: Option<&Roster>, now: Timestamp) -> bool {
    let Some(roster) = roster else { return true };
    let age = now.since(roster.fetched());
    let mentions = text::split_sender(&message.content).1.contains(['@', '＠']);
    // Another member may have joined since the list was asked for; the caller bounds how often to ask.
    unknown_sender(message, roster).is_some()
        || (names_newcomers(message, roster) && age >= RETRY)
        || (mentions && age >= FRESH_FOR_MENTIONS)
        || age >= FRESH
}

/// The sender in a group whose name the list at hand does not tell.
fn unknown_sender<'m>(message: &'m wire::Message, roster: &Roster) -> Option<&'m str> {
    text::split_sender(&message.content)
        .0
        .filter(|sender| roster.find(sender).is_none_or(|member| member.nick.is_empty()))
}

/// Whether it is a line about people who came and are not in the list at hand.
fn names_newcomers(message: &wire::Message, roster: &Roster) -> bool {
    let line = match message.msg_type {
        message_type::SYSTEM => Some(text::plain(&message.content)),
        message_type::RECALLED => system_xml::line_of(&message.content),
        _ => None,
    };
    let Some(SystemLine::Joined { names }) = line.and_then(|line| system_text::read(&line)) else {
        return false;
    };
    let is_known = |name: &str| roster.members().iter().any(|member| member.is_called(name));
    !system_text::split_names(&names, is_known).iter().all(|name| is_known(name))
}
