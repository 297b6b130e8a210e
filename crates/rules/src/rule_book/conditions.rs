//! Holds a rule against an event.
//!
//! Both searches, the ordered and the indexed one, decide about a rule here and nowhere else.

use std::ops::Range;

use jiff::civil::Weekday;
use mynah_core::{Captures, MessageKind};

use super::look::{Look, Subject};
use super::rule::{Rest, Rule, TextCondition};
use crate::explain::{Failed, Verdict};
use crate::fold::Folding;
use crate::keyword::{Item, Traces};
use crate::model::{EventKind, Who};
use crate::pattern::Matcher;

/// The first condition that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fails {
    Off,
    Event,
    Type,
    Place,
    Groups,
    Only,
    AtMe,
    /// The condition on the text at this place.
    Text(usize),
    Time,
    Days,
    From,
    NotFrom,
    Chance,
}

/// Everything but people and chance, which need state and randomness; gives what the rule takes out of the text. With
/// `text_holds` the conditions on the text are known to hold, and take nothing.
pub(crate) fn check(rule: &Rule, look: &Look<'_>, text_holds: bool) -> Result<Taken, Fails> {
    if rule.off {
        return Err(Fails::Off);
    }
    match &rule.rest {
        Some(rest) => check_subject(rest, look)?,
        None if look.subject != Subject::Message(MessageKind::Text) => return Err(Fails::Type),
        None => {}
    }
    if let Some(only) = look.only.filter(|_| !rule.builtin) {
        let is_meant = rule.is_named && only.contains(&*rule.reference.id);
        is_meant.then_some(()).ok_or(Fails::Only)?;
    }
    let mut taking = Taking::default();
    let to_ask: &[TextCondition] = if text_holds { &[] } else { &rule.text };
    for (n, condition) in to_ask.iter().enumerate() {
        if !taking.take(condition, look, rule.folding) {
            return Err(Fails::Text(n));
        }
    }
    rule.rest.as_ref().map_or(Ok(()), |rest| check_time(rest, look))?;
    Ok(taking.finish(look, rule.folding))
}

fn check_subject(rest: &Rest, look: &Look<'_>) -> Result<(), Fails> {
    match look.subject {
        Subject::Notice(event) => rest.events.contains(&event).then_some(()).ok_or(Fails::Event)?,
        Subject::Message(kind) => {
            let plain =
                rest.kinds.is_empty() && rest.events.is_empty() && kind == MessageKind::Text;
            let fits = plain || rest.kinds.contains(&kind);
            let missing = if rest.kinds.is_empty() && !rest.events.is_empty() {
                Fails::Event
            } else {
                Fails::Type
            };
            fits.then_some(()).ok_or(missing)?;
        }
    }
    if rest.place.is_some_and(|place| place != look.chat.kind) {
        return Err(Fails::Place);
    }
    if !rest.groups.is_empty() {
        let fits =
            look.chat.is_group() && rest.groups.iter().any(|glob| glob.fits(&look.chat.name));
        fits.then_some(()).ok_or(Fails::Groups)?;
    }
    if rest.at_me && !look.called { Err(Fails::AtMe) } else { Ok(()) }
}

fn check_time(rest: &Rest, look: &Look<'_>) -> Result<(), Fails> {
    if !rest.time.is_empty() {
        let time = look.clock().time();
        rest.time.iter().any(|window| window.contains(time)).then_some(()).ok_or(Fails::Time)?;
    }
    match rest.days {
        Some(days) if !days.contains(look.clock().weekday()) => Err(Fails::Days),
        _ => Ok(()),
    }
}

/// What a rule that matches takes out of the text, of the first item of each list that matches.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) captures: Captures,
    /// For `{rest}`.
    pub(crate) rest: String,
}

/// The same while the conditions are looked at.
#[derive(Default)]
struct Taking {
    captures: Captures,
    /// What a prefix leaves, in the folded text.
    after: Option<Range<usize>>,
    /// What a suffix leaves.
    before: Option<Range<usize>>,
}

impl Taking {
    /// Whether a condition on the text holds; takes what it takes.
    fn take(&mut self, condition: &TextCondition, look: &Look<'_>, folding: Folding) -> bool {
        let folded = || look.folded(folding);
        let text = || folded().text();
        match condition {
            TextCondition::Keyword(items) => {
                let has = has(items, look, folding);
                items.iter().any(has)
            }
            TextCondition::All(items) => {
                let has = has(items, look, folding);
                items.iter().all(has)
            }
            TextCondition::None(items) => {
                let has = has(items, look, folding);
                !items.iter().any(has)
            }
            TextCondition::Exact(items) => items.iter().any(|item| item.is(text())),
            TextCondition::Prefix(items) => {
                self.after = items.iter().find_map(|item| item.rest_after(text()));
                self.after.is_some()
            }
            TextCondition::Suffix(items) => {
                self.before = items.iter().find_map(|item| item.rest_before(text()));
                self.before.is_some()
            }
            TextCondition::Pattern(patterns) => {
                self.keep(patterns.iter().find_map(|pattern| pattern.captures(folded())))
            }
            TextCondition::Regex(regexes) => {
                self.keep(regexes.iter().find_map(|(_, program)| program.captures(look.width())))
            }
        }
    }

    fn keep(&mut self, found: Option<Captures>) -> bool {
        found.map(|mut captures| self.captures.append(&mut captures)).is_some()
    }

    fn finish(self, look: &Look<'_>, folding: Folding) -> Taken {
        let rest = match (self.after, self.before) {
            (Some(after), Some(before)) => Some(after.start..before.end.max(after.start)),
            (after, before) => after.or(before),
        };
        let original = |rest| look.folded(folding).original(rest).trim().to_owned();
        Taken { captures: self.captures, rest: rest.map(original).unwrap_or_default() }
    }
}

/// Whether the text has an item of a list. In a long list most items are told quickly not to be there.
fn has(items: &[Item], look: &Look<'_>, folding: Folding) -> impl Fn(&Item) -> bool {
    let text = look.folded(folding).text();
    let traces = (items.len() >= Traces::MANY).then(|| look.traces(folding));
    move |item| traces.is_none_or(|traces| traces.may_have(item)) && item.find(text).is_some()
}

/// The words for a condition that fails.
pub(crate) fn describe(fails: Fails, rule: &Rule, look: &Look<'_>) -> Verdict {
    let rest = rule.rest.as_deref();
    let failed = |key, wanted: String, saw: String| Verdict::Failed(Failed { key, wanted, saw });
    let of_rest = |words: fn(&Rest) -> String| rest.map(words).unwrap_or_default();
    let person = || look.person.map(|person| person.name.clone()).unwrap_or_default();
    match fails {
        Fails::Off => Verdict::Off,
        Fails::Event => failed(
            "event",
            of_rest(|rest| join(rest.events.iter().map(|kind| event_word(*kind)))),
            subject(look),
        ),
        Fails::Type => {
            let kinds = of_rest(|rest| join(rest.kinds.iter().map(|kind| kind.word())));
            failed("type", if kinds.is_empty() { "text".to_owned() } else { kinds }, subject(look))
        }
        Fails::Place => failed(
            "in",
            of_rest(|rest| rest.place.map_or("", place).to_owned()),
            place(look.chat.kind).to_owned(),
        ),
        Fails::Groups => {
            failed("groups", of_rest(|rest| join(rest.groups.iter())), look.chat.name.clone())
        }
        Fails::Only => {
            failed("only", join(look.only.into_iter().flatten()), rule.reference.id.to_string())
        }
        Fails::AtMe => failed("at_me", "true".to_owned(), "false".to_owned()),
        Fails::Text(n) => text_failed(&rule.text[n], look, rule.folding),
        Fails::Time => {
            let windows = of_rest(|rest| {
                join(rest.time.iter().map(|one| format!("{}-{}", hour(one.from), hour(one.to))))
            });
            failed("time", windows, hour(look.clock().time()))
        }
        Fails::Days => {
            let wanted = rest.and_then(|rest| rest.days);
            let wanted =
                WEEK.iter().filter(|(day, _)| wanted.is_some_and(|days| days.contains(*day)));
            let today = WEEK.iter().find(|(day, _)| *day == look.clock().weekday());
            failed(
                "days",
                join(wanted.map(|(_, word)| word)),
                today.map_or("", |(_, word)| word).to_owned(),
            )
        }
        Fails::From => failed("from", of_rest(|rest| join(rest.from.iter().map(who))), person()),
        Fails::NotFrom => {
            failed("not_from", of_rest(|rest| join(rest.not_from.iter().map(who))), person())
        }
        Fails::Chance => failed(
            "chance",
            of_rest(|rest| rest.chance.map(|chance| chance.to_string()).unwrap_or_default()),
            String::new(),
        ),
    }
}

fn text_failed(condition: &TextCondition, look: &Look<'_>, folding: Folding) -> Verdict {
    let items = |items: &[Item]| join(items.iter().map(Item::text));
    let (key, wanted) = match condition {
        TextCondition::Keyword(list) => ("keyword", items(list)),
        TextCondition::All(list) => ("all", items(list)),
        TextCondition::None(list) => ("none", items(list)),
        TextCondition::Exact(list) => ("exact", items(list)),
        TextCondition::Prefix(list) => ("prefix", items(list)),
        TextCondition::Suffix(list) => ("suffix", items(list)),
        TextCondition::Pattern(list) => ("pattern", join(list.iter().map(Matcher::source))),
        TextCondition::Regex(list) => ("regex", join(list.iter().map(|(source, _)| source))),
    };
    let saw = if key == "regex" { look.width() } else { look.folded(folding) };
    Verdict::Failed(Failed { key, wanted, saw: saw.text().to_owned() })
}

const WEEK: [(Weekday, &str); 7] = [
    (Weekday::Monday, "mon"),
    (Weekday::Tuesday, "tue"),
    (Weekday::Wednesday, "wed"),
    (Weekday::Thursday, "thu"),
    (Weekday::Friday, "fri"),
    (Weekday::Saturday, "sat"),
    (Weekday::Sunday, "sun"),
];

fn join(items: impl Iterator<Item = impl ToString>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

fn hour(time: jiff::civil::Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

fn place(kind: mynah_core::ChatKind) -> &'static str {
    match kind {
        mynah_core::ChatKind::Group => "group",
        mynah_core::ChatKind::Private => "private",
    }
}

fn event_word(kind: EventKind) -> &'static str {
    EventKind::ALL.iter().find(|(known, _)| *known == kind).map_or("", |(_, word)| word)
}

fn who(who: &Who) -> &str {
    match who {
        Who::Admin => "admin",
        Who::Named(name) => name,
    }
}

fn subject(look: &Look<'_>) -> String {
    match look.subject {
        Subject::Message(kind) => kind.word().to_owned(),
        Subject::Notice(kind) => event_word(kind).to_owned(),
    }
}
