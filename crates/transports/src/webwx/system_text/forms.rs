//! The forms of the service's lines: section 12.6 of the protocol reference and public reports, as one table.

use std::sync::LazyLock;

use super::Meaning;

/// A form with its alternatives written out.
pub(super) struct Form {
    pub(super) text: String,
    pub(super) meaning: Meaning,
    /// Words that stand in every line of this form: most forms are ruled out by them at once.
    needle: String,
}

impl Form {
    fn new(text: String, meaning: Meaning) -> Self {
        let literals = text.split('{').map(|part| part.split_once('}').map_or(part, |it| it.1));
        let longest = literals.map(str::trim).max_by_key(|literal| literal.len());
        let needle = longest.unwrap_or_default().to_ascii_lowercase();
        Self { text, meaning, needle }
    }
}

/// The forms that a line, with simplified characters, may have.
pub(super) fn candidates(line: &str) -> Vec<&'static Form> {
    let line = line.to_ascii_lowercase();
    FORMS.iter().filter(|form| line.contains(&form.needle)).collect()
}

/// All forms, the special before the general.
static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    let written_out = |(form, meaning): &(&str, Meaning)| {
        let meaning = *meaning;
        written_out(form).into_iter().map(move |text| Form::new(text, meaning)).collect::<Vec<_>>()
    };
    TABLE.iter().flat_map(written_out).collect()
});

/// `{A}` acts, `{B}` is acted on, `{T}` is a title, `{*}` is anything or nothing; `[a|b]` is one of these. Quotes of any
/// shape are alike, a name may also stand without quotes, and blanks beside a quote may be missing. Chinese is written
/// with simplified characters, which stand for the traditional ones as well.
const TABLE: &[(&str, Meaning)] = &[
    // About joining, without anybody who joined.
    ("{A}想邀请{*}加入[了|]群{*}", Meaning::Other("join_request")),
    ("{*}申请加入[了|]群{*}", Meaning::Other("join_request")),
    ("{A} [wants|would like] to invite {*} to{*}group{*}", Meaning::Other("join_request")),
    ("{*} requested to join{*}group{*}", Meaning::Other("join_request")),
    ("群主已{*}群聊邀请确认{*}", Meaning::Other("join_setting")),
    ("{*}与群里其他人都不是{*}关系{*}", Meaning::Other("privacy_notice")),
    ("{*} with anyone else in this group chat{*}", Meaning::Other("privacy_notice")),
    // Joining.
    ("{A}邀请你加入[了|]群{*}", Meaning::Invited),
    ("{A}邀请你和{B}加入[了|]群{*}", Meaning::Joined),
    ("{A}邀请{B}加入[了|]群{*}", Meaning::Joined),
    ("你[通过|透过]{*}加入[了|]群{*}", Meaning::Invited),
    ("你[已|]加入[了|]群{*}", Meaning::Invited),
    // By a person's QR code, by the game centre, and all other ways.
    ("{B}[通过|透过]{*}加入[了|]群{*}", Meaning::Joined),
    ("{A} invited you to[ join|][ a| the| this|] group{*}", Meaning::Invited),
    ("{A} invited you and {B} to[ join|][ a| the| this|] group{*}", Meaning::Joined),
    ("{A} invited {B} to[ join|][ a| the| this|] group{*}", Meaning::Joined),
    ("You[ have|'ve|’ve|] joined[ a| the| this|] group{*}", Meaning::Invited),
    ("{B} has joined[ the| this|] group chat{*}", Meaning::Joined),
    ("{B} joined[ the| this|] group chat{*}", Meaning::Joined),
    // Leaving.
    ("你被{A}移出[了|]群[聊|组|]", Meaning::Removed),
    ("{A}[将|把]{B}移出[了|]群[聊|组|]", Meaning::Left),
    ("{B}被{A}移出[了|]群[聊|组|]", Meaning::Left),
    ("你[已|][退出|离开][了|]群[聊|组|]", Meaning::Removed),
    ("{B}[退出|离开]了群[聊|组|]", Meaning::Left),
    ("You were removed from[ the| this|] group{*}", Meaning::Removed),
    ("{A} removed you from[ the| this|] group[ chat|]", Meaning::Removed),
    ("{A} removed {B} from[ the| this|] group[ chat|]", Meaning::Left),
    ("{B} was removed from[ the| this|] group{*}", Meaning::Left),
    ("You[ have|'ve|’ve|] left[ the| this|] group[ chat|]", Meaning::Removed),
    ("{B}[ has|] left[ the| this|] group[ chat|]", Meaning::Left),
    // Renaming.
    ("你修改[了|]群[聊|组|]名[称|]为{T}", Meaning::Renamed),
    ("{A}修改[了|]群[聊|组|]名[称|]为{T}", Meaning::Renamed),
    ("You changed the group[ chat|] name to {T}", Meaning::Renamed),
    ("{A} changed the group[ chat|] name to {T}", Meaning::Renamed),
    // Recalling, where it comes as a line.
    ("你[撤回|收回]了一[条|则][消息|讯息]", Meaning::Recalled),
    ("{A}[撤回|收回]了一[条|则][消息|讯息]", Meaning::Recalled),
    ("You[ have|'ve|’ve|] recalled a message", Meaning::Recalled),
    ("{A}[ has|] recalled a message", Meaning::Recalled),
    // Red packets. One that the account itself sent is ignored.
    ("收到[红包|利是]，请在手机上查看", Meaning::RedPacket),
    ("Red packet received[.|,] view on phone", Meaning::RedPacket),
    ("发出[红包|利是]，请在手机上查看", Meaning::Other("red_packet_sent")),
    ("Red packet sent[.|,] view on phone", Meaning::Other("red_packet_sent")),
    // To be seen on the phone only.
    ("收到转账，请在手机上查看", Meaning::Other("transfer")),
    ("收到一条视频/语音聊天[消息|讯息]，请在手机上查看", Meaning::Other("call")),
    ("位置共享已经结束", Meaning::Other("location_sharing_ended")),
    // Friends. A line that asks to wait until the other accepts is about that person, however often it says "often".
    ("你已添加了{A}，现在可以开始聊天了", Meaning::Befriended),
    ("{A}刚刚把你添加到通讯录，现在可以开始聊天了", Meaning::Befriended),
    ("You have added {A} as your WeChat contact. Start chatting!", Meaning::Befriended),
    ("{A} just added you to {*} contacts list{*}", Meaning::Befriended),
    ("{A}开启了[朋友|好友]验证，{*}", Meaning::NoFriend),
    ("{A} has enabled Friend Confirmation{*}", Meaning::NoFriend),
    ("{*}频繁{*}对方{*}[接受|通过]{*}[好友|朋友]{*}", Meaning::NoFriend),
    ("{*}[too frequently|too often|too frequent]{*} accept{*} friend{*}", Meaning::NoFriend),
    ("{*}消息已发出，但被对方拒收了{*}", Meaning::NoFriend),
    ("{*}rejected by the receiver{*}", Meaning::NoFriend),
    // Throttled.
    ("[发送消息|发送讯息|操作][过于|太]频繁{*}", Meaning::Throttled),
    ("{*}sending messages too frequently{*}", Meaning::Throttled),
    ("{*}too frequent{*}try again later{*}", Meaning::Throttled),
    ("{*}operate too often{*}", Meaning::Throttled),
    // Pats come last: the text after the patted name is free, so these forms match nearly any line.
    ("{A}拍了拍自己{*}", Meaning::Patted),
    ("{A}[拍了拍|拍拍]{B}", Meaning::Patted),
    ("{A} [tickled|patted|nudged] {B}", Meaning::Patted),
];

/// All forms of a form with alternatives.
fn written_out(form: &str) -> Vec<String> {
    let Some((before, rest)) = form.split_once('[') else { return vec![form.to_owned()] };
    let Some((choices, after)) = rest.split_once(']') else { return vec![form.to_owned()] };
    let tails = written_out(after);
    choices
        .split('|')
        .flat_map(|choice| tails.iter().map(move |tail| format!("{before}{choice}{tail}")))
        .collect()
}

/// Traditional characters of the forms and their simplified ones; each pair has one length, so places in a line stay.
const TRADITIONAL: &str = "請请羣群組组掃扫將将為为發发訊讯過过於于頻频紅红機机轉转賬账帳账帐账視视語语條条則则對对\
    現现開开經经結结啟启啓启驗验證证後后錄录關关係系稱称離离與与裡里裏里認认確确";

/// The line with simplified characters where the forms have some.
pub(super) fn simplified(line: &str) -> String {
    line.chars().map(simple).collect()
}

fn simple(c: char) -> char {
    if c.is_ascii() {
        return c;
    }
    let mut characters = TRADITIONAL.chars();
    while let (Some(traditional), Some(simple)) = (characters.next(), characters.next()) {
        if traditional == c {
            return simple;
        }
    }
    c
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_are_written_out() {
        assert_eq!(written_out("a[b|]c[d|e]"), ["abcd", "abce", "acd", "ace"]);
        assert!(FORMS.iter().all(|form| !form.text.contains(['[', ']', '|'])));
    }

    #[test]
    fn simplified_lines_keep_the_places_of_their_names() {
        assert_eq!(TRADITIONAL.chars().count() % 2, 0);
        for c in TRADITIONAL.chars() {
            assert_eq!(simple(c).len_utf8(), c.len_utf8(), "{c}");
        }
        assert_eq!(simplified("「陳請」邀請你加入羣聊"), "「陳请」邀请你加入群聊");
    }
}
