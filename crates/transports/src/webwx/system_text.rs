//! What the service's own lines mean: section 12.6 of the protocol reference as one table.
//!
//! A line reaches the client as plain text in the language of the account, with names already filled in. Each form
//! stands in [`FORMS`] with holes for what varies; reading is [`read`]. A new wording is a new row.

use mynah_webwx::text;

/// What a system line says. Names are as the line shows them; who they are is for the directory to find out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// People came into the group. `names` is the list as written; see [`split_names`].
    Joined { names: String },
    /// The account itself was invited.
    Invited,
    /// People were removed from the group.
    Left { names: String },
    /// The account itself was removed.
    Removed,
    /// The group has another title; `by` is `None` where the account itself did it.
    Renamed { by: Option<String>, title: String },
    /// Somebody patted somebody.
    Patted { by: Who, whom: Who },
    /// A red packet came.
    RedPacket,
    /// Somebody, or the account itself (`None`), recalled a message.
    Recalled { by: Option<String> },
    /// The service finds that the account acts too often.
    Throttled,
    /// The account and somebody are friends now.
    Befriended,
    /// The other person is no friend (any more): nothing reaches them.
    NoFriend,
    /// A line about something to be seen on the phone: a transfer, a call, a sent red packet.
    Other(&'static str),
}

/// A person in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Who {
    /// The account itself.
    Me,
    /// Somebody, by the name shown.
    Named(String),
}

#[derive(Debug, Clone, Copy)]
enum Meaning {
    Joined,
    Invited,
    Left,
    Removed,
    Renamed,
    Patted,
    RedPacket,
    Recalled,
    Throttled,
    Befriended,
    NoFriend,
    Other(&'static str),
}

/// Lines longer than this are no system line that we know; the longest real ones list forty names.
const LONGEST: usize = 8 * 1024;

/// The forms, the special before the general. `{A}` acts, `{B}` is acted on, `{T}` is a title, `{*}` is anything or
/// nothing. Quotes of any shape are alike; where a line has them around a name, the name may also stand bare.
const FORMS: &[(&str, Meaning)] = &[
    // Joining.
    ("{A}邀请你加入了群聊{*}", Meaning::Invited),
    ("{A}邀请你和{B}加入了群聊{*}", Meaning::Joined),
    ("你邀请{B}加入了群聊{*}", Meaning::Joined),
    ("{A}邀请{B}加入了群聊{*}", Meaning::Joined),
    ("你通过扫描{*}二维码加入群聊{*}", Meaning::Invited),
    ("{B}通过扫描你分享的二维码加入群聊{*}", Meaning::Joined),
    ("{B}通过扫描{A}分享的二维码加入群聊{*}", Meaning::Joined),
    ("{A}邀請你加入了群聊{*}", Meaning::Invited),
    ("{A}邀請你和{B}加入了群聊{*}", Meaning::Joined),
    ("你邀請{B}加入了群聊{*}", Meaning::Joined),
    ("{A}邀請{B}加入了群聊{*}", Meaning::Joined),
    ("{A} invited you to a group chat{*}", Meaning::Invited),
    ("{A} invited you to the group chat{*}", Meaning::Invited),
    ("{A} invited you and {B} to the group chat{*}", Meaning::Joined),
    ("{A} invited {B} to the group chat{*}", Meaning::Joined),
    ("You joined the group chat via{*}", Meaning::Invited),
    ("You joined group chat via{*}", Meaning::Invited),
    ("{B} joined group chat via the QR code you shared{*}", Meaning::Joined),
    ("{B} joined the group chat via the QR code you shared{*}", Meaning::Joined),
    ("{B} joined the group chat via the QR code shared by {A}", Meaning::Joined),
    ("{B} joined group chat via the QR code shared by {A}", Meaning::Joined),
    // Leaving.
    ("你将{B}移出了群聊", Meaning::Left),
    ("你將{B}移出了群聊", Meaning::Left),
    ("你被{A}移出群聊", Meaning::Removed),
    ("你被{A}移出了群聊", Meaning::Removed),
    ("{A}将{B}移出了群聊", Meaning::Left),
    ("{A}將{B}移出了群聊", Meaning::Left),
    ("{B}退出了群聊", Meaning::Left),
    ("You removed {B} from the group chat", Meaning::Left),
    ("You were removed from the group chat{*}", Meaning::Removed),
    ("{A} removed you from the group chat", Meaning::Removed),
    ("{A} removed {B} from the group chat", Meaning::Left),
    ("{B} left the group chat", Meaning::Left),
    // Renaming.
    ("你修改群名为{T}", Meaning::Renamed),
    ("{A}修改群名为{T}", Meaning::Renamed),
    ("你修改群名為{T}", Meaning::Renamed),
    ("{A}修改群名為{T}", Meaning::Renamed),
    ("You changed the group name to {T}", Meaning::Renamed),
    ("{A} changed the group name to {T}", Meaning::Renamed),
    // Recalling, where it comes as a line.
    ("你撤回了一条消息", Meaning::Recalled),
    ("{A}撤回了一条消息", Meaning::Recalled),
    ("你收回了一則訊息", Meaning::Recalled),
    ("{A}收回了一則訊息", Meaning::Recalled),
    ("You recalled a message", Meaning::Recalled),
    ("You've recalled a message", Meaning::Recalled),
    ("{A} has recalled a message", Meaning::Recalled),
    ("{A} recalled a message", Meaning::Recalled),
    // Red packets. One that the account itself sent is no news.
    ("收到红包，请在手机上查看", Meaning::RedPacket),
    ("收到紅包，請在手機上查看", Meaning::RedPacket),
    ("收到利是，请在手机上查看", Meaning::RedPacket),
    ("收到利是，請在手機上查看", Meaning::RedPacket),
    ("Red packet received. View on phone", Meaning::RedPacket),
    ("Red packet received, view on phone", Meaning::RedPacket),
    ("发出红包，请在手机上查看", Meaning::Other("red_packet_sent")),
    ("發出紅包，請在手機上查看", Meaning::Other("red_packet_sent")),
    ("发出利是，请在手机上查看", Meaning::Other("red_packet_sent")),
    ("發出利是，請在手機上查看", Meaning::Other("red_packet_sent")),
    ("Red packet sent. View on phone", Meaning::Other("red_packet_sent")),
    // To be seen on the phone only.
    ("收到转账，请在手机上查看", Meaning::Other("transfer")),
    ("收到轉賬，請在手機上查看", Meaning::Other("transfer")),
    ("收到一条视频/语音聊天消息，请在手机上查看", Meaning::Other("call")),
    ("位置共享已经结束", Meaning::Other("location_sharing_ended")),
    // Friends.
    ("你已添加了{A}，现在可以开始聊天了", Meaning::Befriended),
    ("{A}刚刚把你添加到通讯录，现在可以开始聊天了", Meaning::Befriended),
    ("You have added {A} as your WeChat contact. Start chatting!", Meaning::Befriended),
    ("{A} just added you to his/her contacts list{*}", Meaning::Befriended),
    ("{A}开启了朋友验证，{*}", Meaning::NoFriend),
    ("{A} has enabled Friend Confirmation{*}", Meaning::NoFriend),
    // Throttled.
    ("发送消息过于频繁{*}", Meaning::Throttled),
    ("操作过于频繁{*}", Meaning::Throttled),
    ("操作太频繁{*}", Meaning::Throttled),
    ("發送訊息過於頻繁{*}", Meaning::Throttled),
    ("操作過於頻繁{*}", Meaning::Throttled),
    ("{*}sending messages too frequently{*}", Meaning::Throttled),
    ("{*}too frequent{*}try again later{*}", Meaning::Throttled),
    ("{*}operate too often{*}", Meaning::Throttled),
    // Pats come last: what follows the name of whom is free text, so these forms take nearly anything.
    ("{A}拍了拍自己{*}", Meaning::Patted),
    ("{A}拍了拍{B}", Meaning::Patted),
    ("{A}拍拍{B}", Meaning::Patted),
    ("{A} tickled {B}", Meaning::Patted),
];

/// Reads a line of the service; `None` if it has no form known here.
///
/// `line` has been through the text pipeline: no entities, no emoji spans.
pub(crate) fn read(line: &str) -> Option<Said> {
    if line.len() > LONGEST {
        return None;
    }
    // The service adds a link for taking an invitation back.
    let line = text::without_links(line);
    let line = line.trim().trim_end_matches(['。', '.']);
    FORMS
        .iter()
        .find_map(|(form, meaning)| match_form(form, line).and_then(|found| found.said(*meaning)))
}

/// What the holes of a form took.
#[derive(Debug, Default)]
struct Found<'a> {
    actor: Option<&'a str>,
    object: Option<&'a str>,
    title: Option<&'a str>,
}

impl Found<'_> {
    fn said(&self, meaning: Meaning) -> Option<Said> {
        Some(match meaning {
            Meaning::Joined => Said::Joined { names: name(self.object)? },
            Meaning::Left => Said::Left { names: name(self.object)? },
            Meaning::Renamed => {
                Said::Renamed { by: name(self.actor), title: unquoted(self.title?).to_owned() }
            }
            Meaning::Patted => self.patted()?,
            Meaning::Recalled => Said::Recalled { by: name(self.actor) },
            Meaning::Invited => Said::Invited,
            Meaning::Removed => Said::Removed,
            Meaning::RedPacket => Said::RedPacket,
            Meaning::Throttled => Said::Throttled,
            Meaning::Befriended => Said::Befriended,
            Meaning::NoFriend => Said::NoFriend,
            Meaning::Other(kind) => Said::Other(kind),
        })
    }

    fn patted(&self) -> Option<Said> {
        let by = who(self.actor?.trim());
        let whom = match self.object {
            Some(object) => who(patted_name(object.trim())),
            None => by.clone(),
        };
        let empty = |who: &Who| matches!(who, Who::Named(name) if name.is_empty());
        (!empty(&by) && !empty(&whom)).then_some(Said::Patted { by, whom })
    }
}

/// The name that a hole took, if it is one.
fn name(hole: Option<&str>) -> Option<String> {
    hole.map(unquoted).filter(|name| !name.is_empty()).map(str::to_owned)
}

/// The name at the beginning of what follows "patted": quoted, or a word for the account itself, or all of it.
fn patted_name(object: &str) -> &str {
    let mut characters = object.chars();
    if characters.next().is_some_and(is_quote) {
        let inner = characters.as_str();
        let end = inner.rfind(is_quote).unwrap_or(inner.len());
        return &object[..object.len() - inner.len() + end];
    }
    let own = ["我", "你", "me", "you"].into_iter().find(|own| {
        object.strip_prefix(own).is_some_and(|rest| {
            !own.is_ascii() || !rest.starts_with(|c: char| c.is_ascii_alphanumeric())
        })
    });
    own.map_or(object, |own| &object[..own.len()])
}

fn who(shown: &str) -> Who {
    match shown {
        "我" | "你" | "I" | "You" | "me" | "you" => Who::Me,
        _ => Who::Named(unquoted(shown).to_owned()),
    }
}

/// The name without blanks and one pair of quotes around it.
fn unquoted(name: &str) -> &str {
    let name = name.trim();
    let name = name.strip_prefix(is_quote).unwrap_or(name);
    name.strip_suffix(is_quote).unwrap_or(name).trim()
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '「' | '」' | '＂')
}

/// Matches a form against the whole line, each hole taking as little as it can.
fn match_form<'a>(form: &str, line: &'a str) -> Option<Found<'a>> {
    let mut found = Found::default();
    match_rest(form, line, &mut found).then_some(found)
}

fn match_rest<'a>(form: &str, line: &'a str, found: &mut Found<'a>) -> bool {
    let Some((literal, rest)) = form.split_once('{') else {
        return same(form, line);
    };
    let Some(after) = strip(literal, line) else { return false };
    let Some((hole, rest)) = rest.split_once('}') else { return false };
    let next = rest.split_once('{').map_or(rest, |(literal, _)| literal);
    let taken = |end: usize, found: &mut Found<'a>| {
        fill(found, hole, &after[..end]) && match_rest(rest, &after[end..], found)
    };
    if next.is_empty() {
        return taken(after.len(), found);
    }
    ends_before(next, after).any(|end| taken(end, found))
}

/// Every place in `text` at which `literal` stands.
fn ends_before<'t>(literal: &'t str, text: &'t str) -> impl Iterator<Item = usize> + 't {
    text.char_indices().map(|(at, _)| at).filter(move |&at| strip(literal, &text[at..]).is_some())
}

fn fill<'a>(found: &mut Found<'a>, hole: &str, text: &'a str) -> bool {
    let place = match hole {
        "A" => &mut found.actor,
        "B" => &mut found.object,
        "T" => &mut found.title,
        _ => return true,
    };
    *place = Some(text);
    !text.is_empty()
}

/// What follows `literal` at the beginning of `text`; ASCII letters of either case are alike.
fn strip<'a>(literal: &str, text: &'a str) -> Option<&'a str> {
    let head = text.get(..literal.len())?;
    head.eq_ignore_ascii_case(literal).then(|| &text[literal.len()..])
}

fn same(literal: &str, text: &str) -> bool {
    text.trim_end().eq_ignore_ascii_case(literal.trim_end())
}

/// Splits a list of names at `、` and `, `. A name that holds a separator itself stays whole where it is known.
pub(crate) fn split_names(list: &str, is_known: impl Fn(&str) -> bool) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = list;
    while !rest.is_empty() {
        // A name with more than three separators in it is cut: looking further would cost the square of the line.
        let ends = || separators(rest).take(4).chain([(rest.len(), rest.len())]);
        let whole = ends().filter(|(end, _)| is_known(unquoted(&rest[..*end]))).last();
        let Some((end, next)) = whole.or_else(|| ends().next()) else { break };
        let name = unquoted(&rest[..end]);
        if !name.is_empty() {
            names.push(name.to_owned());
        }
        rest = &rest[next..];
    }
    names
}

/// Where the separators begin and end.
fn separators(list: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    list.char_indices().filter_map(|(at, c)| match c {
        '、' => Some((at, at + c.len_utf8())),
        ',' if list[at..].starts_with(", ") => Some((at, at + 2)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn joined(names: &str) -> Option<Said> {
        Some(Said::Joined { names: names.to_owned() })
    }

    fn left(names: &str) -> Option<Said> {
        Some(Said::Left { names: names.to_owned() })
    }

    fn renamed(by: Option<&str>, title: &str) -> Option<Said> {
        Some(Said::Renamed { by: by.map(str::to_owned), title: title.to_owned() })
    }

    fn patted(by: &str, whom: &str) -> Option<Said> {
        Some(Said::Patted { by: who(by), whom: who(whom) })
    }

    fn recalled(by: Option<&str>) -> Option<Said> {
        Some(Said::Recalled { by: by.map(str::to_owned) })
    }

    #[test]
    fn people_who_come_and_go() {
        for (line, said) in [
            ("你邀请\"小红\"加入了群聊  ", joined("小红")),
            (
                "你邀请\"小红\"加入了群聊  <a href=\"weixin://revoke_edit_click\">撤销</a>",
                joined("小红"),
            ),
            ("\"老王\"邀请你加入了群聊，群聊参与人还有：小明、小红", Some(Said::Invited)),
            ("\"老王\"邀请你和\"小红\"加入了群聊", joined("小红")),
            ("\"老王\"邀请\"小明、小红\"加入了群聊", joined("小明、小红")),
            ("\"老王\"邀请\"小明\"加入了群聊", joined("小明")),
            ("“老王”邀请“小明”加入了群聊", joined("小明")),
            ("\" 小红\"通过扫描你分享的二维码加入群聊", joined("小红")),
            ("\" 小红\"通过扫描\"老王\"分享的二维码加入群聊", joined("小红")),
            ("You invited Bob to the group chat", joined("Bob")),
            ("Ann invited you to a group chat with Bob, Carl", Some(Said::Invited)),
            ("Ann invited you and Bob to the group chat", joined("Bob")),
            ("Ann invited Bob, Carl to the group chat", joined("Bob, Carl")),
            ("\"Bob\" joined group chat via the QR code you shared", joined("Bob")),
            ("\"Bob\" joined the group chat via the QR Code shared by \"Ann\"", joined("Bob")),
            ("你将\"小明\"移出了群聊", left("小明")),
            ("你被\"老王\"移出群聊", Some(Said::Removed)),
            ("You removed \"Bob\" from the group chat", left("Bob")),
            ("You were removed from the group chat by \"Ann\"", Some(Said::Removed)),
        ] {
            assert_eq!(read(line), said, "{line}");
        }
    }

    #[test]
    fn titles() {
        for (line, said) in [
            ("\"老王\"修改群名为“车友二群”", renamed(Some("老王"), "车友二群")),
            ("你修改群名为“车友二群”", renamed(None, "车友二群")),
            ("\"Ann\" changed the group name to \"Cars\"", renamed(Some("Ann"), "Cars")),
            ("You changed the group name to \"Cars\"", renamed(None, "Cars")),
            (
                "You changed the group name to \"The \"best\" cars\"",
                renamed(None, "The \"best\" cars"),
            ),
        ] {
            assert_eq!(read(line), said, "{line}");
        }
    }

    #[test]
    fn pats() {
        for (line, said) in [
            ("\"小明\" 拍了拍 \"小红\"", patted("小明", "小红")),
            ("\"小明\" 拍了拍 \"小红\"的小脑袋", patted("小明", "小红")),
            ("\"小明\" 拍了拍我", patted("小明", "我")),
            ("\"小明\" 拍了拍我的肩膀", patted("小明", "我")),
            ("我拍了拍 \"小明\"", patted("我", "小明")),
            ("\"小明\" 拍拍 \"小红\"", patted("小明", "小红")),
            ("\"小明\" 拍了拍自己", patted("小明", "小明")),
            ("\"Ann\" tickled \"Bob\"", patted("Ann", "Bob")),
            ("\"Ann\" tickled me", patted("Ann", "me")),
            ("I tickled \"Ann\"", patted("I", "Ann")),
            ("Ann tickled Melanie", patted("Ann", "Melanie")),
        ] {
            assert_eq!(read(line), said, "{line}");
        }
    }

    #[test]
    fn other_lines() {
        for (line, said) in [
            ("收到红包，请在手机上查看", Some(Said::RedPacket)),
            ("Red packet received. View on phone.", Some(Said::RedPacket)),
            ("发出红包，请在手机上查看", Some(Said::Other("red_packet_sent"))),
            ("收到转账，请在手机上查看", Some(Said::Other("transfer"))),
            ("收到一条视频/语音聊天消息，请在手机上查看", Some(Said::Other("call"))),
            ("位置共享已经结束", Some(Said::Other("location_sharing_ended"))),
            ("发送消息过于频繁，可稍后再试。", Some(Said::Throttled)),
            ("操作过于频繁，可稍后再试。", Some(Said::Throttled)),
            ("你撤回了一条消息", recalled(None)),
            ("\"小明\" 撤回了一条消息", recalled(Some("小明"))),
            ("You recalled a message", recalled(None)),
            ("\"Ann\" has recalled a message.", recalled(Some("Ann"))),
            ("你已添加了小明，现在可以开始聊天了。", Some(Said::Befriended)),
            ("小明刚刚把你添加到通讯录，现在可以开始聊天了。", Some(Said::Befriended)),
            ("You have added Ann as your WeChat contact. Start chatting!", Some(Said::Befriended)),
            (
                "Ann just added you to his/her contacts list. Send a message to him/her now!",
                Some(Said::Befriended),
            ),
            (
                "小明开启了朋友验证，你还不是他（她）朋友。请先发送朋友验证请求，对方验证通过后，才能聊天。",
                Some(Said::NoFriend),
            ),
            ("Ann has enabled Friend Confirmation. Send a request.", Some(Said::NoFriend)),
            ("今天天气不错", None),
            ("", None),
            ("\"\"邀请\"\"加入了群聊", None),
        ] {
            assert_eq!(read(line), said, "{line}");
        }
    }

    #[test]
    fn names_with_separators_stay_whole_where_they_are_known() {
        let known = ["小明、大明", "Tom, the cat"];
        for (list, names) in [
            ("小明、小红", vec!["小明", "小红"]),
            ("小明、大明、小红", vec!["小明、大明", "小红"]),
            ("Ann, Bob", vec!["Ann", "Bob"]),
            ("Tom, the cat, Bob", vec!["Tom, the cat", "Bob"]),
            ("\"小明\"、\"小红\"", vec!["小明", "小红"]),
            ("小明、", vec!["小明"]),
            ("", vec![]),
        ] {
            assert_eq!(split_names(list, |name| known.contains(&name)), names, "{list}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn any_line_is_read_without_panic(line in ".{0,80}") {
            let _ = read(&line);
            let _ = split_names(&line, |_| false);
        }

        #[test]
        fn lines_made_of_the_words_of_the_table_are_read_without_panic(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "\"", "“", "”", "邀请", "你", "加入了群聊", "通过扫描", "拍了拍", "我", " tickled ", "me", "、", ", ",
                "修改群名为", "<a ", "</a>", "小明", "é", "移出了群聊", " invited ", " to the group chat",
            ]), 0..12)
        ) {
            let _ = read(&pieces.concat());
        }

        #[test]
        fn whoever_joins_is_named(name in "[a-zA-Z\u{4e00}-\u{4e50}\u{1f600}-\u{1f610}]{1,12}") {
            prop_assume!(!name.contains('你'));
            prop_assert_eq!(read(&format!("\"老王\"邀请\"{name}\"加入了群聊")), joined(&name));
        }
    }
}
