//! What people do on their phones. The same words serve the library and `POST /sandbox/acts`.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{
    Entry, World,
    lines::Who,
    message::{Body, Media},
    people::{GroupId, Peer, PersonId, Relation},
    samples,
};

/// Somebody does something, in a group or in private. People and groups that do not exist are made.
///
/// In JSON it is one flat object:
///
/// ```
/// let act: mynah_sandbox::Act = serde_json::from_str(
///     r#"{"act": "pat", "from": "小红", "group": "水果店客户群", "target": "小助手", "suffix": "的头"}"#,
/// )?;
/// # let _ = act; Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Act {
    /// Who does it. The account's own name means its phone. Not needed where the deed names somebody.
    #[serde(default)]
    pub from: String,
    /// The group; `None`: in private.
    #[serde(default)]
    pub group: Option<String>,
    /// What is done.
    #[serde(flatten)]
    pub deed: Deed,
}

/// What is done.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Deed {
    /// Says a text. `to` names the friend when the account's own phone speaks in private.
    Say {
        /// The text.
        text: String,
        /// To whom the own phone speaks.
        #[serde(default)]
        to: Option<String>,
    },
    /// Sends a picture; without data a small red square.
    Picture {
        /// The file in base64.
        #[serde(default)]
        data: Option<String>,
        /// Its name.
        #[serde(default)]
        name: Option<String>,
    },
    /// Sends a voice message; without data ten frames of silence.
    Voice {
        /// An MP3 file in base64.
        #[serde(default)]
        data: Option<String>,
        /// Its length.
        #[serde(default)]
        seconds: Option<f64>,
    },
    /// Sends a video.
    Video {
        /// An MP4 file in base64.
        #[serde(default)]
        data: Option<String>,
        /// Its length.
        #[serde(default)]
        seconds: Option<u32>,
    },
    /// Sends a file.
    File {
        /// The bytes in base64.
        #[serde(default)]
        data: Option<String>,
        /// Its name.
        #[serde(default)]
        name: Option<String>,
    },
    /// Sends a sticker.
    Sticker {
        /// A GIF file in base64.
        #[serde(default)]
        data: Option<String>,
    },
    /// Sends somebody's card.
    Card {
        /// Whose.
        person: String,
    },
    /// Sends a link.
    Link {
        /// Its title.
        title: String,
        /// What stands below the title.
        #[serde(default)]
        description: String,
        /// Its address.
        url: String,
    },
    /// Sends a place.
    Location {
        /// Its address or name.
        label: String,
        /// Degrees north.
        #[serde(default)]
        latitude: f64,
        /// Degrees east.
        #[serde(default)]
        longitude: f64,
    },
    /// Answers a message by quoting it.
    Quote {
        /// The own words.
        text: String,
        /// The id of the quoted message.
        of: String,
    },
    /// Sends a mini program.
    MiniProgram {
        /// Its title.
        title: String,
    },
    /// Forwards a chat history.
    ChatHistory {
        /// Its title.
        title: String,
    },
    /// Sends a red packet; the web only says that one has come.
    RedPacket,
    /// Sends money.
    Transfer {
        /// For example `￥8.88`.
        #[serde(default)]
        amount: String,
    },
    /// Calls.
    Call,
    /// Takes back a message.
    Recall {
        /// The message's id; the person's last one in the chat if absent.
        #[serde(default)]
        id: Option<String>,
    },
    /// Comes into the group: by a QR code, or invited by somebody.
    Join {
        /// Who invites; the account's own name for itself.
        #[serde(default)]
        by: Option<String>,
    },
    /// Leaves the group. Ordinary members get no message of it, only the new member list.
    Leave,
    /// Throws somebody out of the group.
    Remove {
        /// Whom.
        person: String,
    },
    /// Gives the group another name.
    Rename {
        /// The new one.
        name: String,
    },
    /// Pats somebody.
    Pat {
        /// Whom.
        target: String,
        /// What is added, as in `拍了拍我的头`.
        #[serde(default)]
        suffix: String,
    },
    /// Takes another nickname, or another name in the group.
    Nickname {
        /// The new one.
        name: String,
    },
    /// Asks the account to be a friend.
    FriendRequest {
        /// The greeting.
        #[serde(default)]
        text: String,
    },
    /// Becomes a friend at once, as an account without verification accepts it.
    Befriend,
    /// Ends the friendship.
    Unfriend,
    /// A new person.
    NewPerson {
        /// False for somebody who is only met in groups.
        #[serde(default = "yes")]
        friend: bool,
    },
    /// A new group, with the account in it.
    NewGroup {
        /// Its members besides.
        #[serde(default)]
        members: Vec<String>,
    },
    /// A grey line of the service in the chat.
    System {
        /// The line.
        text: String,
    },
    /// The phone opens (2), leaves (5) or reads (1) the chat.
    Phone {
        /// The status notification code.
        code: i32,
    },
    /// A message of any type.
    Raw {
        /// `MsgType`.
        msg_type: i32,
        /// `AppMsgType`.
        #[serde(default)]
        app_msg_type: i32,
        /// The content before escaping.
        #[serde(default)]
        content: String,
    },
}

/// An act that cannot be done.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ActError {
    /// It does not say who does it.
    #[error("nobody is named who does it: add \"from\"")]
    Nobody,
    /// It needs a group.
    #[error("this is done in a group: add \"group\"")]
    NoGroup,
    /// There is no such message of this person.
    #[error("there is no such message to take back or to quote")]
    NoMessage,
    /// The data is no base64.
    #[error("\"data\" is no base64")]
    Data,
    /// The account speaks in private, but to whom is not said.
    #[error("the account's own phone speaks in private: add \"to\"")]
    NoReceiver,
}

fn yes() -> bool {
    true
}

/// Where something is done and by whom.
#[derive(Clone, Copy)]
struct Scene {
    from: PersonId,
    group: Option<GroupId>,
}

impl Scene {
    fn group(self) -> Result<GroupId, ActError> {
        self.group.ok_or(ActError::NoGroup)
    }

    fn chat(self) -> Peer {
        self.group.map_or(Peer::Person(self.from), Peer::Group)
    }
}

impl World {
    /// Does what people do. Returns the id of the message that came of it, if one did.
    pub(crate) fn act(&mut self, act: Act) -> Result<Option<u64>, ActError> {
        let Act { from, group, deed } = act;
        if let Deed::NewGroup { members } = deed {
            self.new_group(&group.ok_or(ActError::NoGroup)?, &members);
            return Ok(None);
        }
        let group = group.map(|name| self.group_or_new(&name));
        if let Deed::System { text } = deed {
            let chat = match group {
                Some(group) => Peer::Group(group),
                None => Peer::Person(self.person_or_new(&named(&from)?, None, Relation::Friend)),
            };
            return Ok(Some(self.post(chat, None, Body::System(text))));
        }
        let from = self.actor(&named(&from)?, group, &deed);
        self.perform(Scene { from, group }, deed)
    }

    /// The person who acts, made a member or a friend where the deed needs one.
    fn actor(&mut self, name: &str, group: Option<GroupId>, deed: &Deed) -> PersonId {
        let relation = match deed {
            Deed::FriendRequest { .. } | Deed::Befriend | Deed::NewPerson { friend: false } => {
                Relation::Stranger
            }
            _ if group.is_some() => Relation::Stranger,
            _ => Relation::Friend,
        };
        let person = self.person_or_new(name, group, relation);
        let stays_outside = matches!(deed, Deed::Join { .. } | Deed::Leave);
        if let Some(group) = group
            && !stays_outside
            && self.groups[group.index()].add(person)
        {
            self.tell_changed(Peer::Group(group));
        }
        person
    }

    fn person_or_new(
        &mut self,
        name: &str,
        group: Option<GroupId>,
        relation: Relation,
    ) -> PersonId {
        let known = self.find_person(name, group);
        let person = known.unwrap_or_else(|| self.add_person(name, Relation::Stranger));
        if relation == Relation::Friend && self.person(person).relation == Relation::Stranger {
            self.people[person.index()].relation = Relation::Friend;
            self.tell_changed(Peer::Person(person));
        }
        person
    }

    fn group_or_new(&mut self, name: &str) -> GroupId {
        self.find_group(name).unwrap_or_else(|| {
            let group = self.add_group(name);
            self.tell_changed(Peer::Group(group));
            group
        })
    }

    fn new_group(&mut self, name: &str, members: &[String]) {
        let group = self.group_or_new(name);
        for member in members {
            let person = self.person_or_new(member, Some(group), Relation::Stranger);
            self.groups[group.index()].add(person);
        }
        self.tell_changed(Peer::Group(group));
        if let Some(first) = members.first() {
            let line = self.language.invited_me(first, &members[1..].join("、"));
            self.post(Peer::Group(group), None, Body::System(line));
        }
    }

    fn perform(&mut self, scene: Scene, deed: Deed) -> Result<Option<u64>, ActError> {
        match deed {
            Deed::Recall { id } => self.recall(scene, id.as_deref()).map(Some),
            Deed::Join { by } => self.join(scene, by.as_deref()).map(Some),
            Deed::Leave => self.leave(scene).map(|()| None),
            Deed::Remove { person } => self.throw_out(scene, &person),
            Deed::Rename { name } => self.rename(scene, &name).map(Some),
            Deed::Pat { target, suffix } => Ok(Some(self.pat(scene, &target, &suffix))),
            Deed::Nickname { name } => {
                self.take_name(scene, &name);
                Ok(None)
            }
            Deed::FriendRequest { text } => Ok(Some(self.ask_for_friendship(scene.from, text))),
            Deed::Befriend => Ok(Some(self.befriend(scene.from))),
            Deed::Unfriend => {
                self.unfriend(scene.from);
                Ok(None)
            }
            Deed::NewPerson { .. } | Deed::NewGroup { .. } => Ok(None),
            Deed::Phone { code } => {
                let chat = scene.chat();
                self.mark_read(chat);
                Ok(Some(self.post(
                    chat,
                    Some(PersonId::ME),
                    Body::Phone { code, chats: vec![chat] },
                )))
            }
            Deed::Call => {
                let id = self.send(scene, Deed::Call)?;
                let line = self.language.call().to_owned();
                self.post(scene.chat(), None, Body::System(line));
                Ok(Some(id))
            }
            said => self.send(scene, said).map(Some),
        }
    }

    /// Everything that ends as a message of the person.
    fn send(&mut self, scene: Scene, deed: Deed) -> Result<u64, ActError> {
        let chat = match (&deed, scene.group) {
            (Deed::Say { to, .. }, None) if scene.from == PersonId::ME => {
                let to = to.as_deref().ok_or(ActError::NoReceiver)?;
                Peer::Person(self.person_or_new(to, None, Relation::Friend))
            }
            (_, None) if scene.from == PersonId::ME => return Err(ActError::NoReceiver),
            _ => scene.chat(),
        };
        let body = self.body(deed)?;
        let from = if matches!(body, Body::System(_)) { None } else { Some(scene.from) };
        Ok(self.post(chat, from, body))
    }

    fn body(&mut self, deed: Deed) -> Result<Body, ActError> {
        Ok(match deed {
            Deed::Say { text, .. } => Body::Text(text),
            Deed::Picture { data, name } => {
                Body::Image(media(data.as_deref(), name.as_deref(), "picture.png", || {
                    samples::picture(64, [220, 60, 50])
                })?)
            }
            Deed::Voice { data, seconds } => Body::Voice {
                media: media(data.as_deref(), None, "voice.mp3", samples::voice)?,
                milliseconds: milliseconds(seconds.unwrap_or(2.0)),
            },
            Deed::Video { data, seconds } => Body::Video {
                media: media(data.as_deref(), None, "video.mp4", samples::video)?,
                seconds: seconds.unwrap_or(3),
            },
            Deed::File { data, name } => {
                Body::File(media(data.as_deref(), name.as_deref(), "文件.txt", || {
                    Bytes::from_static("你好\n".as_bytes())
                })?)
            }
            Deed::Sticker { data } => {
                Body::Sticker(media(data.as_deref(), None, "sticker.gif", samples::sticker)?)
            }
            Deed::Card { person } => {
                Body::Card(self.person_or_new(&person, None, Relation::Stranger))
            }
            Deed::Link { title, description, url } => Body::Link { title, description, url },
            Deed::Location { label, latitude, longitude } => {
                Body::Location { label, latitude, longitude }
            }
            Deed::Quote { text, of } => {
                let of = of
                    .parse()
                    .ok()
                    .filter(|of| self.message(*of).is_some())
                    .ok_or(ActError::NoMessage)?;
                Body::Quote { text, of }
            }
            Deed::MiniProgram { title } => Body::MiniProgram { title },
            Deed::ChatHistory { title } => Body::ChatHistory { title },
            Deed::RedPacket => Body::System(self.language.red_packet().to_owned()),
            Deed::Transfer { amount } => Body::Transfer { amount },
            Deed::Call => Body::Call,
            Deed::Raw { msg_type, app_msg_type, content } => {
                Body::Raw { kind: msg_type, app_kind: app_msg_type, content }
            }
            // Handled before, as they are no messages.
            _ => Body::System(String::new()),
        })
    }

    /// The account itself, or the person under the name that the group sees.
    fn who(&self, person: PersonId, group: Option<GroupId>) -> Option<String> {
        (person != PersonId::ME).then(|| match group {
            Some(group) => self.name_in(group, person).to_owned(),
            None => self.person(person).name.clone(),
        })
    }

    fn recall(&mut self, scene: Scene, id: Option<&str>) -> Result<u64, ActError> {
        let chat = scene.chat();
        let mine = |it: &super::message::Message| it.from == Some(scene.from) && it.chat == chat;
        let of = match id {
            Some(id) => id.parse().ok().filter(|id| self.message(*id).is_some_and(|it| mine(it))),
            None => self
                .messages()
                .rev()
                .find(|it| {
                    mine(it) && !self.is_recalled(it.id) && !matches!(it.body, Body::Recall { .. })
                })
                .map(|it| it.id),
        };
        let of = of.ok_or(ActError::NoMessage)?;
        self.mark_recalled(of);
        let name = self.who(scene.from, scene.group);
        let text = self.language.recalled(who(name.as_deref()));
        Ok(self.post(chat, Some(scene.from), Body::Recall { of, text }))
    }

    fn join(&mut self, scene: Scene, by: Option<&str>) -> Result<u64, ActError> {
        let group = scene.group()?;
        let by_person = by.map(|name| self.person_or_new(name, Some(group), Relation::Stranger));
        self.groups[group.index()].add(scene.from);
        self.tell_changed(Peer::Group(group));
        let whom = self.person(scene.from).name.clone();
        let line = match by_person {
            Some(by) => {
                let by = self.who(by, Some(group));
                self.language.invited(who(by.as_deref()), &whom)
            }
            None => {
                let owner =
                    self.who(self.group(group).owner, Some(group)).filter(|owner| *owner != whom);
                self.language.joined_by_code(&whom, who(owner.as_deref()))
            }
        };
        Ok(self.post(Peer::Group(group), None, Body::System(line)))
    }

    /// The line that the account reads after it has brought somebody in.
    pub(crate) fn say_invited(&mut self, group: GroupId, person: PersonId) {
        let line = self.language.invited(Who::Me, &self.person(person).name);
        self.post(Peer::Group(group), None, Body::System(line));
    }

    /// The account throws somebody out.
    pub(crate) fn remove_by_me(&mut self, group: GroupId, person: PersonId) {
        let line = self.language.i_removed(self.name_in(group, person));
        self.groups[group.index()].remove(person);
        self.post(Peer::Group(group), None, Body::System(line));
        self.tell_changed(Peer::Group(group));
    }

    fn leave(&mut self, scene: Scene) -> Result<(), ActError> {
        let group = scene.group()?;
        self.groups[group.index()].remove(scene.from);
        if scene.from == PersonId::ME {
            self.tell(Entry::Gone(Peer::Group(group)));
        } else {
            self.tell_changed(Peer::Group(group));
        }
        Ok(())
    }

    fn throw_out(&mut self, scene: Scene, whom: &str) -> Result<Option<u64>, ActError> {
        let group = scene.group()?;
        let person = self.person_or_new(whom, Some(group), Relation::Stranger);
        let whom = self.name_in(group, person).to_owned();
        let by = self.name_in(group, scene.from).to_owned();
        self.groups[group.index()].remove(person);
        let line = match (scene.from, person) {
            (_, PersonId::ME) => self.language.i_was_removed(&by),
            (PersonId::ME, _) => self.language.i_removed(&whom),
            // Of others nothing is said; only the member list changes.
            _ => {
                self.tell_changed(Peer::Group(group));
                return Ok(None);
            }
        };
        let id = self.post(Peer::Group(group), None, Body::System(line));
        let gone = person == PersonId::ME;
        self.tell(if gone {
            Entry::Gone(Peer::Group(group))
        } else {
            Entry::Contact(Peer::Group(group))
        });
        Ok(Some(id))
    }

    fn rename(&mut self, scene: Scene, topic: &str) -> Result<u64, ActError> {
        let group = scene.group()?;
        Ok(self.set_topic(group, scene.from, topic))
    }

    /// Gives a group another name and says so in it.
    pub(crate) fn set_topic(&mut self, group: GroupId, by: PersonId, topic: &str) -> u64 {
        topic.clone_into(&mut self.groups[group.index()].topic);
        let by = self.who(by, Some(group));
        let line = self.language.renamed(who(by.as_deref()), topic);
        let id = self.post(Peer::Group(group), None, Body::System(line));
        self.tell_changed(Peer::Group(group));
        id
    }

    fn pat(&mut self, scene: Scene, target: &str, suffix: &str) -> u64 {
        let target = self.person_or_new(target, scene.group, Relation::Stranger);
        let (by, whom) = (self.who(scene.from, scene.group), self.who(target, scene.group));
        let line = self.language.patted(who(by.as_deref()), who(whom.as_deref()), suffix);
        let chat = match (scene.group, scene.from) {
            (None, PersonId::ME) => Peer::Person(target),
            _ => scene.chat(),
        };
        self.post(chat, None, Body::System(line))
    }

    fn take_name(&mut self, scene: Scene, name: &str) {
        match scene.group {
            Some(group) => {
                let members = &mut self.groups[group.index()].members;
                if let Some(member) = members.iter_mut().find(|it| it.person == scene.from) {
                    name.clone_into(&mut member.display);
                }
                self.tell_changed(Peer::Group(group));
            }
            None if scene.from == PersonId::ME => {
                name.clone_into(&mut self.people[PersonId::ME.index()].name);
                self.tell(Entry::Profile);
            }
            None => {
                name.clone_into(&mut self.people[scene.from.index()].name);
                self.tell_changed(Peer::Person(scene.from));
            }
        }
    }

    fn ask_for_friendship(&mut self, person: PersonId, text: String) -> u64 {
        let ticket = format!("v2_{}@stranger", self.draw.hex(64));
        let chat = Peer::Person(person);
        self.post(chat, Some(person), Body::FriendRequest { person, text, ticket })
    }

    fn befriend(&mut self, person: PersonId) -> u64 {
        self.people[person.index()].relation = Relation::Friend;
        self.tell_changed(Peer::Person(person));
        let line = self.language.added_me(&self.person(person).name);
        self.post(Peer::Person(person), None, Body::System(line))
    }

    /// The account accepts somebody's request, on the phone or by `webwxverifyuser`.
    pub(crate) fn accept_friend(&mut self, person: PersonId) {
        self.people[person.index()].relation = Relation::Friend;
        self.tell_changed(Peer::Person(person));
        let line = self.language.i_added(&self.person(person).name);
        self.post(Peer::Person(person), None, Body::System(line));
    }

    fn unfriend(&mut self, person: PersonId) {
        self.people[person.index()].relation = Relation::Stranger;
        self.tell(Entry::Gone(Peer::Person(person)));
    }
}

fn named(from: &str) -> Result<String, ActError> {
    if from.is_empty() { Err(ActError::Nobody) } else { Ok(from.to_owned()) }
}

fn who(name: Option<&str>) -> Who<'_> {
    name.map_or(Who::Me, Who::Other)
}

fn media(
    data: Option<&str>,
    name: Option<&str>,
    default: &str,
    sample: impl FnOnce() -> Bytes,
) -> Result<Media, ActError> {
    let bytes = match data {
        Some(data) => STANDARD.decode(data.trim()).map_err(|_| ActError::Data)?.into(),
        None => sample(),
    };
    Ok(Media::new(name.unwrap_or(default), bytes))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
fn milliseconds(seconds: f64) -> u32 {
    (seconds * 1000.0).clamp(0.0, 60_000.0) as u32
}
