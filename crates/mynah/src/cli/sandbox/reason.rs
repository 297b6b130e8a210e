//! Why the bot answered a message or did not, in lines for the terminal.

use mynah_page::view::{StepRow, Why};
use mynah_rules::Lang;

use crate::testing::why;

/// Rules that are shown at most; those that matched are always shown.
const MOST: usize = 12;

/// Why a message got no answer, in one line.
pub(super) fn silence(why: &Why, lang: Lang) -> String {
    let reason = reason_of_silence(why, lang);
    match lang {
        Lang::En => format!("no answer: {reason}"),
        Lang::Zh => format!("没有回答：{reason}"),
    }
}

fn reason_of_silence(why: &Why, lang: Lang) -> String {
    let decided = why.decided.clone().unwrap_or_default();
    if let Some(reason) = &decided.passed_over {
        return why::passed_over(reason, lang);
    }
    if let Some(quiet) = why.deciding.iter().find(|step| step.verdict == "quiet") {
        return format!("{}: {}", quiet.rule, quiet.why);
    }
    if let Some(rule) = decided.rule {
        return match lang {
            Lang::En => format!("{rule} matched but has no reply"),
            Lang::Zh => format!("{rule} 匹配了，但没有回复"),
        };
    }
    match (why.steps().as_slice(), lang) {
        ([], Lang::En) => "no rule handles such a message".to_owned(),
        ([], Lang::Zh) => "没有针对这种消息的规则".to_owned(),
        ([only], _) => format!("{}: {}", only.rule, only.why),
        (_, Lang::En) => {
            format!("none of {} rules matched; /why shows what each lacks", why.looked_at())
        }
        (_, Lang::Zh) => {
            format!("{} 条规则都不匹配；输入 /why 看每条差在哪里", why.looked_at())
        }
    }
}

/// Each rule that was looked at, with its outcome.
pub(super) fn in_full(why: &Why, lang: Lang) -> String {
    let mut lines = Vec::new();
    if let Some(reason) = why.decided.as_ref().and_then(|decided| decided.passed_over.as_ref()) {
        lines.push(why::passed_over(reason, lang));
    }
    // Those that matched come first.
    let shown = why.steps().into_iter().take(MOST.max(why.deciding.len()));
    let before = lines.len();
    lines.extend(shown.map(line));
    let hidden = why.looked_at() - (lines.len() - before);
    if hidden > 0 {
        lines.push(match lang {
            Lang::En => format!("  … and {hidden} more rules that did not match"),
            Lang::Zh => format!("  ……还有 {hidden} 条不匹配的规则"),
        });
    }
    if lines.is_empty() {
        lines.push(silence(why, lang));
    }
    lines.join("\n")
}

fn line(step: &StepRow) -> String {
    let mark = if matches!(step.verdict, "acted" | "quiet" | "redirected" | "fetched") {
        '*'
    } else {
        ' '
    };
    let place = format!("{}:{}", step.file, step.line);
    let id = if step.rule == place { String::new() } else { format!(" ({})", step.rule) };
    format!("{mark} {place}{id}: {}", step.why)
}

#[cfg(test)]
mod tests {
    use mynah_core::Decided;
    use mynah_page::view::FoldRow;

    use super::*;

    fn step(line: u32, verdict: &'static str, why: &str) -> StepRow {
        StepRow {
            rule: format!("bot.toml:{line}"),
            file: "bot.toml".to_owned(),
            line,
            verdict,
            why: why.to_owned(),
            until: None,
        }
    }

    fn why(decided: Decided, steps: Vec<StepRow>) -> Why {
        let reached = |step: &StepRow| matches!(step.verdict, "acted" | "quiet");
        let (deciding, near) = steps.into_iter().partition(reached);
        Why { decided: Some(decided), deciding, near, ..Why::default() }
    }

    #[test]
    fn silence_has_a_reason() {
        let rule = |rule: &str| Decided { rule: Some(rule.to_owned()), ..Decided::default() };
        let passed =
            |why: &str| Decided { passed_over: Some(why.to_owned()), ..Decided::default() };
        let failed = || step(3, "failed", "keyword: expected a");
        for (decided, steps, expected) in [
            (passed("muted chat"), vec![failed()], "no answer: muted chat"),
            (
                rule("r"),
                vec![step(7, "quiet", "its cooldown runs")],
                "no answer: bot.toml:7: its cooldown runs",
            ),
            (
                rule("r"),
                vec![step(7, "acted", "answered")],
                "no answer: r matched but has no reply",
            ),
            (Decided::default(), vec![failed()], "no answer: bot.toml:3: keyword: expected a"),
            (
                Decided::default(),
                vec![failed(), failed()],
                "no answer: none of 2 rules matched; /why shows what each lacks",
            ),
            (Decided::default(), vec![], "no answer: no rule handles such a message"),
        ] {
            assert_eq!(silence(&why(decided, steps), Lang::En), expected);
        }
    }

    #[test]
    fn the_rule_that_answered_stands_first_and_the_folded_ones_are_counted() {
        let mut steps: Vec<StepRow> = (1..40).map(|line| step(line, "failed", "no")).collect();
        steps.push(step(40, "acted", "answered"));
        let fold = FoldRow {
            why: "for other events".to_owned(),
            count: 500,
            first: vec![step(41, "failed", "for other events")],
        };
        let why = Why { rest: vec![fold], ..why(Decided::default(), steps) };
        let told = in_full(&why, Lang::En);
        assert_eq!(told.lines().count(), MOST + 1, "{told}");
        assert!(told.starts_with("* bot.toml:40: answered"), "{told}");
        assert!(told.ends_with("528 more rules that did not match"), "{told}");
    }
}
