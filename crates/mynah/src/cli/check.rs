//! `mynah check`: every mistake of a bot and of the settings, with its place and remedy.

use std::io::{self, Write};
use std::path::PathBuf;

use mynah_rules::{BotSummary, Lang, Loaded, RuleBook, Severity};

use super::print::plural;
use super::{common::Common, loading, print};
use crate::config::{Config, DATA, Outside, Problems};
use crate::{Bot, Ended, Report};

/// Check a bot and the settings: every mistake, and every rule that can never fire.
///
/// The settings are those of --config, else config/mynah.toml if it exists. Their bots must exist, and two accounts must
/// not share a data folder. An environment variable that they name and that is not set here is shown, but is not a
/// mistake: the bot may run elsewhere.
///
/// Exit status 1 if there is an error; warnings are shown, notes only with -v.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A folder with a bot.toml, or the file; may be left out with --config.
    #[arg(value_name = "BOT", required_unless_present = "config")]
    bot: Option<PathBuf>,
    /// The operating settings to check; by default config/mynah.toml, if it is there.
    #[arg(long, value_name = "FILE", env = "MYNAH_CONFIG")]
    config: Option<PathBuf>,
    #[command(flatten)]
    judged_for: loading::JudgedFor,
    /// All diagnostics, however many there are of one kind.
    #[arg(long)]
    all: bool,
    /// One JSON object a line for each diagnostic.
    #[arg(long)]
    json: bool,
}

pub(crate) fn execute(args: &Args, bot: &Bot, common: &Common) -> Result<Ended, Report> {
    let data = std::env::var_os("MYNAH_DATA").map_or_else(|| DATA.into(), PathBuf::from);
    let own = bot.to_configure();
    let outside = Outside::new(bot.services(), Some(&data)).with_own(&own);
    let (settings, bot) = match Config::load(args.config.as_deref(), &outside) {
        Ok(config) => (
            None,
            &bot.clone()
                .fetching(config.fetch)
                .judging_hosts(args.config.is_some())
                .declare(config.handler)?,
        ),
        Err(problems) => (Some(problems), bot),
    };
    let loaded = match &args.bot {
        Some(path) => Some(loading::load(path, bot, &args.judged_for)?),
        None => None,
    };
    let common = &common.for_file(loaded.as_ref().and_then(|loaded| loaded.lang));
    print::to_stdout(|out| {
        if let Some(problems) = &settings {
            show_settings(out, problems, args.json, common)?;
        }
        match &loaded {
            Some(loaded) if args.json => loading::show_json(out, loaded, common),
            Some(loaded) => {
                let show = if args.all { loading::show_all } else { loading::show };
                show(out, loaded, common, Common::colours_on_stdout())?;
                sum_up(out, loaded, common)
            }
            None if settings.is_none() && !args.json => match common.lang() {
                Lang::En => writeln!(out, "the settings have no mistake"),
                Lang::Zh => writeln!(out, "设置没有错误"),
            },
            None => Ok(()),
        }?;
        let remarks = bot.declared().remarks(common.lang());
        remarks.iter().filter(|_| !args.json).try_for_each(|remark| writeln!(out, "{remark}"))
    })?;
    let is_good = loaded.is_none_or(|loaded| loaded.book.is_some())
        && settings.is_none_or(|problems| problems.is_environment_only());
    Ok(if is_good { Ended::Fine } else { Ended::No })
}

/// The mistakes of the settings.
fn show_settings(
    out: &mut dyn Write,
    problems: &Problems,
    json: bool,
    common: &Common,
) -> io::Result<()> {
    if !json {
        let shown = problems.render(common.lang(), Common::colours_on_stdout());
        return out.write_all(shown.as_bytes());
    }
    problems.findings(common.lang()).try_for_each(|one| print::json(out, &loading::Line::from(one)))
}

/// The last lines: how tables were read, and the reach of a good bot or the number of mistakes of a bad one.
fn sum_up(out: &mut dyn Write, loaded: &Loaded, common: &Common) -> io::Result<()> {
    let lang = common.lang();
    // With `-v` they are among the notes.
    let tables = loaded.diagnostics.iter().filter(|one| one.code == "table-read");
    for table in tables.filter(|_| !common.shows_notes()) {
        writeln!(out, "{}", table.message(lang))?;
    }
    match &loaded.book {
        Some(book) => {
            writeln!(out, "{}", reach(&book.summary(), lang))?;
            asks(out, book, lang)
        }
        None => {
            let errors = loaded.diagnostics.iter().filter(|one| one.is_error()).count();
            let warnings =
                loaded.diagnostics.iter().filter(|one| one.severity == Severity::Warning).count();
            match lang {
                Lang::En => {
                    writeln!(out, "{}, {}", plural(errors, "error"), plural(warnings, "warning"))
                }
                Lang::Zh => writeln!(out, "{errors} 个错误，{warnings} 个警告"),
            }
        }
    }
}

/// The hosts that a bot asks, in one line.
fn asks(out: &mut dyn Write, book: &RuleBook, lang: Lang) -> io::Result<()> {
    let hosts: Vec<String> = book.asks().into_iter().collect();
    match lang {
        _ if hosts.is_empty() => Ok(()),
        Lang::En => writeln!(out, "asks: {}", hosts.join(", ")),
        Lang::Zh => writeln!(out, "会请求：{}", hosts.join("、")),
    }
}

/// How far a bot reaches, in one line. Which groups there are is known only after a login.
fn reach(reach: &BotSummary, lang: Lang) -> String {
    match lang {
        Lang::En => {
            let groups = match reach.groups.as_slice() {
                [all] if all == "*" => "all groups".to_owned(),
                globs => format!("groups {}", globs.join(", ")),
            };
            let friends = if reach.private { "all friends, " } else { "" };
            let counts = [
                plural(reach.rules, "rule"),
                plural(reach.dialogs, "dialog"),
                plural(reach.schedules, "schedule"),
            ];
            format!("{}; speaks in: {friends}{groups}", counts.join(", "))
        }
        Lang::Zh => {
            let groups = match reach.groups.as_slice() {
                [all] if all == "*" => "所有群".to_owned(),
                globs => format!("群 {}", globs.join("、")),
            };
            let friends = if reach.private { "所有好友、" } else { "" };
            let BotSummary { rules, dialogs, schedules, .. } = reach;
            format!(
                "{rules} 条规则，{dialogs} 个对话，{schedules} 个定时；发言范围：{friends}{groups}"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reach_is_one_line() {
        let reached = |groups: &[&str], private| BotSummary {
            rules: 1,
            dialogs: 0,
            schedules: 2,
            private,
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        };
        for (of, lang, expected) in [
            (
                reached(&["*"], true),
                Lang::En,
                "1 rule, 0 dialogs, 2 schedules; speaks in: all friends, all groups",
            ),
            (
                reached(&["a*", "b"], false),
                Lang::En,
                "1 rule, 0 dialogs, 2 schedules; speaks in: groups a*, b",
            ),
            (
                reached(&["a"], true),
                Lang::Zh,
                "1 条规则，0 个对话，2 个定时；发言范围：所有好友、群 a",
            ),
        ] {
            assert_eq!(reach(&of, lang), expected);
        }
    }
}
