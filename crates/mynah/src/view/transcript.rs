//! A conversation of the sandbox written down as a `[[test]]`.

use std::fmt::Write;

use jiff::tz::TimeZone;

/// A line of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    /// Who said it; `None` for the bot.
    pub(super) from: Option<String>,
    /// What it is: `text`, or another kind of message.
    pub(super) kind: String,
    /// Its text, or the name of the file.
    pub(super) text: String,
    /// When, in milliseconds since 1970.
    pub(super) time: i64,
}

/// The test that plays this conversation: `group` is the group's name, or `None` in private.
pub(super) fn to_test(group: Option<&str>, lines: &[Line], zone: &TimeZone) -> String {
    let script = script(group, lines, zone);
    // Text in ''' needs no escapes, unless it holds the quotes themselves.
    if script.contains("'''") {
        let escaped = script.replace('\\', "\\\\").replace('"', "\\\"");
        format!("[[test]]\nscript = \"\"\"\n{escaped}\"\"\"\n")
    } else {
        format!("[[test]]\nscript = '''\n{script}'''\n")
    }
}

fn script(group: Option<&str>, lines: &[Line], zone: &TimeZone) -> String {
    let mut script = String::new();
    let mut now = None;
    let mut unanswered = false;
    for line in lines {
        match &line.from {
            None if now.is_some() => {
                let _ = writeln!(script, "> {}", content(line));
                unanswered = false;
            }
            // What the bot said first answers something before this part of the conversation.
            None => {}
            Some(from) => {
                if unanswered {
                    script.push_str("> -\n");
                }
                script.push_str(&passed(now, line.time, zone));
                now = Some(line.time);
                let place = group.map(|group| format!("{group}/")).unwrap_or_default();
                let _ = writeln!(script, "{place}{from}: {}", content(line));
                unanswered = true;
            }
        }
    }
    if unanswered {
        script.push_str("> -\n");
    }
    script
}

/// The line that sets the clock: the day and minute of the first message, then whole seconds that passed.
fn passed(before: Option<i64>, now: i64, zone: &TimeZone) -> String {
    match before {
        Some(before) => match (now - before) / 1000 {
            seconds if seconds > 0 => format!("+{seconds}s\n"),
            _ => String::new(),
        },
        None => jiff::Timestamp::from_millisecond(now).map_or_else(
            |_| String::new(),
            |at| format!("@ {}\n", at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M")),
        ),
    }
}

fn content(line: &Line) -> String {
    let text = line.text.replace(['\r', '\u{0}'], "").replace('\n', "\\n");
    match (line.kind.as_str(), line.from.is_some(), text.is_empty()) {
        ("text", ..) => text,
        (kind, true, _) | (kind, false, true) => format!("[{kind}]"),
        (kind, false, false) => format!("[{kind} {text}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(from: Option<&str>, kind: &str, text: &str, time: i64) -> Line {
        Line { from: from.map(str::to_owned), kind: kind.to_owned(), text: text.to_owned(), time }
    }

    #[test]
    fn a_conversation_becomes_a_test() {
        let noon = 1_795_406_400_000;
        let lines = [
            line(None, "text", "older", noon - 1),
            line(Some("张三"), "text", "多少钱", noon),
            line(None, "text", "一\n二", noon + 50),
            line(Some("李四"), "text", "聊聊", noon + 400),
            line(Some("李四"), "image", "a.png", noon + 61_400),
            line(None, "image", "menu.png", noon + 61_500),
        ];
        assert_eq!(
            to_test(Some("客户一群"), &lines, &TimeZone::UTC),
            "[[test]]\nscript = '''\n@ 2026-11-23 04:00\n客户一群/张三: 多少钱\n> 一\\n二\n客户一群/李四: 聊聊\n> -\n+61s\n\
             客户一群/李四: [image]\n> [image menu.png]\n'''\n"
        );
    }

    #[test]
    fn quotes_of_toml_in_a_text_are_escaped() {
        let test = to_test(None, &[line(Some("a"), "text", r#"'''"\"#, 0)], &TimeZone::UTC);
        let table: toml::Table = test.parse().unwrap();
        let script = table["test"][0]["script"].as_str().unwrap();
        assert!(script.contains(r#"a: '''"\"#), "{script}");
    }
}
