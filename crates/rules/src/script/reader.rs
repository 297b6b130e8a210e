//! Reads the lines of a script.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use mynah_core::{EventKind, MessageKind, Timestamp};

use super::{ChatName, Expected, FetchLine, ScriptEvent, ScriptMessage, What};
use crate::check::duration;
use crate::meant;
use crate::problem::BadLine;
use mynah_matching::regex;
use mynah_reader::closest;

/// Where a test begins that does not say when: a Monday noon.
const START: DateTime = DateTime::constant(2026, 11, 23, 12, 0, 0, 0);

/// A script: its start time, its lines, and the mistakes in others; places in bytes of the script.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) start: Timestamp,
    pub(crate) lines: Vec<(Range<usize>, What)>,
    pub(crate) mistakes: Vec<(Range<usize>, BadLine)>,
}

/// Reads a script.
pub(crate) fn parse(script: &str, zone: &TimeZone) -> Script {
    let mut lines = Vec::new();
    let mut mistakes = Vec::new();
    let mut at = 0;
    for whole in script.split_inclusive('\n') {
        let line = whole.trim();
        let start = at + (whole.len() - whole.trim_start().len());
        at += whole.len();
        if line.is_empty() || line == "#" || line.starts_with("# ") {
            continue;
        }
        let place = start..start + line.len();
        match read(line, zone) {
            Ok(what) => lines.push((place, what)),
            Err(mistake) => mistakes.push((place, mistake)),
        }
    }
    let start = beginning(&lines, zone);
    mistakes.extend(in_context(&lines, start, mistakes.first().map(|(place, _)| place.start)));
    if lines.is_empty() && mistakes.is_empty() {
        mistakes.push((0..script.len(), BadLine::Nothing));
    }
    Script { start, lines, mistakes }
}

/// When a test begins: at a `@` line before all others, else at the usual moment. A later `@` line only moves the clock.
fn beginning(lines: &[(Range<usize>, What)], zone: &TimeZone) -> Timestamp {
    match lines.first() {
        Some((_, What::Jump(at))) => *at,
        _ => moment(START, zone).unwrap_or_default(),
    }
}

/// Mistakes in the order of lines: replies before any message, jumps back in time.
///
/// After a line that could not be read, anything may have been said.
fn in_context(
    lines: &[(Range<usize>, What)],
    start: Timestamp,
    unread: Option<usize>,
) -> Vec<(Range<usize>, BadLine)> {
    let mut mistakes = Vec::new();
    let mut anything_said = false;
    let mut now = start;
    for (place, what) in lines {
        match what {
            What::Says { .. } | What::Happens { .. } => anything_said = true,
            What::Reply(_) | What::NoReply
                if !anything_said && unread.is_none_or(|unread| place.start < unread) =>
            {
                mistakes.push((place.clone(), BadLine::NothingSaid));
            }
            What::Wait(span) => now = now + *span,
            What::Jump(at) => {
                if *at < now {
                    mistakes.push((place.clone(), BadLine::Backwards));
                }
                now = *at;
            }
            What::Reply(_)
            | What::NoReply
            | What::Fetches(_)
            | What::Elsewhere { .. }
            | What::Runs { .. }
            | What::Accepts { .. }
            | What::Kicks { .. }
            | What::Mutes { .. }
            | What::Invites { .. }
            | What::Recalls { .. } => {}
        }
    }
    mistakes
}

fn read(line: &str, zone: &TimeZone) -> Result<What, BadLine> {
    as_written(line, zone).map_err(|mistake| wide_sign(line).unwrap_or(mistake))
}

fn as_written(line: &str, zone: &TimeZone) -> Result<What, BadLine> {
    if let Some(rest) = line.strip_prefix("=>") {
        return elsewhere(rest.trim());
    }
    if let Some(rest) = line.strip_prefix('>') {
        let rest = rest.trim();
        return if rest == "-" { Ok(What::NoReply) } else { expected(rest).map(What::Reply) };
    }
    if line.starts_with("~ ") {
        return FetchLine::parse(line).map(What::Fetches).ok_or(BadLine::Fetch);
    }
    if line.starts_with('～') && line.contains("://") {
        return Err(BadLine::FullWidth { found: '～', plain: "~" });
    }
    if let Some(rest) = line.strip_prefix("! ") {
        return happens(rest.trim());
    }
    if let Some(rest) = line.strip_prefix('+')
        && rest.trim_start().starts_with(|c: char| c.is_ascii_digit())
        && !rest.contains(':')
    {
        return duration(rest).map(What::Wait).map_err(BadLine::Span);
    }
    if let Some(rest) = line.strip_prefix("@ ") {
        return jump(rest.trim(), zone);
    }
    says(line)
}

fn jump(text: &str, zone: &TimeZone) -> Result<What, BadLine> {
    let bad = || BadLine::Moment(text.to_owned());
    let local = DateTime::strptime("%Y-%m-%d %H:%M", text)
        .or_else(|_| DateTime::strptime("%Y-%m-%d %H:%M:%S", text))
        .map_err(|_| bad())?;
    moment(local, zone).map(What::Jump).ok_or_else(bad)
}

fn moment(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let zoned = local.to_zoned(zone.clone()).ok()?;
    Some(Timestamp::from_millis(zoned.timestamp().as_millisecond()))
}

fn says(line: &str) -> Result<What, BadLine> {
    let (speaker, text) = split_speaker(line).ok_or(BadLine::Form)?;
    let (chat, who) = speaker_of(speaker)?;
    let said = match media(text) {
        Some((kind, _)) => ScriptMessage::Media(kind),
        None => ScriptMessage::Text(unescaped(text)),
    };
    Ok(What::Says { chat, who, said })
}

/// Splits at the colon after the speaker.
fn split_speaker(line: &str) -> Option<(&str, &str)> {
    // Where only a later colon is a plain one, as that of an address, the wide one before it was meant.
    let later = || line.split_once(':').filter(|(speaker, _)| !speaker.contains('：'));
    let (speaker, text) = line.split_once(": ").or_else(later)?;
    Some((speaker.trim(), text.trim()))
}

/// A sign of full width where a line needs the plain one, as Chinese keyboards write it.
fn wide_sign(line: &str) -> Option<BadLine> {
    let first = line.chars().next()?;
    let plain = match first {
        '＞' | '〉' | '》' => ">",
        '＝' => "=>",
        '＋' => "+",
        '＠' => "@",
        '！' => "!",
        '＃' => "#",
        '～' => "~",
        _ => {
            let is_wide = line.contains('：') && !line.contains(": ");
            return is_wide.then_some(BadLine::FullWidth { found: '：', plain: ":" });
        }
    };
    Some(BadLine::FullWidth { found: first, plain })
}

fn speaker_of(speaker: &str) -> Result<(ChatName, String), BadLine> {
    match speaker.rsplit_once('/') {
        Some((group, user)) if !group.trim().is_empty() && !user.trim().is_empty() => {
            Ok((ChatName::Group(group.trim().to_owned()), user.trim().to_owned()))
        }
        None if !speaker.is_empty() => {
            Ok((ChatName::Private(speaker.to_owned()), speaker.to_owned()))
        }
        _ => Err(BadLine::NoSpeaker),
    }
}

/// `[image]` or `[image menu.png]`. Other words in brackets are text: people write emoji so.
fn media(text: &str) -> Option<(MessageKind, Option<String>)> {
    let inside = text.strip_prefix('[')?.strip_suffix(']')?;
    let (word, name) =
        inside.split_once(' ').map_or((inside, None), |(word, name)| (word, Some(name.trim())));
    let kind = MessageKind::from_word(word).filter(|kind| *kind != MessageKind::Text)?;
    Some((kind, name.map(str::to_owned)))
}

/// A text of one line in which `\n` is a line break.
fn unescaped(text: &str) -> String {
    text.replace("\\n", "\n")
}

fn expected(text: &str) -> Result<Expected, BadLine> {
    if let Some(regex) = text.strip_prefix("re:") {
        let program = regex::exact(regex.trim()).map_err(|error| BadLine::Regex(error.kind))?;
        return Ok(Expected::Regex(Arc::new(program)));
    }
    Ok(match media(text) {
        Some((kind, name)) => Expected::Media { kind, name },
        None => Expected::Text(unescaped(text)),
    })
}

fn elsewhere(rest: &str) -> Result<What, BadLine> {
    if let Some(call) = rest.strip_prefix("run ") {
        return runs(call.trim());
    }
    if let Some(who) = rest.strip_prefix("accept ") {
        return Ok(What::Accepts { who: who.trim().to_owned() });
    }
    if let Some(what) = members(rest) {
        return what;
    }
    let (chat, text) = split_speaker(rest).ok_or(BadLine::Form)?;
    if chat.is_empty() {
        return Err(BadLine::NoSpeaker);
    }
    Ok(What::Elsewhere { chat: chat.to_owned(), said: expected(text)? })
}

/// `kick user`, `mute user 10m`, `invite user: group`, `recall user`. A chat may be called `kick club`, so a line with a
/// message is one to that chat.
fn members(rest: &str) -> Option<Result<What, BadLine>> {
    let (word, rest) = rest.split_once(char::is_whitespace)?;
    let rest = rest.trim();
    let named = |name: &str| {
        let name = name.trim();
        if name.is_empty() { Err(BadLine::NoSpeaker) } else { Ok(name.to_owned()) }
    };
    match word {
        "invite" => {
            let (who, group) = split_speaker(rest)?;
            let both = named(who).and_then(|who| Ok((who, named(group)?)));
            Some(both.map(|(who, group)| What::Invites { who, group }))
        }
        _ if rest.contains(": ") => None,
        "kick" => Some(named(rest).map(|who| What::Kicks { who })),
        "recall" => Some(named(rest).map(|who| What::Recalls { who })),
        "mute" => {
            let (who, lasts) = rest.rsplit_once(char::is_whitespace)?;
            let lasts = duration(lasts).map_err(BadLine::Span);
            Some(lasts.and_then(|lasts| Ok(What::Mutes { who: named(who)?, lasts })))
        }
        _ => None,
    }
}

fn runs(call: &str) -> Result<What, BadLine> {
    let (handler, captures) = match call.split_once('{') {
        Some((handler, rest)) => {
            (handler.trim(), rest.trim().strip_suffix('}').ok_or(BadLine::Form)?)
        }
        None => (call, ""),
    };
    if handler.is_empty() || handler.contains(char::is_whitespace) {
        return Err(BadLine::Form);
    }
    let mut given = BTreeMap::new();
    for pair in captures.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or(BadLine::Form)?;
        given.insert(name.trim().to_owned(), value.trim().to_owned());
    }
    Ok(What::Runs { handler: handler.to_owned(), captures: given })
}

fn happens(rest: &str) -> Result<What, BadLine> {
    let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let Some(kind) = EventKind::from_word(word) else {
        return Err(BadLine::Event { found: word.to_owned(), meant: meant_event(word) });
    };
    let (speaker, text) = split_speaker(rest).unwrap_or((rest.trim(), ""));
    let (chat, people) = people_of(speaker)?;
    let who = people.first().cloned().ok_or(BadLine::NoSpeaker)?;
    let in_group = matches!(chat, ChatName::Group(_));
    let said = || (!text.is_empty()).then(|| unescaped(text));
    if kind.needs_group() && !in_group {
        return Err(BadLine::EventNeedsGroup);
    }
    let event = match kind {
        EventKind::Join => ScriptEvent::Join(people),
        EventKind::Leave => ScriptEvent::Leave(people),
        EventKind::Rename => ScriptEvent::Rename(said().ok_or(BadLine::Form)?),
        EventKind::Recall => ScriptEvent::Recall(said()),
        EventKind::Pat => ScriptEvent::Pat,
        EventKind::RedPacket => ScriptEvent::RedPacket,
        EventKind::FriendRequest => ScriptEvent::FriendRequest(unescaped(text)),
    };
    Ok(What::Happens { chat, who, event })
}

/// The event that a word was probably meant as.
fn meant_event(word: &str) -> Option<&'static str> {
    let words = EventKind::WORDS;
    meant::word(word, words).or_else(|| closest(word, words.iter().copied()))
}

/// `group/user, user` or `user`.
fn people_of(text: &str) -> Result<(ChatName, Vec<String>), BadLine> {
    let (first, others) = text.split_once([',', '，', '、']).unwrap_or((text, ""));
    let (chat, who) = speaker_of(first.trim())?;
    let others = others.split([',', '，', '、']).map(str::trim).filter(|name| !name.is_empty());
    let people = std::iter::once(who).chain(others.map(str::to_owned));
    Ok((chat, people.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_utc(line: &str) -> Result<String, BadLine> {
        read(line, &TimeZone::UTC).map(|what| format!("{what:?}"))
    }

    #[test]
    fn every_form_of_a_line_is_read() {
        for (line, expected) in [
            (
                "客户一群/张三: 请问多少钱",
                r#"Says { chat: Group("客户一群"), who: "张三", said: Text("请问多少钱") }"#,
            ),
            (
                "李四: 订单：20261122",
                r#"Says { chat: Private("李四"), who: "李四", said: Text("订单：20261122") }"#,
            ),
            (
                r"李四: 一\n二",
                r#"Says { chat: Private("李四"), who: "李四", said: Text("一\n二") }"#,
            ),
            ("李四: [image]", r#"Says { chat: Private("李四"), who: "李四", said: Media(Image) }"#),
            (
                "李四: [微笑]",
                r#"Says { chat: Private("李四"), who: "李四", said: Text("[微笑]") }"#,
            ),
            ("> -", "NoReply"),
            ("> 好: 的", r#"Reply(Text("好: 的"))"#),
            ("> [image menu.png]", r#"Reply(Media { kind: Image, name: Some("menu.png") })"#),
            (
                "=> 管理群: 小明（车友一群）：代购",
                r#"Elsewhere { chat: "管理群", said: Text("小明（车友一群）：代购") }"#,
            ),
            (
                "=> run weather {city=上海}",
                r#"Runs { handler: "weather", captures: {"city": "上海"} }"#,
            ),
            ("=> run weather", r#"Runs { handler: "weather", captures: {} }"#),
            ("=> accept 小明", r#"Accepts { who: "小明" }"#),
            ("=> kick 小明", r#"Kicks { who: "小明" }"#),
            ("=> kick club: hi", r#"Elsewhere { chat: "kick club", said: Text("hi") }"#),
            ("=> recall 小 明", r#"Recalls { who: "小 明" }"#),
            ("=> mute 小明 10m", r#"Mutes { who: "小明", lasts: 600s }"#),
            ("=> invite 小明: 车友二群", r#"Invites { who: "小明", group: "车友二群" }"#),
            (
                "~ GET https://a.example/ -> 204",
                r#"Fetches(FetchLine { request: "GET https://a.example/", outcome: Answer { status: 204, body: "" } })"#,
            ),
            ("+31s", "Wait(31s)"),
            ("@ 1970-01-01 00:01", "Jump(Timestamp(60000))"),
            (
                "! join 车友一群/小明, 小红",
                r#"Happens { chat: Group("车友一群"), who: "小明", event: Join(["小明", "小红"]) }"#,
            ),
            (
                "! rename 群/甲: 新群",
                r#"Happens { chat: Group("群"), who: "甲", event: Rename("新群") }"#,
            ),
            ("! recall 群/甲", r#"Happens { chat: Group("群"), who: "甲", event: Recall(None) }"#),
            ("! pat 甲", r#"Happens { chat: Private("甲"), who: "甲", event: Pat }"#),
            (
                "! friend_request 小明: 车友",
                r#"Happens { chat: Private("小明"), who: "小明", event: FriendRequest("车友") }"#,
            ),
        ] {
            assert_eq!(read_utc(line).as_deref(), Ok(expected), "{line}");
        }
    }

    #[test]
    fn other_lines_are_mistakes() {
        for (line, mistake) in [
            ("hello", BadLine::Form),
            ("~ GET https://a.example/", BadLine::Fetch),
            ("～ GET https://a.example/ -> 200", BadLine::FullWidth { found: '～', plain: "~" }),
            ("群/甲：在吗", BadLine::FullWidth { found: '：', plain: ":" }),
            ("甲：看 http://example.com", BadLine::FullWidth { found: '：', plain: ":" }),
            ("＞ 好", BadLine::FullWidth { found: '＞', plain: ">" }),
            ("＋31s", BadLine::FullWidth { found: '＋', plain: "+" }),
            (": hello", BadLine::NoSpeaker),
            ("群/: hello", BadLine::NoSpeaker),
            ("! joyn 群/甲", BadLine::Event { found: "joyn".to_owned(), meant: Some("join") }),
            ("! join 甲", BadLine::EventNeedsGroup),
            ("! rename 群/甲", BadLine::Form),
            ("@ tomorrow", BadLine::Moment("tomorrow".to_owned())),
            ("=> run", BadLine::Form),
            ("=> nothing", BadLine::Form),
            ("=> kick", BadLine::Form),
            ("=> mute 小明", BadLine::Form),
            ("=> invite 小明", BadLine::Form),
            ("=> invite 小明：群", BadLine::FullWidth { found: '：', plain: ":" }),
        ] {
            assert_eq!(read_utc(line), Err(mistake), "{line}");
        }
        assert!(matches!(read_utc("+31"), Err(BadLine::Span(_))));
        assert!(matches!(read_utc("=> mute 小明 10"), Err(BadLine::Span(_))));
        assert!(matches!(read_utc("> re: ("), Err(BadLine::Regex(_))));
    }

    #[test]
    fn a_moment_before_all_other_lines_is_the_beginning_and_a_later_one_moves_the_clock() {
        let script = parse(
            "@ 1970-01-01 00:01\n\n# note\n甲: hi\n+1m\n@ 1970-01-01 00:01\n",
            &TimeZone::UTC,
        );
        assert_eq!(script.start, Timestamp::from_secs(60));
        assert_eq!(script.lines.len(), 4);
        assert_eq!(script.mistakes, [(39..57, BadLine::Backwards)]);
        let later = parse("甲: hi\n@ 2026-11-23 12:01\n甲: hi\n", &TimeZone::UTC);
        assert_eq!(later.start, moment(START, &TimeZone::UTC).expect("a moment"));
        assert!(later.mistakes.is_empty(), "{:?}", later.mistakes);
        let before = parse("甲: hi\n@ 2026-11-23 11:59\n", &TimeZone::UTC);
        assert_eq!(before.mistakes, [(8..26, BadLine::Backwards)]);
        let early = parse("> hi", &TimeZone::UTC);
        assert_eq!(early.mistakes, [(0..4, BadLine::NothingSaid)]);
        assert_eq!(parse("\n", &TimeZone::UTC).mistakes, [(0..1, BadLine::Nothing)]);
    }
}
