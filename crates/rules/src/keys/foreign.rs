//! Words that people write as keys: in Chinese, or as other bots call it.
//!
//! A Chinese word means a key. A word of another bot means a feature that another key has or that the language lacks;
//! its advice names the key or says so. When the language gains such a key, delete the word here or put it into `also`.

use super::Table::{self, Bot, Dialog, Do, Done, File, Limit, Rule, Schedule, Step};

/// The remedy for a word that is not a key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Advice {
    words: &'static [&'static str],
    tables: &'static [Table],
    /// In English.
    pub(crate) en: &'static str,
    /// In Chinese.
    pub(crate) zh: &'static str,
}

/// The advice about a word in a table.
pub(crate) fn advice(table: Table, word: &str) -> Option<&'static Advice> {
    let word = word.to_lowercase().replace('-', "_");
    ADVICE
        .iter()
        .find(|advice| advice.tables.contains(&table) && advice.words.contains(&word.as_str()))
}

/// The key of a table that a Chinese word means.
pub(crate) fn chinese_key(table: Table, word: &str) -> Option<&'static str> {
    let (_, keys) = CHINESE.iter().find(|(words, _)| words.contains(&word))?;
    keys.iter().find(|key| table.key(key).is_some()).copied()
}

/// The header that a word between brackets means.
pub(crate) fn header(word: &str) -> Option<&'static str> {
    let (_, header) = HEADERS.iter().find(|(words, _)| words.contains(&word))?;
    Some(header)
}

const HEADERS: &[(&[&str], &str)] = &[
    (&["规则", "规则列表", "rule.rule"], "[[rule]]"),
    (&["机器人", "设置", "配置", "bot.bot"], "[bot]"),
    (&["群", "群组", "群聊"], "[[group]]"),
    (&["对话", "会话", "问答"], "[[dialog]]"),
    (&["步骤", "对话.步骤", "问题", "step", "steps", "dialog.steps"], "[[dialog.step]]"),
    (&["完成", "结束", "对话.完成", "done"], "[dialog.done]"),
    (&["定时", "定时任务", "计划", "日程"], "[[schedule]]"),
    (&["测试"], "[[test]]"),
    (&["列表", "词表", "list"], "[lists]"),
    (&["表格", "问答表", "表", "tables"], "[[table]]"),
];

const CHINESE: &[(&[&str], &[&str])] = &[
    (&["规则"], &["rule"]),
    (&["机器人"], &["bot"]),
    (&["表格", "问答表"], &["table"]),
    (&["工作表"], &["sheet"]),
    (&["附件"], &["attachment", "file"]),
    (&["对话", "会话"], &["dialog"]),
    (&["定时", "定时任务", "计划"], &["schedule"]),
    (&["测试"], &["test"]),
    (&["关键词", "关键字", "包含", "触发词"], &["keyword", "start"]),
    (&["全部", "同时包含"], &["all"]),
    (&["条件", "当", "如果"], &["when"]),
    (&["不包含", "排除", "不含"], &["none"]),
    (&["精确", "等于", "完全匹配", "全匹配"], &["exact"]),
    (&["前缀", "开头", "命令"], &["prefix"]),
    (&["后缀", "结尾"], &["suffix"]),
    (&["句式", "模板", "匹配"], &["pattern", "match"]),
    (&["正则", "正则表达式"], &["regex", "check"]),
    (&["回复", "答复", "回答", "内容", "发送", "消息", "文字"], &["reply", "send", "ask"]),
    (&["随机回复"], &["reply_one_of"]),
    (&["图片", "图"], &["image"]),
    (&["文件"], &["file"]),
    (&["转发", "转发到"], &["forward_to"]),
    (&["群", "群聊", "群组", "群名"], &["groups", "to", "name", "group"]),
    (&["私聊"], &["private"]),
    (&["场景", "范围"], &["in"]),
    (&["艾特", "叫我", "被叫"], &["at_me"]),
    (&["来自", "发送者", "发送人", "用户"], &["from", "user"]),
    (&["类型"], &["type"]),
    (&["事件"], &["event"]),
    (&["时间", "时刻"], &["time", "at"]),
    (&["星期", "周几"], &["days"]),
    (&["概率", "几率"], &["chance"]),
    (&["冷却", "间隔", "冷却时间"], &["cooldown", "every"]),
    (&["限制", "限额", "次数", "上限"], &["limit"]),
    (&["优先级"], &["priority"]),
    (&["继续"], &["continue"]),
    (&["关闭", "停用"], &["off"]),
    (&["变量", "设置", "赋值"], &["set", "vars"]),
    (&["增加", "加", "计数"], &["add"]),
    (&["引用"], &["quote"]),
    (&["运行", "处理器"], &["run"]),
    (&["名称", "名字", "昵称"], &["names", "name", "save", "id"]),
    (&["编号"], &["id"]),
    (&["管理员"], &["admins", "from"]),
    (&["时区"], &["timezone"]),
    (&["忽略", "黑名单"], &["ignore"]),
    (&["开始", "启动"], &["start"]),
    (&["取消"], &["cancel"]),
    (&["请求", "抓取"], &["fetch"]),
    (&["地址", "网址", "链接"], &["url"]),
    (&["方法"], &["method"]),
    (&["缓存"], &["cache"]),
    (&["超时"], &["timeout"]),
    (&["提问", "问题"], &["ask", "question"]),
    (&["保存"], &["save", "save_to"]),
    (&["选项", "选择"], &["choose"]),
    (&["检查", "校验"], &["check"]),
    (&["步骤"], &["step", "do"]),
    (&["动作"], &["do"]),
    (&["完成"], &["done"]),
    (&["脚本"], &["script"]),
    (&["每隔"], &["every"]),
    (&["通过", "接受"], &["accept"]),
    (&["踢人", "踢出", "踢出群", "移出群", "踢"], &["kick"]),
    (&["邀请", "邀请进群", "拉人", "拉进群", "拉群"], &["invite_to"]),
    (&["撤回", "撤回消息"], &["recall"]),
    (&["包含文件", "引入"], &["include"]),
];

/// Tables with actions.
const ACTING: &[Table] = &[Rule, Do, Done, Schedule];
/// Tables with conditions.
const ASKING: &[Table] = &[Rule, Dialog, Step, Do, Done];

#[rustfmt::skip] // One word, one entry: a table to be read, not code.
const ADVICE: &[Advice] = &[
    one(&["fetch", "fetch_reply"], &[Do],
        "write it beside do: a request comes before all actions",
        "请写在 do 旁边：请求先于所有动作"),
    one(&["fetch", "fetch_reply"], &[Step, Dialog],
        "write it in [dialog.done]: a request comes after the last answer",
        "请写在 [dialog.done] 里：请求在最后一个回答之后"),
    one(&["unless"], &[Rule],
        "write the opposite: when = { points = \"< 5\" } or when = { mode = \"!= on\" }",
        "写成相反的条件：when = { points = \"< 5\" } 或 when = { mode = \"!= 开\" }"),
    one(&["if", "when", "condition", "conditions", "unless"], &[Step],
        "the answer chooses the next step: next = { \"yes\" = \"pay\" }, with id = \"pay\" at that step",
        "由回答决定下一步：next = { \"对\" = \"pay\" }，并在那个步骤写 id = \"pay\""),
    one(&["if", "when", "condition", "conditions", "unless"], &[Schedule],
        "a schedule has no conditions; choose its days, or let a rule act on a message",
        "定时没有条件；可用 days 选日子，或改用由消息触发的规则"),
    one(&["if", "when", "condition", "conditions", "state", "unless", "require", "requires", "where_var"], &[Dialog, Do, Done],
        "only a [[rule]] has conditions on variables: when = { points = \">= 5\" }",
        "只有 [[rule]] 能按变量判断：when = { points = \">= 5\" }"),
    one(&["else", "otherwise"], ASKING,
        "write a second rule below: the first that matches answers",
        "在下面另写一条规则：第一条匹配的先回答"),
    one(&["default", "fallback", "catch_all"], &[Rule, File, Bot],
        "add a last rule with at_me = true or type = \"text\"; it answers all messages that no other rule answers",
        "在最后写一条 at_me = true 或 type = \"text\" 的规则，回答其他规则都不回答的消息"),
    one(&["hear", "listen", "listen_for"], &[Rule],
        "write regex = '…', and at_me = true for messages that call the bot only",
        "请写 regex = '…'；只回应叫机器人的消息时再写 at_me = true"),
    one(&["or"], &[Rule],
        "several texts go into one list: keyword = [\"…\", \"…\"]; for another condition write another [[rule]]",
        "多个文字放进一个列表：keyword = [\"…\", \"…\"]；其他条件请另写一条 [[rule]]"),
    one(&["and"], &[Rule],
        "all = [\"…\", \"…\"] needs each of its texts; keys of one rule must all hold anyway",
        "all = [\"…\", \"…\"] 要求每个都出现；同一条规则的各个条件本来就须同时成立"),
    one(&["mute", "silence", "shut_up", "quiet"], &[Rule, Do, Done],
        "run = \"builtin.mute\" mutes the bot in this chat, run = \"builtin.mute 30m\" for 30 minutes",
        "run = \"builtin.mute\" 让机器人在此会话中静音，run = \"builtin.mute 30m\" 静音 30 分钟"),
    one(&["unmute"], &[Rule, Do, Done], "write run = \"builtin.unmute\"", "请写 run = \"builtin.unmute\""),
    one(&["reload"], &[Rule, Do, Done], "write run = \"builtin.reload\"", "请写 run = \"builtin.reload\""),
    one(&["status"], &[Rule, Do, Done], "write run = \"builtin.status\"", "请写 run = \"builtin.status\""),
    one(&["mute_person", "mute_user", "mute_member", "mute_sender", "ban_user"], ACTING,
        "no chat service can mute a person for the bot; kick = true removes the sender, run = \"builtin.mute\" silences the bot itself",
        "目前没有聊天服务能让机器人禁言某个人；移出群请写 kick = true，让机器人自己静音请写 run = \"builtin.mute\""),
    one(&["kick", "kick_out", "remove_member", "invite", "invite_to", "add_member", "pull"], &[Schedule],
        "a schedule has no sender; kick and invite_to belong to a [[rule]]",
        "定时没有发送者；kick 和 invite_to 写在 [[rule]] 里"),
    one(&["recall", "delete", "withdraw", "revoke", "unsend"], &[Done, Schedule],
        "there is no message to recall here; recall belongs to a [[rule]]",
        "这里没有可撤回的消息；recall 写在 [[rule]] 里"),
    one(&["warn", "warning", "strike"], ACTING,
        "count with add = { warns = 1 } and write {user.warns} in the reply",
        "用 add = { warns = 1 } 计数，回复里写 {user.warns}"),
    one(&["http", "api", "webhook", "url", "request", "get", "post", "curl"], &[Do],
        "write fetch = { url = \"https://…\" } beside do: a request comes before all actions",
        "请在 do 旁边写 fetch = { url = \"https://…\" }：请求先于所有动作"),
    one(&["ai", "gpt", "chatgpt", "openai", "llm", "model", "prompt"], &[Rule, Bot, Do, Done],
        "a language model is a [[handler]] of mynah.toml, named here with run = \"…\": see bots/ai-faq",
        "语言模型是 mynah.toml 里的 [[handler]]，在这里写 run = \"…\"：参见 bots/ai-faq"),
    one(&["voice", "audio", "music", "record"], ACTING,
        "voice messages cannot be sent; file = \"…\" sends a sound file",
        "不能发送语音消息；file = \"…\" 可以发送音频文件"),
    one(&["video", "movie"], ACTING, "send a video with file = \"…\"", "用 file = \"…\" 发送视频"),
    one(&["sticker", "emoji", "gif"], ACTING,
        "a picture is sent with image = \"…\"; stickers cannot be sent",
        "用 image = \"…\" 发送图片；不能发送表情"),
    one(&["link", "card", "location"], ACTING,
        "links and cards cannot be sent; write the address into the text",
        "不能发送链接卡片和名片；把网址写在文字里"),
    one(&["images", "pictures", "image_one_of"], &[Schedule],
        "a schedule sends one picture: image = \"a.png\"",
        "定时只发送一张图片：image = \"a.png\""),
    one(&["image_all_of", "files"], ACTING,
        "send several with do = [{ image = \"a.png\" }, { image = \"b.png\" }]",
        "多个请写 do = [{ image = \"a.png\" }, { image = \"b.png\" }]"),
    one(&["delay", "wait", "sleep", "pause"], &[Rule, Done, Schedule],
        "write do = [{ wait = \"3s\" }, { reply = \"…\" }]",
        "请写 do = [{ wait = \"3s\" }, { reply = \"…\" }]"),
    one(&["reply_at", "at_time", "hour", "date", "month", "year"], &[Rule],
        "only at certain times: time = \"09:00-18:00\", days = \"mon-fri\"; at a certain time: [[schedule]]; with a mention: at_sender = true",
        "限定时间：time = \"09:00-18:00\"、days = \"mon-fri\"；定时发送：[[schedule]]；要 @ 对方：at_sender = true"),
    one(&["daily", "everyday", "every_day", "weekly", "monthly", "repeat"], &[Schedule],
        "at = \"09:00\" is every day, days = \"mon\" picks days; a day of the month: cron = \"0 9 1 * *\"",
        "at = \"09:00\" 就是每天，days = \"mon\" 选星期几；每月某日：cron = \"0 9 1 * *\""),
    one(&["hour", "minute", "date", "month"], &[Schedule],
        "a time of day is at = \"09:00\"; a date is cron = \"0 9 24 12 *\"",
        "每天几点写 at = \"09:00\"；某月某日写 cron = \"0 9 24 12 *\""),
    one(&["ignore_case", "ignorecase", "case_insensitive", "icase", "nocase"], &[Rule, Bot],
        "case is ignored anyway; case = true in a rule distinguishes it",
        "本来就不分大小写；要区分时在规则里写 case = true"),
    one(&["admin", "admin_only", "only_admin", "is_admin", "owner_only", "owner", "permission", "role", "admins"], &[Rule, Dialog],
        "write from = \"admin\", and their names in [bot] admins = […]",
        "请写 from = \"admin\"，名字写在 [bot] admins = […]"),
    one(&["private", "private_only", "only_private", "is_private", "in_private"], &[Rule, Dialog],
        "write in = \"private\"", "请写 in = \"private\""),
    one(&["group_only", "only_group", "is_group", "in_group"], &[Rule, Dialog],
        "write in = \"group\"", "请写 in = \"group\""),
    one(&["enabled", "enable", "active"], &[Rule, Dialog, Schedule],
        "it is on unless a rule has off = true; to switch off anything else, put # before its lines",
        "默认就是开启的；规则可写 off = true 关闭；其他的在各行前面加 #"),
    one(&["comment", "note", "description", "desc", "remark"], &[Rule, Bot, Dialog, Step, Schedule, Do, Done],
        "write it as a comment: # …", "请写成注释：# …"),
    one(&["random", "rand"], &[Rule, Do, Done],
        "one of several texts: reply_one_of = [\"…\", \"…\"]; only sometimes: chance = 0.3",
        "随机一条：reply_one_of = [\"…\", \"…\"]；只是有时回复：chance = 0.3"),
    one(&["random", "rand", "weight", "weights", "chance"], &[Step],
        "a random part of the question is {random:a|b} or {random:1-6}",
        "问题里的随机部分写 {random:甲|乙} 或 {random:1-6}"),
    one(&["random", "rand", "weight", "weights"], &[Schedule],
        "a schedule sends one text: send = \"…\"; a random part of it is {random:a|b}",
        "定时只发送一段文字：send = \"…\"；其中随机的部分写 {random:甲|乙}"),
    one(&["redirect", "alias", "aliases", "goto", "answer_as", "same_as", "srai"], &[Do, Done],
        "only a [[rule]] can answer as another sentence: answer_as = \"…\"",
        "只有 [[rule]] 能当作另一句话来回答：answer_as = \"…\""),
    one(&["broadcast", "announce", "notify", "群发"], &[Bot, File],
        "write a [[rule]] with prefix = \"…\", from = \"admin\", send = \"{rest}\" and to = \"…*\"; at certain times: [[schedule]]",
        "写一条 [[rule]]：prefix = \"…\"、from = \"admin\"、send = \"{rest}\"、to = \"…*\"；定时群发用 [[schedule]]"),
    one(&["weight", "weights"], &[Rule, Do, Done],
        "weights are written with the texts: reply_one_of = [{ text = \"…\", weight = 3 }, \"…\"]; rules are ordered by priority",
        "权重写在文字旁边：reply_one_of = [{ text = \"…\", weight = 3 }, \"…\"]；规则的先后用 priority"),
    one(&["name", "nickname", "bot_name"], &[File],
        "the names by which people call the bot: names = [\"…\"] below [bot]",
        "大家叫机器人用的名字：写在 [bot] 下，names = [\"…\"]"),
    one(&["welcome", "on_join", "join", "greeting"], &[Rule, Bot, File],
        "write a [[rule]] with event = \"join\" and reply = \"…\"",
        "写一条 [[rule]]：event = \"join\"，reply = \"…\""),
    one(&["once", "limit_per_day", "daily_limit", "per_day", "per_user", "rate_limit", "max_per_day"], &[Rule],
        "write limit = { user = 1, per = \"day\" }", "请写 limit = { user = 1, per = \"day\" }"),
    one(&["reply_one_of", "reply_all_of"], &[Schedule],
        "a schedule sends one text: send = \"…\"",
        "定时只发送一段文字：send = \"…\""),
    one(&["day", "hour", "week", "count", "max", "times", "per_day"], &[Limit],
        "write { user = 5, per = \"day\" }", "请写 { user = 5, per = \"day\" }"),
    one(&["type", "format", "kind", "required"], &[Step],
        "every question needs an answer; to check it write check = '^\\d+$' or choose = [\"…\"]",
        "每个问题都必须回答；要检查回答请写 check = '^\\d+$' 或 choose = [\"…\"]"),
    one(&["token", "password", "api_key", "port", "proxy", "database", "log", "log_level"], &[File, Bot],
        "it does not belong in a rule file; settings of the program are in config/mynah.toml",
        "它不属于规则文件；程序的设置写在 config/mynah.toml"),
];

const fn one(
    words: &'static [&'static str],
    tables: &'static [Table],
    en: &'static str,
    zh: &'static str,
) -> Advice {
    Advice { words, tables, en, zh }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::keys::KEYS;

    #[test]
    fn no_advice_hides_a_key_or_other_advice() {
        let mut seen = BTreeSet::new();
        for advice in ADVICE {
            for (word, table) in
                advice.words.iter().flat_map(|word| advice.tables.iter().map(move |t| (word, t)))
            {
                assert!(table.key(word).is_none(), "{word} is a key of {}", table.shown());
                assert!(
                    seen.insert((*word, *table)),
                    "{word} has two advices in {}",
                    table.shown()
                );
                let also = KEYS.iter().filter(|key| key.tables.contains(table));
                let twin = also.filter(|key| key.also.contains(word)).map(|key| key.name);
                assert_eq!(twin.collect::<Vec<_>>(), [""; 0], "{word} in {}", table.shown());
            }
        }
    }

    #[test]
    fn chinese_words_mean_existing_keys() {
        let mut seen = BTreeSet::new();
        for (words, keys) in CHINESE {
            for key in *keys {
                assert!(KEYS.iter().any(|known| known.name == *key), "{key}");
            }
            for word in *words {
                assert!(seen.insert(word), "{word} occurs twice");
            }
        }
        assert_eq!(chinese_key(Rule, "关键词"), Some("keyword"));
        assert_eq!(chinese_key(Schedule, "回复"), Some("send"));
        assert_eq!(chinese_key(Rule, "天气"), None);
    }
}
