//! Word banks: questions with answers in JSON, also with the statements of Koishi's word-core.

use serde_json::Value as Json;

use crate::answers::{self, Answer, Unit};
use crate::book::{Book, Rule, Value};
use crate::json::{self, Keys};
use crate::names::{self, Ids};
use crate::previous::Previous;
use crate::remark::{Place, Reason};
use crate::{ImportError, Input, tables};

/// With more plain questions than this, they are a table.
const IN_RULES: usize = 20;

/// Reads the files, one after the other.
pub(crate) fn read(inputs: &[&Input], book: &mut Book) -> Result<(), ImportError> {
    for input in inputs {
        let tree = json::read(input, book)?;
        let bank = tree.get("data").filter(|data| data.is_object()).unwrap_or(&tree);
        let Some(bank) = bank.as_object() else {
            return Err(input.bad(1, "a word bank is an object of questions and answers"));
        };
        let keys = Keys::of(input.text()?);
        let section = if inputs.len() > 1 { input.name.as_str() } else { "" };
        let mut units = Vec::new();
        for (question, answers, line) in keys.in_order(bank) {
            let place = book.item(input.name.as_str(), line);
            match unit(&place, question, answers, book) {
                Ok(unit) => units.push(Unit { section: section.to_owned(), ..unit }),
                Err(reason) => book.remark(&place, reason, question.as_str()),
            }
        }
        let (plain, rules): (Vec<Unit>, Vec<Unit>) = units.into_iter().partition(is_plain);
        let (table, rules) = if plain.len() > IN_RULES {
            (plain, rules)
        } else {
            (Vec::new(), [plain, rules].concat())
        };
        answers::write(rules, &Previous::default(), &mut Ids::default(), |_| Vec::new(), book);
        if !table.is_empty() {
            write_table(table, input, section, book);
        }
    }
    Ok(())
}

/// Whether a question is compared as a whole, and its answers are nothing but texts.
fn is_plain(unit: &Unit) -> bool {
    let exact = matches!(unit.rule.keys.as_slice(), [("exact", Value::Text(text))] if !text.contains(['|', '\n']));
    let is_text =
        |one: &Answer| one.set.is_empty() && one.add.is_empty() && !one.text.contains(['{', '}']);
    exact && unit.answers.iter().flatten().all(is_text)
}

/// Writes plain questions as a table of JSON beside `bot.toml`.
fn write_table(units: Vec<Unit>, input: &Input, section: &str, book: &mut Book) {
    let place = book.table(input.name.as_str(), units[0].rule.place.line, units.len());
    let mut table = serde_json::Map::new();
    for unit in units {
        let Some((_, Value::Text(question))) = unit.rule.keys.into_iter().next() else { continue };
        let answers = unit.answers.into_iter().flatten().map(|one| Json::String(one.text));
        table.insert(question, Json::Array(answers.collect()));
    }
    let name = tables::file_name(&input.name, "json", book);
    let rule = Rule { table: "table", ..Rule::new(place, &input.name) };
    book.section(section).rules.push(rule.with("file", Value::text(name.clone())));
    let text = serde_json::to_string_pretty(&Json::Object(table)).unwrap_or_default();
    book.files.push((name, (text + "\n").into_bytes()));
}

fn unit(place: &Place, question: &str, answers: &Json, book: &mut Book) -> Result<Unit, Reason> {
    let flag = |name: &str| answers.get(name).and_then(Json::as_bool).unwrap_or_default();
    let texts = json::texts(answers.get("reply").unwrap_or(answers));
    let question = question.trim();
    if question.is_empty() {
        return Err(Reason::Empty);
    }
    let mut all = Vec::new();
    let mut lost = None;
    for text in texts.iter().filter(|text| !text.trim().is_empty()) {
        match answer(text) {
            Ok(answer) => all.push(answer),
            Err(reason) => lost = Some((reason, text)),
        }
    }
    match (&lost, all.is_empty()) {
        (None, true) => return Err(Reason::Empty),
        (Some((reason, _)), true) => return Err(*reason),
        (Some((_, text)), false) => {
            book.remark(place, Reason::Options, format!("{question}: {text}"));
        }
        (None, false) => {}
    }
    let rule = Rule::new(place.clone(), question);
    let mut rule = if question.contains("(数)") {
        let pattern = names::in_pattern(&question.replace("(数)", "\u{0}")).ok_or(Reason::Form)?;
        rule.with("pattern", Value::text(pattern.replacen('\u{0}', "{number:int}", 1)))
    } else if ["(@)", "(*)", "(文)"].iter().any(|sign| question.contains(sign)) {
        return Err(Reason::Form);
    } else if flag("is_keyword") {
        rule.with("keyword", Value::text(question))
    } else {
        rule.with("exact", Value::text(question))
    };
    if flag("need_at") {
        rule.put("at_me", Value::Bool(true));
    }
    Ok(Unit { rule, section: String::new(), when: vec![], after: None, answers: vec![all] })
}

/// An answer with its statements.
fn answer(text: &str) -> Result<Answer, Reason> {
    let mut answer = Answer { weight: 1, ..Answer::default() };
    let mut rest = text;
    if text.contains("[CQ:image") || text.contains("<image") || text.contains("<img") {
        return Err(Reason::Media);
    }
    while let Some(at) = rest.find('(') {
        answer.text.push_str(&names::template(&rest[..at]));
        if rest[..at].ends_with('\\') {
            answer.text.pop();
            answer.text.push('(');
            rest = &rest[at + 1..];
            continue;
        }
        let end = rest[at..].find(')').map(|end| at + end);
        let inside = end.map(|end| &rest[at + 1..end]);
        match (inside.map(|inside| statement(inside, &mut answer)), end) {
            (Some(Some(said)), Some(end)) => {
                answer.text.push_str(&said?);
                rest = &rest[end + 1..];
            }
            _ => {
                answer.text.push('(');
                rest = &rest[at + 1..];
            }
        }
    }
    answer.text.push_str(&names::template(&rest.replace("\\)", ")")));
    answer.text = answer.text.trim().to_owned();
    Ok(answer)
}

/// The text of a statement; `None` if it is text in brackets.
fn statement(inside: &str, answer: &mut Answer) -> Option<Result<String, Reason>> {
    let mut parts = inside.split(':');
    let word = parts.next().unwrap_or_default();
    let parts: Vec<&str> = parts.collect();
    let number = |text: &str| text.trim().parse::<i64>().ok();
    Some(match (word, parts.as_slice()) {
        ("@this", []) => Ok("{sender}".into()),
        ("+" | "-", [item, amount]) => match number(amount) {
            Some(amount) => {
                let change = if word == "-" { -amount } else { amount };
                answer.add.push((names::variable(item), Value::Int(change)));
                Ok(amount.to_string())
            }
            None => Err(Reason::Form),
        },
        ("#", [item]) => Ok(format!("{{user.{}|0}}", names::variable(item))),
        ("~", [from, to]) => match (number(from), number(to)) {
            (Some(from), Some(to)) if from <= to => Ok(format!("{{random:{from}-{to}}}")),
            _ => Err(Reason::Form),
        },
        ("数", [_]) => Ok("{number}".into()),
        ("?" | "&" | "%" | "@" | "!" | "cd" | "算" | "time" | "+" | "-" | "#", [_, ..]) => {
            Err(Reason::Form)
        }
        ("#this" | "@that" | "#that", []) => Err(Reason::Form),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_names_and_actions() {
        let one = answer("(@this)抓到(+:鱼:2)条，共(#:鱼)（真的）(笑)").expect("answer");
        assert_eq!(one.text, "{sender}抓到2条，共{user.鱼|0}（真的）(笑)");
        assert_eq!(one.add, [("鱼".to_owned(), Value::Int(2))]);
        assert_eq!(answer("(算:1:+:2)"), Err(Reason::Form));
        assert_eq!(answer("a{b}").map(|one| one.text), Ok("a{{b}}".into()));
    }
}
