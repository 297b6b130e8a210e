//! The content of a message: from the service's types (sections 12.1 and 12.5 of the protocol reference) to segments.

use mynah_core::{MediaRef, MediaSource, MessageId, Segment};
use mynah_webwx::text;
use mynah_webwx::wire::xml::Element;
use mynah_webwx::wire::{self, app_type, message_type};

use super::media::Reference;

/// The kinds of bodies of a message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    /// Text that may call the bot, after segments that may stand before it.
    Text { before: Vec<Segment>, text: String },
    /// Any other content.
    Segment(Segment),
    /// A red packet, which is an event of its own.
    RedPacket,
}

/// Reads the body of a message; `content` is its text without the sender's prefix.
///
/// A message of an unknown type becomes a raw segment, never an error.
pub(crate) fn read(message: &wire::Message, content: &str) -> Body {
    match message.msg_type {
        message_type::TEXT => read_text(message, content),
        message_type::APP => read_app(message, content),
        message_type::IMAGE => Body::Segment(Segment::Image(media(message, "image"))),
        message_type::VOICE => Body::Segment(Segment::Voice(media(message, "voice"))),
        message_type::VIDEO | message_type::MICRO_VIDEO => {
            Body::Segment(Segment::Video(media(message, "video")))
        }
        message_type::EMOTICON => Body::Segment(Segment::Sticker(media(message, "sticker"))),
        message_type::CARD => Body::Segment(Segment::Card { name: card_name(message, content) }),
        message_type::LOCATION => Body::Segment(location(message, content)),
        message_type::CALL | message_type::CALL_ENDED | message_type::CALL_INVITE => {
            raw("call", &text::plain(content))
        }
        message_type::POSSIBLE_FRIEND => {
            raw("friend_suggestion", &text::name(&message.recommend_info.nick_name))
        }
        other => raw(&format!("message:{other}"), &readable(content)),
    }
}

fn raw(kind: &str, text: &str) -> Body {
    Body::Segment(Segment::Raw { kind: kind.to_owned(), text: text.to_owned() })
}

/// The text of a body that may be XML: XML is nothing for people.
fn readable(content: &str) -> String {
    let plain = text::plain(content);
    if plain.trim_start().starts_with('<') { String::new() } else { plain }
}

fn read_text(message: &wire::Message, content: &str) -> Body {
    if is_place(message, content) {
        return Body::Segment(location(message, content));
    }
    if message.app_msg_type == app_type::RED_PACKET {
        return Body::RedPacket;
    }
    if message.from_user_name == "newsapp" {
        return raw("news", &readable(content));
    }
    Body::Text { before: Vec::new(), text: text::plain(content) }
}

// -- Places.

/// The address of the picture of a map, which follows the name of its place.
const MAP_PICTURE: &str = "/cgi-bin/mmwebwx-bin/webwxgetpubliclinkimg?";

/// Whether a text is a place. Anybody can type the address of a picture, but not the id of the message in it.
fn is_place(message: &wire::Message, content: &str) -> bool {
    let id = message.id();
    message.sub_msg_type == message_type::LOCATION
        || message.url.contains("apis.map.qq.com")
        || (content.contains(MAP_PICTURE)
            && content.contains("pictype=location")
            && !id.is_empty()
            && content.contains(&format!("msgid={id}&")))
}

fn location(message: &wire::Message, content: &str) -> Segment {
    let plain = text::plain(content);
    let original = Element::parse(&text::xml(&message.ori_content))
        .or_else(|| Element::parse(&text::xml(content)));
    let place = original.as_ref().and_then(|xml| xml.find(&["location"]));
    let attribute = |name: &str| place.map(|place| place.attribute(name)).unwrap_or_default();
    let label = [attribute("poiname"), attribute("label"), label_before_picture(&plain)]
        .into_iter()
        .find(|label| !is_placeholder(label))
        .unwrap_or_default();
    let (latitude, longitude) = coordinates(attribute("x"), attribute("y"))
        .or_else(|| coordinates_of(&message.url))
        .unwrap_or_default();
    Segment::Location { label: label.trim().to_owned(), latitude, longitude }
}

/// Whether a label is not the name of a place: empty, or a word such as `[位置]` for a place without a name.
fn is_placeholder(label: &str) -> bool {
    let label = label.trim();
    label.is_empty() || (label.starts_with('[') && label.ends_with(']'))
}

/// The name before the address of the picture of the map, on a line of its own or not.
fn label_before_picture(plain: &str) -> &str {
    let before = plain.split(MAP_PICTURE).next().unwrap_or_default();
    let line = before.lines().next().unwrap_or_default().trim();
    if line.starts_with('<') { "" } else { line.trim_end_matches([':', '：']) }
}

/// Latitude and longitude from `…coord=39.9,116.4…`.
fn coordinates_of(url: &str) -> Option<(f64, f64)> {
    let (_, coordinates) = url.split_once("coord=")?;
    let (latitude, rest) = coordinates.split_once(',').or_else(|| coordinates.split_once("%2C"))?;
    let end =
        rest.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-'))).unwrap_or(rest.len());
    self::coordinates(latitude, &rest[..end])
}

fn coordinates(latitude: &str, longitude: &str) -> Option<(f64, f64)> {
    let degrees =
        |text: &str, most: f64| text.trim().parse::<f64>().ok().filter(|value| value.abs() <= most);
    Some((degrees(latitude, 90.0)?, degrees(longitude, 180.0)?))
}

// -- Things shared.

fn card_name(message: &wire::Message, content: &str) -> String {
    let name = text::name(&message.recommend_info.nick_name);
    if !name.is_empty() {
        return name;
    }
    let xml = Element::parse(&text::xml(content));
    xml.map(|card| text::name(card.attribute("nickname"))).unwrap_or_default()
}

fn read_app(message: &wire::Message, content: &str) -> Body {
    let xml = Element::parse(&text::xml(content));
    let app = xml.as_ref().and_then(|xml| xml.find(&["appmsg"]));
    let at = |path: &[&str]| app.map(|app| app.text_at(path)).unwrap_or_default();
    // The true type is in the XML: the service sends unknown ones as 0 or 5 outside of it.
    let kind = at(&["type"]).parse().unwrap_or(message.app_msg_type);
    let title = title(message, at(&["title"]));
    match kind {
        app_type::TEXT => Body::Text { before: Vec::new(), text: title },
        app_type::IMAGE => Body::Segment(Segment::Image(media(message, "image"))),
        app_type::URL | app_type::VIDEO | app_type::AUDIO | app_type::OPEN => {
            Body::Segment(Segment::Link {
                title,
                description: text::name(at(&["des"])),
                url: link(message, at(&["url"])),
            })
        }
        app_type::FILE => {
            Body::Segment(Segment::File(file(message, title, at(&["appattach", "totallen"]))))
        }
        app_type::EMOJI => Body::Segment(Segment::Sticker(media(message, "sticker"))),
        app_type::QUOTE => {
            Body::Text { before: app.and_then(quote).into_iter().collect(), text: title }
        }
        app_type::RED_PACKET => Body::RedPacket,
        other => raw(&app_word(other), &title),
    }
}

/// The word for an app message without a segment of its own.
fn app_word(kind: i64) -> String {
    match kind {
        app_type::TRANSFER => "transfer".to_owned(),
        app_type::LIVE_LOCATION => "live_location".to_owned(),
        app_type::HISTORY => "chat_history".to_owned(),
        app_type::MINI_PROGRAM | app_type::MINI_PROGRAM_TOO => "mini_program".to_owned(),
        app_type::CHANNEL => "channel".to_owned(),
        app_type::GROUP_NOTE => "group_note".to_owned(),
        other => format!("app:{other}"),
    }
}

fn title(message: &wire::Message, in_xml: &str) -> String {
    if in_xml.is_empty() { text::name(&message.file_name) } else { in_xml.to_owned() }
}

fn link(message: &wire::Message, in_xml: &str) -> String {
    if in_xml.is_empty() { text::plain(&message.url) } else { in_xml.to_owned() }
}

fn quote(app: &Element) -> Option<Segment> {
    let quoted = app.find(&["refermsg"])?;
    let id = quoted.text_at(&["svrid"]);
    let content = quoted.text_at(&["content"]);
    let text = match quoted.text_at(&["type"]) {
        "1" | "" => text::plain(content),
        kind => quoted_thing(kind, content),
    };
    Some(Segment::Quote {
        message: (!id.is_empty() && id != "0").then(|| MessageId::new(id)),
        sender: text::name(quoted.text_at(&["displayname"])),
        text,
    })
}

/// The text for a quoted message other than text: the title of the shared page or file, or a word for its kind.
fn quoted_thing(kind: &str, content: &str) -> String {
    let word = match kind {
        "3" => "[图片]",
        "34" => "[语音]",
        "43" | "62" => "[视频]",
        "47" => "[表情]",
        "42" => "[名片]",
        "48" => "[位置]",
        _ => "",
    };
    if !word.is_empty() {
        return word.to_owned();
    }
    let xml = Element::parse(content).or_else(|| Element::parse(&text::xml(content)));
    let title = xml.as_ref().map(|xml| xml.text_at(&["appmsg", "title"])).unwrap_or_default();
    if title.is_empty() { "[消息]".to_owned() } else { title.to_owned() }
}

// -- Media.

fn media(message: &wire::Message, kind: &str) -> MediaRef {
    let reference = Reference::message(kind, &message.id());
    MediaRef { source: MediaSource::Service(reference), name: None, size: None }
}

fn file(message: &wire::Message, title: String, size_in_xml: &str) -> MediaRef {
    let name = if title.is_empty() { "file".to_owned() } else { title };
    let size = message.file_size.parse().or_else(|_| size_in_xml.parse()).ok();
    MediaRef { source: MediaSource::Service(Reference::file(message)), name: Some(name), size }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn app(kind: i64, content: &str) -> Body {
        let message = wire::Message {
            msg_id: "7".to_owned(),
            msg_type: message_type::APP,
            app_msg_type: kind,
            ..wire::Message::default()
        };
        read(&message, content)
    }

    fn shared(kind: i64, inner: &str) -> String {
        let xml = format!(
            "<msg><appmsg><title>标题</title><des>说明</des><type>{kind}</type><url>https://x.cn/?a=1&amp;b=2</url>{inner}</appmsg></msg>"
        );
        xml.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    }

    #[test]
    fn every_kind_has_its_segment() {
        let of = |kind| wire::Message {
            msg_id: "7".to_owned(),
            msg_type: kind,
            ..wire::Message::default()
        };
        for (kind, word) in [
            (3, "image"),
            (34, "voice"),
            (43, "video"),
            (62, "video"),
            (47, "emoji"),
            (42, "card"),
            (48, "location"),
            (50, "other"),
            (40, "other"),
            (44, "other"),
            (4711, "other"),
        ] {
            let Body::Segment(segment) = read(&of(kind), "") else {
                panic!("{kind} is no segment")
            };
            assert_eq!(mynah_core::Content(vec![segment]).kind().word(), word, "{kind}");
        }
    }

    #[test]
    fn things_shared() {
        let link = Segment::Link {
            title: "标题".to_owned(),
            description: "说明".to_owned(),
            url: "https://x.cn/?a=1&b=2".to_owned(),
        };
        assert_eq!(app(5, &shared(5, "")), Body::Segment(link.clone()));
        assert_eq!(app(0, &shared(5, "")), Body::Segment(link), "the XML knows the true type");
        for (kind, word) in [
            (2000, "transfer"),
            (33, "mini_program"),
            (36, "mini_program"),
            (19, "chat_history"),
            (51, "channel"),
            (999, "app:999"),
        ] {
            assert_eq!(app(kind, &shared(kind, "")), raw(word, "标题"), "{kind}");
        }
        assert_eq!(app(2001, &shared(2001, "")), Body::RedPacket);
        assert_eq!(app(33, "not xml"), raw("mini_program", ""));
    }

    #[test]
    fn a_quote_stands_before_its_answer() {
        let inner = "<refermsg><type>1</type><svrid>99</svrid><displayname>小明</displayname><content>原话</content></refermsg>";
        let quote = Segment::Quote {
            message: Some(MessageId::new("99")),
            sender: "小明".to_owned(),
            text: "原话".to_owned(),
        };
        assert_eq!(
            app(57, &shared(57, inner)),
            Body::Text { before: vec![quote], text: "标题".to_owned() }
        );
    }

    #[test]
    fn places_in_their_forms() {
        let place = |latitude, longitude| {
            Body::Segment(Segment::Location {
                label: "人民广场".to_owned(), latitude, longitude
            })
        };
        let text = wire::Message {
            msg_type: 1,
            sub_msg_type: 48,
            url: "http://apis.map.qq.com/uri/v1/geocoder?coord=31.2,121.5".to_owned(),
            ..wire::Message::default()
        };
        let content = "人民广场:<br/>/cgi-bin/mmwebwx-bin/webwxgetpubliclinkimg?url=xxx&amp;msgid=1&amp;pictype=location";
        assert_eq!(read(&text, content), place(31.2, 121.5));
        let xml = wire::Message { msg_type: 48, ..wire::Message::default() };
        let content =
            "&lt;msg&gt;&lt;location x=\"31.2\" y=\"121.5\" label=\"人民广场\"/&gt;&lt;/msg&gt;";
        assert_eq!(read(&xml, content), place(31.2, 121.5));
        let nameless = content.replace("label=", "poiname=\"[位置]\" label=");
        assert_eq!(read(&xml, &nameless), place(31.2, 121.5), "a word in brackets is no name");
        let broken = wire::Message { url: "coord=999,abc".to_owned(), ..text };
        assert_eq!(read(&broken, content), place(31.2, 121.5));
    }

    #[test]
    fn a_place_with_brackets_in_its_name_is_a_place() {
        let content = "滨兴小区(东区):/cgi-bin/mmwebwx-bin/webwxgetpubliclinkimg?url=xxx&amp;msgid=7&amp;pictype=location";
        let of = |id: &str, url: &str| {
            let (msg_id, url) = (id.to_owned(), url.to_owned());
            read(&wire::Message { msg_id, url, msg_type: 1, ..wire::Message::default() }, content)
        };
        let map = "http://apis.map.qq.com/uri/v1/geocoder?coord=30.2,120.2";
        for (body, degrees) in [(of("1", map), (30.2, 120.2)), (of("7", ""), (0.0, 0.0))] {
            let (latitude, longitude) = degrees;
            let label = "滨兴小区(东区)".to_owned();
            assert_eq!(body, Body::Segment(Segment::Location { label, latitude, longitude }));
        }
        assert!(matches!(of("8", ""), Body::Text { .. }), "anybody can type the address");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn any_body_of_any_type_is_read_without_panic(
            kind in prop::sample::select(vec![1, 3, 34, 37, 40, 42, 43, 47, 48, 49, 50, 62, 10000, 0, -1]),
            app in prop::sample::select(vec![0, 1, 2, 3, 5, 6, 8, 17, 33, 57, 2000, 2001]),
            pieces in prop::collection::vec(prop::sample::select(vec![
                "&lt;msg&gt;", "&lt;appmsg&gt;", "&lt;title&gt;", "<br/>", "<msg>", "<appmsg>", "<type>57</type>",
                "<refermsg>", "</refermsg>", "</appmsg>", "<location x=\"", "\"/>", "&amp;", "é", "😄", "coord=1,2", "\0",
            ]), 0..10),
            sub in prop::sample::select(vec![0, 48]),
        ) {
            let content = pieces.concat();
            let message = wire::Message {
                msg_type: kind, app_msg_type: app, sub_msg_type: sub, url: content.clone(),
                ori_content: content.clone(), ..wire::Message::default()
            };
            let _ = read(&message, &content);
        }
    }
}
