//! Loading a bot: its files are read, parsed, checked, and made into a rule book.

pub(crate) mod include;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use mynah_core::{Capabilities, Fetch};

use crate::check::{Report, Surroundings, check};
use crate::diagnostic::Diagnostic;
use crate::model::{Bot, Place};
use crate::problem::Problem;
use crate::rule_book::{RegexCost, RuleBook};
use crate::script::Test;
use crate::sources::{Files, Sources};
use mynah_reader::Lang;

/// The known facts about the program that will run the bot.
#[derive(Debug, Clone, Copy, Default)]
pub struct LoadOptions<'a> {
    /// The names of the registered handlers. `None` if they are not known: then a handler's name is only noted.
    pub handlers: Option<&'a [String]>,
    /// The names of further handlers, which rules do not run, each with its role: `before` or `fallback`.
    pub unruled: &'a [(String, &'static str)],
    /// The abilities of the service that the bot runs on. `None` if it is not known: then those of
    /// [`services`](Self::services) count that the file names, else the first of them; without any, files are measured by
    /// the limits of the web protocol.
    pub capabilities: Option<&'a Capabilities>,
    /// The client for requests to web services, which knows the hosts and secrets that the operator opened. `None` if these
    /// are not known: then they are not checked.
    pub fetch: Option<&'a dyn Fetch>,
    /// The services of the program, which `[bot] transport` may name. Without any, each name is taken.
    pub services: &'a [&'a Capabilities],
    /// The ids of the tables whose rows handlers of the program get, each with the name of the handler. One that does not
    /// exist is a warning: of several bots with one program, another may have it.
    pub grounds: &'a [(String, String)],
}

/// A bot as far as it could be loaded.
pub struct Loaded {
    /// The rules, ready to decide; `None` if there is any error.
    pub book: Option<Arc<RuleBook>>,
    /// Everything there is to say, in the order of the files and places.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts of the files, for showing diagnostics.
    pub sources: Sources,
    /// The `[[test]]` tables; those that could be read.
    pub tests: Vec<Test>,
    /// `[bot] lang`: the language for messages about these files, if the reader of the messages names none.
    pub lang: Option<Lang>,
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded")
            .field("is_good", &self.book.is_some())
            .field("diagnostics", &self.diagnostics)
            .field("tests", &self.tests.len())
            .finish_non_exhaustive()
    }
}

/// Loads a bot from its main file.
///
/// Nothing is thrown away at the first mistake: all of them, in all files, are in [`Loaded::diagnostics`].
#[must_use]
pub fn load(main: &Path, files: &dyn Files, options: &LoadOptions<'_>) -> Loaded {
    Checked::read(main, files, options).compile()
}

/// A bot whose files were read and checked, but whose rules are not compiled yet.
pub struct Checked {
    bot: Bot,
    tests: Vec<Test>,
    sources: Sources,
    report: Report,
}

impl Checked {
    /// Reads and checks a bot from its main file: the longer half of [`load`].
    #[must_use]
    pub fn read(main: &Path, files: &dyn Files, options: &LoadOptions<'_>) -> Self {
        let folder = main.parent().unwrap_or(Path::new(""));
        let mut report = Report::default();
        let (sources, trees, others) = include::read_all(main, folder, files, &mut report);
        let is_cut = report.lacks_a_file();
        let around = Surroundings {
            sources: &sources,
            list_files: &others.lists,
            table_files: &others.tables,
            files,
            folder,
            is_cut,
            options,
        };
        let (bot, tests) = check(&trees, &around, &mut report);
        Self { bot, tests, sources, report }
    }

    /// Makes the rules ready to decide, with their index, unless there is any error.
    #[must_use]
    pub fn compile(self) -> Loaded {
        let Self { bot, tests, sources, mut report } = self;
        let lang = bot.lang;
        let mut book = report.is_clean().then(|| Arc::new(RuleBook::build(bot)));
        for (rule, sentence) in book.iter().flat_map(|book| book.redirect_loops()) {
            let place = Place { file: Arc::clone(&rule.file), line: rule.line };
            if let Some(spot) = sources.line_spot(&place) {
                report.add(Problem::AnswerLoop { sentence }, spot);
            }
        }
        book = book.filter(|_| report.is_clean());
        if let Some(cost) = book.as_ref().and_then(|book| book.regex_cost()) {
            costly(&cost, &sources, &mut report);
        }
        let problems = report.into_problems();
        let diagnostics =
            problems.map(|(problem, spot)| Diagnostic::new(problem, spot, &sources)).collect();
        Loaded { book, diagnostics, sources, tests, lang }
    }
}

impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checked")
            .field("is_good", &self.report.is_clean())
            .field("rules", &self.bot.rules.len())
            .finish_non_exhaustive()
    }
}

/// Says at the first of them which regular expressions are too costly together.
fn costly(cost: &RegexCost, sources: &Sources, report: &mut Report) {
    /// So many places are named; the rest are like them.
    const NAMED: usize = 5;
    let named = cost.rules.iter().take(NAMED);
    let places: Vec<Place> =
        named.map(|rule| Place { file: Arc::clone(&rule.file), line: rule.line }).collect();
    let Some(spot) = places.first().and_then(|place| sources.line_spot(place)) else { return };
    let problem =
        Problem::RegexCost { millis: cost.time.as_millis(), rules: cost.rules.len(), places };
    report.add(problem, spot);
}
