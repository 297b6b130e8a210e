//! `when`: conditions on captures and variables.

use super::names::{Known, Names, is_built_in};
use super::variables::{Assignment, assignments, plain_text};
use super::{Checker, Fields, Text, UsedVariable};
use crate::comparison::{Comparison, Mistake, Test};
use crate::problem::{BadValue, Literal, Problem, Wanted};
use crate::sources::Spot;
use mynah_matching::template::{Template, is_name};
use mynah_reader::Value;

impl Checker<'_> {
    /// The comparisons of a rule, in the order written.
    pub(super) fn comparisons(&mut self, fields: &Fields<'_>, names: &Names) -> Vec<Comparison> {
        let assigned = assignments(fields, "when");
        if assigned.is_empty()
            && let Some(entry) = fields.entry("when")
        {
            let problem = Problem::Empty { key: "when", text: None };
            self.say(problem, fields.at(entry.node.span.clone()));
        }
        let mut comparisons = Vec::new();
        for one in assigned {
            let name = self.compared(&one.name, fields.at(one.place.clone()), names);
            let test = self.comparison(fields, &one, names);
            if let (Some(name), Some(test)) = (name, test) {
                comparisons.push(Comparison { name, written: one.name.into(), test });
            }
        }
        comparisons
    }

    /// The full name of what is compared: a capture, or a variable with its owner.
    fn compared(&mut self, written: &str, spot: Spot, names: &Names) -> Option<Box<str>> {
        if written != "rest" && is_built_in(written) {
            self.say(Problem::Value(BadValue::NotCompared(written.to_owned())), spot);
            return None;
        }
        if !is_name(written) {
            self.say(Problem::Value(BadValue::Name(written.to_owned())), spot);
            return None;
        }
        match names.look_up(written) {
            Known::Yes | Known::NotAlways(_) | Known::Perhaps => return Some(written.into()),
            Known::Variable | Known::No => {}
        }
        let full = match written.split_once('.') {
            None => format!("user.{written}"),
            Some(("user" | "person" | "chat" | "bot", _)) => written.to_owned(),
            Some((scope, _)) => {
                let (found, scope) = (written.to_owned(), scope.to_owned());
                self.say(Problem::Value(BadValue::Scope { found, scope }), spot);
                return None;
            }
        };
        let name = full.clone();
        self.used.push(UsedVariable { name, has_default: true, has_no_text: false, spot });
        Some(full.into())
    }

    fn comparison(
        &mut self,
        fields: &Fields<'_>,
        one: &Assignment<'_>,
        names: &Names,
    ) -> Option<Test> {
        let spot = fields.at(one.node.span.clone());
        match &one.node.value {
            Value::Unreadable => None,
            Value::Text(text) => {
                self.is_meant_as_comparison(text, &spot);
                self.compared_text(text, spot, names, Test::read)
            }
            Value::List(items) => {
                if items.is_empty() {
                    self.say(Problem::Empty { key: "when", text: None }, spot);
                    return None;
                }
                let mut list = Vec::new();
                for item in items {
                    let spot = fields.at(item.span.clone());
                    let Some(text) = plain_text(&item.value) else {
                        self.wrong_value(&one.name, Wanted::Text, &item.value, spot);
                        continue;
                    };
                    list.extend(self.compared_text(&text, spot, names, |text| {
                        Test::item(text).map(|item| Test::OneOf(vec![item]))
                    }));
                }
                let texts = list.into_iter().flat_map(|test| match test {
                    Test::OneOf(texts) => texts,
                    _ => Vec::new(),
                });
                Some(Test::OneOf(texts.collect()))
            }
            value => {
                let plain = plain_text(value);
                if plain.is_none() {
                    self.wrong_value(&one.name, Wanted::Comparison, value, spot);
                }
                plain.map(|text| Test::OneOf(vec![Template::plain(text)]))
            }
        }
    }

    fn compared_text(
        &mut self,
        text: &str,
        spot: Spot,
        names: &Names,
        read: impl Fn(&str) -> Result<Test, Mistake>,
    ) -> Option<Test> {
        match read(text) {
            Ok(test) => {
                self.template_or_nothing(&Text { text, spot }, names)?;
                Some(test)
            }
            Err(Mistake::Comparison(bad)) => {
                self.say(Problem::Value(BadValue::Comparison(bad)), spot);
                None
            }
            // Said with its place by the reader of templates.
            Err(Mistake::Template) => {
                self.template_or_nothing(&Text { text, spot }, names);
                None
            }
        }
    }

    /// Says if a text was probably meant as a list or a range.
    fn is_meant_as_comparison(&mut self, text: &str, spot: &Spot) {
        if let Some(meant) = meant(text.trim()) {
            let literal = Literal::Comparison { text: text.to_owned(), meant };
            self.say(Problem::Literal(literal), spot.clone());
        }
    }
}

/// The list or range that a text was probably meant as.
fn meant(text: &str) -> Option<String> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let range = ["-", "~", "～", "–", "—", "到", "至"].iter().find_map(|sign| {
        let (from, to) = text.split_once(sign)?;
        let (from, to) = (from.trim(), to.trim());
        (is_number(from) && is_number(to)).then(|| format!("\"{from}..{to}\""))
    });
    range.or_else(|| {
        let sign = ["||", "|", "｜", "，", ",", "、", " or ", " 或 "]
            .into_iter()
            .find(|sign| text.contains(sign))?;
        let parts: Vec<&str> = text.split(sign).map(str::trim).collect();
        let are_short = parts.iter().all(|part| {
            !part.is_empty() && !part.contains(['{', '<', '>', '=']) && part.chars().count() <= 12
        });
        let list = parts.iter().map(|part| format!("\"{part}\"")).collect::<Vec<_>>().join(", ");
        are_short.then(|| format!("[{list}]"))
    })
}
