//! The reasons why rules did not match, in words: a sentence for one rule, a few words for many.

use mynah_rules::Lang;

/// The reason of rules that failed on the condition of this key, without its values.
pub(super) fn in_short(key: &str, lang: Lang) -> String {
    let (en, zh) = match key {
        "event" => ("for other events", "针对其他事件"),
        "type" => ("for other kinds of messages", "针对其他类型的消息"),
        "in" => ("for the other kind of chat", "不在这种聊天里回答"),
        "groups" => ("for other groups", "针对其他群"),
        "only" => ("not among the rules of this group", "这个群没有启用"),
        "at_me" => ("the bot was not called", "要有人叫它"),
        "keyword" => ("keyword not in the text", "消息里没有关键词"),
        "all" => ("not all of its words in the text", "消息里没有全部的词"),
        "none" => ("the text has an excluded word", "消息里有排除的词"),
        "exact" => ("the text is different", "消息不是这段文字"),
        "prefix" => ("the text begins differently", "开头不一样"),
        "suffix" => ("the text ends differently", "结尾不一样"),
        "pattern" => ("does not fit its pattern", "不符合句式"),
        "regex" => ("does not fit its regex", "不符合正则"),
        "time" => ("outside of its hours", "不在设定的时间段"),
        "days" => ("not on this day", "不在设定的日子"),
        "from" => ("for other people", "只回答其他人"),
        "not_from" => ("not for this person", "不回答这个人"),
        "similar" => ("not like its sentences", "和它的例句不够相似"),
        "table" => ("none of its questions is asked", "没有问到其中的问题"),
        "answer_as" => ("nothing answers its sentence", "没有规则回答它改写的句子"),
        "after" => ("for an answer to another message", "前面没有那条回答"),
        "when" => ("a value is different", "变量或捕获的值不符"),
        "chance" => ("not drawn by chance", "按概率这次不回答"),
        other => return other.to_owned(),
    };
    match lang {
        Lang::En => en.to_owned(),
        Lang::Zh => zh.to_owned(),
    }
}

/// The reason of a rule that failed on this condition: the expected and the actual value.
pub(super) fn in_full(key: &str, wanted: &str, saw: &str, lang: Lang) -> String {
    match lang {
        Lang::En => english(key, wanted, saw),
        Lang::Zh => chinese(key, wanted, saw),
    }
}

fn english(key: &str, wanted: &str, saw: &str) -> String {
    if key == "at_me" {
        return "at_me: the bot was not called".to_owned();
    }
    if key == "table" {
        return format!("table: no question of {wanted} is asked by \"{saw}\"");
    }
    let verb = if matches!(key, "none" | "not_from") { "excludes" } else { "expected" };
    let saw = if saw.is_empty() { "nothing".to_owned() } else { format!("\"{saw}\"") };
    format!("{key}: {verb} {wanted}; got {saw}")
}

fn chinese(key: &str, wanted: &str, saw: &str) -> String {
    let words = in_chinese(wanted);
    let this = in_chinese(saw);
    let text = if saw.is_empty() {
        "消息没有文字".to_owned()
    } else {
        format!("消息是“{saw}”")
    };
    match key {
        "event" | "type" => format!("只针对{words}，这次是{this}"),
        "in" => format!("只在{words}里回答，这里是{this}"),
        "groups" => format!("只在这些群里回答：{wanted}；这里是“{saw}”"),
        "only" => format!("这个群只启用了：{wanted}"),
        "at_me" => "要有人叫它".to_owned(),
        "keyword" => format!("要有其中一个词：{wanted}；{text}"),
        "all" => format!("要同时有这些词：{wanted}；{text}"),
        "none" => format!("不能有这些词：{wanted}；{text}"),
        "exact" => format!("要与此完全一致：{wanted}；{text}"),
        "prefix" => format!("要以此开头：{wanted}；{text}"),
        "suffix" => format!("要以此结尾：{wanted}；{text}"),
        "pattern" => format!("要符合句式：{wanted}；{text}"),
        "regex" => format!("要符合正则：{wanted}；{text}"),
        "time" => format!("只在 {wanted} 回答，现在是 {saw}"),
        "days" => format!("只在{words}回答，今天是{this}"),
        "from" => format!("只回答{words}，这次是“{saw}”"),
        "not_from" => format!("不回答{words}，这次是“{saw}”"),
        "table" => format!("{wanted} 里没有这个问题；{text}"),
        "similar" if saw.is_empty() => format!("要和例句足够相似：{wanted}"),
        "similar" => format!("要和例句足够相似：{wanted}；最接近的是：{saw}"),
        "answer_as" => format!("改写成“{wanted}”，但没有规则回答"),
        "after" if saw.is_empty() => format!("要紧接在这些规则的回答之后：{wanted}"),
        "after" => format!("要紧接在这些规则的回答之后：{wanted}；上一条是“{saw}”"),
        "when" if saw.is_empty() => format!("要 {wanted}，现在没有值"),
        "when" => format!("要 {wanted}，现在是“{saw}”"),
        "chance" => format!("按 {wanted} 的概率回答，这次不回答"),
        other => format!("{other}：要 {wanted}，{text}"),
    }
}

/// The words of the rule language among the values, as a person says them.
fn in_chinese(values: &str) -> String {
    let words = values.split(", ").map(|value| match value {
        "text" => "文字消息",
        "image" => "图片",
        "voice" => "语音",
        "video" => "视频",
        "file" => "文件",
        "emoji" => "表情",
        "card" => "名片",
        "link" => "链接",
        "location" => "位置",
        "other" => "其他消息",
        "join" => "进群",
        "leave" => "退群",
        "rename" => "改群名",
        "recall" => "撤回",
        "friend_request" => "好友申请",
        "pat" => "拍一拍",
        "red_packet" => "红包",
        "group" => "群",
        "private" => "私聊",
        "mon" => "周一",
        "tue" => "周二",
        "wed" => "周三",
        "thu" => "周四",
        "fri" => "周五",
        "sat" => "周六",
        "sun" => "周日",
        "admin" => "管理员",
        other => other,
    });
    words.collect::<Vec<_>>().join("、")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 24] = [
        "table",
        "event",
        "type",
        "in",
        "groups",
        "only",
        "at_me",
        "keyword",
        "all",
        "none",
        "exact",
        "prefix",
        "suffix",
        "pattern",
        "regex",
        "time",
        "days",
        "from",
        "not_from",
        "similar",
        "answer_as",
        "after",
        "when",
        "chance",
    ];

    #[test]
    fn chinese_reasons_have_no_english_keys_and_no_true_or_false() {
        let is_english = |text: &str| text.chars().any(|c| c.is_ascii_alphabetic());
        for key in KEYS {
            for reason in
                [in_full(key, "true", "false", Lang::Zh), in_short(key, Lang::Zh)].map(|reason| {
                    // The values of this test are English; those of rules are texts of people.
                    if key == "at_me" {
                        reason
                    } else {
                        reason.replace("true", "").replace("false", "")
                    }
                })
            {
                assert!(!is_english(&reason), "{key}: {reason}");
            }
        }
        for (key, wanted, saw, expected) in [
            ("at_me", "true", "false", "要有人叫它"),
            ("event", "join, pat", "text", "只针对进群、拍一拍，这次是文字消息"),
            ("in", "private", "group", "只在私聊里回答，这里是群"),
            ("days", "mon, tue", "sun", "只在周一、周二回答，今天是周日"),
            ("from", "admin, 老王", "张三", "只回答管理员、老王，这次是“张三”"),
            ("keyword", "价格, 多少钱", "你好", "要有其中一个词：价格, 多少钱；消息是“你好”"),
        ] {
            assert_eq!(in_full(key, wanted, saw, Lang::Zh), expected);
        }
    }
}
