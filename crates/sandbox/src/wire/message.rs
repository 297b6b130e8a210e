//! Messages in the answer of `webwxsync`, section 11.4 of the protocol reference.

use serde::Serialize;
use serde_json::Value;

use super::{
    contact::Writer,
    text::{encry_file_name, escape, to_wire},
    xml,
};
use crate::world::{
    message::{Body, Message},
    people::{Peer, PersonId, Relation},
};

/// An entry of `AddMsgList`.
#[derive(Debug, Default, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AddMsg {
    msg_id: String,
    from_user_name: String,
    to_user_name: String,
    msg_type: i32,
    content: String,
    status: i32,
    img_status: i32,
    create_time: u64,
    voice_length: u32,
    play_length: u32,
    file_name: String,
    file_size: String,
    media_id: String,
    url: String,
    app_msg_type: i32,
    status_notify_code: i32,
    status_notify_user_name: String,
    recommend_info: RecommendInfo,
    forward_flag: i32,
    app_info: AppInfo,
    has_product_id: i32,
    ticket: String,
    img_height: u32,
    img_width: u32,
    sub_msg_type: i32,
    new_msg_id: u64,
    ori_content: String,
    encry_file_name: String,
}

/// A delivered message: whole, or with fields replaced by a raw message.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum Delivered {
    Whole(Box<AddMsg>),
    Changed(Value),
}

/// The person of a card or a friend request, section 11.5.
#[derive(Debug, Default, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct RecommendInfo {
    user_name: String,
    nick_name: String,
    #[serde(rename = "QQNum")]
    qq_num: u32,
    province: String,
    city: String,
    content: String,
    signature: String,
    alias: String,
    scene: i32,
    verify_flag: i32,
    attr_status: u32,
    sex: i32,
    ticket: String,
    op_code: i32,
}

#[derive(Debug, Default, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AppInfo {
    #[serde(rename = "AppID")]
    app_id: String,
    r#type: i32,
}

/// The fields of a message that depend on its body.
#[derive(Default)]
struct Filling {
    message: AddMsg,
    /// The content is a system line: it never has a sender.
    unsigned: bool,
}

impl Filling {
    fn new(msg_type: i32, content: String) -> Self {
        Self { message: AddMsg { msg_type, content, ..AddMsg::default() }, unsigned: false }
    }

    /// XML is escaped once more than plain text.
    fn xml(msg_type: i32, content: &str) -> Self {
        Self::new(msg_type, escape(content).replace('\n', "<br/>"))
    }

    fn app(app_msg_type: i32, file_name: &str, content: &str) -> Self {
        let mut filling = Self::xml(49, content);
        filling.message.app_msg_type = app_msg_type;
        filling.message.file_name = to_wire(file_name);
        filling
    }

    fn unsigned(mut self) -> Self {
        self.unsigned = true;
        self
    }

    fn with(mut self, change: impl FnOnce(&mut AddMsg)) -> Self {
        change(&mut self.message);
        self
    }
}

impl Writer<'_> {
    /// Writes a message as the account of this session receives it.
    pub(crate) fn delivered(&self, message: &Message) -> Delivered {
        let wire = Box::new(self.add_msg(message));
        let Body::Wire { fields, .. } = &message.body else { return Delivered::Whole(wire) };
        match serde_json::to_value(&wire) {
            Ok(Value::Object(mut whole)) => {
                whole.extend(fields.clone());
                Delivered::Changed(Value::Object(whole))
            }
            _ => Delivered::Whole(wire),
        }
    }

    fn add_msg(&self, message: &Message) -> AddMsg {
        let Filling { message: mut wire, unsigned } = self.filling(message);
        let me = self.name(Peer::Person(PersonId::ME));
        let chat = self.name(message.chat);
        let mine = message.from == Some(PersonId::ME);
        (wire.from_user_name, wire.to_user_name) = if mine { (me, chat) } else { (chat, me) };
        if let (Peer::Group(_), Some(from), false, false) =
            (message.chat, message.from, mine, unsigned)
        {
            let separator = match &message.body {
                Body::Wire { separator, .. } => separator,
                _ => ":<br/>",
            };
            wire.content = format!("{}{separator}{}", self.session.person_name(from), wire.content);
        }
        self.readdress(message, &mut wire);
        wire.msg_id = message.id.to_string();
        wire.new_msg_id = message.id;
        wire.create_time = message.time / 1000;
        wire.status = if wire.msg_type == 10_000 { 4 } else { 3 };
        wire.img_status = if wire.msg_type == 3 { 2 } else { 1 };
        wire
    }

    /// Two kinds have another sender than their chat.
    fn readdress(&self, message: &Message, wire: &mut AddMsg) {
        let me = || self.name(Peer::Person(PersonId::ME));
        match &message.body {
            Body::FriendRequest { .. } => "fmessage".clone_into(&mut wire.from_user_name),
            Body::Phone { code: 4, .. } => (wire.from_user_name, wire.to_user_name) = (me(), me()),
            Body::Phone { .. } => {
                (wire.from_user_name, wire.to_user_name) = (me(), self.name(message.chat));
            }
            _ => {}
        }
    }

    fn filling(&self, message: &Message) -> Filling {
        match &message.body {
            Body::Text(text) => Filling::new(1, to_wire(text)),
            Body::System(text) => Filling::new(10_000, to_wire(text)).unsigned(),
            Body::Call => Filling::xml(50, &xml::call()),
            Body::Raw { kind, app_kind, content } => {
                Filling::xml(*kind, content).with(|wire| wire.app_msg_type = *app_kind)
            }
            Body::Wire { kind, content, .. } => Filling::new(*kind, content.clone()),
            Body::Phone { code, chats } => self.phone(*code, chats),
            Body::Recall { of, text } => {
                Filling::xml(10_002, &xml::recall(*of, text, message.chat)).unsigned()
            }
            Body::Card(person) => self.card(*person),
            Body::FriendRequest { person, text, ticket } => {
                self.friend_request(*person, text, ticket)
            }
            Body::Image(_)
            | Body::Voice { .. }
            | Body::Video { .. }
            | Body::Sticker(_)
            | Body::File(_) => self.media(message),
            Body::Location { label, latitude, longitude } => {
                location(message.id, label, *latitude, *longitude)
            }
            Body::Link { .. }
            | Body::MiniProgram { .. }
            | Body::Quote { .. }
            | Body::ChatHistory { .. }
            | Body::Transfer { .. } => self.app(message),
        }
    }

    fn media(&self, message: &Message) -> Filling {
        match &message.body {
            Body::Image(media) => Filling::xml(3, &xml::image(media))
                .with(|wire| (wire.img_height, wire.img_width) = (120, 120)),
            Body::Voice { media, milliseconds } => {
                Filling::xml(34, &xml::voice(media, *milliseconds))
                    .with(|wire| wire.voice_length = *milliseconds)
            }
            Body::Video { media, seconds } => Filling::xml(43, &xml::video(media, *seconds))
                .with(|wire| wire.play_length = *seconds),
            Body::Sticker(media) => Filling::xml(47, &xml::sticker(media))
                .with(|wire| (wire.img_height, wire.img_width) = (120, 120)),
            Body::File(media) => Filling::app(6, &media.name, &xml::file(media)).with(|wire| {
                wire.file_size = media.bytes.len().to_string();
                wire.media_id.clone_from(&media.id);
                wire.encry_file_name = encry_file_name(&media.name);
                "wxeb7ec651dd0aefa9".clone_into(&mut wire.app_info.app_id);
            }),
            _ => Filling::default(),
        }
    }

    fn app(&self, message: &Message) -> Filling {
        match &message.body {
            Body::Link { title, description, url } => {
                Filling::app(5, title, &xml::link(title, description, url))
                    .with(|wire| wire.url = escape(url))
            }
            Body::MiniProgram { title } => Filling::app(33, title, &xml::mini_program(title)),
            Body::ChatHistory { title } => Filling::app(19, title, &xml::chat_history(title)),
            Body::Quote { text, of } => {
                let quoted = self.world.message(*of);
                let by =
                    quoted.and_then(|it| it.from).map_or("", |from| &self.world.person(from).name);
                let said = quoted.map_or("", |it| it.body.text());
                Filling::app(57, text, &xml::quote(text, *of, by, said))
            }
            Body::Transfer { amount } => {
                Filling::app(2000, self.world.language.transfer(), &xml::transfer(amount))
            }
            _ => Filling::default(),
        }
    }

    fn recommend(&self, id: PersonId) -> RecommendInfo {
        let person = self.world.person(id);
        RecommendInfo {
            user_name: self.name(Peer::Person(id)),
            nick_name: to_wire(&person.name),
            province: person.province.clone(),
            city: person.city.clone(),
            signature: to_wire(&person.signature),
            alias: person.alias.clone(),
            scene: 17,
            verify_flag: if person.relation == Relation::Official { 24 } else { 0 },
            sex: person.sex,
            ..RecommendInfo::default()
        }
    }

    fn card(&self, id: PersonId) -> Filling {
        let name = self.name(Peer::Person(id));
        let content = xml::card(self.world.person(id), &name);
        Filling::xml(42, &content).with(|wire| wire.recommend_info = self.recommend(id))
    }

    fn friend_request(&self, id: PersonId, text: &str, ticket: &str) -> Filling {
        let name = self.name(Peer::Person(id));
        let content = xml::friend_request(self.world.person(id), &name, text, ticket);
        let info = RecommendInfo {
            content: to_wire(text),
            scene: 30,
            ticket: ticket.to_owned(),
            op_code: 2,
            ..self.recommend(id)
        };
        Filling::xml(37, &content)
            .with(|wire| {
                ticket.clone_into(&mut wire.ticket);
                wire.recommend_info = info;
            })
            .unsigned()
    }

    /// A notification of the phone; codes 4 and 2 carry the stable ids of the chats, which clients learn from it.
    fn phone(&self, code: i32, chats: &[Peer]) -> Filling {
        let names: Vec<_> = chats.iter().map(|chat| self.name(*chat)).collect();
        let real_ids: Vec<_> = chats
            .iter()
            .map(|chat| match chat {
                Peer::Person(person) => self.world.person(*person).real_id.as_str(),
                Peer::Group(group) => self.world.group(*group).real_id.as_str(),
            })
            .collect();
        Filling::xml(51, &xml::phone(code, &real_ids.join(",")))
            .with(|wire| {
                wire.status_notify_code = code;
                wire.status_notify_user_name = names.join(",");
            })
            .unsigned()
    }
}

fn location(id: u64, label: &str, latitude: f64, longitude: f64) -> Filling {
    let picture = format!(
        "/cgi-bin/mmwebwx-bin/webwxgetpubliclinkimg?url=xxx&amp;msgid={id}&amp;pictype=location"
    );
    Filling::new(1, format!("{}:<br/>{picture}", to_wire(label))).with(|wire| {
        wire.sub_msg_type = 48;
        wire.url = format!("http://apis.map.qq.com/uri/v1/geocoder?coord={latitude},{longitude}");
        wire.ori_content = xml::location(label, latitude, longitude);
    })
}
