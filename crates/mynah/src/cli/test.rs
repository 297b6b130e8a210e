//! `mynah test BOT`: plays the conversations of the bot, offline, with a virtual clock.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use mynah_rules::{Lang, Loaded, RuleBook, script};
use serde::Serialize;

use super::{common::Common, fetch_args::FetchArgs, loading, print};
use crate::conversation::{self, Failure};
use crate::{Bot, Ended, Report};

/// Play the [[test]] conversations of a bot.
///
/// Offline, with a clock of their own, in milliseconds. Every message that the bot sends must be expected, and the
/// other way round; at a failure the rules are shown that were looked at. Exit status 1 if a test fails.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A folder with a bot.toml, or the file.
    #[arg(value_name = "BOT")]
    bot: PathBuf,
    #[command(flatten)]
    judged_for: loading::JudgedFor,
    /// Run the handlers of the settings (`[[handler]]`); without this, calls of them are only recorded.
    #[arg(long)]
    handlers: bool,
    /// The settings with the handlers; by default config/mynah.toml, if it is there.
    #[arg(long, value_name = "FILE", env = "MYNAH_CONFIG")]
    config: Option<PathBuf>,
    /// One JSON object a line for each test, and one with the sums.
    #[arg(long)]
    json: bool,
}

/// A test and its result.
#[derive(Debug, Serialize)]
struct Outcome {
    /// Its name, where it has one.
    test: Option<String>,
    file: String,
    line: u32,
    passed: bool,
    failure: Option<Failure>,
}

/// All tests together.
#[derive(Debug, Serialize)]
struct Sums {
    tests: usize,
    failed: usize,
    /// Rules that are not switched off.
    rules: usize,
    /// Those of them that no test reaches.
    unreached: Vec<String>,
    /// Rows of tables.
    rows: usize,
    /// How many of them no test reaches.
    unreached_rows: usize,
}

pub(crate) async fn execute(args: Args, bot: Bot, common: &Common) -> Result<Ended, Report> {
    let bot = match args.handlers {
        true => match loading::with_settings(
            (args.config.as_deref(), &FetchArgs::default()),
            bot,
            common,
        )? {
            Some(bot) => bot,
            None => return Ok(Ended::No),
        },
        false if bot.to_configure().is_empty() => bot,
        false => match loading::with_own_settings(args.config.as_deref(), bot, common) {
            Some(bot) => bot,
            None => return Ok(Ended::No),
        },
    };
    let loaded = loading::load(&args.bot, &bot, &args.judged_for)?;
    let common = &common.for_file(loaded.lang);
    let Some(book) = &loaded.book else {
        return show_mistakes(&args, &loaded, common);
    };
    let bot = bot.start_handlers(true)?;
    let played = play(&loaded.tests, book, &bot).await;
    bot.programs().stop().await;
    let (outcomes, sums) = played?;
    print::to_stdout(|out| {
        if args.json {
            outcomes.iter().try_for_each(|outcome| print::json(out, outcome))?;
            print::json(out, &sums)
        } else {
            loading::show(out, &loaded, common, Common::colours_on_stdout())?;
            outcomes.iter().try_for_each(|outcome| outcome.write(out, common.lang()))?;
            sums.write(out, common.lang())
        }
    })?;
    Ok(if sums.failed == 0 { Ended::Fine } else { Ended::No })
}

/// A file with mistakes is not played.
fn show_mistakes(args: &Args, loaded: &Loaded, common: &Common) -> Result<Ended, Report> {
    print::to_stdout(|out| {
        if args.json {
            loading::show_json(out, loaded, common)
        } else {
            loading::show(out, loaded, common, Common::colours_on_stdout())
        }
    })?;
    Ok(Ended::No)
}

async fn play(
    tests: &[script::Test],
    book: &Arc<RuleBook>,
    bot: &Bot,
) -> Result<(Vec<Outcome>, Sums), Report> {
    let mut reached = BTreeSet::new();
    let mut outcomes = Vec::new();
    for test in tests {
        let played = conversation::play(test, book, bot).await.map_err(|error| {
            Report::new(Ended::Storage, "failed to play a test in memory").because(error)
        })?;
        reached.extend(played.reached);
        outcomes.push(Outcome {
            test: test.name.clone(),
            file: test.file.clone(),
            line: test.line,
            passed: played.failure.is_none(),
            failure: played.failure,
        });
    }
    // A table is reached by its rows.
    let rules = book.rules().filter(|rule| !rule.off && rule.rows.is_none());
    let on: Vec<String> = rules.map(|rule| rule.id).collect();
    let sums = Sums {
        tests: outcomes.len(),
        failed: outcomes.iter().filter(|outcome| !outcome.passed).count(),
        rules: on.len(),
        unreached: on.into_iter().filter(|id| !reached.contains(id)).collect(),
        rows: book.rows().count(),
        unreached_rows: book.rows().filter(|row| !reached.contains(row)).count(),
    };
    Ok((outcomes, sums))
}

impl Outcome {
    fn write(&self, out: &mut dyn Write, lang: Lang) -> io::Result<()> {
        if let Some(failure) = &self.failure {
            return out.write_all(failure.render(lang).as_bytes());
        }
        let name = self.test.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
        let passed = match lang {
            Lang::En => "passed",
            Lang::Zh => "通过",
        };
        writeln!(out, "{}:{}: {passed}{name}", self.file, self.line)
    }
}

/// So many rules without a test are named.
const MOST_NAMED: usize = 20;

impl Sums {
    fn write(&self, out: &mut dyn Write, lang: Lang) -> io::Result<()> {
        let Self { tests, failed, rules, unreached, rows, unreached_rows } = self;
        let passed = tests - failed;
        match lang {
            Lang::En => writeln!(out, "{passed} passed, {failed} failed")?,
            Lang::Zh => writeln!(out, "{passed} 个通过，{failed} 个失败")?,
        }
        match lang {
            _ if *unreached_rows == 0 => {}
            Lang::En => writeln!(out, "no test reaches {unreached_rows} of {rows} rows of tables")?,
            Lang::Zh => writeln!(out, "{rows} 行问答中有 {unreached_rows} 行没有测试到")?,
        }
        if unreached.is_empty() {
            return Ok(());
        }
        let count = unreached.len();
        let mut list = unreached[..count.min(MOST_NAMED)].join(", ");
        if count > MOST_NAMED {
            list.push_str(", …");
        }
        match lang {
            Lang::En => writeln!(out, "no test reaches {count} of {rules} rules: {list}"),
            Lang::Zh => writeln!(out, "{rules} 条规则中有 {count} 条没有测试到：{list}"),
        }
    }
}
