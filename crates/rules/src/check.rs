//! From trees to meaning: every table of every file is read by the table of keys and its values are parsed; all
//! mistakes are reported in one run.
//!
//! The file system is read only for the pictures and files that rules send. A check never stops at a mistake: a part
//! that cannot be understood is left out, and mistakes that would only follow from an earlier one are not reported.

mod actions;
mod answers;
mod bot;
mod brakes;
mod compared;
mod conditions;
mod dialogs;
mod fetches;
mod fields;
mod groups;
mod lists;
mod literal;
mod names;
mod paths;
mod report;
mod rules;
mod schedules;
mod scripts;
mod sends;
mod services;
mod steps;
mod tables;
mod texts;
mod values;
mod variables;
mod ways;
mod when;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use mynah_core::{Capabilities, sort_by_key};

pub(crate) use fields::{Fields, Text};
pub(crate) use paths::is_inside;
pub(crate) use report::Report;
pub(crate) use values::duration;

use crate::keys::Table;
use crate::load::LoadOptions;
use crate::model::{Bot, Place};
use crate::problem::{Comparison, Problem};
use crate::script::Test;
use crate::shadow;
use crate::sources::{FileId, Files, Sources, Spot};
use mynah_matching::Lists;
use mynah_reader::closest;
use mynah_reader::{TableNode, TextPlaces};

/// A file to be checked.
#[derive(Debug)]
pub(crate) struct File {
    /// Which.
    pub(crate) id: FileId,
    /// Its tree.
    pub(crate) root: TableNode,
}

/// Everything that checking looks at beside the files themselves.
pub(crate) struct Surroundings<'a> {
    /// The texts of the files.
    pub(crate) sources: &'a Sources,
    /// The files of lists.
    pub(crate) list_files: &'a crate::load::include::ListFiles,
    /// The files of tables.
    pub(crate) table_files: &'a crate::load::include::TableFiles,
    /// The file system.
    pub(crate) files: &'a dyn Files,
    /// The folder of the main file.
    pub(crate) folder: &'a Path,
    /// Whether a file is missing, so that a definition that was not found may be in it.
    pub(crate) is_cut: bool,
    /// The known facts about the program and the transport.
    pub(crate) options: &'a LoadOptions<'a>,
}

/// Checks the files of a bot; the main one is the last.
pub(crate) fn check(
    files: &[File],
    around: &Surroundings<'_>,
    report: &mut Report,
) -> (Bot, Vec<Test>) {
    let mut checker = Checker::new(around, report);
    let roots: Vec<(&File, Fields<'_>)> =
        files.iter().map(|file| (file, checker.root(file))).collect();
    checker.assigned = variables::assigned(files);
    checker.read_lists(&roots.iter().map(|(_, root)| root).collect::<Vec<_>>());
    // Included files come before the main file, default rules behind it.
    let main = roots.iter().position(|(file, _)| file.id == FileId::MAIN);
    let main = main.unwrap_or_default();
    let mut bot = checker.bot(roots.get(main).map(|(_, root)| root));
    for (_, (_, other)) in roots.iter().enumerate().filter(|(at, _)| *at != main) {
        checker.no_bot(other);
    }
    let mut tests = Vec::new();
    let mut sound = Vec::new();
    for (at, (_, root)) in roots.iter().enumerate() {
        for (kind, node, spot) in in_order(root) {
            let before = checker.report.errors();
            let rule = match kind {
                Table::Sheet => checker.table(node, spot),
                _ => checker.rule(node, spot),
            };
            bot.rules.push(rule);
            let is_whole = checker.spots.last().is_some_and(|spots| spots.is_whole);
            let is_cut = std::mem::take(&mut checker.uses_broken_list);
            let is_clean = is_whole && !is_cut && checker.report.errors() == before;
            // A rule of the files may take the place of a default one.
            sound.push(at <= main && is_clean);
        }
        bot.dialogs.extend(
            root.tables("dialog").into_iter().map(|(node, spot)| checker.dialog(node, spot)),
        );
        bot.schedules.extend(
            root.tables("schedule").into_iter().map(|(node, spot)| checker.schedule(node, spot)),
        );
        bot.tables
            .extend(root.tables("group").into_iter().map(|(node, spot)| checker.group(node, spot)));
    }
    for (_, root) in &roots[..roots.len().min(main + 1)] {
        let parsed = root
            .tables("test")
            .into_iter()
            .filter_map(|(node, spot)| checker.test(node, spot, &bot.zone));
        tests.extend(parsed);
    }
    checker.has_something(&bot, &roots);
    checker.check_grounds(&bot, &roots);
    checker.finish();
    shadow::find(&bot, &sound, &checker.spots, checker.report);
    (bot, tests)
}

/// The rules and tables of a file in the order in which they are written.
fn in_order<'n>(root: &Fields<'n>) -> Vec<(Table, &'n TableNode, Spot)> {
    let of_kind =
        |key, kind| root.tables(key).into_iter().map(move |(node, spot)| (kind, node, spot));
    let mut all: Vec<_> =
        of_kind("rule", Table::Rule).chain(of_kind("table", Table::Sheet)).collect();
    sort_by_key(&mut all, |(_, _, spot)| spot.span.start);
    all
}

/// The kinds of definitions of which some could not be read: none of them can be reported as missing.
#[derive(Debug, Clone, Copy)]
struct Unread {
    /// Some `id`.
    ids: bool,
    /// Some `start` of a rule.
    starts: bool,
    /// Some `set`, `add` or `vars`.
    sets: bool,
}

/// A variable that a text uses.
struct UsedVariable {
    name: String,
    has_default: bool,
    /// Whether no text is made of it that could have a default: it is about the values of all people in the chat, or
    /// cleared.
    has_no_text: bool,
    spot: Spot,
}

/// The state of a check.
pub(crate) struct Checker<'a> {
    around: &'a Surroundings<'a>,
    report: &'a mut Report,
    /// The places of the rules' headers and keys, for the checks at the end.
    spots: Vec<shadow::RuleSpots>,
    /// The ids seen, with the place of the first.
    ids: BTreeMap<String, Spot>,
    /// The state keys given out, so that no two rules share one, each with the number of the last copy of it.
    state_keys: HashMap<String, u32>,
    /// The ids of dialogs.
    dialogs: BTreeSet<String>,
    /// The ids of dialogs by the texts that begin them: for hints.
    begun_by: BTreeMap<String, String>,
    /// The kinds of which some could not be read, so that none can be reported as missing.
    unread: Unread,
    /// The dialogs that rules start.
    starts: Vec<(String, Spot)>,
    /// Dialogs without a start text.
    startless: Vec<(String, Spot)>,
    /// The ids in `only`.
    onlys: Vec<(String, Spot)>,
    /// The variables that something sets, with their scope.
    set: BTreeSet<String>,
    /// The variables that texts use, with whether they have a default.
    used: Vec<UsedVariable>,
    /// Whether handlers run that may set anything.
    runs_handlers: bool,
    /// The services that the file is judged for.
    services: Vec<&'a Capabilities>,
    /// Whether it was reported that mentions are plain text.
    said_plain_mention: bool,
    /// How many names were compared with unknown ones.
    compared_names: usize,
    /// Whether it has been said that only calls arrive.
    said_only_calls: bool,
    /// Whether traditional characters fold.
    fold_hant: bool,
    /// How often each new way of comparing matters, and the first places.
    compared: BTreeMap<Comparison, (usize, Vec<Spot>)>,
    /// The lists of `[lists]`.
    lists: Lists,
    /// Whether some list could not be read.
    may_have_unread_lists: bool,
    /// Whether some list lacks items, all or those with a mistake.
    has_broken_lists: bool,
    /// Whether the rule names a list while there is a broken one: its conditions may lack items, too.
    uses_broken_list: bool,
    /// The names in `[bot] names`.
    own_names: Vec<String>,
    /// Whether the rule or dialog is only for some people.
    is_guarded: bool,
    /// The ids in `after`.
    afters: Vec<(String, Spot)>,
    /// Whether `[bot]` names admins, or may do so.
    has_admins: bool,
    /// The variables that any `set`, `add` or `vars` of the files writes, right or wrong: for hints.
    assigned: BTreeSet<String>,
    /// The names of the tables of groups.
    group_names: groups::GroupNames,
    /// The value in which a place was looked for last: it may have many mistakes.
    last_text: Option<(Spot, TextPlaces)>,
}

impl<'a> Checker<'a> {
    fn new(around: &'a Surroundings<'a>, report: &'a mut Report) -> Self {
        Self {
            around,
            report,
            spots: Vec::new(),
            ids: BTreeMap::new(),
            state_keys: HashMap::new(),
            dialogs: BTreeSet::new(),
            begun_by: BTreeMap::new(),
            unread: Unread { ids: around.is_cut, starts: around.is_cut, sets: around.is_cut },
            starts: Vec::new(),
            startless: Vec::new(),
            onlys: Vec::new(),
            set: BTreeSet::new(),
            used: Vec::new(),
            runs_handlers: around.options.handlers.is_some_and(|handlers| !handlers.is_empty()),
            services: Vec::new(),
            said_plain_mention: false,
            compared_names: 0,
            said_only_calls: false,
            fold_hant: false,
            compared: BTreeMap::new(),
            lists: Lists::new(),
            may_have_unread_lists: around.is_cut,
            has_broken_lists: around.is_cut,
            uses_broken_list: false,
            own_names: Vec::new(),
            has_admins: true,
            is_guarded: false,
            afters: Vec::new(),
            assigned: BTreeSet::new(),
            group_names: groups::GroupNames::default(),
            last_text: None,
        }
    }

    fn root<'n>(&mut self, file: &'n File) -> Fields<'n> {
        Fields::read(Table::File, &file.root, Spot::new(file.id, 0..0), self.report)
    }

    fn say(&mut self, problem: Problem, spot: Spot) {
        self.report.add(problem, spot);
    }

    /// The header of the table that contains a place.
    fn place(&self, spot: &Spot) -> Place {
        Place {
            file: self.around.sources.name(spot.file),
            line: self.around.sources.line_at(spot.file, spot.span.start).number,
        }
    }

    /// A place as people write it.
    fn shown(&self, spot: &Spot) -> String {
        let place = self.place(spot);
        format!("{}:{}", place.file, place.line)
    }

    /// The place in the file of a part of a text.
    fn inside(&mut self, text: &Text<'_>, part: &std::ops::Range<usize>) -> Spot {
        let Spot { file, span } = &text.spot;
        let known = self.last_text.take_if(|(spot, _)| *spot == text.spot);
        let (_, places) = self.last_text.insert(known.unwrap_or_else(|| {
            let source = self.around.sources.text(*file);
            let raw = source.get(span.clone()).unwrap_or_default();
            (text.spot.clone(), TextPlaces::new(raw))
        }));
        Spot::new(*file, places.of(span.start, part))
    }

    /// Notes an id, and says if it is there already.
    fn id(&mut self, id: &Text<'_>) {
        match self.ids.get(id.text).cloned() {
            Some(first) => {
                let problem =
                    Problem::DuplicateId { id: id.text.to_owned(), other: self.shown(&first) };
                self.say(problem, id.spot.clone());
            }
            None => drop(self.ids.insert(id.text.to_owned(), id.spot.clone())),
        }
    }

    /// Says if the files hold nothing that answers or sends. Handlers of the program may answer without rules.
    fn has_something(&mut self, bot: &Bot, roots: &[(&File, Fields<'_>)]) {
        let Some((main, root)) = roots.last() else { return };
        let has_rules =
            !(bot.rules.is_empty() && bot.dialogs.is_empty() && bot.schedules.is_empty());
        let may_have = |root: &Fields<'_>| {
            ["rule", "table", "dialog", "schedule"].iter().any(|key| root.may_have(key))
        };
        let has_handlers = self.around.options.handlers.is_some_and(|known| !known.is_empty());
        let is_known = !self.around.is_cut && !has_handlers && self.report.is_clean();
        if is_known && !has_rules && !roots.iter().any(|(_, root)| may_have(root)) {
            self.say(Problem::Nothing, Spot::new(main.id, root.spot.span.clone()));
        }
    }

    /// Reports tables that handlers ask for and that do not exist.
    fn check_grounds(&mut self, bot: &Bot, roots: &[(&File, Fields<'_>)]) {
        let Some((main, root)) = roots.last().filter(|_| !self.unread.ids) else { return };
        let tables = bot.rules.iter().filter(|rule| rule.table.is_some());
        let ids: Vec<&str> = tables.filter_map(|rule| rule.name.id.as_deref()).collect();
        for (handler, id) in self.around.options.grounds {
            if !ids.contains(&id.as_str()) && self.report.is_clean() {
                let meant = closest(id, ids.iter().copied()).map(str::to_owned);
                let (handler, id) = (handler.clone(), id.clone());
                // The mistake is in another file; this one has no better place.
                let start = Spot::new(main.id, root.spot.span.start..root.spot.span.start);
                self.say(Problem::NoGround { handler, id, meant }, start);
            }
        }
    }

    /// The checks that need the whole file.
    fn finish(&mut self) {
        self.say_compared();
        self.check_starts();
        let afters = std::mem::take(&mut self.afters);
        for (id, spot) in std::mem::take(&mut self.onlys).into_iter().chain(afters) {
            if !self.ids.contains_key(&id) && !self.unread.ids {
                self.unknown_id(id, spot);
            }
        }
        if self.runs_handlers || self.unread.sets {
            return;
        }
        for UsedVariable { name, has_default, has_no_text, spot } in std::mem::take(&mut self.used)
        {
            // The values of a chat come from tables that may be written later; with a default nothing is amiss.
            let is_meant = has_default && !name.starts_with("user.");
            if !is_meant && !self.set.contains(&name) {
                let meant = self.variable_meant(&name);
                self.say(Problem::NeverSet { name, meant, has_default, has_no_text }, spot);
            }
        }
    }

    /// Whether a name may still be compared with so many others: of thousands of unknown names, only the first get the
    /// one that was probably meant.
    fn may_compare(&mut self, others: usize) -> bool {
        const MOST: usize = 1_000_000;
        self.compared_names = self.compared_names.saturating_add(others);
        self.compared_names <= MOST
    }

    /// The variable of the same owner whose name is closest.
    fn variable_meant(&mut self, name: &str) -> Option<String> {
        let (owner, key) = name.split_once('.')?;
        self.may_compare(self.set.len()).then_some(())?;
        let of_owner =
            self.set.iter().filter_map(|set| set.split_once('.').filter(|(of, _)| *of == owner));
        let meant = closest(key, of_owner.map(|(_, key)| key))?;
        Some(format!("{owner}.{meant}"))
    }

    fn check_starts(&mut self) {
        let starts = std::mem::take(&mut self.starts);
        let started: BTreeSet<&str> = starts.iter().map(|(id, _)| id.as_str()).collect();
        for (id, spot) in std::mem::take(&mut self.startless) {
            if !self.unread.starts && !started.contains(id.as_str()) {
                self.say(Problem::NeverBegins, spot);
            }
        }
        for (id, spot) in starts {
            if !self.dialogs.contains(&id) && !self.unread.ids {
                let near = || closest(&id, self.dialogs.iter().map(String::as_str));
                let meant = self.begun_by.get(&id).map(String::as_str).or_else(near);
                let meant = meant.map(str::to_owned);
                self.say(Problem::UnknownId { id, meant }, spot);
            }
        }
    }

    fn unknown_id(&mut self, id: String, spot: Spot) {
        let known = self.may_compare(self.ids.len()).then(|| self.ids.keys().map(String::as_str));
        let meant = closest(&id, known.into_iter().flatten()).map(str::to_owned);
        self.say(Problem::UnknownId { id, meant }, spot);
    }
}
