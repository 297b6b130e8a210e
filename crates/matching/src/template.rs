//! Texts with names in braces: `{sender}`, and nothing else.
//!
//! Put in once: a value is never read as template again.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A text with names in braces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template {
    /// The text without its names.
    text: Box<str>,
    /// The names, in order. There may be a hundred thousand templates, most of them without.
    values: Box<[Value]>,
}

/// A name in braces.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Value {
    /// Before which byte of the text its value goes.
    at: usize,
    name: Box<str>,
    span: Range<usize>,
    default: Option<Default>,
}

/// The replacement for an empty value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Default {
    Text(Box<str>),
    Value { name: Box<str>, span: Range<usize> },
}

/// A name as a template uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameUse<'t> {
    /// The name, which may have a dot, or a word with an argument: `random:1-6`.
    pub name: &'t str,
    /// Its place, in bytes of the template.
    pub span: Range<usize>,
    /// Whether it has a replacement where it is empty.
    pub has_default: bool,
}

/// The present values of the names of a template.
pub trait Values {
    /// The text of a name; `None` is as good as an empty text.
    fn value(&self, name: &str) -> Option<Cow<'_, str>>;

    /// The text of a name at a place of the template, counted from 0: two random names at different places differ.
    fn value_at(&self, name: &str, place: usize) -> Option<Cow<'_, str>> {
        let _ = place;
        self.value(name)
    }
}

/// A piece of a rendered template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rendered {
    /// Plain text.
    Text(String),
    /// The place of `{at}`: the sender is addressed here.
    At,
}

/// A template that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{kind}")]
pub struct TemplateError {
    /// Where, in bytes of the template.
    pub span: Range<usize>,
    /// The mistake there.
    pub kind: TemplateErrorKind,
}

/// A mistake in a template.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TemplateErrorKind {
    /// A `{` without its `}`.
    #[error("this brace is never closed")]
    Unclosed,
    /// A `}` without its `{`.
    #[error("this brace has no opening brace")]
    Unopened,
    /// Nothing between the braces.
    #[error("no name between the braces")]
    NoName,
    /// The text between the braces is not a name.
    #[error("`{0}` is not a valid name")]
    BadName(String),
    /// Behind `|` is neither a text nor one name in braces.
    #[error("after | write a text or one name in braces")]
    BadDefault,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// [`TemplateError`] with the place of the first mistake.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        let mut parser = Parser { source, at: 0 };
        let mut text = String::new();
        let mut values = Vec::new();
        while let Some(c) = parser.peek() {
            match c {
                '{' | '}' if parser.take_doubled(c) => text.push(c),
                '{' => values.push(parser.value(text.len())?),
                '}' => {
                    return Err(parser.error(TemplateErrorKind::Unopened, parser.at..parser.at + 1));
                }
                _ => text.push(parser.take(c)),
            }
        }
        Ok(Self { text: text.into(), values: values.into() })
    }

    /// A template that is this text, braces and all.
    #[must_use]
    pub fn plain(text: impl Into<Box<str>>) -> Self {
        Self { text: text.into(), values: Box::default() }
    }

    /// The text before the first name.
    #[must_use]
    pub fn begin(&self) -> &str {
        &self.text[..self.values.first().map_or(self.text.len(), |value| value.at)]
    }

    /// The only name, if there is nothing else: no text, no default.
    #[must_use]
    pub fn only_name(&self) -> Option<&str> {
        match &*self.values {
            [Value { name, default: None, .. }] if self.text.is_empty() => Some(name),
            _ => None,
        }
    }

    /// Every name used, in the order of their places.
    pub fn names(&self) -> impl Iterator<Item = NameUse<'_>> {
        self.values.iter().flat_map(|Value { name, span, default, .. }| {
            let first = NameUse { name, span: span.clone(), has_default: default.is_some() };
            let second = match default {
                Some(Default::Value { name, span }) => {
                    Some(NameUse { name, span: span.clone(), has_default: false })
                }
                Some(Default::Text(_)) | None => None,
            };
            std::iter::once(first).chain(second)
        })
    }

    /// About how many bytes it takes on the heap.
    pub fn heap(&self) -> usize {
        let names = self.values.iter().map(|value| {
            let default = match &value.default {
                Some(Default::Text(text) | Default::Value { name: text, .. }) => text.len(),
                None => 0,
            };
            value.name.len() + default
        });
        self.text.len() + size_of_val(&*self.values) + names.sum::<usize>()
    }

    /// The text with its names: the text before each of them, and the text behind the last.
    fn pieces(&self) -> (impl Iterator<Item = (&str, &Value)>, &str) {
        let begins = std::iter::once(0).chain(self.values.iter().map(|value| value.at));
        let pieces = self.values.iter().zip(begins);
        let end = self.values.last().map_or(0, |value| value.at);
        (pieces.map(|(value, begin)| (&self.text[begin..value.at], value)), &self.text[end..])
    }

    /// Puts the values in, once.
    #[must_use]
    pub fn render(&self, values: &dyn Values) -> Vec<Rendered> {
        let mut rendered = Vec::with_capacity(1 + 2 * self.values.len());
        let (pieces, end) = self.pieces();
        for (place, (text, value)) in pieces.enumerate() {
            push_text(&mut rendered, text);
            push_value(&mut rendered, &value.name, value.default.as_ref(), values, place);
        }
        push_text(&mut rendered, end);
        rendered
    }

    /// Puts the values in where no person can be addressed: `{at}` gives nothing.
    #[must_use]
    pub fn render_text(&self, values: &dyn Values) -> String {
        let pieces = self.render(values).into_iter();
        pieces
            .filter_map(|piece| if let Rendered::Text(text) = piece { Some(text) } else { None })
            .collect()
    }
}

fn push_text(rendered: &mut Vec<Rendered>, text: &str) {
    match rendered.last_mut() {
        Some(Rendered::Text(last)) => last.push_str(text),
        _ if text.is_empty() => {}
        _ => rendered.push(Rendered::Text(text.to_owned())),
    }
}

fn push_value(
    rendered: &mut Vec<Rendered>,
    name: &str,
    default: Option<&Default>,
    values: &dyn Values,
    place: usize,
) {
    if name == "at" {
        rendered.push(Rendered::At);
        return;
    }
    let value = values.value_at(name, place).filter(|value| !value.is_empty());
    match (value, default) {
        (Some(value), _) => push_text(rendered, &value),
        (None, Some(Default::Text(text))) => push_text(rendered, text),
        (None, Some(Default::Value { name, .. })) => {
            push_value(rendered, name, None, values, place);
        }
        (None, None) => {}
    }
}

struct Parser<'s> {
    source: &'s str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.source[self.at..].chars().next()
    }

    fn take(&mut self, c: char) -> char {
        self.at += c.len_utf8();
        c
    }

    /// Takes two braces that stand for one, if they are here.
    fn take_doubled(&mut self, brace: char) -> bool {
        let doubled = self.source[self.at..].chars().nth(1) == Some(brace);
        if doubled {
            self.at += 2;
        }
        doubled
    }

    fn error(&self, kind: TemplateErrorKind, span: Range<usize>) -> TemplateError {
        TemplateError { span, kind }
    }

    /// `{name}`, `{name|text}` or `{name|{name}}`, from the opening brace, for that place of the text.
    fn value(&mut self, at: usize) -> Result<Value, TemplateError> {
        let open = self.at;
        self.at += 1;
        let (name, span) = self.name(open)?;
        let default = match self.peek() {
            Some('|') => {
                self.at += 1;
                Some(self.default(open)?)
            }
            _ => None,
        };
        self.close(open)?;
        Ok(Value { at, name, span, default })
    }

    fn default(&mut self, open: usize) -> Result<Default, TemplateError> {
        if self.peek() == Some('{') && !self.source[self.at..].starts_with("{{") {
            let inner = self.at;
            self.at += 1;
            let (name, span) = self.name(inner)?;
            self.close(inner)?;
            return match self.peek() {
                Some('}') => Ok(Default::Value { name, span }),
                Some(_) => Err(self.error(TemplateErrorKind::BadDefault, inner..self.at)),
                None => Err(self.error(TemplateErrorKind::Unclosed, open..open + 1)),
            };
        }
        self.default_text(open)
    }

    fn default_text(&mut self, open: usize) -> Result<Default, TemplateError> {
        let mut text = String::new();
        loop {
            match self.peek() {
                None => return Err(self.error(TemplateErrorKind::Unclosed, open..open + 1)),
                Some('{') if self.take_doubled('{') => text.push('{'),
                Some('{') => {
                    return Err(self.error(TemplateErrorKind::BadDefault, self.at..self.at + 1));
                }
                // The brace that closes comes first: `{a|b}}}` is the default `b` and then one brace.
                Some('}') => return Ok(Default::Text(text.into())),
                Some(c) => text.push(self.take(c)),
            }
        }
    }

    /// A name up to `|` or `}`; blanks around it are allowed.
    fn name(&mut self, open: usize) -> Result<(Box<str>, Range<usize>), TemplateError> {
        let rest = &self.source[self.at..];
        // The items of a random choice have `|` between them, so it takes no default.
        let is_choice = rest.trim_start().starts_with(CHOICE);
        let ends: &[char] = if is_choice { &['}', '{'] } else { &['|', '}', '{'] };
        let Some(length) = rest.find(ends) else {
            return Err(self.error(TemplateErrorKind::Unclosed, open..open + 1));
        };
        let raw = &rest[..length];
        let name = raw.trim();
        let start = self.at + (raw.len() - raw.trim_start().len());
        let span = start..start + name.len();
        self.at += length;
        if name.is_empty() {
            return Err(self.error(TemplateErrorKind::NoName, open..self.at));
        }
        if !(is_name(name) || is_call(name)) || self.peek() == Some('{') {
            return Err(self.error(TemplateErrorKind::BadName(name.to_owned()), span));
        }
        Ok((name.into(), span))
    }

    fn close(&mut self, open: usize) -> Result<(), TemplateError> {
        if self.peek() == Some('}') {
            self.at += 1;
            return Ok(());
        }
        Err(self.error(TemplateErrorKind::Unclosed, open..open + 1))
    }
}

/// Whether a text can be a name: letters of any script, digits, `_`, `-`, and single dots between them.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.split('.').all(|part| {
        !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
    })
}

/// The beginning of a random choice.
const CHOICE: &str = "random:";

/// Whether a text is a word with an argument: `top:points 5`.
#[must_use]
pub fn is_call(text: &str) -> bool {
    call(text).is_some_and(|(_, argument)| text.starts_with(CHOICE) || !argument.is_empty())
}

/// The word and the argument of a name like `top:points 5`; `None` for other names.
#[must_use]
pub fn call(text: &str) -> Option<(&str, &str)> {
    let (word, argument) = text.split_once(':')?;
    let is_word = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    is_word.then(|| (word, argument.trim()))
}

impl TryFrom<String> for Template {
    type Error = TemplateError;

    fn try_from(source: String) -> Result<Self, TemplateError> {
        Self::parse(&source)
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.to_string()
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let doubled = |text: &str| text.replace('{', "{{").replace('}', "}}");
        let (pieces, end) = self.pieces();
        for (text, Value { name, default, .. }) in pieces {
            f.write_str(&doubled(text))?;
            match default {
                None => write!(f, "{{{name}}}")?,
                Some(Default::Text(text)) => write!(f, "{{{name}|{}}}", text.replace('{', "{{"))?,
                Some(Default::Value { name: other, .. }) => write!(f, "{{{name}|{{{other}}}}}")?,
            }
        }
        f.write_str(&doubled(end))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    struct Known(BTreeMap<&'static str, String>);

    impl Values for Known {
        fn value(&self, name: &str) -> Option<Cow<'_, str>> {
            self.0.get(name).map(|value| value.as_str().into())
        }
    }

    fn known() -> Known {
        Known(BTreeMap::from([
            ("sender", "张三".to_owned()),
            ("random:a|b", "a".to_owned()),
            ("top:points 5", "1. a".to_owned()),
            ("x", "{sender}".to_owned()),
            ("empty", String::new()),
        ]))
    }

    #[test]
    fn values_are_put_in_once() {
        for (template, text) in [
            ("你好，{sender}！", "你好，张三！"),
            ("{x}", "{sender}"),
            ("{{sender}}", "{sender}"),
            ("{{{sender}}}", "{张三}"),
            ("{empty|无}", "无"),
            ("{missing|{sender}}", "张三"),
            ("{missing|{x}}", "{sender}"),
            ("{missing|}", ""),
            ("{missing}", ""),
            ("{ sender }", "张三"),
            ("{empty|a}}}", "a}"),
            ("{empty|{{}", "{"),
            ("{random:a|b}|{top:points 5|nobody}", "a|1. a"),
            ("{top:other|nobody}", "nobody"),
            ("", ""),
        ] {
            let parsed = Template::parse(template).expect(template);
            assert_eq!(parsed.render_text(&known()), text, "{template}");
        }
    }

    #[test]
    fn each_place_of_a_template_is_told() {
        struct Places;
        impl Values for Places {
            fn value(&self, _name: &str) -> Option<Cow<'_, str>> {
                None
            }

            fn value_at(&self, name: &str, place: usize) -> Option<Cow<'_, str>> {
                (name != "none").then(|| place.to_string().into())
            }
        }
        let template = Template::parse("{a}{a}x{none|{a}}").expect("valid");
        assert_eq!(template.render_text(&Places), "01x2");
    }

    #[test]
    fn the_sender_is_addressed_where_it_says_so() {
        let rendered = Template::parse("a{at}b{missing|c}").expect("valid").render(&known());
        let text = |text: &str| Rendered::Text(text.to_owned());
        assert_eq!(rendered, [text("a"), Rendered::At, text("bc")]);
    }

    #[test]
    fn mistakes_have_a_kind_and_a_place() {
        use TemplateErrorKind as Kind;
        for (template, kind, span) in [
            ("价{x", Kind::Unclosed, 3..4),
            ("a}b", Kind::Unopened, 1..2),
            ("{}", Kind::NoName, 0..1),
            ("{ | a}", Kind::NoName, 0..2),
            ("{a b}", Kind::BadName("a b".to_owned()), 1..4),
            ("{a..b}", Kind::BadName("a..b".to_owned()), 1..5),
            ("{top:}", Kind::BadName("top:".to_owned()), 1..5),
            ("{群:x}", Kind::BadName("群:x".to_owned()), 1..6),
            ("{random:a|b", Kind::Unclosed, 0..1),
            ("{random:a{b}}", Kind::BadName("random:a".to_owned()), 1..9),
            ("{a|{b}c}", Kind::BadDefault, 3..6),
            ("{a|b{c}}", Kind::BadDefault, 4..5),
            ("{a|b", Kind::Unclosed, 0..1),
            ("{a|{b}", Kind::Unclosed, 0..1),
            ("{a{b}}", Kind::BadName("a".to_owned()), 1..2),
        ] {
            let error = Template::parse(template).expect_err(template);
            assert_eq!((error.kind, error.span), (kind, span), "{template}");
        }
    }

    #[test]
    fn names_are_listed_with_their_places() {
        let template = Template::parse("{a} {user.b|{c}} {d|e}").expect("valid");
        let names: Vec<_> =
            template.names().map(|name| (name.name, name.span.start, name.has_default)).collect();
        assert_eq!(
            names,
            [("a", 1, false), ("user.b", 5, true), ("c", 13, false), ("d", 18, true)]
        );
    }

    fn template() -> impl Strategy<Value = Template> {
        let name = || {
            prop::sample::select(vec!["sender", "user.x", "chat.城市", "1", "no_1", "top:points 5"])
                .prop_map(Box::from)
        };
        let default = prop_oneof![
            "[a-z价 {|,]{0,4}".prop_map(|text| Default::Text(text.into())),
            name().prop_map(|name| Default::Value { name, span: 0..0 }),
        ];
        let value = (name(), prop::option::of(default));
        let piece = ("[a-z价格 {}|\n]{0,6}", prop::option::of(value));
        prop::collection::vec(piece, 0..6).prop_map(|pieces| {
            let (mut text, mut values) = (String::new(), Vec::new());
            for (before, value) in pieces {
                text.push_str(&before);
                values.extend(value.map(|(name, default)| Value {
                    at: text.len(),
                    name,
                    span: 0..0,
                    default,
                }));
            }
            Template { text: text.into(), values: values.into() }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(crate::cases(10_000)))]

        #[test]
        fn a_template_prints_and_parses_back(template in template()) {
            let printed = template.to_string();
            let parsed = Template::parse(&printed).expect("what is printed can be read");
            prop_assert_eq!(parsed.to_string(), printed);
            prop_assert_eq!(parsed.render_text(&known()), template.render_text(&known()));
        }

        #[test]
        fn what_people_type_is_never_read_as_template(said in "[{}|a-zA-Z.价 ]{0,20}|.{0,20}") {
            let values = Known(BTreeMap::from([("text", said.clone()), ("sender", "secret".to_owned())]));
            let template = Template::parse("<{text}><{missing|{text}}>").expect("valid");
            prop_assert_eq!(template.render_text(&values), format!("<{said}><{said}>"));
        }

        #[test]
        fn any_text_is_read_or_refused_with_a_place(text in "[{}|a.价 ]{0,12}|.{0,12}") {
            if let Err(error) = Template::parse(&text) {
                prop_assert!(text.get(error.span).is_some());
            }
        }
    }
}
