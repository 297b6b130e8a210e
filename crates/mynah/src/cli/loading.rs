//! BOT on the command line: reading its rules, and reporting their mistakes.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mynah_rules::{Checked, Diagnostic, Disk, Lang, Loaded, RuleBook, Severity};
use mynah_transports::Connector;
use serde::Serialize;

use super::common::Common;
use super::fetch_args::FetchArgs;
use super::print;
use super::shortened::Shortened;
use crate::config::{BotSettings, Config, Outside, Problems};
use crate::own_handlers::OwnHandlers;
use crate::rule_file::Mistakes;
use crate::view::draft::Draft;
use crate::{Bot, Ended, Report, report, rule_file};
use mynah_reader::{Finding, closest, say};

/// The main file of a BOT argument, if there is one.
fn main_file(bot: &Path) -> Result<PathBuf, Report> {
    let file = rule_file::main_file(bot);
    // A pipe or a device is reported when it is opened.
    if file.metadata().is_ok_and(|found| !found.is_dir()) {
        return Ok(file);
    }
    if let Some(found) = misnamed(bot) {
        let folder = bot.parent().filter(|_| !bot.is_dir()).unwrap_or(bot);
        let what = format!("{} has no bot.toml, but {found}", folder.display());
        return Err(Report::new(Ended::Usage, what).hint(rename_it(&found)));
    }
    let what = if bot.is_dir() { "has no bot.toml" } else { "does not exist" };
    let hint = match nearby(bot).as_slice() {
        [] => "give a folder with a bot.toml, or the file; `mynah new NAME` makes one".to_owned(),
        [one] => format!("did you mean {}?", one.display()),
        several => {
            let named: Vec<_> = several.iter().map(|bot| bot.display().to_string()).collect();
            format!("give one of {}", named.join(", "))
        }
    };
    Err(Report::new(Ended::Usage, format!("{} {what}", bot.display())).hint(hint))
}

/// The rule file in a folder under a name that is nearly `bot.toml`: editors add `.txt`, and some systems ignore case.
fn misnamed(bot: &Path) -> Option<String> {
    let is_main = bot.file_name().is_some_and(|name| name == "bot.toml");
    let folder = bot.parent().filter(|_| is_main).unwrap_or(bot);
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let files = entries.filter(|entry| entry.path().is_file());
    let mut names: Vec<String> =
        files.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names.into_iter().find(|name| is_nearly_main(&name.to_lowercase()))
}

fn is_nearly_main(name: &str) -> bool {
    const NAMES: [&str; 6] =
        ["bot.toml", "bot.toml.toml", "bot.tml", "bot.tom", "bots.toml", "bot.txt"];
    let stem = name.strip_suffix(".txt").filter(|stem| *stem != "bot").unwrap_or(name);
    let is_copy = stem.starts_with("bot") && stem.ends_with(".toml") && stem.contains([' ', '(']);
    NAMES.contains(&stem) || is_copy
}

fn rename_it(found: &str) -> String {
    let shows = if found.to_lowercase().ends_with(".txt") {
        " (Windows hides .txt: in the Explorer, View, File name extensions)"
    } else {
        ""
    };
    format!("rename {found} to bot.toml{shows}")
}

/// The bots that may have been meant by something that is none: those inside of it, or the one beside it with nearly that
/// name.
fn nearby(bot: &Path) -> Vec<PathBuf> {
    if bot.is_dir() {
        return bots_in(bot);
    }
    let parent = bot.parent().filter(|parent| !parent.as_os_str().is_empty());
    let beside = bots_in(parent.unwrap_or(Path::new(".")));
    let name_of = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let names: Vec<String> = beside.iter().filter_map(|bot| name_of(bot)).collect();
    let meant = name_of(bot).and_then(|name| {
        closest(&name, names.iter().map(String::as_str)).map(|near| bot.with_file_name(near))
    });
    meant.into_iter().collect()
}

/// The folders with a `bot.toml` in a folder, by name; no more than fit into a hint.
fn bots_in(folder: &Path) -> Vec<PathBuf> {
    const ENOUGH: usize = 20;
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut bots: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| rule_file::main_file(path) != *path && rule_file::main_file(path).is_file())
        .collect();
    bots.sort();
    bots.truncate(ENOUGH);
    bots
}

/// The service that a file is judged for.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct JudgedFor {
    /// The chat service that the bot is meant for; by default the ones of `[bot] transport`, else the first of the program.
    #[arg(long, value_name = "SERVICE")]
    transport: Option<String>,
}

impl JudgedFor {
    /// The service of the command line, if it names one.
    pub(crate) fn service(&self, bot: &Bot) -> Result<Option<&'static dyn Connector>, Report> {
        self.transport.as_deref().map(|name| service(name, bot)).transpose()
    }
}

/// The service of a name on the command line.
pub(crate) fn service(name: &str, bot: &Bot) -> Result<&'static dyn Connector, Report> {
    let services = bot.services();
    services.named(name).ok_or_else(|| {
        let names: Vec<_> = services.names().collect();
        let hint = match closest(name, names.iter().copied()) {
            Some(near) => format!("did you mean {near}? there are {}", names.join(", ")),
            None => format!("there are {}", names.join(", ")),
        };
        Report::new(Ended::Usage, format!("--transport: there is no service {name}")).hint(hint)
    })
}

/// The bot with the handlers of the settings and the hosts that they and the command line open; `None` if the settings have
/// mistakes, which are shown.
pub(crate) fn with_settings(
    (config, fetch): (Option<&Path>, &FetchArgs),
    bot: Bot,
    common: &Common,
) -> Result<Option<Bot>, Report> {
    let own = bot.to_configure();
    let Some(settings) = settings(config, &own, &bot, common) else { return Ok(None) };
    let bot = bot.fetching(fetch.over(&settings.fetch)).configured(&own);
    bot.declare(settings.handlers).map(Some)
}

/// The bot with the settings of the handlers of the program alone; `None` as for [`with_settings`].
pub(crate) fn with_own_settings(config: Option<&Path>, bot: Bot, common: &Common) -> Option<Bot> {
    let own = bot.to_configure();
    settings(config, &own, &bot, common).map(|_| bot.configured(&own))
}

fn settings(
    config: Option<&Path>,
    own: &OwnHandlers,
    bot: &Bot,
    common: &Common,
) -> Option<BotSettings> {
    let read = Config::load_bot(config, &Outside::new(bot.services(), None).with_own(own));
    let show = |problems: &Problems| {
        report::say(&problems.render(common.lang(), Common::colours_on_stderr()));
    };
    read.inspect_err(show).ok()
}

/// Reads a BOT for checking and testing: the stock runner cannot know the handlers that the file is meant for.
pub(crate) fn load(path: &Path, bot: &Bot, judged_for: &JudgedFor) -> Result<Loaded, Report> {
    Ok(check(path, bot, judged_for)?.compile())
}

/// The same, up to the point where its rules would be compiled.
pub(crate) fn check(path: &Path, bot: &Bot, judged_for: &JudgedFor) -> Result<Checked, Report> {
    let service = judged_for.service(bot)?;
    let main = main_file(path)?;
    let names = bot.names();
    let handlers = (!bot.is_stock()).then_some(names.as_slice());
    let capabilities = service.map(Connector::capabilities);
    Ok(rule_file::judged(handlers, capabilities.as_deref(), bot, |options| {
        Checked::read(&main, &bot.files(&Disk), options)
    }))
}

/// Reads a BOT whose rules are needed, and gives the options for messages about it. Errors are shown on standard error, warnings are counted there.
pub(crate) fn load_book(
    path: &Path,
    bot: &Bot,
    judged_for: &JudgedFor,
    common: &Common,
) -> Result<(Arc<RuleBook>, Common), Report> {
    let loaded = load(path, bot, judged_for)?;
    let common = common.for_file(loaded.lang);
    let errors = loaded.diagnostics.iter().filter(|one| one.is_error());
    let mut err = io::stderr().lock();
    // There is nowhere left to say that standard error is closed.
    let _ = show_some(&mut err, &loaded, errors, &common, Common::colours_on_stderr())
        .and_then(|()| count_warnings(&mut err, &loaded, path, common.lang()));
    let book = loaded.book.clone().ok_or_else(|| broken(&loaded, common.lang()))?;
    Ok((book, common))
}

/// Says how many warnings there are, for commands that are not about them.
fn count_warnings(out: &mut dyn Write, loaded: &Loaded, path: &Path, lang: Lang) -> io::Result<()> {
    let warnings = loaded.diagnostics.iter().filter(|one| one.severity == Severity::Warning);
    match (warnings.count(), lang) {
        (0, _) => Ok(()),
        (count, Lang::En) => {
            let warnings = print::plural(count, "warning");
            writeln!(out, "{warnings}; shown by: mynah check {}", path.display())
        }
        (count, Lang::Zh) => {
            writeln!(out, "{count} 个警告；查看请运行：mynah check {}", path.display())
        }
    }
}

/// The bot of a file with errors, for where they can be seen and mended: without any rules. The mistakes are shown.
pub(crate) fn without_rules(
    path: &Path,
    loaded: &Loaded,
    bot: &Bot,
    common: &Common,
) -> Result<(Arc<RuleBook>, Mistakes), Report> {
    let main = main_file(path)?;
    let _ = show(&mut io::stderr().lock(), loaded, common, Common::colours_on_stderr());
    let with_only =
        |text: &str| rule_file::load_to_try(&main, &Draft { main: &main, text }, bot, None).book;
    let book = with_only(&bot_table(&main)).or_else(|| with_only(""));
    let book = book.ok_or_else(|| broken(loaded, common.lang()))?;
    Ok((book, Mistakes::of_errors(loaded, common.lang())))
}

/// The lines of the `[bot]` table of a file with mistakes: with them the bot keeps its name and its groups.
fn bot_table(main: &Path) -> String {
    let text = std::fs::read_to_string(main).unwrap_or_default();
    let mut lines = text.lines().skip_while(|line| line.trim() != "[bot]");
    let head = lines.next().into_iter();
    let rest = lines.take_while(|line| !line.trim_start().starts_with('['));
    head.chain(rest).fold(String::new(), |table, line| table + line + "\n")
}

/// The rules of a good file. Diagnostics are shown on standard error, warnings too.
pub(crate) fn book(loaded: &Loaded, common: &Common) -> Result<Arc<RuleBook>, Report> {
    // There is nowhere left to say that standard error is closed.
    let _ = show(&mut io::stderr().lock(), loaded, common, Common::colours_on_stderr());
    loaded.book.clone().ok_or_else(|| broken(loaded, common.lang()))
}

/// The report about a file with errors.
fn broken(loaded: &Loaded, lang: Lang) -> Report {
    let errors = loaded.diagnostics.iter().filter(|one| one.is_error()).count();
    let s = if errors == 1 { "" } else { "s" };
    let what = say!(
        lang,
        "{errors} error{s} in the rule file; see above",
        "规则文件有 {errors} 处错误，见上文"
    );
    Report::new(Ended::No, what)
}

/// The diagnostics to show: notes only on request.
fn to_show<'a>(loaded: &'a Loaded, common: &Common) -> impl Iterator<Item = &'a Diagnostic> {
    let notes = common.shows_notes();
    loaded.diagnostics.iter().filter(move |one| notes || one.severity != Severity::Note)
}

/// Writes diagnostics for people: a few of each kind, and how many more there are.
pub(crate) fn show(
    out: &mut dyn Write,
    loaded: &Loaded,
    common: &Common,
    colours: bool,
) -> io::Result<()> {
    show_some(out, loaded, to_show(loaded, common), common, colours)
}

fn show_some<'a>(
    out: &mut dyn Write,
    loaded: &'a Loaded,
    diagnostics: impl Iterator<Item = &'a Diagnostic>,
    common: &Common,
    colours: bool,
) -> io::Result<()> {
    let render = |one: &Diagnostic| one.render(&loaded.sources, common.lang(), colours);
    let shortened = Shortened::of(diagnostics, |one| render(one).lines().count());
    for one in &shortened.shown {
        out.write_all(render(one).as_bytes())?;
    }
    shortened.write_hidden(out, common.lang())
}

/// Writes all diagnostics for people.
pub(crate) fn show_all(
    out: &mut dyn Write,
    loaded: &Loaded,
    common: &Common,
    colours: bool,
) -> io::Result<()> {
    to_show(loaded, common).try_for_each(|one| {
        out.write_all(one.render(&loaded.sources, common.lang(), colours).as_bytes())
    })
}

/// Writes diagnostics as JSON Lines.
pub(crate) fn show_json(out: &mut dyn Write, loaded: &Loaded, common: &Common) -> io::Result<()> {
    to_show(loaded, common).try_for_each(|one| print::json(out, &Line::of(one, common.lang())))
}

/// A diagnostic as JSON, in the language asked for.
#[derive(Serialize)]
pub(crate) struct Line<'a> {
    severity: Severity,
    code: &'a str,
    file: &'a str,
    line: u32,
    column: u32,
    message: String,
    hint: Option<String>,
}

impl<'a> From<Finding<'a>> for Line<'a> {
    fn from(one: Finding<'a>) -> Self {
        Self {
            severity: one.severity,
            code: one.code,
            file: one.file,
            line: one.line.number,
            column: one.line.column(one.span.start),
            message: one.message,
            hint: one.hint,
        }
    }
}

impl<'a> Line<'a> {
    fn of(one: &'a Diagnostic, lang: Lang) -> Self {
        Self {
            severity: one.severity,
            code: one.code,
            file: &one.file,
            line: one.line,
            column: one.column,
            message: one.message(lang),
            hint: one.hint(lang),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::files::OneFile;

    #[test]
    fn the_last_line_about_a_broken_file_is_in_both_languages() {
        let file = OneFile("[[rule]]\nkeywrd = 'a'\n".to_owned());
        let loaded = rule_file::load_to_try(Path::new(OneFile::NAME), &file, &Bot::new(), None);
        let last = |lang| broken(&loaded, lang).to_string();
        assert!(last(Lang::En).ends_with("in the rule file; see above"), "{}", last(Lang::En));
        assert!(last(Lang::Zh).starts_with("规则文件有 "), "{}", last(Lang::Zh));
    }
}
