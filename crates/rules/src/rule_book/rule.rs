//! One rule in its compiled form. Small: a bot may have a hundred thousand of them.

use std::sync::Arc;

use mynah_core::{ChatKind, MessageKind};

use crate::decision::RuleRef;
use crate::fold::Folding;
use crate::glob::Glob;
use crate::keyword::Item;
use crate::model::{self, Brakes, Days, EventKind, Place, Step, TimeWindow, Who};
use crate::pattern::Matcher;
use crate::regex_condition::Program;
use crate::rule_book::RuleInfo;

/// One rule, ready to be held against events.
#[derive(Debug)]
pub(crate) struct Rule {
    /// How it is named towards people.
    pub(crate) reference: RuleRef,
    /// Whether that is an id of its own.
    pub(crate) is_named: bool,
    /// Under which its clocks and counters are kept.
    pub(crate) key: Box<str>,
    pub(crate) folding: Folding,
    /// All of these must hold for the text.
    pub(crate) text: Box<[TextCondition]>,
    /// All of these must hold for the rest; most rules have no such condition.
    pub(crate) rest: Option<Box<Rest>>,
    pub(crate) then: Box<[Step]>,
    pub(crate) brakes: Option<Box<Brakes>>,
    pub(crate) go_on: bool,
    pub(crate) off: bool,
    pub(crate) builtin: bool,
    /// Whether the text of a rule that is a certain candidate need not be looked at again.
    pub(crate) found_is_proof: bool,
}

/// A condition on the text.
#[derive(Debug)]
pub(crate) enum TextCondition {
    Keyword(Box<[Item]>),
    All(Box<[Item]>),
    None(Box<[Item]>),
    Exact(Box<[Item]>),
    Prefix(Box<[Item]>),
    Suffix(Box<[Item]>),
    Pattern(Box<[Matcher]>),
    /// The source of each beside it, for explanations.
    Regex(Box<[(Arc<str>, Arc<Program>)]>),
}

/// The conditions on everything but the text.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    pub(crate) place: Option<ChatKind>,
    pub(crate) groups: Vec<Glob>,
    pub(crate) at_me: bool,
    pub(crate) kinds: Vec<MessageKind>,
    pub(crate) events: Vec<EventKind>,
    pub(crate) time: Vec<TimeWindow>,
    pub(crate) days: Option<Days>,
    pub(crate) from: Vec<Who>,
    pub(crate) not_from: Vec<Who>,
    pub(crate) chance: Option<f64>,
}

/// Whether a rule runs a builtin handler: such rules are asked before everything else.
pub(super) fn is_builtin(rule: &model::Rule) -> bool {
    rule.then.iter().any(|step| matches!(step, Step::Run(name) if name.starts_with("builtin.")))
}

impl Rule {
    /// Compiles a checked rule.
    pub(crate) fn new(rule: model::Rule, hant: bool, found_is_proof: bool) -> Self {
        let builtin = is_builtin(&rule);
        let model::Rule { place, name, when, then, brakes, go_on, off, .. } = rule;
        let folding = Folding::new(when.case, hant);
        let has_brakes = !brakes.cooldown.is_empty() || brakes.limit.is_some();
        let Place { file, line } = place;
        let is_named = name.id.is_some();
        let id = name.id.unwrap_or_else(|| format!("{file}:{line}")).into();
        Self {
            reference: RuleRef { id, file, line },
            is_named,
            key: name.key.into(),
            folding,
            text: text_conditions(&when, folding),
            rest: rest(when),
            then: then.into(),
            brakes: has_brakes.then(|| Box::new(brakes)),
            go_on,
            off,
            builtin,
            found_is_proof,
        }
    }

    /// What lists show of it.
    pub(crate) fn info(&self) -> RuleInfo {
        let RuleRef { id, file, line } = self.reference.clone();
        RuleInfo { id: id.to_string(), key: self.key.to_string(), file, line, off: self.off }
    }

    /// About how many steps its regexes and patterns can take at worst in a text of so many characters.
    pub(crate) fn worst_steps(&self, characters: usize) -> usize {
        let of_condition = |condition: &TextCondition| match condition {
            TextCondition::Regex(list) => {
                list.iter().map(|(_, program)| program.worst_steps(characters)).sum()
            }
            TextCondition::Pattern(list) => {
                list.iter().map(|matcher| matcher.worst_steps(characters)).sum()
            }
            _ => 0,
        };
        self.text.iter().map(of_condition).sum()
    }

    /// About how many bytes it takes on the heap.
    pub(crate) fn heap(&self) -> usize {
        let text =
            self.text.iter().map(TextCondition::heap).sum::<usize>() + size_of_val(&*self.text);
        let then = self.then.iter().map(heap_of_step).sum::<usize>() + size_of_val(&*self.then);
        let rest = self.rest.as_ref().map_or(0, |_| size_of::<Rest>());
        let brakes = self.brakes.as_ref().map_or(0, |_| size_of::<Brakes>());
        self.key.len() + self.reference.id.len() + text + then + rest + brakes
    }

    /// The columns of the rows that it saves: what its conditions capture, in the order written.
    pub(crate) fn columns(&self) -> Vec<String> {
        if self.then.iter().any(|step| matches!(step, Step::Save(_) | Step::Wait(_))) {
            self.capture_names()
        } else {
            Vec::new()
        }
    }

    fn capture_names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let of_condition = |condition: &TextCondition| match condition {
            TextCondition::Pattern(patterns) => {
                patterns.iter().flat_map(Matcher::names).map(ToString::to_string).collect()
            }
            TextCondition::Regex(regexes) => regexes
                .iter()
                .flat_map(|(_, program)| program.names())
                .map(ToString::to_string)
                .collect(),
            _ => Vec::new(),
        };
        for name in self.text.iter().flat_map(of_condition) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

impl TextCondition {
    fn heap(&self) -> usize {
        let items = |items: &[Item]| {
            size_of_val(items) + items.iter().map(|item| item.text().len()).sum::<usize>()
        };
        match self {
            Self::Keyword(list)
            | Self::All(list)
            | Self::None(list)
            | Self::Exact(list)
            | Self::Prefix(list)
            | Self::Suffix(list) => items(list),
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

/// Only texts are counted: nothing else in a step grows.
fn heap_of_step(step: &Step) -> usize {
    match step {
        Step::Say { text, .. } => text.heap(),
        Step::SayOneOf { texts, .. } => {
            texts.iter().map(|text| size_of_val(text) + text.heap()).sum()
        }
        _ => 0,
    }
}

fn text_conditions(when: &model::Conditions, folding: Folding) -> Box<[TextCondition]> {
    let items = |list: &[String], make: fn(Box<[Item]>) -> TextCondition| {
        (!list.is_empty()).then(|| make(list.iter().map(|item| Item::new(item, folding)).collect()))
    };
    let patterns = || when.pattern.iter().map(|pattern| Matcher::new(pattern, folding)).collect();
    let regexes = || {
        when.regex
            .iter()
            .map(|regex| (Arc::from(regex.as_str()), Arc::clone(regex.program())))
            .collect()
    };
    // The cheap ones first.
    [
        items(&when.exact, TextCondition::Exact),
        items(&when.prefix, TextCondition::Prefix),
        items(&when.suffix, TextCondition::Suffix),
        items(&when.keyword, TextCondition::Keyword),
        items(&when.all, TextCondition::All),
        (!when.pattern.is_empty()).then(|| TextCondition::Pattern(patterns())),
        (!when.regex.is_empty()).then(|| TextCondition::Regex(regexes())),
        items(&when.none, TextCondition::None),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn rest(when: model::Conditions) -> Option<Box<Rest>> {
    let any = when.place.is_some()
        || when.at_me
        || when.days.is_some()
        || when.chance.is_some()
        || !(when.groups.is_empty()
            && when.kinds.is_empty()
            && when.events.is_empty()
            && when.time.is_empty()
            && when.from.is_empty()
            && when.not_from.is_empty());
    any.then(|| {
        Box::new(Rest {
            place: when.place,
            groups: when.groups,
            at_me: when.at_me,
            kinds: when.kinds,
            events: when.events,
            time: when.time,
            days: when.days,
            from: when.from,
            not_from: when.not_from,
            chance: when.chance,
        })
    })
}
