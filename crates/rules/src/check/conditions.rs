//! The conditions of a rule.

use std::sync::Arc;
use std::time::Duration;

use mynah_core::{ChatKind, EventKind, MessageKind, sort_by_key};

use super::names::Names;
use super::{Checker, Fields, Text, literal, values};
use crate::keys::{Kind, Role, Table};
use crate::model::{After, Conditions, Days, TimeWindow, Who};
use crate::problem::{BadValue, Conflict, Literal, Problem, SlashCase};
use mynah_matching::List;
use mynah_matching::fold::Folding;
use mynah_matching::glob::Glob;
use mynah_matching::pattern::Pattern;
use mynah_matching::regex::RegexCondition;
use mynah_reader::Value;
use mynah_reader::closest;

/// How much a text has in common with a sentence of `similar`, unless `at_least` says so.
const AT_LEAST: f64 = 0.75;

/// How long ago an answer may be that `after` names, unless `within` says so.
const WITHIN: Duration = Duration::from_secs(300);

/// The keys that look at the text.
const TEXT_KEYS: [&str; 8] =
    ["keyword", "all", "exact", "prefix", "suffix", "pattern", "regex", "similar"];

impl Checker<'_> {
    /// The conditions, and the names that they capture.
    pub(super) fn conditions(&mut self, fields: &Fields<'_>) -> (Conditions, Names) {
        let case = fields.flag("case");
        let is_table = fields.table == Table::Sheet;
        let mut names = Names::of_a_reply();
        let (all, all_of) = self.words_of_all(fields, case);
        let mut when = Conditions {
            text: mynah_matching::Conditions {
                keyword: self.words(fields, "keyword", case),
                all,
                all_of,
                none: self.words(fields, "none", case),
                exact: self.words(fields, "exact", case),
                prefix: self.words(fields, "prefix", case),
                suffix: self.words(fields, "suffix", case),
                pattern: self.patterns(fields, &mut names),
                regex: self.regexes(fields, case, &mut names),
                case,
            },
            quoted: fields.flag("quoted"),
            place: self.chat_kind(fields),
            // In a table that is a column.
            groups: if is_table { Vec::new() } else { self.globs(fields, "groups") },
            at_me: fields.flag("at_me"),
            from: people(fields, "from"),
            not_from: people(fields, "not_from"),
            kinds: self.kinds(fields),
            events: self.events(fields),
            time: self.windows(fields, "time"),
            days: self.days(fields),
            chance: self.share(fields, "chance"),
            comparisons: Vec::new(),
            after: self.after(fields),
            similar: if is_table { None } else { self.likeness(fields) },
        };
        let names = names.placed(when.place == Some(ChatKind::Private));
        when.comparisons = self.comparisons(fields, &names);
        self.is_any_list_empty(fields, &["from", "not_from", "type", "event", "time", "days"]);
        self.blank_names(fields);
        self.contradictions(fields, &when);
        self.compared_call(fields);
        (when, if fields.is_partly_unknown() { names.partial() } else { names })
    }

    /// Says if a list has no item: it would be a condition that never holds.
    pub(super) fn is_any_list_empty(&mut self, fields: &Fields<'_>, keys: &[&'static str]) {
        for key in keys {
            let is_empty = fields.entry(key).is_some_and(
                |entry| matches!(&entry.node.value, Value::List(items) if items.is_empty()),
            );
            if is_empty {
                let spot = fields
                    .entry(key)
                    .map_or(fields.spot.clone(), |entry| fields.at(entry.node.span.clone()));
                self.say(Problem::Empty { key, text: None }, spot);
            }
        }
    }

    /// Texts to be found, none of them blank.
    pub(super) fn words(
        &mut self,
        fields: &Fields<'_>,
        key: &'static str,
        case: bool,
    ) -> Vec<String> {
        self.is_any_list_empty(fields, &[key]);
        self.words_if_any(fields, key, case)
    }

    /// Texts, none of them blank; a list of nothing is as good as none.
    pub(super) fn words_if_any(
        &mut self,
        fields: &Fields<'_>,
        key: &'static str,
        case: bool,
    ) -> Vec<String> {
        let folding = Folding::new(case, self.fold_hant);
        let mut words = Vec::new();
        let texts = fields.texts(key);
        let is_alone = texts.len() == 1;
        for text in texts {
            self.taken_literally(key, &text, is_alone);
            self.compared_item(key, &text);
            let folded = folding.fold(text.text);
            let has_words = folded.text().contains(char::is_alphanumeric);
            if folded.text().trim().is_empty() || (key == "similar" && !has_words) {
                self.say(Problem::Empty { key, text: Some(text.text.to_owned()) }, text.spot);
            } else if let Some(list) = self.list_in(key, &text) {
                words.extend(items_of(key, &list));
            } else {
                words.push(text.text.to_owned());
            }
        }
        words
    }

    /// The list that an item of a condition names.
    fn list_in(&mut self, key: &str, text: &Text<'_>) -> Option<Arc<List>> {
        let may_be =
            matches!(key, "keyword" | "all" | "none" | "exact" | "prefix" | "suffix" | "similar");
        if may_be { self.list_named(text) } else { None }
    }

    /// The items of `all`, and the lists among them: of each of these, one is enough.
    fn words_of_all(&mut self, fields: &Fields<'_>, case: bool) -> (Vec<String>, Vec<Vec<String>>) {
        let names_list = |checker: &mut Self, text: &Text<'_>| {
            let name = text.text.trim().strip_prefix('<').and_then(|name| name.strip_suffix('>'));
            name.and_then(|name| checker.lists.get(name.trim()).cloned())
        };
        let lists: Vec<Arc<List>> =
            fields.texts("all").iter().filter_map(|text| names_list(self, text)).collect();
        let words = self.words(fields, "all", case);
        if lists.is_empty() {
            return (words, Vec::new());
        }
        // The remaining items name no list.
        let texts = fields.texts("all");
        let plain = texts.iter().filter(|text| names_list(self, text).is_none());
        let plain = plain.map(|text| text.text.to_owned()).filter(|text| words.contains(text));
        let all_of = lists.iter().map(|list| items_of("all", list));
        (plain.collect(), all_of.collect())
    }

    /// Says if a text was probably meant as a list, a regular expression, a pattern, or with the bot's own name.
    fn taken_literally(&mut self, key: &'static str, text: &Text<'_>, is_alone: bool) {
        if let Some(literal) = literal::item(key, text.text, is_alone) {
            self.say(Problem::Literal(literal), text.spot.clone());
        }
        if matches!(key, "exact" | "prefix" | "keyword" | "start") {
            self.mentions_the_bot(text, key == "keyword");
        }
    }

    /// Says if a text begins with a mention: where that is the bot, it is taken off before a rule is asked.
    fn mentions_the_bot(&mut self, text: &Text<'_>, only_own: bool) {
        let Some(after) = text.text.trim().strip_prefix(['@', '＠']) else { return };
        let own = self.own_names.iter().filter(|name| after.starts_with(name.as_str()));
        let (name, is_own) = match own.max_by_key(|name| name.len()) {
            Some(name) => (name.clone(), true),
            None => (
                after.split([' ', '\u{2005}', '，', ',']).next().unwrap_or_default().to_owned(),
                false,
            ),
        };
        let has_more = after.len() > name.len();
        let is_everybody = matches!(name.as_str(), "所有人" | "全体成员" | "all" | "everyone" | "");
        if is_own || (has_more && !only_own && !is_everybody) {
            self.say(Problem::Literal(Literal::Mention { name, is_own }), text.spot.clone());
        }
    }

    /// Names of chats, none of them blank.
    pub(super) fn globs(&mut self, fields: &Fields<'_>, key: &'static str) -> Vec<Glob> {
        self.words(fields, key, true).into_iter().map(Glob::new).collect()
    }

    fn patterns(&mut self, fields: &Fields<'_>, names: &mut Names) -> Vec<Pattern> {
        self.is_any_list_empty(fields, &["pattern"]);
        let texts = fields.texts("pattern");
        let mut patterns = Vec::new();
        for text in &texts {
            if self.is_blank("pattern", text) {
                continue;
            }
            self.taken_literally("pattern", text, false);
            self.mentions_the_bot(text, false);
            self.lists_in_pattern(text);
            self.compared_pattern(text);
            let pattern = self.pattern(text);
            if let Some(pattern) = pattern.iter().find(|pattern| pattern.fits_every()) {
                // Beside another condition it takes the whole text apart, as it should.
                let others = fields.table.keys().filter(|key| key.role == Role::Condition);
                let is_alone = !others
                    .filter(|key| key.name != "pattern")
                    .any(|key| fields.may_have(key.name));
                if is_alone {
                    let problem = Problem::PatternEvery { pattern: pattern.to_string() };
                    self.say(problem, text.spot.clone());
                }
            }
            patterns.extend(pattern);
        }
        let captures: Vec<_> = patterns.iter().map(Pattern::captures).collect();
        names.add_captures("pattern", texts.len(), &captures);
        patterns
    }

    fn regexes(
        &mut self,
        fields: &Fields<'_>,
        case: bool,
        names: &mut Names,
    ) -> Vec<RegexCondition> {
        self.is_any_list_empty(fields, &["regex"]);
        let texts = fields.texts("regex");
        let mut regexes = Vec::new();
        for text in &texts {
            if self.is_blank("regex", text) {
                continue;
            }
            let Some(regex) = self.regex(text, case) else { continue };
            let of_case = if case { SlashCase::Minded } else { SlashCase::CanBeMinded };
            self.slashes(text, &regex, of_case);
            if regex.never_matches() && regex.slashed().is_none() {
                self.say(Problem::RegexNever { regex: text.text.to_owned() }, text.spot.clone());
            }
            if regex.matches_every() {
                self.say(Problem::RegexEmpty { regex: text.text.to_owned() }, text.spot.clone());
            } else if !regex.has_fixed_text() {
                self.say(Problem::Scan, text.spot.clone());
            }
            regexes.push(regex);
        }
        let captures: Vec<_> = regexes.iter().map(RegexCondition::captures).collect();
        names.add_captures("regex", texts.len(), &captures);
        regexes
    }

    /// Says if a person in `from` or `not_from` has no name.
    pub(super) fn blank_names(&mut self, fields: &Fields<'_>) {
        for key in ["from", "not_from"] {
            let texts = fields.texts(key);
            for text in &texts {
                self.is_blank(key, text);
                self.taken_literally(key, text, texts.len() == 1);
                if key == "from" && text.text.trim() == "admin" && !self.has_admins {
                    self.say(Problem::NoAdmins, text.spot.clone());
                }
            }
        }
    }

    pub(super) fn is_blank(&mut self, key: &'static str, text: &Text<'_>) -> bool {
        let is_blank = text.text.trim().is_empty();
        if is_blank {
            self.say(Problem::Empty { key, text: Some(text.text.to_owned()) }, text.spot.clone());
        }
        is_blank
    }

    /// `in`, or the kind that `groups` implies.
    pub(super) fn chat_kind(&mut self, fields: &Fields<'_>) -> Option<ChatKind> {
        match self.word(fields, "in") {
            Some("group") => Some(ChatKind::Group),
            Some(_) => Some(ChatKind::Private),
            None if fields.table == Table::Sheet => None,
            None => fields.entry("groups").map(|_| ChatKind::Group),
        }
    }

    /// The word of a key, if it is one of those possible.
    pub(super) fn word(&mut self, fields: &Fields<'_>, key: &'static str) -> Option<&'static str> {
        self.known_words(fields, key).into_iter().next()
    }

    fn known_words(&mut self, fields: &Fields<'_>, key: &'static str) -> Vec<&'static str> {
        let words = match fields.table.key(key).map(|key| key.kind) {
            Some(Kind::Word(words) | Kind::Words(words)) => words,
            _ => &[],
        };
        let mut known = Vec::new();
        for text in fields.texts(key) {
            match words.iter().find(|word| **word == text.text.trim()) {
                Some(word) => known.push(*word),
                None => {
                    let meant = closest(text.text, words.iter().copied());
                    let value = BadValue::Word { found: text.text.to_owned(), words, meant };
                    self.say(Problem::Value(value), text.spot);
                }
            }
        }
        known
    }

    fn kinds(&mut self, fields: &Fields<'_>) -> Vec<MessageKind> {
        self.known_words(fields, "type").into_iter().filter_map(MessageKind::from_word).collect()
    }

    fn events(&mut self, fields: &Fields<'_>) -> Vec<EventKind> {
        self.known_words(fields, "event").into_iter().filter_map(EventKind::from_word).collect()
    }

    /// Parts of the day.
    pub(super) fn windows(&mut self, fields: &Fields<'_>, key: &str) -> Vec<TimeWindow> {
        let texts = fields.texts(key);
        texts.iter().filter_map(|text| self.value(text, values::time_window(text.text))).collect()
    }

    /// Days of the week; a list means all of them together.
    pub(super) fn days(&mut self, fields: &Fields<'_>) -> Option<Days> {
        let texts = fields.texts("days");
        let days: Vec<Days> =
            texts.iter().filter_map(|text| self.value(text, values::days(text.text))).collect();
        days.into_iter().reduce(Days::and)
    }

    /// The value of a text; a mistake in it is reported.
    pub(super) fn value<T>(&mut self, text: &Text<'_>, value: Result<T, BadValue>) -> Option<T> {
        value.map_err(|bad| self.say(Problem::Value(bad), text.spot.clone())).ok()
    }

    /// `similar` with `at_least`.
    fn likeness(&mut self, fields: &Fields<'_>) -> Option<(Vec<String>, f64)> {
        if fields.has("at_least") && !fields.may_have("similar") {
            self.conflict(fields, "at_least", Conflict::AtLeastWithout);
        }
        let texts = self.words(fields, "similar", false);
        let at_least = self.at_least(fields).unwrap_or(AT_LEAST);
        (!texts.is_empty()).then_some((texts, at_least))
    }

    /// `at_least`, above 0.
    pub(super) fn at_least(&mut self, fields: &Fields<'_>) -> Option<f64> {
        let at_least = self.share(fields, "at_least")?;
        if at_least <= 0.0
            && let Some(entry) = fields.entry("at_least")
        {
            let value = BadValue::AtLeast(at_least.to_string());
            self.say(Problem::Value(value), fields.at(entry.node.span.clone()));
            return None;
        }
        Some(at_least)
    }

    /// `after` with `within`.
    fn after(&mut self, fields: &Fields<'_>) -> Option<After> {
        if fields.has("within") && !fields.may_have("after") {
            self.conflict(fields, "within", Conflict::WithinWithout);
        }
        self.is_any_list_empty(fields, &["after"]);
        let within = self.duration_of(fields, "within").unwrap_or(WITHIN);
        let texts = fields.texts("after");
        let ids: Vec<String> = texts.iter().map(|id| id.text.trim().to_owned()).collect();
        self.afters.extend(texts.into_iter().map(|id| (id.text.trim().to_owned(), id.spot)));
        (!ids.is_empty()).then_some(After { ids, within })
    }

    /// A number between 0 and 1.
    pub(super) fn share(&mut self, fields: &Fields<'_>, key: &str) -> Option<f64> {
        let entry = fields.entry(key)?;
        let chance = match entry.node.value {
            Value::Float(number) => number,
            Value::Integer(number) => f64::from(i32::try_from(number).unwrap_or(i32::MAX)),
            _ => return None,
        };
        if (0.0..=1.0).contains(&chance) {
            return Some(chance);
        }
        let shown = chance.to_string();
        let value =
            if key == "chance" { BadValue::Chance(shown) } else { BadValue::AtLeast(shown) };
        self.say(Problem::Value(value), fields.at(entry.node.span.clone()));
        None
    }

    fn contradictions(&mut self, fields: &Fields<'_>, when: &Conditions) {
        let looks_at_text = || TEXT_KEYS.iter().chain(&["none"]).any(|key| fields.may_have(key));
        if when.quoted && !looks_at_text() {
            self.conflict(fields, "quoted", Conflict::QuotedWithoutText);
        }
        let in_private = when.place == Some(ChatKind::Private);
        if in_private && when.at_me {
            self.conflict(fields, "at_me", Conflict::AtMeInPrivate);
        }
        if in_private && fields.has("groups") && fields.table != Table::Sheet {
            self.conflict(fields, "groups", Conflict::GroupsInPrivate);
        }
        if let Some(event) = when.events.iter().find(|event| in_private && event.needs_group()) {
            self.conflict(fields, "event", Conflict::GroupEventInPrivate(*event));
        }
        let only_requests = !when.events.is_empty()
            && when.events.iter().all(|event| *event == EventKind::FriendRequest);
        if only_requests && when.place == Some(ChatKind::Group) {
            self.conflict(fields, "event", Conflict::FriendRequestInGroup);
        }
        if fields.has("type") && fields.has("event") {
            self.conflict(fields, "type", Conflict::TypeAndEvent);
            return;
        }
        self.text_conditions_of_the_textless(fields, when);
    }

    fn text_conditions_of_the_textless(&mut self, fields: &Fields<'_>, when: &Conditions) {
        let silent =
            [MessageKind::Image, MessageKind::Voice, MessageKind::Video, MessageKind::Emoji];
        let kinds_are_silent =
            !when.kinds.is_empty() && when.kinds.iter().all(|kind| silent.contains(kind));
        let events_are_silent =
            !when.events.is_empty() && when.events.iter().all(|event| !event.has_text());
        if (kinds_are_silent || events_are_silent)
            && let Some(key) = TEXT_KEYS.into_iter().find(|key| fields.has(key))
        {
            self.conflict(fields, key, Conflict::NoText(key));
        }
    }

    pub(super) fn conflict(&mut self, fields: &Fields<'_>, key: &str, conflict: Conflict) {
        self.say(Problem::Conflict(conflict), fields.key_spot(key));
    }
}

/// The items of a list under a key: where a part of the text is left, the longest first.
fn items_of(key: &str, list: &List) -> Vec<String> {
    let mut items: Vec<String> = list.items().iter().map(|item| item.to_string()).collect();
    if matches!(key, "prefix" | "suffix") {
        sort_by_key(&mut items, |item| std::cmp::Reverse(item.chars().count()));
    }
    items
}

/// The people in `from` or `not_from`.
pub(super) fn people(fields: &Fields<'_>, key: &str) -> Vec<Who> {
    let texts = fields.texts(key).into_iter();
    texts
        .map(|text| match text.text.trim() {
            "admin" => Who::Admin,
            name => Who::Named(name.to_owned()),
        })
        .collect()
}
