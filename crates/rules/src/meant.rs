//! The probable meaning of a value that cannot be understood: `30秒` is `30s`, `周一 8点` is `mon` and `08:00`.
//!
//! Only for hints: nothing is read this way.

use mynah_matching::fold::fold_width;
use mynah_reader::arabic;

/// The days of the week as a rule writes them, Monday first.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Words for days, the longer first; the numbers are the first and the last of them.
const DAY_WORDS: &[(&str, usize, usize)] = &[
    ("every day", 0, 6),
    ("everyday", 0, 6),
    ("daily", 0, 6),
    ("weekdays", 0, 4),
    ("weekday", 0, 4),
    ("workdays", 0, 4),
    ("weekends", 5, 6),
    ("weekend", 5, 6),
    ("每天", 0, 6),
    ("每日", 0, 6),
    ("天天", 0, 6),
    ("工作日", 0, 4),
    ("周末", 5, 6),
    ("monday", 0, 0),
    ("tuesday", 1, 1),
    ("wednesday", 2, 2),
    ("thursday", 3, 3),
    ("friday", 4, 4),
    ("saturday", 5, 5),
    ("sunday", 6, 6),
    ("mon", 0, 0),
    ("tues", 1, 1),
    ("tue", 1, 1),
    ("wed", 2, 2),
    ("thurs", 3, 3),
    ("thur", 3, 3),
    ("thu", 3, 3),
    ("fri", 4, 4),
    ("sat", 5, 5),
    ("sun", 6, 6),
];

/// A time of day that was written with days or in another form.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct At {
    /// The days, if there are any.
    pub(crate) days: Option<String>,
    /// The time of day, as a rule writes it.
    pub(crate) time: String,
}

/// `Mon 8:00`, `每天早上八点`.
pub(crate) fn time_of_day(text: &str) -> Option<At> {
    let (days, rest) = take_days(&plain(text));
    Some(At { days, time: clock(&rest)? })
}

/// `9-18`, `9am to 6pm`, `晚上10点到早上6点`.
pub(crate) fn time_window(text: &str) -> Option<String> {
    let plain = plain(text).replace(" to ", "-");
    let (from, to) = plain.split_once(['-', '–', '—', '~', '至', '到'])?;
    Some(format!("{}-{}", clock(from)?, clock(to)?))
}

/// `周一至周五`, `weekend`.
pub(crate) fn days(text: &str) -> Option<String> {
    let plain = plain(text);
    let is_number = |c: char| matches!(c, '1'..='7' | ',' | '-' | ' ');
    let is_digit = |c: &u8| c.is_ascii_digit();
    // Two digits side by side are a day of the month.
    if plain.as_bytes().windows(2).any(|pair| pair.iter().all(is_digit)) {
        return None;
    }
    if plain.chars().all(is_number) {
        let named = plain.chars().map(|c| match c.to_digit(10) {
            Some(digit) => DAYS[digit as usize - 1].to_owned(),
            None => c.to_string(),
        });
        return Some(named.collect());
    }
    let (days, rest) = take_days(&plain);
    days.filter(|_| !rest.chars().any(char::is_alphanumeric))
}

/// The time zone of a place name or an offset.
pub(crate) fn zone(text: &str) -> Option<&'static str> {
    let plain: String = plain(text).chars().filter(|c| !matches!(c, ' ' | '_')).collect();
    Some(match plain.as_str() {
        "beijing" | "asia/beijing" | "北京" | "北京时间" | "上海" | "shanghai" | "china"
        | "中国" | "cst" | "utc+8" | "utc+08:00" | "gmt+8" | "gmt+08:00" | "+8" | "+08:00"
        | "东八区" | "shenzhen" | "asia/shenzhen" | "asia/guangzhou" => "Asia/Shanghai",
        "香港" | "hongkong" | "hk" => "Asia/Hong_Kong",
        "台北" | "台湾" | "taipei" => "Asia/Taipei",
        "东京" | "日本" | "tokyo" | "jst" => "Asia/Tokyo",
        "新加坡" | "singapore" => "Asia/Singapore",
        "伦敦" | "london" => "Europe/London",
        "柏林" | "berlin" => "Europe/Berlin",
        "纽约" | "newyork" | "est" | "edt" => "America/New_York",
        "洛杉矶" | "losangeles" | "pst" | "pdt" => "America/Los_Angeles",
        "gmt" | "z" | "utc+0" => "UTC",
        _ => return None,
    })
}

/// The word of a key for a word of another language or program.
pub(crate) fn word(found: &str, words: &[&'static str]) -> Option<&'static str> {
    let found = plain(found);
    let (_, meant) = WORDS
        .iter()
        .find(|(others, meant)| words.contains(meant) && others.contains(&found.trim()))?;
    Some(meant)
}

const WORDS: &[(&[&str], &str)] = &[
    (&["群", "群聊", "群里", "chatroom", "room"], "group"),
    (&["私聊", "私信", "dm", "direct", "friend", "pm"], "private"),
    (&["文字", "文本", "message", "string"], "text"),
    (&["图片", "图", "picture", "photo", "img", "pic"], "image"),
    (&["语音", "audio"], "voice"),
    (&["视频", "movie"], "video"),
    (&["文件", "document", "attachment"], "file"),
    (&["名片", "contact"], "card"),
    (&["链接", "url", "share"], "link"),
    (&["位置", "map"], "location"),
    (&["表情", "sticker", "gif"], "emoji"),
    (
        &["加入", "入群", "进群", "加群", "新人", "member_join", "new_member", "welcome", "joined"],
        "join",
    ),
    (&["退出", "退群", "离开", "quit", "left", "member_leave"], "leave"),
    (&["改名", "改群名", "群改名"], "rename"),
    (
        &["好友请求", "好友申请", "加好友", "friend", "add_friend", "friendship", "new_friend"],
        "friend_request",
    ),
    (&["拍一拍", "poke", "nudge"], "pat"),
    (&["红包", "redpacket", "red packet", "hongbao"], "red_packet"),
    (&["撤回", "revoke", "withdraw", "delete"], "recall"),
    (&["小时", "时", "hourly", "hours", "h"], "hour"),
    (&["天", "日", "每天", "daily", "days", "d"], "day"),
    (&["周", "星期", "每周", "weekly", "weeks", "w"], "week"),
    (&["跳过", "no", "never"], "skip"),
    (&["cn", "zh-cn", "zh_cn", "chinese", "中文", "汉语", "简体中文"], "zh"),
    (&["en-us", "en_us", "english", "英文", "英语"], "en"),
    (&["补发", "一次", "yes", "send"], "once"),
];

/// The cron line of a date with a time of day: `2026-12-24 09:00`, `12-24 9:00`.
pub(crate) fn date(text: &str) -> Option<String> {
    let plain = plain(text).replace(['/', '.'], "-");
    let (date, time) = plain.trim().split_once([' ', 't'])?;
    let mut parts = date.rsplit('-');
    let (day, month): (u32, u32) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let time = clock(time)?;
    let (hour, minute) = time.split_once(':')?;
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    let is_date = (1..=12).contains(&month) && (1..=31).contains(&day);
    is_date.then(|| format!("{minute} {hour} {day} {month} *"))
}

/// A cron line of five fields for one with seconds in front, or for a nickname.
pub(crate) fn cron(text: &str) -> Option<String> {
    let nickname = match text.trim() {
        "@hourly" => "0 * * * *",
        "@daily" | "@midnight" => "0 0 * * *",
        "@weekly" => "0 0 * * 0",
        "@monthly" => "0 0 1 * *",
        "@yearly" | "@annually" => "0 0 1 1 *",
        _ => "",
    };
    if !nickname.is_empty() {
        return Some(nickname.to_owned());
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    let (seconds, rest) = fields.split_first()?;
    let has_seconds = matches!(fields.len(), 6 | 7) && *seconds == "0";
    has_seconds.then(|| rest[..5].join(" ").replace('?', "*"))
}

fn plain(text: &str) -> String {
    text.chars().map(fold_width).collect::<String>().to_lowercase()
}

/// Splits a text into its days and the rest.
fn take_days(text: &str) -> (Option<String>, String) {
    let mut days: Vec<(usize, usize)> = Vec::new();
    let mut rest = String::new();
    let mut at = 0;
    let mut is_range = false;
    while let Some(c) = text[at..].chars().next() {
        let Some((length, first, last)) = day_at(&text[at..]) else {
            let after_day = !days.is_empty() && rest.trim().is_empty();
            is_range =
                (after_day && matches!(c, '-' | '–' | '~' | '至' | '到')) || (is_range && c == ' ');
            let is_between =
                after_day && matches!(c, '-' | '–' | '~' | '至' | '到' | ',' | '、' | '和');
            rest.push(if is_between { ' ' } else { c });
            at += c.len_utf8();
            continue;
        };
        match days.last_mut() {
            Some(range) if is_range => range.1 = last,
            _ => days.push((first, last)),
        }
        is_range = false;
        at += length;
    }
    let shown: Vec<String> = days
        .iter()
        .map(|(first, last)| match first == last {
            true => DAYS[*first].to_owned(),
            false => format!("{}-{}", DAYS[*first], DAYS[*last]),
        })
        .collect();
    ((!shown.is_empty()).then(|| shown.join(",")), rest)
}

/// The word for days that a text begins with: its length, and the first and last day.
fn day_at(text: &str) -> Option<(usize, usize, usize)> {
    if let Some((word, first, last)) = DAY_WORDS.iter().find(|(word, ..)| text.starts_with(word)) {
        return Some((word.len(), *first, *last));
    }
    let prefix =
        ["每周", "每星期", "周", "星期", "礼拜"].iter().find(|one| text.starts_with(**one))?;
    let c = text[prefix.len()..].chars().next()?;
    let day = "一二三四五六日1234567".chars().position(|known| known == c);
    let day = day.or_else(|| (c == '天').then_some(6))?;
    Some((prefix.len() + c.len_utf8(), day % 7, day % 7))
}

/// A time of day in another form: `8点半`, `8pm`, `0800`, `8.30`.
fn clock(text: &str) -> Option<String> {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let is_late = has(&["pm", "p.m", "下午", "晚上", "晚", "傍晚", "中午"]);
    let is_early = has(&["am", "a.m", "上午", "早上", "早", "凌晨"]);
    let mut plain = text.to_owned();
    for word in [
        "p.m.", "a.m.", "pm", "am", "下午", "晚上", "傍晚", "中午", "上午", "早上", "凌晨", "晚",
        "早", "钟", "整", "o'clock", " ",
    ] {
        plain = plain.replace(word, "");
    }
    let plain = arabic(&plain.replace("点半", "点30").replace("时半", "时30"));
    let plain = plain.replace(['点', '时', '.', '：'], ":").replace('分', "");
    let plain = plain.trim_end_matches(':');
    let (hour, minute) = match plain.split_once(':') {
        Some(parts) => parts,
        None if plain.len() == 4 && plain.is_ascii() => plain.split_at(2),
        None => (plain, "0"),
    };
    let minute = minute.split(':').next().unwrap_or_default();
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    let hour = match hour {
        24 if minute == 0 => 0,
        1..=11 if is_late => hour + 12,
        12 if is_early => 0,
        hour => hour,
    };
    (hour < 24 && minute < 60).then(|| format!("{hour:02}:{minute:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_other_forms_are_understood() {
        for (text, days, time) in [
            ("Mon 8:00", Some("mon"), "08:00"),
            ("每天8点", Some("mon-sun"), "08:00"),
            ("周一 早上八点半", Some("mon"), "08:30"),
            ("周一至周五 18:00", Some("mon-fri"), "18:00"),
            ("下午3点", None, "15:00"),
            ("8pm", None, "20:00"),
            ("12am", None, "00:00"),
            ("8", None, "08:00"),
            ("0830", None, "08:30"),
            ("8.30", None, "08:30"),
            ("十二点", None, "12:00"),
            ("二十点十五分", None, "20:15"),
        ] {
            let meant = time_of_day(text).expect(text);
            assert_eq!((meant.days.as_deref(), meant.time.as_str()), (days, time), "{text}");
        }
        for text in ["", "noonish", "25:00", "明天", "mon"] {
            assert_eq!(time_of_day(text), None, "{text}");
        }
        assert_eq!(time_window("9-18").as_deref(), Some("09:00-18:00"));
        assert_eq!(time_window("晚上10点到早上6点").as_deref(), Some("22:00-06:00"));
        assert_eq!(time_window("9am to 6pm").as_deref(), Some("09:00-18:00"));
        assert_eq!(time_window("白天"), None);
    }

    #[test]
    fn words_zones_and_cron_lines_of_others_are_understood() {
        assert_eq!(zone("Asia/Beijing"), Some("Asia/Shanghai"));
        assert_eq!(zone("UTC+8"), Some("Asia/Shanghai"));
        assert_eq!(zone("Mars"), None);
        assert_eq!(word("图片", &["text", "image"]), Some("image"));
        assert_eq!(word("图片", &["group", "private"]), None);
        assert_eq!(cron("0 0 9 * * ?").as_deref(), Some("0 9 * * *"));
        assert_eq!(cron("@daily").as_deref(), Some("0 0 * * *"));
        assert_eq!(cron("0 9 * *"), None);
        assert_eq!(date("2026-12-24 09:00").as_deref(), Some("0 9 24 12 *"));
        assert_eq!(date("12/24 9:30").as_deref(), Some("30 9 24 12 *"));
        assert_eq!(date("09:00"), None);
    }
}
