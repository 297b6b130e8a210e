//! Reads the tables of a file by their keys and collects every mistake.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use crate::phrases::{
    any_of, bounds, did_you_mean, impossible, missing, out_of_bounds, unknown_key,
};
use crate::quantities::{LONGEST, is_folder_name, is_url, range, rate, size};
use crate::{
    Entry, Found, Key, Kind, Lang, Node, Setting, Shape, Syntax, TableNode, Value, Values, Words,
    WrongType, closest, duration, say,
};

/// A mistake with its place.
#[derive(Debug)]
pub struct Mistake {
    /// The code of the mistake: stable, for tools.
    pub code: &'static str,
    /// The place, in bytes of the file.
    pub span: Range<usize>,
    /// The mistake.
    pub message: Words,
    /// The remedy.
    pub hint: Option<Words>,
}

/// The reading of one file.
pub struct Reading<'v> {
    /// The environment, for `${NAME}` in texts.
    variable: &'v dyn Fn(&str) -> Option<String>,
    /// Further keys of a table, by its header and its content. `None` if they are not known: then no key is unknown.
    extra: &'v ExtraKeys<'v>,
    /// The mistakes so far.
    pub mistakes: Vec<Mistake>,
}

/// Gives the keys of a table that depend on its content.
pub type ExtraKeys<'v> = dyn Fn(&str, &TableNode) -> Option<&'static [Key]> + 'v;

/// The keys of a table, in groups, and its header for messages; the top of the file has no header.
#[derive(Debug, Clone, Copy)]
pub struct Keys<'k> {
    /// The header.
    pub header: Option<&'k str>,
    /// The keys.
    pub groups: &'k [&'static [Key]],
    /// Whether these are all keys of the table, so that another is a mistake.
    pub are_all: bool,
}

impl Keys<'_> {
    fn all(&self) -> impl Iterator<Item = &'static Key> {
        self.groups.iter().flat_map(|group| group.iter())
    }

    fn shown(&self) -> &str {
        self.header.unwrap_or("the file")
    }
}

/// A text in both languages.
fn both(text: impl Fn(Lang) -> String) -> Words {
    Words::new(text(Lang::En), text(Lang::Zh))
}

impl<'v> Reading<'v> {
    /// Begins to read a file; `variable` gives the environment.
    #[must_use]
    pub fn new(variable: &'v dyn Fn(&str) -> Option<String>, extra: &'v ExtraKeys<'v>) -> Self {
        Self { variable, extra, mistakes: Vec::new() }
    }

    /// Reports a mistake.
    pub fn report(&mut self, code: &'static str, span: Range<usize>, message: Words, hint: Words) {
        self.mistakes.push(Mistake { code, span, message, hint: Some(hint) });
    }

    /// Reports a mistake of syntax.
    pub fn syntax(&mut self, syntax: &Syntax, span: Range<usize>) {
        let hint = syntax.hint(Lang::En).is_some();
        let hint = hint.then(|| both(|lang| syntax.hint(lang).unwrap_or_default()));
        let message = both(|lang| syntax.message(lang));
        self.mistakes.push(Mistake { code: "syntax", span, message, hint });
    }

    /// Reads a table.
    pub fn table(&mut self, keys: Keys<'_>, node: &TableNode, span: Range<usize>) -> Values {
        let mut values = Values { span, ..Values::default() };
        for entry in &node.entries {
            let Some(key) = keys.all().find(|key| key.name == entry.key) else {
                if keys.are_all {
                    values.given.extend(self.unknown(keys, entry));
                }
                continue;
            };
            values.given.push(key.name);
            if let Some(setting) = self.setting(keys.header, key, &entry.node) {
                values.settings.insert(key.name, (setting, entry.node.span.clone()));
            }
        }
        for key in keys.all().filter(|key| key.required && !node.broken) {
            if !values.given.contains(&key.name) {
                let message = both(|lang| missing(keys.shown(), &[key.name], lang));
                let hint = both(|lang| {
                    let (name, example) = (key.name, key.kind.example());
                    say!(lang, "add {name} = {example}", "加上 {name} = {example}")
                });
                self.report("missing", values.span.clone(), message, hint);
            }
        }
        values
    }

    /// Reports a key that the table does not have; returns the key that was probably meant.
    fn unknown(&mut self, keys: Keys<'_>, entry: &Entry) -> Option<&'static str> {
        let written = entry.key.as_str();
        let also = keys.all().find(|key| key.also.contains(&written)).map(|key| key.name);
        let meant = also.or_else(|| closest(written, keys.all().map(|key| key.name)));
        let hint = both(|lang| match meant {
            Some(meant) => did_you_mean(meant, lang),
            None => {
                let names: Vec<&str> = keys.all().map(|key| key.name).collect();
                let (en, zh) = (names.join(", "), names.join("、"));
                say!(lang, "known: {en}", "可用：{zh}")
            }
        });
        let message = both(|lang| unknown_key(written, keys.header, lang));
        self.report("unknown-key", entry.key_span.clone(), message, hint);
        meant
    }

    fn setting(&mut self, header: Option<&str>, key: &'static Key, node: &Node) -> Option<Setting> {
        match (key.kind, &node.value) {
            (_, Value::Unreadable) => None,
            (Kind::Flag, Value::Flag(flag)) => Some(Setting::Flag(*flag)),
            (Kind::Whole { least, most }, Value::Integer(number)) => {
                self.whole(key, *number, least, most, node.span.clone())
            }
            (Kind::Texts, Value::List(items)) => self.texts(key, items, &node.span),
            (Kind::Section(keys), Value::Table(inner)) => {
                Some(Setting::Section(self.inner(&header_of(header, key), keys, inner, &node.span)))
            }
            (Kind::Sections(keys), Value::List(items)) => {
                let header = header_of(header, key);
                let tables = items.iter().filter_map(|item| match &item.value {
                    Value::Table(inner) => Some(self.inner(&header, keys, inner, &item.span)),
                    _ => {
                        self.wrong_type(key, item, true);
                        None
                    }
                });
                Some(Setting::Sections(tables.collect()))
            }
            (Kind::Names, Value::Table(inner)) => self.names(key, inner),
            (Kind::Open, Value::Table(inner)) => {
                let mut table = inner.clone();
                self.fill_table(&mut table)?;
                Some(Setting::Open(table))
            }
            (_, Value::Text(text)) if key.kind.shape() == Shape::Text => {
                let is_plain = !text.contains("${");
                let filled = self.filled(text, &node.span)?;
                self.text(key, &filled, is_plain, node.span.clone())
            }
            _ => {
                self.wrong_type(key, node, false);
                None
            }
        }
    }

    /// Reads a table below a header, with the keys that depend on its content.
    fn inner(
        &mut self,
        header: &str,
        keys: &'static [Key],
        node: &TableNode,
        span: &Range<usize>,
    ) -> Values {
        let extra = (self.extra)(header, node);
        let groups = [keys, extra.unwrap_or_default()];
        let keys = Keys { header: Some(header), groups: &groups, are_all: extra.is_some() };
        self.table(keys, node, span.clone())
    }

    /// A table of texts with their variables replaced.
    fn names(&mut self, key: &'static Key, table: &TableNode) -> Option<Setting> {
        let mut names = BTreeMap::new();
        for entry in &table.entries {
            let Value::Text(text) = &entry.node.value else {
                self.wrong_type(key, &entry.node, true);
                return None;
            };
            let text = self.filled(text, &entry.node.span)?.into_owned();
            names.insert(entry.key.clone(), text);
        }
        Some(Setting::Names(names))
    }

    /// Replaces the variables in all texts of a table.
    fn fill_table(&mut self, table: &mut TableNode) -> Option<()> {
        table.entries.iter_mut().try_for_each(|entry| self.fill(&mut entry.node))
    }

    fn fill(&mut self, node: &mut Node) -> Option<()> {
        match &mut node.value {
            Value::Text(text) => *text = self.filled(text, &node.span)?.into_owned(),
            Value::List(items) => items.iter_mut().try_for_each(|item| self.fill(item))?,
            Value::Table(inner) => self.fill_table(inner)?,
            Value::Unreadable => return None,
            Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Date => {}
        }
        Some(())
    }

    fn wrong_type(&mut self, key: &'static Key, node: &Node, in_list: bool) {
        let (expected, found) = (key.kind.shape(), Found::of(&node.value));
        let message =
            both(|lang| WrongType { key: key.name, expected, found, in_list }.message(lang));
        let hint = both(|lang| type_hint(key, found, lang));
        self.report("type", node.span.clone(), message, hint);
    }

    fn whole(
        &mut self,
        key: &'static Key,
        number: i64,
        least: i64,
        most: i64,
        span: Range<usize>,
    ) -> Option<Setting> {
        if (least..=most).contains(&number) {
            return Some(Setting::Whole(number));
        }
        let message = both(|lang| out_of_bounds(key.name, number, least, lang));
        self.report("value", span, message, both(|lang| bounds(least, most, lang)));
        None
    }

    fn texts(&mut self, key: &'static Key, items: &[Node], span: &Range<usize>) -> Option<Setting> {
        let mut texts = Vec::new();
        for item in items {
            match &item.value {
                Value::Text(text) => texts.push(self.filled(text, &item.span)?.into_owned()),
                _ => {
                    self.wrong_type(key, item, true);
                    return None;
                }
            }
        }
        if texts.is_empty() {
            let name = key.name;
            let message = both(|lang| say!(lang, "{name} is an empty list", "{name} 是空列表"));
            let hint = Words::fixed("add an item, or leave the key out", "加上一项，或去掉这个键");
            self.report("empty", span.clone(), message, hint);
            return None;
        }
        Some(Setting::Texts(texts))
    }

    /// Understands a text. A value that is not `is_plain` comes from the environment and may be a secret: it is not shown.
    fn text(
        &mut self,
        key: &'static Key,
        text: &str,
        is_plain: bool,
        span: Range<usize>,
    ) -> Option<Setting> {
        let from = if matches!(key.kind, Kind::Duration { or_zero: false }) {
            Duration::from_nanos(1)
        } else {
            Duration::ZERO
        };
        let is_shown = is_plain && !key.secret;
        let read = match key.kind {
            Kind::Duration { .. } => match duration(text, from..=LONGEST) {
                Ok(duration) => Some(Setting::Duration(duration)),
                Err(bad) if is_shown => {
                    let (message, hint) =
                        (both(|lang| bad.message(lang)), both(|lang| bad.hint(lang)));
                    self.report("value", span, message, hint);
                    return None;
                }
                Err(_) => None,
            },
            Kind::Word(words) if is_shown && !words.contains(&text) => {
                let hint = both(|lang| match closest(text, words.iter().copied()) {
                    Some(meant) => did_you_mean(meant, lang),
                    None => any_of(words, lang),
                });
                self.report("value", span, both(|lang| impossible(text, lang)), hint);
                return None;
            }
            kind => understood(kind, text),
        };
        if read.is_none() {
            self.refused(key, text, is_shown, span);
        }
        read
    }

    fn refused(&mut self, key: &'static Key, text: &str, is_shown: bool, span: Range<usize>) {
        let name = key.name;
        let message = both(|lang| match (text.trim().is_empty(), is_shown) {
            (true, _) => say!(lang, "{name} \"{text}\" is empty", "{name} \"{text}\" 是空的"),
            (false, true) => {
                say!(lang, "\"{text}\" is not a value of {name}", "{name} 不能写 \"{text}\"")
            }
            (false, false) => say!(
                lang,
                "{name} does not take this value; it may be a secret and is not shown",
                "{name} 不能写这个值；它可能是秘密，不显示"
            ),
        });
        let takes = key.kind.takes();
        let hint = both(|lang| {
            let takes = takes.of(lang);
            say!(lang, "write {takes}", "请写{takes}")
        });
        self.report("value", span, message, hint);
    }

    /// The text with its variables replaced; `None` if one is missing, which is reported.
    fn filled<'t>(&mut self, text: &'t str, span: &Range<usize>) -> Option<Cow<'t, str>> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}') else {
                let message = Words::fixed("`${` without its `}`", "`${` 后面缺少 `}`");
                return self.malformed(message, span);
            };
            if name.is_empty() || name.contains(['=', '\0']) {
                let message = both(|lang| {
                    let written = format!("${{{name}}}");
                    say!(
                        lang,
                        "{written} does not name an environment variable",
                        "{written} 不是有效的环境变量名"
                    )
                });
                return self.malformed(message, span);
            }
            let Some(value) = (self.variable)(name) else {
                let message = both(|lang| {
                    say!(
                        lang,
                        "the environment variable {name} is not set",
                        "没有设置环境变量 {name}"
                    )
                });
                let hint = both(|lang| say!(lang, "export {name}=…", "export {name}=…"));
                self.report("variable", span.clone(), message, hint);
                return None;
            };
            filled.push_str(before);
            filled.push_str(&value);
            rest = after;
        }
        if rest.len() == text.len() {
            return Some(Cow::Borrowed(text));
        }
        filled.push_str(rest);
        Some(Cow::Owned(filled))
    }

    /// Reports a variable that no environment can have, unlike one that is missing here.
    fn malformed<T>(&mut self, message: Words, span: &Range<usize>) -> Option<T> {
        let hint = Words::fixed("write ${NAME}", "请写 ${名字}");
        self.report("value", span.clone(), message, hint);
        None
    }
}

impl std::fmt::Debug for Reading<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").field("mistakes", &self.mistakes).finish_non_exhaustive()
    }
}

/// The header of a table inside of another: `[account.pacing]` below `[[account]]`.
pub(crate) fn header_of(outer: Option<&str>, key: &Key) -> String {
    let path = match outer.map(|outer| outer.trim_matches(['[', ']'])) {
        Some(outer) => format!("{outer}.{}", key.name),
        None => key.name.to_owned(),
    };
    if matches!(key.kind, Kind::Sections(_)) { format!("[[{path}]]") } else { format!("[{path}]") }
}

/// The meaning of a text for the kinds that do not say more about a mistake than their form.
fn understood(kind: Kind, text: &str) -> Option<Setting> {
    let is_good = match kind {
        Kind::Durations => return range(text).map(Setting::Durations),
        Kind::Rate { or_off: true, .. } if text == "off" => return Some(Setting::Rate(None)),
        Kind::Rate { word, .. } => return rate(text, word).map(|rate| Setting::Rate(Some(rate))),
        Kind::Size => return size(text).map(Setting::Size),
        Kind::Name => is_folder_name(text),
        Kind::Url => is_url(text),
        Kind::Socket => text.parse::<std::net::SocketAddr>().is_ok(),
        Kind::Word(words) => words.contains(&text),
        _ => !text.trim().is_empty(),
    };
    is_good.then(|| Setting::Text(text.to_owned()))
}

fn type_hint(key: &Key, found: Found, lang: Lang) -> String {
    let name = key.name;
    match (key.kind, found) {
        (Kind::Duration { .. }, Found::Integer | Found::Number) => {
            say!(
                lang,
                "in quotes and with a unit: \"30s\", \"5m\"",
                "加引号和单位：\"30s\"、\"5m\""
            )
        }
        (Kind::Flag, Found::Text) => say!(
            lang,
            "without quotes: {name} = true or {name} = false",
            "不加引号：{name} = true 或 {name} = false"
        ),
        (Kind::Flag, _) => say!(lang, "write true or false", "请写 true 或 false"),
        (Kind::Whole { .. }, Found::Text) => {
            say!(lang, "a number without quotes, like 10", "不加引号的数字，如 10")
        }
        (Kind::Section(keys), _) if keys.iter().any(|key| key.required) => {
            let required = keys.iter().filter(|key| key.required);
            let pairs: Vec<String> =
                required.map(|key| format!("{} = {}", key.name, key.kind.example())).collect();
            let pairs = pairs.join(", ");
            say!(lang, "write {name} = {{ {pairs} }}", "请写 {name} = {{ {pairs} }}")
        }
        (Kind::Section(_) | Kind::Sections(_), _) => {
            let header = header_of(None, key);
            say!(lang, "write {header}", "请写 {header}")
        }
        (kind, Found::Integer | Found::Number | Found::Flag | Found::Date)
            if kind.shape() == Shape::Text =>
        {
            say!(lang, "put it in quotes", "加上引号")
        }
        (kind, _) => {
            let takes = kind.takes();
            let takes = takes.of(lang);
            say!(lang, "write {takes}", "请写{takes}")
        }
    }
}
