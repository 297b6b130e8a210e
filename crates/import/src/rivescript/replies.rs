//! Answers with their tags, as templates and actions.

use super::script::{Script, without_weight};
use super::triggers::{Star, Stars};
use crate::answers::Answer;
use crate::book::Value;
use crate::names;
use crate::remark::Reason;

/// An answer has at most so many forms once its random parts are written out.
const MOST_FORMS: usize = 40;

/// An answer has at most so many `{random}`, one inside another or not.
const MOST_RANDOM: usize = 100;

/// Tags may be nested so deep.
const DEPTH: usize = 16;

/// Reads an answer. Random parts that have tags make several answers of it.
pub(super) fn read(
    text: &str,
    stars: &Stars,
    script: &Script,
    remark: &mut dyn FnMut(Reason),
) -> Result<Vec<Answer>, Reason> {
    let (text, weight) = take_weight(text);
    let forms = forms(&text, script)?;
    let mut answers = Vec::new();
    for form in forms {
        let mut reader = Reader {
            stars,
            script,
            remark: &mut *remark,
            answer: Answer { weight, ..Answer::default() },
        };
        let text = reader.text(&form, 0)?;
        let mut answer = reader.answer;
        answer.text = text.trim_matches(' ').to_owned();
        if answer.answer_as.is_some() && !answer.text.is_empty() {
            remark(Reason::Separate);
        }
        if answer.text.is_empty()
            && answer.answer_as.is_none()
            && answer.set.is_empty()
            && answer.add.is_empty()
        {
            return Err(Reason::Empty);
        }
        answers.push(answer);
    }
    Ok(answers)
}

fn take_weight(text: &str) -> (String, u32) {
    if text.contains("{weight=") { without_weight(text) } else { (text.to_owned(), 1) }
}

/// A condition `<get x> == y => answer`: the restriction, and the answer.
pub(super) fn condition(text: &str, stars: &Stars) -> Result<((String, Value), String), Reason> {
    let (test, answer) = text.split_once("=>").ok_or(Reason::Unreadable)?;
    let signs = [" == ", " eq ", " != ", " ne ", " <> ", " <= ", " >= ", " < ", " > "];
    let found = signs.iter().filter_map(|sign| test.find(sign).map(|at| (at, *sign))).min();
    let (at, sign) = found.ok_or(Reason::Unreadable)?;
    let name = compared(test[..at].trim(), stars)?;
    let value = test[at + sign.len()..].trim();
    let value = match star_number(value) {
        Some(number) => stars.template(number, false),
        None if value.contains(['<', '>', '{']) => return Err(Reason::Form),
        None => names::template(value),
    };
    let is_number = value.parse::<f64>().is_ok() || value.starts_with('{');
    let restriction = match sign.trim() {
        "==" | "eq" if value == "undefined" => Value::text(""),
        "!=" | "ne" | "<>" if value == "undefined" => Value::text("!="),
        "==" | "eq" if value.starts_with(['!', '=']) || value.contains("..") => {
            return Err(Reason::Form);
        }
        "==" | "eq" => Value::Text(value),
        "!=" | "ne" | "<>" => Value::Text(format!("!= {value}")),
        side if is_number => Value::Text(format!("{side} {value}")),
        _ => return Err(Reason::Form),
    };
    Ok(((name, restriction), answer.trim().to_owned()))
}

/// The name of the left side of a condition.
fn compared(tag: &str, stars: &Stars) -> Result<String, Reason> {
    if let Some(number) = star_number(tag) {
        return match stars.stars.get(number - 1) {
            Some(Star::Words(name) | Star::Number(name)) => Ok(name.clone()),
            _ => Err(Reason::Form),
        };
    }
    let inside = tag.strip_prefix('<').and_then(|tag| tag.strip_suffix('>')).ok_or(Reason::Form)?;
    match inside.split_once(' ') {
        Some(("get", name)) => Ok(names::variable(name)),
        Some(("bot", name)) => Ok(format!("bot.{}", names::variable(name))),
        Some(("env", name)) => Ok(format!("bot.{}", super::env(name))),
        _ => Err(Reason::Form),
    }
}

/// The number of `<star>`, `<star2>`.
fn star_number(tag: &str) -> Option<usize> {
    let inside = tag.strip_prefix("<star")?.strip_suffix('>')?;
    if inside.is_empty() { Some(1) } else { inside.parse().ok().filter(|number| *number > 0) }
}

/// The forms of an answer: random parts and arrays that have tags are written out.
fn forms(text: &str, script: &Script) -> Result<Vec<String>, Reason> {
    if text.matches("{random}").count() > MOST_RANDOM {
        return Err(Reason::Form);
    }
    let mut done = Vec::new();
    let mut open = vec![text.to_owned()];
    while let Some(text) = open.pop() {
        match first_choice(&text, script) {
            None => done.push(text),
            Some((range, items)) => open.extend(
                items
                    .iter()
                    .rev()
                    .map(|item| format!("{}{item}{}", &text[..range.start], &text[range.end..])),
            ),
        }
        if done.len() + open.len() > MOST_FORMS {
            return Err(Reason::Form);
        }
    }
    Ok(done)
}

/// The first choice whose items have tags.
fn first_choice(text: &str, script: &Script) -> Option<(std::ops::Range<usize>, Vec<String>)> {
    let has_tags = |items: &[String]| items.iter().any(|item| item.contains(['<', '{']));
    let (open, close) = ("{random}", "{/random}");
    let mut from = 0;
    while let Some(at) = text[from..].find(open).map(|at| from + at) {
        let begin = at + open.len();
        let end = begin + text[begin..].find(close)?;
        let items = choices(&text[begin..end]);
        if has_tags(&items) {
            return Some((at..end + close.len(), items));
        }
        from = end;
    }
    let mut from = 0;
    while let Some(at) = text[from..].find("(@").map(|at| from + at) {
        let Some(end) = text[at..].find(')').map(|end| at + end) else { break };
        if let Some(items) = script.arrays.get(&text[at + 2..end])
            && has_tags(items)
        {
            return Some((at..end + 1, items.clone()));
        }
        from = end;
    }
    None
}

/// The items of `{random}`: with `|` between them, else with blanks.
fn choices(inside: &str) -> Vec<String> {
    if inside.contains('|') {
        inside.split('|').map(str::to_owned).collect()
    } else {
        inside.split_whitespace().map(str::to_owned).collect()
    }
}

impl Stars {
    /// A star as a template. RiveScript compares and repeats messages in small letters.
    pub(super) fn template(&self, number: usize, lower: bool) -> String {
        match self.stars.get(number - 1) {
            Some(Star::Words(name)) if lower => format!("{{lower:{name}}}"),
            Some(Star::Words(name) | Star::Number(name)) => format!("{{{name}}}"),
            Some(Star::Fixed(text)) => names::template(text),
            None => "undefined".to_owned(),
        }
    }
}

/// How words are put: `{formal}`, `{sentence}`, `{uppercase}`, `{lowercase}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Put {
    Formal,
    Sentence,
    Upper,
    Lower,
}

impl Put {
    fn named(name: &str) -> Option<Self> {
        match name {
            "formal" => Some(Self::Formal),
            "sentence" => Some(Self::Sentence),
            "uppercase" => Some(Self::Upper),
            "lowercase" => Some(Self::Lower),
            _ => None,
        }
    }

    fn of(self, text: &str) -> String {
        let capital = |word: &str| {
            let mut chars = word.chars();
            let first = chars.next().into_iter().flat_map(char::to_uppercase);
            first.chain(chars.as_str().to_lowercase().chars()).collect::<String>()
        };
        match self {
            Self::Formal => text.split(' ').map(capital).collect::<Vec<_>>().join(" "),
            Self::Sentence => capital(text),
            Self::Upper => text.to_uppercase(),
            Self::Lower => text.to_lowercase(),
        }
    }
}

/// Reads the tags of an answer.
struct Reader<'r> {
    stars: &'r Stars,
    script: &'r Script,
    remark: &'r mut dyn FnMut(Reason),
    answer: Answer,
}

impl Reader<'_> {
    /// The template of a text; actions go into the answer.
    fn text(&mut self, text: &str, depth: usize) -> Result<String, Reason> {
        if depth > DEPTH {
            return Err(Reason::Form);
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if self.answer.answer_as.is_some() && !c.is_whitespace() && depth == 0 {
                // Words behind a redirect would come before its answer.
                if !rest.starts_with("{topic=") && !rest.starts_with("<set ") {
                    return Err(Reason::SeveralRedirects);
                }
            }
            let length = match c {
                '\\' => self.escape(rest, &mut out),
                '<' => self.tag(rest, &mut out, depth)?,
                '{' => self.brace(rest, &mut out, depth)?,
                '(' if rest.starts_with("(@") => self.array(rest, &mut out),
                '}' => {
                    out.push_str("}}");
                    1
                }
                c => {
                    out.push(c);
                    c.len_utf8()
                }
            };
            rest = &rest[length..];
        }
        Ok(out)
    }

    fn escape(&mut self, rest: &str, out: &mut String) -> usize {
        let sign = match rest.as_bytes().get(1) {
            Some(b's') => ' ',
            Some(b'n') => '\n',
            Some(b'#') => '#',
            _ => {
                out.push('\\');
                return 1;
            }
        };
        out.push(sign);
        2
    }

    /// `(@name)`: one of the items.
    fn array(&mut self, rest: &str, out: &mut String) -> usize {
        let end = rest.find(')').unwrap_or_default();
        let items = if end > 2 { self.script.arrays.get(&rest[2..end]) } else { None };
        match items {
            Some(items) => {
                out.push_str(&random(items));
                end + 1
            }
            None => {
                out.push('(');
                1
            }
        }
    }

    /// `{…}`, and its length.
    fn brace(&mut self, rest: &str, out: &mut String, depth: usize) -> Result<usize, Reason> {
        let Some(end) = closing(rest, '{', '}') else {
            out.push_str("{{");
            return Ok(1);
        };
        let inside = &rest[1..end];
        if let Some(target) = inside.strip_prefix('@') {
            self.redirect(target)?;
        } else if let Some(topic) = inside.strip_prefix("topic=") {
            self.answer.set.push(("topic".into(), names::template(topic.trim())));
        } else if inside == "random" || Put::named(inside).is_some() {
            let close = format!("{{/{inside}}}");
            let begin = end + 1;
            let length = rest[begin..].find(&close).ok_or(Reason::Unreadable)?;
            let content = &rest[begin..begin + length];
            match Put::named(inside) {
                None => out.push_str(&random(&choices(content))),
                Some(put) => out.push_str(&self.put(put, content, depth)?),
            }
            return Ok(begin + length + close.len());
        } else if inside == "ok" || inside.starts_with('!') || inside.starts_with("call") {
            return Err(Reason::Form);
        } else {
            out.push_str("{{");
            return Ok(1);
        }
        Ok(end + 1)
    }

    /// Words in capitals or small letters.
    fn put(&mut self, put: Put, content: &str, depth: usize) -> Result<String, Reason> {
        if let Some(inside) = content.strip_prefix("(@").and_then(|text| text.strip_suffix(')'))
            && let Some(items) = self.script.arrays.get(inside)
        {
            return Ok(random(&items.iter().map(|item| put.of(item)).collect::<Vec<_>>()));
        }
        let text = self.text(content, depth + 1)?;
        if !text.contains('{') {
            return Ok(put.of(&text));
        }
        let name = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
        let name = name.filter(|name| !name.contains(['{', '|']));
        let name = name.map(|name| name.strip_prefix("lower:").unwrap_or(name).to_owned());
        match (put, name) {
            (Put::Upper, Some(name)) => Ok(format!("{{upper:{name}}}")),
            (Put::Lower, Some(name)) => Ok(format!("{{lower:{name}}}")),
            (_, name) => {
                (self.remark)(Reason::Case);
                Ok(name.map_or(text, |name| format!("{{{name}}}")))
            }
        }
    }

    /// `{@sentence}`: only words of the message may stand in it.
    fn redirect(&mut self, target: &str) -> Result<(), Reason> {
        if self.answer.answer_as.is_some() {
            return Err(Reason::SeveralRedirects);
        }
        let mut sentence = String::new();
        let mut rest = target.trim();
        while let Some(at) = rest.find('<') {
            let end = rest[at..].find('>').ok_or(Reason::Unreadable)? + at;
            sentence.push_str(&names::template(&rest[..at]));
            let tag = &rest[at..=end];
            match (star_number(tag), tag) {
                (Some(number), _) => sentence.push_str(&self.stars.template(number, false)),
                (None, "<person>") => sentence.push_str(&self.stars.template(1, false)),
                (None, "<input>") => sentence.push_str("{text}"),
                (None, tag) => {
                    match tag.strip_prefix("<bot ").and_then(|tag| tag.strip_suffix('>')) {
                        // A property that no rule changes is a fixed text.
                        Some(name) => {
                            let value = self
                                .script
                                .vars
                                .get(name.trim())
                                .map_or("undefined", String::as_str);
                            sentence.push_str(&names::template(value));
                        }
                        None => return Err(Reason::Stored),
                    }
                }
            }
            rest = &rest[end + 1..];
        }
        sentence.push_str(&names::template(rest));
        if sentence.trim().is_empty() {
            return Err(Reason::Empty);
        }
        self.answer.answer_as = Some(sentence.trim().to_owned());
        Ok(())
    }

    /// `<…>`, and its length. A tag of no meaning here is text: web pages are made of them.
    fn tag(&mut self, rest: &str, out: &mut String, depth: usize) -> Result<usize, Reason> {
        let Some(end) = closing(rest, '<', '>') else {
            out.push('<');
            return Ok(1);
        };
        let inside = &rest[1..end];
        if let Some(number) = star_number(&rest[..=end]) {
            out.push_str(&self.stars.template(number, true));
            return Ok(end + 1);
        }
        if let Some(put) = Put::named(inside) {
            out.push_str(&self.put(put, "<star>", depth)?);
            return Ok(end + 1);
        }
        match inside {
            "@" => self.redirect("<star>")?,
            "person" => {
                if self.script.persons > 0 {
                    (self.remark)(Reason::Pronouns);
                }
                out.push_str(&self.stars.template(1, true));
            }
            "input" | "input1" => out.push_str("{text}"),
            "id" => out.push_str("{sender}"),
            "bot" | "get" | "env" => return Err(Reason::Unreadable),
            other if other.starts_with("call") => return Err(Reason::Code),
            other
                if other.starts_with("reply")
                    || other.starts_with("botstar")
                    || other.starts_with("input") =>
            {
                return Err(Reason::OwnWords);
            }
            other => match other.split_once(' ') {
                Some((verb, argument)) if self.variable(verb, argument, out, depth)? => {}
                _ => {
                    out.push('<');
                    return Ok(1);
                }
            },
        }
        Ok(end + 1)
    }

    /// `<get x>`, `<set x=y>` and the like. Returns false if it is not one of them.
    fn variable(
        &mut self,
        verb: &str,
        argument: &str,
        out: &mut String,
        depth: usize,
    ) -> Result<bool, Reason> {
        let (name, value) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value.trim())),
            None => (argument, None),
        };
        let name = names::variable(name);
        let full = match verb {
            "get" | "set" | "add" | "sub" => name,
            "mult" | "div" => return Err(Reason::Math),
            "bot" => format!("bot.{name}"),
            "env" => format!("bot.env_{name}"),
            _ => return Ok(false),
        };
        match (verb, value) {
            ("get", None) => out.push_str(&format!("{{user.{full}|undefined}}")),
            ("bot" | "env", None) => {
                let known = self
                    .script
                    .vars
                    .keys()
                    .any(|one| format!("bot.{}", names::variable(one)) == full)
                    || self
                        .script
                        .globals
                        .keys()
                        .any(|one| format!("bot.{}", super::env(one)) == full);
                let default = if known { "" } else { "|undefined" };
                out.push_str(&format!("{{{full}{default}}}"));
            }
            ("set" | "bot" | "env", Some(value)) => {
                let value = self.text(value, depth + 1)?;
                self.answer.set.push((full, value));
            }
            ("add" | "sub", Some(value)) => {
                let sign = if verb == "sub" { "-" } else { "" };
                let number = match (value.parse::<i64>(), star_number(value)) {
                    (Ok(number), _) if verb == "sub" => Value::Int(-number),
                    (Ok(number), _) => Value::Int(number),
                    (Err(_), Some(star)) => {
                        Value::Text(format!("{sign}{}", self.stars.template(star, false)))
                    }
                    (Err(_), None) => return Err(Reason::Math),
                };
                self.answer.add.push((full, number));
            }
            _ => return Err(Reason::Unreadable),
        }
        Ok(true)
    }
}

/// One of these texts, at this place.
fn random(items: &[String]) -> String {
    let plain = |item: &String| !item.contains(['{', '}', '|']) && !item.trim().is_empty();
    match items {
        [one] => names::template(one),
        _ if items.iter().all(plain) => format!("{{random:{}}}", items.join("|")),
        _ => names::template(items.first().map(String::as_str).unwrap_or_default()),
    }
}

/// The place of the sign that closes the first one.
fn closing(text: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}
