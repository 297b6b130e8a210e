use proptest::prelude::*;

use super::*;

fn joined(names: &str) -> Option<SystemLine> {
    Some(SystemLine::Joined { names: names.to_owned() })
}

fn left(names: &str) -> Option<SystemLine> {
    Some(SystemLine::Left { names: names.to_owned() })
}

fn renamed(by: Option<&str>, title: &str) -> Option<SystemLine> {
    Some(SystemLine::Renamed { by: by.map(str::to_owned), title: title.to_owned() })
}

fn patted(by: &str, whom: &str) -> Option<SystemLine> {
    Some(SystemLine::Patted { by: who(by), whom: who(whom) })
}

fn recalled(by: Option<&str>) -> Option<SystemLine> {
    Some(SystemLine::Recalled { by: by.map(str::to_owned) })
}

#[test]
fn people_who_come_and_go() {
    for (line, said) in [
        ("你邀请\"小红\"加入了群聊  ", joined("小红")),
        (
            "你邀请\"小红\"加入了群聊  <a href=\"weixin://revoke_edit_click\">撤销</a>",
            joined("小红"),
        ),
        ("\"老王\"邀请你加入了群聊，群聊参与人还有：小明、小红", Some(SystemLine::Invited)),
        ("\"老王\"邀请你和\"小红\"加入了群聊", joined("小红")),
        ("\"老王\"邀请\"小明、小红\"加入了群聊", joined("小明、小红")),
        ("\"老王\"邀请\"小明\"加入了群聊", joined("小明")),
        ("“老王”邀请“小明”加入了群聊", joined("小明")),
        ("\" 小红\"通过扫描你分享的二维码加入群聊", joined("小红")),
        ("\" 小红\"通过扫描\"老王\"分享的二维码加入群聊", joined("小红")),
        ("You invited Bob to the group chat", joined("Bob")),
        ("Ann invited you to a group chat with Bob, Carl", Some(SystemLine::Invited)),
        ("Ann invited you and Bob to the group chat", joined("Bob")),
        ("Ann invited Bob, Carl to the group chat", joined("Bob, Carl")),
        ("\"Bob\" joined group chat via the QR code you shared", joined("Bob")),
        ("\"Bob\" joined the group chat via the QR Code shared by \"Ann\"", joined("Bob")),
        ("你将\"小明\"移出了群聊", left("小明")),
        ("你被\"老王\"移出群聊", Some(SystemLine::Removed)),
        ("You removed \"Bob\" from the group chat", left("Bob")),
        ("You were removed from the group chat by \"Ann\"", Some(SystemLine::Removed)),
    ] {
        assert_eq!(read(line), said, "{line}");
    }
}

#[test]
fn people_who_join_in_every_wording_that_was_reported() {
    let invited = Some(SystemLine::Invited);
    for (line, said) in [
        // By a QR code of the account or of another person, with and without a blank, a dot and the aspect particle.
        ("\"Tim\" joined the group chat via your shared QR Code.", joined("Tim")),
        ("\" Tim\" joined the group chat via your shared QR Code.", joined("Tim")),
        ("\"Tim\"joined the group chat via the QR Code shared by\"Ann\".", joined("Tim")),
        ("\"Tim\" joined group chat via the QR code you shared.  ", joined("Tim")),
        ("\"小红\"通过扫描你分享的二维码加入了群聊", joined("小红")),
        ("\"小红\"通过扫描\"老王\"分享的二维码加入了群聊", joined("小红")),
        ("\"小红\"通过扫描二维码加入群聊", joined("小红")),
        ("\"小红通过扫描\"通过扫描\"老王\"分享的二维码加入群聊", joined("小红通过扫描")),
        // By a game, unquoted, and ways that are only told apart by their words.
        ("小红通过游戏中心加入群聊", joined("小红")),
        ("\"小红\"通过\"老王\"分享的群名片加入了群聊", joined("小红")),
        ("Tim has joined the group chat via Game Center", joined("Tim")),
        // Invited.
        ("You've invited \"Tim\" to the group chat", joined("Tim")),
        ("You invited 管理员 to the group chat.   ", joined("管理员")),
        ("You invited Tim to join the group", joined("Tim")),
        ("\"Ann\"invited\"Tim\"to the group chat", joined("Tim")),
        ("李雷 invited you and . 李 雷 .呵呵 to the group chat", joined(". 李 雷 .呵呵")),
        ("\"老王\"邀请\"小明、小红\"加入群聊", joined("小明、小红")),
        ("\"老王\"邀请\"加入群聊的猫\"加入群聊", joined("加入群聊的猫")),
        // In traditional characters, in the words of Hong Kong and of Taiwan.
        ("\"陳太\"邀請\"小紅\"加入了群聊", joined("小紅")),
        ("「陳太」邀請「請請」加入群組", joined("請請")),
        ("\"小紅\"通過掃描你分享的二維碼加入群聊", joined("小紅")),
        ("\"小紅\"透過掃描\"陳太\"分享的 QR Code 加入了羣聊", joined("小紅")),
        // The account itself.
        ("你通过扫描二维码加入群聊，群聊参与人还有：小明、小红", invited.clone()),
        ("\"陳太\"邀請你加入了群聊，群聊參與人還有：小紅", invited.clone()),
        ("You've joined this group chat. Other participants are: Tim", invited.clone()),
        ("You've joined the group chat via QR Code. Group chat members: Tim", invited.clone()),
        ("Ann invited you to join the group chat", invited),
    ] {
        assert_eq!(read(line), said, "{line}");
    }
}

#[test]
fn lines_about_joining_that_name_nobody_who_joined() {
    for (line, kind) in [
        ("\"老王\"想邀请1位朋友加入群聊", "join_request"),
        ("\"老王\"想邀请1位朋友加入群聊  去确认", "join_request"),
        ("\"小红\"通过扫描\"老王\"分享的二维码申请加入群聊", "join_request"),
        ("\"Ann\" would like to invite 1 friend to this group chat", "join_request"),
        ("群主已启用“群聊邀请确认”，群成员需群主确认才能邀请朋友进群。", "join_setting"),
        ("\"小红\"与群里其他人都不是微信朋友关系，请注意隐私安全", "privacy_notice"),
        ("\"小紅\"與群裡其他人都不是微信朋友關係，請注意隱私安全", "privacy_notice"),
        (
            "\"Tim\" isn't friends with anyone else in this group chat. Be careful.",
            "privacy_notice",
        ),
    ] {
        assert_eq!(read(line), Some(SystemLine::Other(kind)), "{line}");
    }
}

#[test]
fn people_who_leave_in_every_wording_that_was_reported() {
    for (line, said) in [
        ("你将\"小明\"移出群聊", left("小明")),
        ("你將\"小明\"移出了群組", left("小明")),
        ("\"老王\"把\"小明\"移出了群聊", left("小明")),
        ("\"小明\"被\"老王\"移出群聊", left("小明")),
        ("\"小明\"离开了群聊", left("小明")),
        ("\"Ann\"removed\"Tim\"from the group chat", left("Tim")),
        ("Tim has left the group chat", left("Tim")),
        ("你被\"老王\"移出了群組", Some(SystemLine::Removed)),
        ("你退出了群聊", Some(SystemLine::Removed)),
        ("You left the group chat", Some(SystemLine::Removed)),
        ("Ann removed you from the group", Some(SystemLine::Removed)),
        ("\"陳太\"修改群組名稱為「請坐」", renamed(Some("陳太"), "請坐")),
    ] {
        assert_eq!(read(line), said, "{line}");
    }
}

#[test]
fn only_lines_about_the_account_find_that_it_sends_too_often() {
    for (line, said) in [
        ("发送消息过于频繁，等待对方接受你的好友请求后再发。", SystemLine::NoFriend),
        ("發送訊息過於頻繁，等待對方接受你的好友請求後再發。", SystemLine::NoFriend),
        (
            "You are sending messages too frequently. Wait until they accept your friend request.",
            SystemLine::NoFriend,
        ),
        ("消息已发出，但被对方拒收了。", SystemLine::NoFriend),
        ("發送訊息過於頻繁，可稍後再試。", SystemLine::Throttled),
        ("操作太频繁，请稍后再试", SystemLine::Throttled),
        ("You are sending messages too frequently. Try again later.", SystemLine::Throttled),
    ] {
        assert_eq!(read(line), Some(said), "{line}");
    }
}

#[test]
fn an_unknown_line_about_joining_has_a_form_without_names() {
    let form = |line: &str| unknown_join(line, ["李雷", "李雷雷", "Tim"].into_iter());
    let expected = Some("“…”跳着舞加入了我们".to_owned());
    assert_eq!(form("\"小红\"跳着舞加入了我们"), expected);
    assert_eq!(form("“某人”跳着舞加入了我们"), expected);
    assert_eq!(form("李雷雷跳着舞加入了第12个群"), Some("…跳着舞加入了第##个群".to_owned()));
    assert_eq!(form("Tim joined us"), Some("… joined us".to_owned()));
    assert_eq!(form("今天天气不错"), None);
}

#[test]
fn titles() {
    for (line, said) in [
        ("\"老王\"修改群名为“车友二群”", renamed(Some("老王"), "车友二群")),
        ("你修改群名为“车友二群”", renamed(None, "车友二群")),
        ("\"Ann\" changed the group name to \"Cars\"", renamed(Some("Ann"), "Cars")),
        ("You changed the group name to \"Cars\"", renamed(None, "Cars")),
        ("You changed the group name to \"The \"best\" cars\"", renamed(None, "The \"best\" cars")),
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
        ("收到红包，请在手机上查看", Some(SystemLine::RedPacket)),
        ("Red packet received. View on phone.", Some(SystemLine::RedPacket)),
        ("发出红包，请在手机上查看", Some(SystemLine::Other("red_packet_sent"))),
        ("收到转账，请在手机上查看", Some(SystemLine::Other("transfer"))),
        ("收到一条视频/语音聊天消息，请在手机上查看", Some(SystemLine::Other("call"))),
        ("位置共享已经结束", Some(SystemLine::Other("location_sharing_ended"))),
        ("发送消息过于频繁，可稍后再试。", Some(SystemLine::Throttled)),
        ("操作过于频繁，可稍后再试。", Some(SystemLine::Throttled)),
        ("你撤回了一条消息", recalled(None)),
        ("\"小明\" 撤回了一条消息", recalled(Some("小明"))),
        ("You recalled a message", recalled(None)),
        ("\"Ann\" has recalled a message.", recalled(Some("Ann"))),
        ("你已添加了小明，现在可以开始聊天了。", Some(SystemLine::Befriended)),
        ("小明刚刚把你添加到通讯录，现在可以开始聊天了。", Some(SystemLine::Befriended)),
        (
            "You have added Ann as your WeChat contact. Start chatting!",
            Some(SystemLine::Befriended),
        ),
        (
            "Ann just added you to his/her contacts list. Send a message to him/her now!",
            Some(SystemLine::Befriended),
        ),
        (
            "小明开启了朋友验证，你还不是他（她）朋友。请先发送朋友验证请求，对方验证通过后，才能聊天。",
            Some(SystemLine::NoFriend),
        ),
        ("Ann has enabled Friend Confirmation. Send a request.", Some(SystemLine::NoFriend)),
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
