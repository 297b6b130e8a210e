//! Templates as answers.

use std::collections::{BTreeSet, HashMap};

use super::Category;
use super::tree::Node;
use crate::answers::Answer;
use crate::book::Value;
use crate::names::{self, variable};
use crate::remark::Reason;

/// An answer has at most so many forms once its random parts are written out.
const MOST_FORMS: usize = 64;

/// Elements, and answers inside answers, may be nested so deep.
const DEPTH: usize = 24;

/// The templates of sentences without wildcards: a fixed `<srai>` can be written out where it is one of several.
pub(super) struct Fixed<'c> {
    templates: HashMap<String, &'c [Node]>,
    pub(super) categories: usize,
}

impl<'c> Fixed<'c> {
    pub(super) fn of(categories: &'c [Category]) -> Self {
        let simple = categories.iter().filter(|one| one.that.is_none() && one.topic.is_none());
        let templates =
            simple.filter_map(|one| Some((one.pattern.plain()?, one.template.as_slice())));
        Self { templates: templates.collect(), categories: categories.len() }
    }
}

/// The meaning of a template.
pub(super) struct Read {
    pub(super) groups: Result<Vec<Vec<Answer>>, Reason>,
    pub(super) remarks: BTreeSet<Reason>,
    /// The properties of the bot that it names.
    pub(super) properties: BTreeSet<String>,
}

/// Answers that share a restriction.
#[derive(Debug, Clone)]
struct Group {
    when: Vec<(String, Value)>,
    answers: Vec<Answer>,
}

type Forms = Vec<Group>;

/// Reads a template. If several other answers are to be put together, those of fixed sentences are written out.
pub(super) fn read(template: &[Node], stars: &[String], fixed: &Fixed<'_>) -> Read {
    let mut read = Reader::new(stars, fixed, false).all(template);
    if matches!(read.groups, Err(Reason::SeveralRedirects)) {
        read = Reader::new(stars, fixed, true).all(template);
    }
    read
}

struct Reader<'r> {
    stars: Vec<String>,
    fixed: &'r Fixed<'r>,
    /// Whether the answers of fixed sentences are written out.
    inline: bool,
    remarks: BTreeSet<Reason>,
    properties: BTreeSet<String>,
}

impl<'r> Reader<'r> {
    fn new(stars: &[String], fixed: &'r Fixed<'r>, inline: bool) -> Self {
        let stars = stars.to_vec();
        Self { stars, fixed, inline, remarks: BTreeSet::new(), properties: BTreeSet::new() }
    }

    fn all(mut self, template: &[Node]) -> Read {
        let groups = self.nodes(template, 0).and_then(|forms| finished(&forms));
        if let Ok(groups) = &groups
            && groups.iter().flatten().any(|one| one.answer_as.is_some() && !one.text.is_empty())
        {
            self.remarks.insert(Reason::Separate);
        }
        Read { groups, remarks: self.remarks, properties: self.properties }
    }

    fn nodes(&mut self, nodes: &[Node], depth: usize) -> Result<Forms, Reason> {
        if depth > DEPTH {
            return Err(Reason::Form);
        }
        let mut forms = said("");
        for node in nodes {
            let next = match node {
                Node::Text(text) => said(&names::template(&squeezed(text))),
                Node::Element { name, children, .. } => {
                    self.element(name, node, children, depth + 1)?
                }
            };
            forms = product(&forms, &next)?;
        }
        Ok(forms)
    }

    fn element(
        &mut self,
        name: &str,
        node: &Node,
        children: &[Node],
        depth: usize,
    ) -> Result<Forms, Reason> {
        Ok(match name {
            "star" => said(&self.star(node)),
            "person" | "person2" | "gender" => {
                self.remarks.insert(Reason::Pronouns);
                self.or_star(children, depth)?
            }
            "formal" | "sentence" | "uppercase" | "lowercase" => {
                let forms = self.or_star(children, depth)?;
                self.put(name, forms)
            }
            "set" => self.set(node, children, depth)?,
            "get" => match node.attribute("name") {
                Some(name) => said(&format!("{{user.{}}}", variable(name))),
                None => return Err(Reason::Form),
            },
            "bot" => match node.attribute("name") {
                Some(name) => {
                    let name = variable(name);
                    self.properties.insert(name.clone());
                    said(&format!("{{bot.{name}}}"))
                }
                None => return Err(Reason::Form),
            },
            "think" => self.think(children, depth)?,
            "random" => self.random(children, depth)?,
            "condition" => self.condition(node, children, depth)?,
            "srai" => self.redirect(children, depth)?,
            "sr" => redirect_to(&self.star_named(1)),
            "input" | "request" => match node.attribute("index").unwrap_or("1").trim() {
                "1" if name == "input" => said("{text}"),
                _ => return Err(Reason::OwnWords),
            },
            "that" | "thatstar" | "response" => return Err(Reason::OwnWords),
            "date" => said("{date} {time}"),
            "id" => said("{sender}"),
            "size" => said(&self.fixed.categories.to_string()),
            "system" | "javascript" | "learn" | "learnf" | "eval" | "oob" | "sraix" => {
                return Err(Reason::Code);
            }
            "topicstar" | "map" | "loop" | "explode" | "first" | "rest" | "normalize"
            | "denormalize" => {
                return Err(Reason::Form);
            }
            "br" | "p" => product(&said("\n"), &self.nodes(children, depth)?)?,
            "a" => {
                let forms = self.nodes(children, depth)?;
                let address = node.attribute("href").filter(|url| url.starts_with("http"));
                let address = address.map(|url| format!(" ({})", names::template(url)));
                product(&forms, &said(&address.unwrap_or_default()))?
            }
            "img" | "video" | "audio" => return Err(Reason::Media),
            "version" => said(""),
            _ => {
                self.remarks.insert(Reason::Markup);
                self.nodes(children, depth)?
            }
        })
    }

    /// The name of a star; without it, python's interpreter says nothing.
    fn star_named(&self, number: usize) -> String {
        self.stars.get(number.wrapping_sub(1)).map_or(String::new(), |name| format!("{{{name}}}"))
    }

    fn star(&self, node: &Node) -> String {
        let index = node.attribute("index").and_then(|index| index.trim().parse().ok());
        self.star_named(index.unwrap_or(1))
    }

    /// `<person/>` is `<person><star/></person>`.
    fn or_star(&mut self, children: &[Node], depth: usize) -> Result<Forms, Reason> {
        if children.is_empty() {
            Ok(said(&self.star_named(1)))
        } else {
            self.nodes(children, depth)
        }
    }

    /// Words in capitals or small letters.
    fn put(&mut self, how: &str, mut forms: Forms) -> Forms {
        for answer in forms.iter_mut().flat_map(|group| &mut group.answers) {
            let text = answer.text.trim().to_owned();
            let name = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
            let name = name.filter(|name| !name.contains(['{', '}', ':']));
            answer.text = match (how, name) {
                ("uppercase", Some(name)) => format!("{{upper:{name}}}"),
                ("lowercase", Some(name)) => format!("{{lower:{name}}}"),
                ("uppercase", None) if !text.contains('{') => text.to_uppercase(),
                ("lowercase", None) if !text.contains('{') => text.to_lowercase(),
                ("formal", None) if !text.contains('{') => {
                    text.split(' ').map(capital).collect::<Vec<_>>().join(" ")
                }
                ("sentence", None) if !text.contains('{') => capital(&text),
                _ => {
                    self.remarks.insert(Reason::Case);
                    text
                }
            };
        }
        forms
    }

    /// `<set name="x">…</set>` says its value, too.
    fn set(&mut self, node: &Node, children: &[Node], depth: usize) -> Result<Forms, Reason> {
        let name = variable(node.attribute("name").ok_or(Reason::Form)?);
        let mut forms = self.nodes(children, depth)?;
        for answer in forms.iter_mut().flat_map(|group| &mut group.answers) {
            if answer.answer_as.is_some() {
                return Err(Reason::SeveralRedirects);
            }
            answer.text = answer.text.trim().to_owned();
            answer.set.push((name.clone(), answer.text.clone()));
        }
        Ok(forms)
    }

    /// `<think>` acts and says nothing. The actions of other answers there are left out.
    fn think(&mut self, children: &[Node], depth: usize) -> Result<Forms, Reason> {
        let mut forms = self.nodes(children, depth)?;
        for answer in forms.iter_mut().flat_map(|group| &mut group.answers) {
            answer.text.clear();
            if answer.answer_as.take().is_some() {
                self.remarks.insert(Reason::SideEffect);
            }
        }
        Ok(forms)
    }

    /// One of the items; each is drawn as often as the others.
    fn random(&mut self, children: &[Node], depth: usize) -> Result<Forms, Reason> {
        let mut items = Vec::new();
        for item in elements(children, "li") {
            let Node::Element { children, .. } = item else { continue };
            let mut forms = self.nodes(children, depth)?;
            match (forms.pop(), forms.is_empty()) {
                (Some(group), true) if group.when.is_empty() => items.push(group.answers),
                _ => return Err(Reason::Form),
            }
        }
        if items.is_empty() {
            return Err(Reason::Empty);
        }
        let weight = |answers: &[Answer]| answers.iter().map(|one| one.weight).sum::<u32>();
        let all = items.iter().fold(1, |all, answers| lcm(all, weight(answers)));
        let mut answers = Vec::new();
        for item in items {
            let factor = all / weight(&item).max(1);
            answers.extend(
                item.into_iter().map(|one| Answer { weight: one.weight * factor.max(1), ..one }),
            );
        }
        if answers.len() > MOST_FORMS {
            return Err(Reason::Form);
        }
        Ok(vec![Group { when: Vec::new(), answers }])
    }

    /// The three forms of `<condition>`: of the items, the first that holds counts.
    fn condition(&mut self, node: &Node, children: &[Node], depth: usize) -> Result<Forms, Reason> {
        let outer = node.attribute("name");
        if let (Some(name), Some(value)) = (outer, node.attribute("value")) {
            let mut forms =
                with_restriction(self.nodes(children, depth)?, &restriction(name, value)?);
            forms.extend(said(""));
            return Ok(forms);
        }
        let mut forms = Vec::new();
        for item in elements(children, "li") {
            let Node::Element { children, .. } = item else { continue };
            let inner = self.nodes(children, depth)?;
            match (item.attribute("name").or(outer), item.attribute("value")) {
                (Some(name), Some(value)) => {
                    forms.extend(with_restriction(inner, &restriction(name, value)?));
                }
                _ => {
                    forms.extend(inner);
                    return Ok(forms);
                }
            }
        }
        forms.extend(said(""));
        Ok(forms)
    }

    /// `<srai>`: only words of the message may stand in it.
    fn redirect(&mut self, children: &[Node], depth: usize) -> Result<Forms, Reason> {
        let before = self.remarks.clone();
        let forms = self.nodes(children, depth)?;
        if before != self.remarks && self.remarks.contains(&Reason::Markup) {
            return Err(Reason::Form);
        }
        let mut done: Forms = Vec::new();
        for group in forms {
            let mut redirected = Group { when: group.when, answers: Vec::new() };
            for mut answer in group.answers {
                let sentence = squeezed(&answer.text).trim().to_owned();
                if answer.answer_as.is_some() {
                    return Err(Reason::SeveralRedirects);
                }
                if sentence.contains("{user.")
                    || sentence.contains("{bot.")
                    || sentence.contains("{sender")
                {
                    return Err(Reason::Stored);
                }
                if sentence.is_empty() {
                    continue;
                }
                if self.inline
                    && let Some(template) = self.fixed.templates.get(&sentence.to_lowercase())
                {
                    let stars = std::mem::take(&mut self.stars);
                    let inlined = self.nodes(template, depth + 4);
                    self.stars = stars;
                    let inlined = inlined?;
                    if let [only] = inlined.as_slice()
                        && only.when.is_empty()
                    {
                        redirected
                            .answers
                            .extend(only.answers.iter().map(|one| joined(&answer.silent(), one)));
                        continue;
                    }
                    return Err(Reason::SeveralRedirects);
                }
                answer.text.clear();
                answer.answer_as = Some(sentence);
                redirected.answers.push(answer);
            }
            done.push(redirected);
        }
        if done.iter().all(|group| group.answers.is_empty()) {
            Err(Reason::Empty)
        } else {
            Ok(done)
        }
    }
}

impl Answer {
    /// The same without its words.
    fn silent(&self) -> Self {
        Self { text: String::new(), ..self.clone() }
    }
}

fn elements<'n>(nodes: &'n [Node], wanted: &'n str) -> impl Iterator<Item = &'n Node> {
    nodes.iter().filter(move |node| matches!(node, Node::Element { name, .. } if name == wanted))
}

fn said(text: &str) -> Forms {
    let answer = Answer { text: text.to_owned(), weight: 1, ..Answer::default() };
    vec![Group { when: Vec::new(), answers: vec![answer] }]
}

fn redirect_to(sentence: &str) -> Forms {
    let mut forms = said("");
    forms[0].answers[0].answer_as = Some(sentence.to_owned()).filter(|text| !text.is_empty());
    forms
}

fn restriction(name: &str, value: &str) -> Result<(String, Value), Reason> {
    let value = value.trim();
    let text = match value {
        "*" => "!=".to_owned(),
        _ if value.contains(['*', '_']) || value.starts_with(['<', '>', '!', '=']) => {
            return Err(Reason::Form);
        }
        _ => names::template(&value.to_lowercase()),
    };
    Ok((variable(name), Value::Text(text)))
}

fn with_restriction(forms: Forms, restriction: &(String, Value)) -> Forms {
    let put = |mut group: Group| {
        let others = group.when.iter().any(|one| one.0 == restriction.0);
        if !others {
            group.when.push(restriction.clone());
        }
        group
    };
    forms.into_iter().map(put).collect()
}

/// Both, one behind the other, in all their forms.
fn product(first: &Forms, second: &Forms) -> Result<Forms, Reason> {
    let mut forms = Vec::new();
    for a in first {
        for b in second {
            let mut when = a.when.clone();
            let differs =
                |one: &(String, Value)| a.when.iter().any(|a| a.0 == one.0 && a.1 != one.1);
            if b.when.iter().any(differs) {
                continue;
            }
            when.extend(b.when.iter().filter(|one| !a.when.contains(one)).cloned());
            let mut answers = Vec::new();
            for one in &a.answers {
                for other in &b.answers {
                    let has_words = !other.text.trim().is_empty();
                    if one.answer_as.is_some() && (has_words || other.answer_as.is_some()) {
                        return Err(Reason::SeveralRedirects);
                    }
                    answers.push(joined(one, other));
                }
            }
            forms.push(Group { when, answers });
        }
    }
    let number: usize = forms.iter().map(|group| group.answers.len()).sum();
    if number > MOST_FORMS { Err(Reason::Form) } else { Ok(forms) }
}

fn joined(a: &Answer, b: &Answer) -> Answer {
    Answer {
        set: a.set.iter().chain(&b.set).cloned().collect(),
        add: Vec::new(),
        text: format!("{}{}", a.text, b.text),
        answer_as: a.answer_as.clone().or_else(|| b.answer_as.clone()),
        weight: a.weight.saturating_mul(b.weight).max(1),
        when: Vec::new(),
    }
}

/// The groups with their restrictions at each answer, texts trimmed, weights as small as they can be.
fn finished(forms: &Forms) -> Result<Vec<Vec<Answer>>, Reason> {
    let mut groups = Vec::new();
    for group in forms {
        let common = group.answers.iter().fold(0, |all, one| gcd(all, one.weight)).max(1);
        let mut answers: Vec<Answer> = Vec::new();
        for answer in &group.answers {
            let mut answer = answer.clone();
            answer.text = tidy(&answer.text);
            answer.weight /= common;
            answer.when.clone_from(&group.when);
            let acts =
                !answer.text.is_empty() || answer.answer_as.is_some() || !answer.set.is_empty();
            if acts {
                answers.push(answer);
            }
        }
        if !answers.is_empty() {
            groups.push(answers);
        }
    }
    if groups.is_empty() { Err(Reason::Empty) } else { Ok(groups) }
}

/// Runs of blanks as one; a blank at an end stays, since words may follow.
fn squeezed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if !c.is_whitespace() {
            out.push(c);
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out
}

/// The whole text: each line trimmed, blanks once, at most one empty line in a row.
fn tidy(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| line.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
        .collect();
    let mut out: Vec<String> = Vec::new();
    for line in lines {
        if !line.is_empty() || out.last().is_some_and(|last| !last.is_empty()) {
            out.push(line);
        }
    }
    out.join("\n").trim().to_owned()
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().into_iter().flat_map(char::to_uppercase).chain(chars.as_str().chars()).collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn lcm(a: u32, b: u32) -> u32 {
    let (a, b) = (a.max(1), b.max(1));
    (a / gcd(a, b)).saturating_mul(b).min(1_000_000)
}
