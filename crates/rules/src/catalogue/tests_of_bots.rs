//! Messages about the lines of `[[test]]` scripts.

use super::{Lang, foreign, say};
use crate::problem::BadLine;

pub(super) fn message(line: &BadLine, lang: Lang) -> String {
    match line {
        BadLine::Form => {
            say!(lang, "this line has none of the forms of a test", "这一行不是测试的任何一种写法")
        }
        BadLine::FullWidth { found, .. } => {
            say!(lang, "{found} is a full-width sign", "{found} 是全角符号")
        }
        BadLine::NoSpeaker => say!(lang, "nobody says this", "没有写是谁说的"),
        BadLine::Event { found, .. } => {
            say!(lang, "there is no event \"{found}\"", "没有事件 \"{found}\"")
        }
        BadLine::EventNeedsGroup => {
            say!(lang, "this event happens in groups", "这个事件发生在群里")
        }
        BadLine::NothingSaid => say!(lang, "no chat to reply in yet", "还没有可以回复的会话"),
        BadLine::Moment(text) => say!(lang, "\"{text}\" is no moment", "\"{text}\" 不是时刻"),
        BadLine::Backwards => say!(lang, "time does not go back", "时间不能倒退"),
        BadLine::Span(bad) => bad.message(lang),
        BadLine::Regex(words) => {
            let words = match lang {
                Lang::En => words.clone(),
                Lang::Zh => foreign::regex(words),
            };
            say!(lang, "no regular expression: {words}", "不是正则：{words}")
        }
        BadLine::Nothing => say!(lang, "this test says nothing", "这个测试没有内容"),
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
            "say something first, or write => chat: text",
            "先说点什么，或写 => 会话: 文字"
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
        BadLine::Regex(_) | BadLine::Nothing => return None,
    })
}
