//! Messages about keys that contradict each other.

use super::{Lang, say};
use crate::problem::Conflict;

#[expect(clippy::too_many_lines, reason = "a table: a line for each conflict")]
pub(super) fn message(conflict: &Conflict, lang: Lang) -> String {
    match conflict {
        Conflict::AtMeInPrivate => {
            say!(
                lang,
                "at_me with in = \"private\" is always true",
                "in = \"private\" 时 at_me 总是成立"
            )
        }
        Conflict::GroupEventInPrivate(event) => group_event(event.word(), lang),
        Conflict::FriendRequestInGroup => say!(
            lang,
            "event = \"friend_request\" happens in private only",
            "event = \"friend_request\" 只发生在私聊"
        ),
        Conflict::GroupsInPrivate => {
            say!(
                lang,
                "groups with in = \"private\" is never true",
                "in = \"private\" 时 groups 永不成立"
            )
        }
        Conflict::TypeAndEvent => say!(
            lang,
            "type and event together are never true: an event is not a message",
            "type 与 event 同时写永不成立：事件不是消息"
        ),
        Conflict::NoText(key) => say!(
            lang,
            "{key} is never true here: the messages of this rule have no text",
            "{key} 在这里永不成立：这条规则针对的消息没有文字"
        ),
        Conflict::QuotedWithoutText => say!(
            lang,
            "quoted without a condition on the text changes nothing",
            "没有文本条件时 quoted 不起作用"
        ),
        Conflict::AcceptWithout => {
            say!(
                lang,
                "accept needs event = \"friend_request\"",
                "accept 需要 event = \"friend_request\""
            )
        }
        Conflict::RecallOfEvent => {
            say!(lang, "an event has no message to recall", "事件没有可以撤回的消息")
        }
        Conflict::RecallInDone => say!(
            lang,
            "the last answer of a dialog cannot be recalled",
            "不能撤回对话的最后一个回答"
        ),
        Conflict::KickInPrivate => {
            say!(lang, "there is no member to remove in a private chat", "私聊里没有人可以移出")
        }
        Conflict::KickOfLeft => say!(
            lang,
            "those who left cannot be removed from the group",
            "已经退群的人不能再移出群"
        ),
        Conflict::ReplyWithout { reply, brake } => {
            say!(
                lang,
                "{reply} without {brake} is never sent",
                "没有 {brake}，{reply} 永远不会发送"
            )
        }
        Conflict::DoAndOthers(key) => {
            say!(lang, "{key} cannot be used together with do", "{key} 不能与 do 同时使用")
        }
        Conflict::AtLeastWithout => {
            say!(lang, "at_least without similar", "有 at_least 却没有 similar")
        }
        Conflict::NoWeight => {
            say!(lang, "all weights are 0: nothing would be drawn", "权重全是 0，什么都抽不到")
        }
        Conflict::ArgsWithout => {
            say!(lang, "no handler takes these args", "没有处理器接收这些 args")
        }
        Conflict::BodyOfGet => {
            say!(lang, "a GET request has no body", "GET 请求没有请求体")
        }
        Conflict::AnswerAsAnd(key) => say!(
            lang,
            "answer_as ends the search; {key} does not go with it",
            "answer_as 会结束查找，不能与 {key} 同时使用"
        ),
        Conflict::AnswerAsOfEvent => {
            say!(lang, "an event has no sentence to answer", "事件没有可以改写的句子")
        }
        Conflict::WithinWithout => say!(lang, "within without after", "有 within 却没有 after"),
        Conflict::SendWithout => say!(lang, "send needs to", "send 需要 to"),
        Conflict::ToWithout => {
            say!(lang, "nothing is sent to these chats", "没有任何内容发往这些会话")
        }
        Conflict::SilentAnd("continue") => say!(
            lang,
            "silent = true ends the search, continue goes on",
            "silent = true 结束查找，continue 却要继续"
        ),
        Conflict::SilentAnd(key) => {
            say!(
                lang,
                "a silent rule cannot have {key}: it sends something",
                "silent 的规则不能有 {key}：它会发送内容"
            )
        }
        Conflict::TwoTimes(one, other) => {
            say!(
                lang,
                "a schedule cannot have both {one} and {other}",
                "一个定时里不能同时有 {one} 和 {other}"
            )
        }
        Conflict::DaysWithoutAt => say!(lang, "days without at", "有 days 却没有 at"),
        Conflict::CheckAndChoose => {
            say!(
                lang,
                "a question cannot have both check and choose",
                "一个问题里不能同时有 check 和 choose"
            )
        }
        Conflict::NextNotChosen => {
            say!(lang, "this answer is not one of choose", "这个回答不在 choose 之中")
        }
        Conflict::RestartNotChosen => {
            say!(lang, "restart_on is not one of choose", "restart_on 不在 choose 之中")
        }
    }
}

fn group_event(event: &str, lang: Lang) -> String {
    say!(lang, "event = \"{event}\" happens in groups only", "event = \"{event}\" 只发生在群里")
}

#[expect(clippy::too_many_lines, reason = "a table: a line for each conflict")]
pub(super) fn hint(conflict: &Conflict, lang: Lang) -> Option<String> {
    Some(match conflict {
        Conflict::AtMeInPrivate => say!(lang, "leave at_me out", "去掉 at_me"),
        Conflict::GroupEventInPrivate(_) => {
            say!(lang, "leave in = \"private\" out", "去掉 in = \"private\"")
        }
        Conflict::FriendRequestInGroup => {
            say!(lang, "leave in and groups out", "去掉 in 和 groups")
        }
        Conflict::GroupsInPrivate => say!(lang, "leave one of them out", "去掉其中一个"),
        Conflict::TypeAndEvent => say!(lang, "split it into two rules", "分成两条规则"),
        Conflict::NoText(_) => say!(lang, "leave it out", "去掉它"),
        Conflict::QuotedWithoutText => {
            say!(
                lang,
                "add keyword = … or the like, or leave quoted out",
                "加上 keyword = … 等条件，或去掉 quoted"
            )
        }
        Conflict::AcceptWithout => {
            say!(lang, "add it, or leave accept out", "加上它，或去掉 accept")
        }
        Conflict::RecallOfEvent | Conflict::RecallInDone => {
            say!(lang, "leave recall out", "去掉 recall")
        }
        Conflict::KickInPrivate => {
            say!(lang, "write in = \"group\", or leave kick out", "写 in = \"group\"，或去掉 kick")
        }
        Conflict::KickOfLeft => {
            say!(
                lang,
                "write event = \"join\", or leave kick out",
                "写 event = \"join\"，或去掉 kick"
            )
        }
        Conflict::ReplyWithout { brake, .. } => say!(lang, "add {brake} = …", "加上 {brake} = …"),
        Conflict::AtLeastWithout => {
            say!(lang, "add similar = [\"…\"]", "加上 similar = [\"…\"]")
        }
        Conflict::NoWeight => say!(lang, "give one of them a weight", "给其中一个写上权重"),
        Conflict::ArgsWithout => {
            say!(lang, "add run = \"…\" of a handler of yours", "加上 run = \"…\"（自己的处理器）")
        }
        Conflict::BodyOfGet => say!(
            lang,
            "write method = \"POST\", or leave body out",
            "请写 method = \"POST\"，或去掉 body"
        ),
        Conflict::AnswerAsAnd(key) => say!(lang, "leave {key} out", "去掉 {key}"),
        Conflict::AnswerAsOfEvent => {
            say!(
                lang,
                "write reply = \"…\" or start = \"…\"",
                "请写 reply = \"…\" 或 start = \"…\""
            )
        }
        Conflict::WithinWithout => say!(lang, "add after = \"…\"", "加上 after = \"…\""),
        Conflict::SendWithout => say!(
            lang,
            "add to = \"…\"; to answer in this chat write reply = \"…\"",
            "加上 to = \"…\"；在本会话回复请写 reply = \"…\""
        ),
        Conflict::ToWithout => say!(
            lang,
            "add send = \"…\"; the message itself goes on with forward_to",
            "加上 send = \"…\"；转发消息本身请用 forward_to"
        ),
        Conflict::SilentAnd(key) => say!(
            lang,
            "leave {key} or silent out; without silent a rule that says nothing may go on",
            "去掉 {key} 或 silent；什么都不说又要继续的规则不用写 silent"
        ),
        Conflict::DoAndOthers(key) => {
            say!(
                lang,
                "put it into the list: do = [{{ {key} = … }}, …]",
                "放进列表：do = [{{ {key} = … }}, …]"
            )
        }
        Conflict::TwoTimes(..) => say!(lang, "split it into two schedules", "分成两个定时"),
        Conflict::DaysWithoutAt => say!(lang, "add at = \"09:00\"", "加上 at = \"09:00\""),
        Conflict::CheckAndChoose => say!(lang, "leave one of them out", "去掉其中一个"),
        Conflict::NextNotChosen | Conflict::RestartNotChosen => {
            say!(lang, "add it to choose", "把它加进 choose")
        }
    })
}
