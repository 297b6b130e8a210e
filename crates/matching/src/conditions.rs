//! Conditions on one text: as they are written, and ready to be held against texts.

use std::ops::Range;
use std::sync::Arc;

use crate::fold::Folding;
use crate::items::Items;
use crate::keyword::Item;
use crate::pattern::{Fillings, Matcher, Pattern};
use crate::regex::{Program, RegexCondition};
use crate::{Captures, Text};

/// Conditions on one text as they are written. All lists that are not empty must hold.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    /// The text contains one of these.
    pub keyword: Vec<String>,
    /// The text contains each of these.
    pub all: Vec<String>,
    /// The text contains one of each of these lists: the lists named by `all`.
    pub all_of: Vec<Vec<String>>,
    /// The text contains none of these.
    pub none: Vec<String>,
    /// The text is one of these.
    pub exact: Vec<String>,
    /// The text starts with one of these.
    pub prefix: Vec<String>,
    /// The text ends with one of these.
    pub suffix: Vec<String>,
    /// The text is one of these sentences with holes.
    pub pattern: Vec<Pattern>,
    /// One of these is found in the text.
    pub regex: Vec<RegexCondition>,
    /// Whether case counts; the regexes know it themselves.
    pub case: bool,
}

/// Conditions on one text, ready to be held against texts.
#[derive(Debug)]
pub struct Compiled {
    folding: Folding,
    conditions: Box<[Condition]>,
}

/// One condition, made ready.
#[derive(Debug)]
enum Condition {
    Keyword(Items),
    All(Items),
    /// One of these, as an item of `all` asks for.
    AllOf(Items),
    None(Items),
    Exact(Items),
    Prefix(Items),
    Suffix(Items),
    Pattern(Box<[Matcher]>),
    /// The source of each beside it, for explanations.
    Regex(Box<[(Arc<str>, Arc<Program>)]>),
}

/// The texts that conditions take out of a text, of the first item of each list that fits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// The captures of patterns and regexes, in original characters.
    pub captures: Captures,
    /// The text that a prefix or suffix leaves, in original characters.
    pub rest: String,
}

/// A condition that fails, in the words of the language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its key: `keyword`, `all`, …
    pub key: &'static str,
    /// Its items, joined by commas.
    pub expected: String,
    /// The text as the condition sees it.
    pub actual: String,
}

impl Compiled {
    /// Makes conditions ready; with `hant`, traditional characters compare as simplified ones.
    #[must_use]
    pub fn new(written: &Conditions, hant: bool) -> Self {
        let folding = Folding::new(written.case, hant);
        Self { folding, conditions: compile(written, folding) }
    }

    /// Holds the conditions against a text.
    ///
    /// # Errors
    ///
    /// The place of the first condition that fails, for [`describe`](Self::describe).
    pub fn check(&self, text: &Text<'_>) -> Result<Taken, usize> {
        if self.conditions.is_empty() {
            return Ok(Taken::default());
        }
        let mut taking = Taking::default();
        for (n, condition) in self.conditions.iter().enumerate() {
            if !taking.take(condition, text, self.folding) {
                return Err(n);
            }
        }
        Ok(taking.finish(text, self.folding))
    }

    /// Whether the text has something that the conditions ask for; `None` if they ask for nothing, only refuse.
    #[must_use]
    pub fn holds_in_part(&self, text: &Text<'_>) -> Option<bool> {
        let asks = |condition: &&Condition| !matches!(condition, Condition::None(_));
        let mut asked = self.conditions.iter().filter(asks).peekable();
        asked.peek()?;
        Some(asked.any(|condition| Taking::default().take(condition, text, self.folding)))
    }

    /// The words for the condition at a place that [`check`](Self::check) gave.
    ///
    /// # Panics
    ///
    /// If there is no condition at that place.
    #[must_use]
    pub fn describe(&self, place: usize, text: &Text<'_>) -> Failure {
        let items = |items: &Items| join(items.all().iter().map(Item::text));
        let (key, expected) = match &self.conditions[place] {
            Condition::Keyword(list) => ("keyword", items(list)),
            Condition::All(list) | Condition::AllOf(list) => ("all", items(list)),
            Condition::None(list) => ("none", items(list)),
            Condition::Exact(list) => ("exact", items(list)),
            Condition::Prefix(list) => ("prefix", items(list)),
            Condition::Suffix(list) => ("suffix", items(list)),
            Condition::Pattern(list) => ("pattern", join(list.iter().map(Matcher::source))),
            Condition::Regex(list) => ("regex", join(list.iter().map(|(source, _)| source))),
        };
        let seen = if key == "regex" { text.width() } else { text.folded(self.folding) };
        Failure { key, expected, actual: seen.text().to_owned() }
    }

    /// A text for which all conditions probably hold, folded; `None` if a regex has to hold. Ask
    /// [`check`](Self::check) whether they do.
    #[must_use]
    pub fn example(&self) -> Option<String> {
        let mut parts: [Vec<String>; 3] = Default::default();
        let [begin, middle, end] = &mut parts;
        for condition in &self.conditions {
            let first = |items: &Items| items.all().first().map(|item| item.text().to_owned());
            match condition {
                Condition::Exact(items) => return first(items),
                Condition::Prefix(items) => begin.extend(first(items)),
                Condition::Suffix(items) => end.extend(first(items)),
                Condition::Keyword(items) | Condition::AllOf(items) => middle.extend(first(items)),
                Condition::All(items) => {
                    middle.extend(items.all().iter().map(|item| item.text().to_owned()));
                }
                Condition::Pattern(matchers) => {
                    let pattern = Pattern::parse(matchers.first()?.source()).ok()?;
                    let fillings = Fillings { texts: &["y"], whole: &["7"], numbers: &["7"] };
                    middle.extend(pattern.instances(fillings, 64)?.into_iter().next());
                }
                Condition::Regex(_) => return None,
                Condition::None(_) => {}
            }
        }
        Some(parts.concat().join(" "))
    }

    /// About how many steps its regexes and patterns can take at worst in a text of so many characters.
    #[must_use]
    pub fn worst_steps(&self, characters: usize) -> usize {
        let of_condition = |condition: &Condition| match condition {
            Condition::Regex(list) => {
                list.iter().map(|(_, program)| program.worst_steps(characters)).sum()
            }
            Condition::Pattern(list) => {
                list.iter().map(|matcher| matcher.worst_steps(characters)).sum()
            }
            _ => 0,
        };
        self.conditions.iter().map(of_condition).sum()
    }

    /// The names that its patterns and regexes capture, each once, in the order written.
    #[must_use]
    pub fn capture_names(&self) -> Vec<String> {
        let of_condition = |condition: &Condition| -> Vec<String> {
            match condition {
                Condition::Pattern(patterns) => {
                    patterns.iter().flat_map(Matcher::names).map(ToString::to_string).collect()
                }
                Condition::Regex(regexes) => {
                    let names = regexes.iter().flat_map(|(_, program)| program.names());
                    names.map(ToString::to_string).collect()
                }
                _ => Vec::new(),
            }
        };
        let mut names: Vec<String> = Vec::new();
        for name in self.conditions.iter().flat_map(of_condition) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap(&self) -> usize {
        let conditions = self.conditions.iter().map(Condition::heap);
        conditions.sum::<usize>() + size_of_val(&*self.conditions)
    }
}

impl Condition {
    fn heap(&self) -> usize {
        match self {
            Self::Keyword(list)
            | Self::All(list)
            | Self::AllOf(list)
            | Self::None(list)
            | Self::Exact(list)
            | Self::Prefix(list)
            | Self::Suffix(list) => list.heap(),
            Self::Pattern(list) => {
                size_of_val(&**list) + list.iter().map(Matcher::heap).sum::<usize>()
            }
            Self::Regex(list) => {
                let each = list
                    .iter()
                    .map(|(source, program)| source.len() + size_of::<Program>() + program.heap());
                size_of_val(&**list) + each.sum::<usize>()
            }
        }
    }
}

fn compile(written: &Conditions, folding: Folding) -> Box<[Condition]> {
    let all = |list: &[String], make: fn(Items) -> Condition, read: fn(&str, Folding) -> Item| {
        let items = || Items::new(list.iter().map(|item| read(item, folding)));
        (!list.is_empty()).then(|| make(items()))
    };
    let items = |list: &[String], make| all(list, make, Item::new);
    let stems = |list: &[String], make| all(list, make, Item::with_stars);
    let all_of = written.all_of.iter().map(|list| stems(list, Condition::AllOf));
    let patterns =
        || written.pattern.iter().map(|pattern| Matcher::new(pattern, folding)).collect();
    let regexes = || {
        let each = written.regex.iter();
        each.map(|regex| (Arc::from(regex.as_str()), Arc::clone(regex.program()))).collect()
    };
    // The cheap ones first.
    [
        items(&written.exact, Condition::Exact),
        items(&written.prefix, Condition::Prefix),
        items(&written.suffix, Condition::Suffix),
        stems(&written.keyword, Condition::Keyword),
        stems(&written.all, Condition::All),
        (!written.pattern.is_empty()).then(|| Condition::Pattern(patterns())),
        (!written.regex.is_empty()).then(|| Condition::Regex(regexes())),
        stems(&written.none, Condition::None),
    ]
    .into_iter()
    .chain(all_of)
    .flatten()
    .collect()
}

/// The ranges and captures found while the conditions are looked at.
#[derive(Default)]
struct Taking {
    captures: Captures,
    /// The part behind a prefix, in the folded text.
    after: Option<Range<usize>>,
    /// The part before a suffix.
    before: Option<Range<usize>>,
}

impl Taking {
    /// Returns whether a condition holds, and keeps its captures and ranges.
    fn take(&mut self, condition: &Condition, text: &Text<'_>, folding: Folding) -> bool {
        let folded = || text.folded(folding);
        match condition {
            Condition::Keyword(items) | Condition::AllOf(items) => items.has_any(text, folding),
            Condition::All(items) => items.has_all(text, folding),
            Condition::None(items) => !items.has_any(text, folding),
            Condition::Exact(items) => items.has_whole(folded().text()),
            Condition::Prefix(items) => {
                self.after = items.rest_after(folded().text());
                self.after.is_some()
            }
            Condition::Suffix(items) => {
                self.before = items.rest_before(folded().text());
                self.before.is_some()
            }
            Condition::Pattern(patterns) => {
                self.keep(patterns.iter().find_map(|pattern| pattern.captures(folded())))
            }
            Condition::Regex(regexes) => {
                self.keep(regexes.iter().find_map(|(_, program)| program.captures(text.width())))
            }
        }
    }

    fn keep(&mut self, found: Option<Captures>) -> bool {
        found.map(|mut captures| self.captures.append(&mut captures)).is_some()
    }

    fn finish(self, text: &Text<'_>, folding: Folding) -> Taken {
        let rest = match (self.after, self.before) {
            (Some(after), Some(before)) => Some(after.start..before.end.max(after.start)),
            (after, before) => after.or(before),
        };
        let original = |rest| text.folded(folding).original(rest).trim().to_owned();
        Taken { captures: self.captures, rest: rest.map(original).unwrap_or_default() }
    }
}

/// So many items of a condition are shown.
const MOST_SHOWN: usize = 20;

fn join(items: impl ExactSizeIterator<Item = impl ToString>) -> String {
    let hidden = items.len().saturating_sub(MOST_SHOWN);
    let shown: Vec<String> = items.take(MOST_SHOWN).map(|item| item.to_string()).collect();
    let more = if hidden == 0 { String::new() } else { format!(", … (+{hidden})") };
    format!("{}{more}", shown.join(", "))
}
