//! Messages about the lines of `[[test]]` scripts.

use super::{Lang, say, words};
use crate::problem::BadLine;

pub(super) fn message(line: &BadLine, lang: Lang) -> String {
    match line {
        BadLine::Form => {
            say!(lang, "this is not a valid line of a test", "这一行不是有效的测试行")
        }
        BadLine::FullWidth { found, .. } => {
            say!(lang, "{found} is a full-width sign", "{found} 是全角符号")
        }
        BadLine::NoSpeaker => say!(lang, "this line names no sender", "没有写发送者"),
        BadLine::Event { found, .. } => {
            say!(lang, "there is no event \"{found}\"", "没有事件 \"{found}\"")
        }
        BadLine::EventNeedsGroup => {
            say!(lang, "this event happens in groups", "这个事件发生在群里")
        }
        BadLine::NothingSaid => say!(lang, "no chat to reply in yet", "还没有可以回复的会话"),
        BadLine::Moment(text) => {
            say!(lang, "\"{text}\" is not a date and time", "\"{text}\" 不是有效的日期和时间")
        }
        BadLine::Backwards => {
            say!(lang, "this time is before that of an earlier line", "这个时间早于前面的行")
        }
        BadLine::Span(bad) => bad.message(lang),
        BadLine::Regex(kind) => {
            let words = words::regex(kind, lang);
            say!(lang, "not a valid regular expression: {words}", "不是有效的正则：{words}")
        }
        BadLine::Fetch => {
            say!(lang, "this line answers no request", "这一行没有写明对请求的回答")
        }
        BadLine::Nothing => say!(lang, "this test is empty", "这个测试没有内容"),
    }
}

pub(super) fn hint(line: &BadLine, lang: Lang) -> Option<String> {
    Some(match line {
        BadLine::Form => say!(
            lang,
            "group/user: text, > reply, > -, => chat: text, ! event, +30s, @ 2026-11-23 09:00",
            "可写 群/人: 文字、> 回复、> -、=> 会话: 文字、! 事件、+30s、@ 2026-11-23 09:00"
        ),
        BadLine::FullWidth { plain, .. } => say!(lang, "use {plain}", "请用 {plain}"),
        BadLine::NoSpeaker => {
            say!(lang, "group/user: text, or user: text", "群/人: 文字，或 人: 文字")
        }
        BadLine::Event { meant: Some(meant), .. } => {
            say!(lang, "did you mean `{meant}`?", "是否想写 `{meant}`？")
        }
        BadLine::Event { meant: None, .. } => {
            "join, leave, rename, recall, pat, red_packet, friend_request".to_owned()
        }
        BadLine::EventNeedsGroup => say!(lang, "! join group/user", "! join 群/人"),
        BadLine::NothingSaid => say!(
            lang,
            "write a message first, or => chat: text",
            "先写一条消息，或写 => 会话: 文字"
        ),
        BadLine::Moment(_) => say!(lang, "like @ 2026-11-23 09:00", "如 @ 2026-11-23 09:00"),
        BadLine::Backwards => {
            say!(
                lang,
                "write a later moment, or another [[test]]; as the first line, @ sets the beginning (else 2026-11-23 12:00)",
                "写更晚的时刻，或另写一个 [[test]]；@ 写在第一行是开始的时刻（否则是 2026-11-23 12:00）"
            )
        }
        BadLine::Span(bad) => match bad.meant() {
            Some(meant) => say!(lang, "write +{meant}", "请写 +{meant}"),
            None => say!(lang, "like +30s, +5m or +2h", "如 +30s、+5m 或 +2h"),
        },
        BadLine::Fetch => say!(
            lang,
            "like ~ GET https://api.example.com/w?q=1 -> 200 {{\"temp\": 3}}; also -> time-out, -> fail",
            "如 ~ GET https://api.example.com/w?q=1 -> 200 {{\"temp\": 3}}；也可写 -> time-out、-> fail"
        ),
        BadLine::Regex(_) | BadLine::Nothing => return None,
    })
}
