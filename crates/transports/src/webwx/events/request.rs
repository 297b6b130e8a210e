//! Friend requests: who asks, from wherever the service says it (section 12.7 of the protocol reference).

use mynah_webwx::text;
use mynah_webwx::wire::xml::Element;
use mynah_webwx::wire::{Message, RecommendInfo};

/// `RecommendInfo`, completed from the attributes of the XML. Without a user name in either, the request cannot be
/// accepted.
pub(super) fn whole(message: &Message) -> RecommendInfo {
    let xml = Element::parse(&text::xml(&message.content)).unwrap_or_default();
    let first = |known: &str, attributes: &[&str]| {
        let in_xml = attributes.iter().map(|name| xml.attribute(name));
        let mut all = std::iter::once(known).chain(in_xml).map(str::trim);
        all.find(|value| !value.is_empty()).unwrap_or_default().to_owned()
    };
    let info = &message.recommend_info;
    let ticket = first(&info.ticket, &[]);
    let ticket = if ticket.is_empty() { first(&message.ticket, &["ticket"]) } else { ticket };
    RecommendInfo {
        // The service accepts the first of the two for strangers.
        user_name: first(&info.user_name, &["encryptusername", "fromusername"]),
        nick_name: first(&info.nick_name, &["fromnickname"]),
        alias: first(&info.alias, &["alias"]),
        content: first(&info.content, &["content"]),
        province: first(&info.province, &["province"]),
        city: first(&info.city, &["city"]),
        ticket,
        ..info.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_recommend_info_lacks_is_read_from_the_xml() {
        let content = "&lt;msg fromusername=\"wxid_l\" encryptusername=\"v3_x@stranger\" fromnickname=\"李雷\" content=\"你好\" ticket=\"v4_x@stranger\"/&gt;";
        let mut message = Message { content: content.to_owned(), ..Message::default() };
        let info = whole(&message);
        assert_eq!(
            [info.user_name, info.nick_name, info.content, info.ticket],
            ["v3_x@stranger", "李雷", "你好", "v4_x@stranger"]
        );
        message.recommend_info.user_name = "@l".to_owned();
        message.ticket = "v2".to_owned();
        let info = whole(&message);
        assert_eq!((info.user_name.as_str(), info.ticket.as_str()), ("@l", "v2"));
        assert_eq!(whole(&Message::default()), RecommendInfo::default());
    }
}
