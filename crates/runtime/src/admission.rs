//! Decides which events are passed over without a call of any handler.

use std::time::Duration;

use mynah_core::{Event, EventBody, NoticeKind, Origin, Timestamp};

/// The reason to pass an event over, as it is stored with the event; `None` if the event must be handled.
///
/// `now` is the present time by the clock of the service. Only messages and actions of people become too old:
/// timers and friend requests wait however long it takes.
pub(crate) fn passed_over(
    event: &Event,
    max_age: Option<Duration>,
    now: Timestamp,
) -> Option<&'static str> {
    let grows_old = match &event.body {
        EventBody::Message(message) => match message.origin {
            Origin::Person => true,
            Origin::Oneself => return Some("own message"),
            Origin::Official => return Some("official account"),
            Origin::System => return Some("system notice"),
        },
        EventBody::Notice(notice) => !matches!(notice.kind, NoticeKind::FriendRequest { .. }),
        EventBody::Due(_) | EventBody::Started => false,
    };
    let too_old = max_age.is_some_and(|max_age| now.since(event.time) > max_age);
    (grows_old && too_old).then_some("too old")
}

#[cfg(test)]
mod tests {
    use super::*;
    use mynah_core::{Chat, Content, Message, Notice, Person};

    fn message(origin: Origin, secs: i64) -> Event {
        let body = EventBody::Message(Message {
            id: "m".into(),
            chat: Chat::group("g", "Group"),
            sender: Person::stranger("p", "Pat"),
            origin,
            content: Content::text("操作过于频繁，可稍后再试。"),
            text: "操作过于频繁，可稍后再试。".to_owned(),
            called: false,
            behind_name: None,
        });
        Event { id: "e".into(), time: Timestamp::from_secs(secs), body }
    }

    #[test]
    fn only_what_people_said_lately_is_handled() {
        let judge = |origin, secs| {
            let max_age = Some(Duration::from_secs(300));
            passed_over(&message(origin, secs), max_age, Timestamp::from_secs(1000))
        };
        for (origin, secs, expected) in [
            (Origin::Person, 1000, None),
            (Origin::Person, 700, None),
            (Origin::Person, 699, Some("too old")),
            (Origin::Person, 2000, None),
            (Origin::Oneself, 1000, Some("own message")),
            (Origin::Official, 1000, Some("official account")),
            (Origin::System, 1000, Some("system notice")),
        ] {
            assert_eq!(judge(origin, secs), expected, "{origin:?} {secs}");
        }
    }

    #[test]
    fn friend_requests_wait() {
        let notice = |kind| Event {
            id: "e".into(),
            time: Timestamp::default(),
            body: EventBody::Notice(Notice { chat: Chat::private("c", "C"), person: None, kind }),
        };
        let late = Timestamp::from_secs(1_000_000);
        let request = NoticeKind::FriendRequest { greeting: String::new(), ticket: String::new() };
        let max_age = Some(Duration::from_secs(300));
        assert_eq!(passed_over(&notice(request), max_age, late), None);
        assert_eq!(passed_over(&notice(NoticeKind::RedPacket), max_age, late), Some("too old"));
    }
}
