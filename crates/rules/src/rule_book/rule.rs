//! One rule in its compiled form. Small: a bot may have a hundred thousand of them.

use mynah_core::{ChatKind, EventKind, MessageKind};
use mynah_matching::conditions::Compiled;

use super::answer_table::AnswerTable;
use crate::comparison::Comparison;
use crate::decision::RuleRef;
use crate::fetching::Fetching;
use crate::likeness::Similar;
use crate::model::{self, After, Brakes, Days, Place, Step, TimeWindow, Who};
use crate::rule_book::RuleInfo;
use mynah_matching::fold::Folding;
use mynah_matching::glob::Glob;
use mynah_matching::template::Template;

/// One rule, ready to be held against events.
#[derive(Debug)]
pub(crate) struct Rule {
    /// How it is named towards people.
    pub(crate) reference: RuleRef,
    /// Whether that is an id of its own.
    pub(crate) is_named: bool,
    /// Under which its clocks and counters are kept.
    pub(crate) key: Box<str>,
    /// The conditions on the text.
    pub(crate) text: Compiled,
    /// Whether these also look at the words that a message quotes.
    pub(crate) quoted: bool,
    /// All of these must hold for the rest; most rules have no such condition.
    pub(crate) rest: Option<Box<Rest>>,
    pub(crate) then: Box<[Step]>,
    /// The request whose answer the actions use.
    pub(crate) fetch: Option<Box<Fetching>>,
    /// The sentence as which the message is searched again.
    pub(crate) answer_as: Option<Box<Template>>,
    pub(crate) brakes: Option<Box<Brakes>>,
    pub(crate) go_on: bool,
    pub(crate) silent: bool,
    pub(crate) off: bool,
    pub(crate) builtin: bool,
    /// Whether the text of a rule that is a certain candidate need not be looked at again.
    pub(crate) found_is_proof: bool,
    /// The rows of a `[[table]]`, of which one must be asked for.
    pub(crate) table: Option<Box<AnswerTable>>,
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
    pub(crate) comparisons: Vec<Comparison>,
    pub(crate) after: Option<After>,
    pub(crate) similar: Option<Similar>,
}

/// Whether a rule runs a builtin handler: such rules are asked before everything else.
pub(super) fn is_builtin(rule: &model::Rule) -> bool {
    rule.then.iter().any(|step| matches!(step, Step::Run(name) if name.starts_with("builtin.")))
}

impl Rule {
    /// Compiles a checked rule.
    pub(crate) fn new(rule: model::Rule, hant: bool, found_is_proof: bool) -> Self {
        let builtin = is_builtin(&rule);
        let model::Rule {
            place,
            name,
            when,
            then,
            fetch,
            answer_as,
            brakes,
            go_on,
            silent,
            off,
            table,
            ..
        } = rule;
        let has_brakes = !brakes.cooldown.is_empty() || brakes.limit.is_some();
        let Place { file, line } = place;
        let is_named = name.id.is_some();
        let id = name.id.unwrap_or_else(|| format!("{file}:{line}")).into();
        Self {
            reference: RuleRef { id, file, line },
            is_named,
            key: name.key.into(),
            text: Compiled::new(&when.text, hant),
            quoted: when.quoted,
            rest: rest(when, Folding::new(false, hant)),
            then: then.into(),
            fetch,
            answer_as: answer_as.map(Box::new),
            brakes: has_brakes.then(|| Box::new(brakes)),
            go_on,
            silent,
            off,
            builtin,
            found_is_proof,
            table: table.map(|table| Box::new(AnswerTable::new(*table, hant))),
        }
    }

    /// The facts of the rule for lists.
    pub(crate) fn info(&self) -> RuleInfo {
        let RuleRef { id, file, line } = self.reference.clone();
        let rows = self.table.as_ref().map(|table| table.name.clone());
        RuleInfo { id: id.to_string(), key: self.key.to_string(), file, line, off: self.off, rows }
    }

    /// About how many steps its regexes and patterns can take at worst in a text of so many characters.
    pub(crate) fn worst_steps(&self, characters: usize) -> usize {
        self.text.worst_steps(characters)
    }

    /// About how many bytes it takes on the heap.
    pub(crate) fn heap(&self) -> usize {
        let text = self.text.heap();
        let then = self.then.iter().map(heap_of_step).sum::<usize>() + size_of_val(&*self.then);
        let rest = self.rest.as_ref().map_or(0, |_| size_of::<Rest>());
        let brakes = self.brakes.as_ref().map_or(0, |_| size_of::<Brakes>());
        let table = self.table.as_ref().map_or(0, |table| table.heap());
        let fetch = self.fetch.as_ref().map_or(0, |_| size_of::<Fetching>());
        self.key.len() + self.reference.id.len() + text + then + rest + brakes + table + fetch
    }

    /// The columns of the rows that it saves: the captures of its conditions, in the order written.
    pub(crate) fn columns(&self) -> Vec<String> {
        if self.then.iter().any(|step| matches!(step, Step::Save(_) | Step::Wait(_))) {
            let taken = self.fetch.iter().flat_map(|fetch| fetch.taken());
            self.text.capture_names().into_iter().chain(taken.map(str::to_owned)).collect()
        } else {
            Vec::new()
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

fn rest(when: model::Conditions, folding: Folding) -> Option<Box<Rest>> {
    let any = when.place.is_some()
        || when.at_me
        || when.days.is_some()
        || when.chance.is_some()
        || !(when.groups.is_empty()
            && when.kinds.is_empty()
            && when.events.is_empty()
            && when.time.is_empty()
            && when.from.is_empty()
            && when.not_from.is_empty()
            && when.comparisons.is_empty()
            && when.after.is_none()
            && when.similar.is_none());
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
            comparisons: when.comparisons,
            after: when.after,
            similar: when.similar.map(|(texts, at_least)| Similar::new(&texts, at_least, folding)),
        })
    })
}
