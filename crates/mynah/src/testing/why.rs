//! Why a rule answered or did not, in one line for people and as JSON for tools.

use std::time::Duration;

use mynah_core::{Quiet, Words};
use mynah_rules::{Lang, OpenDialog, RuleRef, Verdict};
use serde::Serialize;

use super::lacking;
use crate::cli::print::on_one_line;

/// One rule and its outcome, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Why {
    rule: String,
    file: String,
    line: u32,
    /// `off`, `failed`, `redirected`, `fetched`, `quiet` or `acted`.
    verdict: &'static str,
    /// The key of the condition that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<&'static str>,
    #[serde(rename = "wanted", skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    #[serde(rename = "saw", skip_serializing_if = "Option::is_none")]
    actual: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    brake: Option<Quiet>,
    /// How far the dialog is.
    #[serde(skip_serializing_if = "Option::is_none")]
    dialog: Option<Progress>,
    /// Why the request had no good answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Words>,
    /// How long the brake still holds, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_ms: Option<u64>,
    /// Whether the search went on.
    goes_on: bool,
}

/// How far a dialog is after a message, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
enum Progress {
    /// It ended.
    Ended { ended: bool },
    /// This question is open.
    Open { question: usize, of: usize, step: Option<String> },
}

impl Progress {
    fn of(open: Option<&OpenDialog>) -> Self {
        open.map_or(Self::Ended { ended: true }, |open| Self::Open {
            question: open.question,
            of: open.of,
            step: open.step.clone(),
        })
    }

    fn words(&self, lang: Lang) -> String {
        let Self::Open { question, of, step } = self else {
            return match lang {
                Lang::En => "the dialog ended".to_owned(),
                Lang::Zh => "对话结束".to_owned(),
            };
        };
        let step = step.as_deref().map(on_one_line);
        match lang {
            Lang::En => {
                let step = step.map(|step| format!(" ({step})")).unwrap_or_default();
                format!("question {question} of {of}{step} waits for an answer")
            }
            Lang::Zh => {
                let step = step.map(|step| format!("（{step}）")).unwrap_or_default();
                format!("等第 {question} 问{step}的回答，共 {of} 问")
            }
        }
    }
}

impl Why {
    /// Whether the rule does not match, or is switched off.
    pub(crate) fn is_failed(&self) -> bool {
        matches!(self.verdict, "failed" | "off")
    }

    /// The outcome of a rule.
    pub(crate) fn of(rule: &RuleRef, verdict: &Verdict) -> Self {
        let mut why = Self {
            rule: rule.id.to_string(),
            file: rule.file.to_string(),
            line: rule.line,
            verdict: "off",
            condition: None,
            expected: None,
            actual: None,
            brake: None,
            dialog: None,
            left_ms: None,
            failure: None,
            goes_on: true,
        };
        match verdict {
            Verdict::Off => {}
            Verdict::Failed(failed) => {
                why.verdict = "failed";
                why.condition = Some(failed.key);
                why.expected = Some(failed.expected.clone());
                why.actual = Some(failed.actual.clone());
            }
            Verdict::Quiet { brake, left, goes_on } => {
                why.verdict = "quiet";
                why.brake = Some(*brake);
                why.left_ms = left.map(|left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
                why.goes_on = *goes_on;
            }
            Verdict::Redirected { sentence } => {
                why.verdict = "redirected";
                why.actual = Some(sentence.clone());
            }
            Verdict::Fetched(note) => {
                why.verdict = "fetched";
                why.expected = Some(note.request.clone());
                why.failure.clone_from(&note.failure);
            }
            Verdict::InDialog { open } => {
                why.verdict = "acted";
                why.dialog = Some(Progress::of(open.as_deref()));
                why.goes_on = false;
            }
            Verdict::Acted { goes_on } => {
                why.verdict = "acted";
                why.goes_on = *goes_on;
            }
        }
        why
    }

    /// The id of the rule, or `file:line`.
    pub(crate) fn rule(&self) -> &str {
        &self.rule
    }

    /// The outcome of the rule: `off`, `failed`, `redirected`, `fetched`, `quiet` or `acted`.
    pub(crate) const fn verdict(&self) -> &'static str {
        self.verdict
    }

    /// Whether the rule matched.
    pub(crate) fn matched(&self) -> bool {
        matches!(self.verdict, "quiet" | "acted" | "redirected" | "fetched")
    }

    /// The whole line for people, without the line end.
    pub(crate) fn line(&self, lang: Lang) -> String {
        let mark = if self.matched() { '*' } else { ' ' };
        let place = format!("{}:{}", self.file, self.line);
        let id = if self.rule == place { String::new() } else { format!(" ({})", self.rule) };
        format!("{mark} {place}{id}: {}", self.reason(lang))
    }

    /// The reason of the outcome.
    pub(crate) fn reason(&self, lang: Lang) -> String {
        let go_on = match (self.goes_on, lang) {
            (false, _) => "",
            (true, Lang::En) => ", and the search goes on",
            (true, Lang::Zh) => "，并继续往下找",
        };
        match (self.verdict, self.condition, lang) {
            ("failed", Some(key), _) => self.failed(key, lang),
            ("quiet", _, _) => self.quiet(lang) + go_on,
            ("redirected", ..) => self.redirected(lang),
            ("fetched", ..) => self.fetched(lang),
            ("acted", _, Lang::En) => format!("answered{go_on}{}", self.progress(lang)),
            ("acted", _, Lang::Zh) => format!("回答了{go_on}{}", self.progress(lang)),
            (_, _, Lang::En) => "switched off".to_owned(),
            (_, _, Lang::Zh) => "已关闭".to_owned(),
        }
    }

    /// The reason of rules that failed on this condition; `None` for those that are switched off.
    pub(crate) fn lacking(key: Option<&str>, lang: Lang) -> String {
        match (key, lang) {
            (Some(key), _) => lacking::in_short(key, lang),
            (None, Lang::En) => "switched off".to_owned(),
            (None, Lang::Zh) => "已关闭".to_owned(),
        }
    }

    fn failed(&self, key: &str, lang: Lang) -> String {
        let text = |text: &Option<String>| on_one_line(text.as_deref().unwrap_or_default());
        lacking::in_full(key, &text(&self.expected), &text(&self.actual), lang)
    }

    fn redirected(&self, lang: Lang) -> String {
        let sentence = on_one_line(self.actual.as_deref().unwrap_or_default());
        match lang {
            Lang::En => format!("searched as \"{sentence}\""),
            Lang::Zh => format!("改按“{sentence}”查找"),
        }
    }

    /// The request and its outcome.
    fn fetched(&self, lang: Lang) -> String {
        let request = self.expected.as_deref().unwrap_or_default();
        let failure = self.failure.as_ref().map(|words| words.of(lang));
        match (lang, failure) {
            (Lang::En, None) => format!("asked {request}"),
            (Lang::En, Some(failure)) => format!("asked {request}, in vain: {failure}"),
            (Lang::Zh, None) => format!("请求了 {request}"),
            (Lang::Zh, Some(failure)) => format!("请求了 {request}，没有成功：{failure}"),
        }
    }

    fn progress(&self, lang: Lang) -> String {
        let semicolon = match lang {
            Lang::En => "; ",
            Lang::Zh => "；",
        };
        let dialog = self.dialog.as_ref();
        dialog.map(|dialog| format!("{semicolon}{}", dialog.words(lang))).unwrap_or_default()
    }

    fn quiet(&self, lang: Lang) -> String {
        let left = self.left_ms.map(rounded);
        if self.brake == Some(Quiet::Fetch) {
            // It is not quiet if it has a `fetch_reply`.
            return match lang {
                Lang::En => {
                    "matched, but its request failed, so its actions did not run".to_owned()
                }
                Lang::Zh => "匹配，但请求失败，没有执行它的动作".to_owned(),
            };
        }
        match lang {
            Lang::En => {
                let brake = match self.brake {
                    Some(Quiet::Cooldown) => "its cooldown",
                    Some(Quiet::Limit) => "its limit",
                    Some(Quiet::Hours) => "the quiet hours",
                    Some(Quiet::Mute | Quiet::Fetch) | None => "a muted chat",
                };
                let left = left.map(|left| format!(" for another {left}")).unwrap_or_default();
                let verb = if self.brake == Some(Quiet::Hours) { "keep" } else { "keeps" };
                format!("matched, but {brake} {verb} it quiet{left}")
            }
            Lang::Zh => {
                let brake = match self.brake {
                    Some(Quiet::Cooldown) => "还在冷却",
                    Some(Quiet::Limit) => "次数用完",
                    Some(Quiet::Hours) => "现在是安静时段",
                    Some(Quiet::Mute | Quiet::Fetch) | None => "会话已静音",
                };
                let left = left.map(|left| format!("，还剩 {left}")).unwrap_or_default();
                format!("匹配，但{brake}{left}")
            }
        }
    }
}

/// Why no rule was asked about an event, in words of the rule book made plainer.
pub(crate) fn passed_over(reason: &str, lang: Lang) -> String {
    let (en, zh) = match reason {
        "own message" => ("sent by the bot itself", "是机器人自己发的"),
        "recalled message" => ("recalled before the bot came to it", "机器人处理之前已被撤回"),
        "official account" => ("sent by an official account", "来自公众号"),
        "message of the service" => ("a message of the service", "是系统消息"),
        "chat not looked at" => (
            "this chat is not handled; see groups and private in [bot]",
            "不处理这个会话；见 [bot] 的 groups 和 private",
        ),
        "ignored person" => {
            ("ignored person; see ignore in [bot]", "已忽略这个人；见 [bot] 的 ignore")
        }
        "limit of a handler" => ("the limit of the handler is used up", "处理器的次数已用完"),
        other => return other.to_owned(),
    };
    match lang {
        Lang::En => en.to_owned(),
        Lang::Zh => zh.to_owned(),
    }
}

/// A time as people say it: two units at most.
fn rounded(millis: u64) -> String {
    let seconds = Duration::from_millis(millis).as_secs_f64().ceil();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative")]
    let seconds = seconds as u64;
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
    let parts = [(days, 'd'), (hours, 'h'), (minutes, 'm'), (rest, 's')];
    let shown = parts.iter().skip_while(|(count, _)| *count == 0).take(2);
    let text: Vec<String> = shown.map(|(count, unit)| format!("{count}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text.join(" ") }
}

#[cfg(test)]
mod tests {
    use mynah_rules::Failed;

    use super::*;

    #[test]
    fn every_verdict_reads_as_a_sentence() {
        let rule = |id: &str| RuleRef { id: id.into(), file: "bot.toml".into(), line: 7 };
        let failed = Verdict::Failed(Failed {
            key: "keyword",
            expected: "价格, 多少钱".to_owned(),
            actual: "随便聊聊".to_owned(),
        });
        let quiet = Verdict::Quiet {
            brake: Quiet::Cooldown,
            left: Some(Duration::from_millis(60_001)),
            goes_on: false,
        };
        let open = OpenDialog {
            id: "order".to_owned(),
            question: 2,
            of: 3,
            step: Some("pay".to_owned()),
            until: None,
            answers: std::collections::BTreeMap::new(),
        };
        for (rule, verdict, expected) in [
            (
                rule("order"),
                Verdict::InDialog { open: Some(Box::new(open)) },
                "* bot.toml:7 (order): answered; question 2 of 3 (pay) waits for an answer",
            ),
            (
                rule("order"),
                Verdict::InDialog { open: None },
                "* bot.toml:7 (order): answered; the dialog ended",
            ),
            (rule("bot.toml:7"), Verdict::Off, "  bot.toml:7: switched off"),
            (
                rule("price"),
                failed,
                "  bot.toml:7 (price): keyword: expected 价格, 多少钱; got \"随便聊聊\"",
            ),
            (
                rule("bot.toml:7"),
                Verdict::Quiet { brake: Quiet::Fetch, left: None, goes_on: false },
                "* bot.toml:7: matched, but its request failed, so its actions did not run",
            ),
            (
                rule("bot.toml:7"),
                quiet,
                "* bot.toml:7: matched, but its cooldown keeps it quiet for another 1m 1s",
            ),
            (
                rule("bot.toml:7"),
                Verdict::Acted { goes_on: true },
                "* bot.toml:7: answered, and the search goes on",
            ),
            (
                rule("city"),
                Verdict::Redirected { sentence: "天气 上海".to_owned() },
                "* bot.toml:7 (city): searched as \"天气 上海\"",
            ),
        ] {
            assert_eq!(Why::of(&rule, &verdict).line(Lang::En), expected);
        }
    }

    #[test]
    fn times_are_rounded_up_to_two_units() {
        for (millis, expected) in
            [(0, "0s"), (1, "1s"), (9_999, "10s"), (3_600_000, "1h 0m"), (90_061_000, "1d 1h")]
        {
            assert_eq!(rounded(millis), expected);
        }
    }
}
