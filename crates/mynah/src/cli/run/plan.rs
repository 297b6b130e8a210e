//! From arguments and configuration to the accounts that are run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use mynah_runtime as runtime;

use super::Args;
use crate::account::Plan;
use crate::config::{AccountConfig, Config, Rate, Unknown};
use crate::{Ended, Report, desktop_token, rule_file};

/// Where data is kept that was given no place.
const DATA: &str = "data";

/// The accounts to run: the bots that were named, else those of the configuration.
pub(super) fn plans(args: &Args, config: &Config) -> Result<Vec<Plan>, Report> {
    let mut plans: Vec<Plan> = if args.bots.is_empty() {
        config.accounts.iter().map(|account| of_account(account, args, config)).collect()
    } else {
        of_bots(args, config)
    };
    if plans.is_empty() {
        let hint = "name a folder with a bot.toml: mynah run BOT; or add an [[account]] to the configuration";
        return Err(Report::new(Ended::Usage, "there is no bot to run").hint(hint));
    }
    for plan in plans.iter_mut().filter(|plan| plan.desktop.is_none()) {
        plan.desktop = desktop_token::find(&plan.data)?;
    }
    Ok(plans)
}

fn of_bots(args: &Args, config: &Config) -> Vec<Plan> {
    let mut names = BTreeSet::new();
    let several = args.bots.len() > 1;
    args.bots
        .iter()
        .map(|bot| {
            let name = unused(&mut names, &rule_file::name_of(bot));
            let data = if several { data(args).join(&name) } else { data(args) };
            let (server, settings) = (args.server.clone(), settings(args, config, &data));
            Plan {
                name,
                main: rule_file::main_file(bot),
                data,
                server,
                desktop: None,
                login_timeout: config.process.login_timeout,
                settings,
                store: store(config),
            }
        })
        .collect()
}

fn of_account(account: &AccountConfig, args: &Args, config: &Config) -> Plan {
    let data = account.data.clone().unwrap_or_else(|| data(args).join(&account.name));
    Plan {
        name: account.name.clone(),
        main: rule_file::main_file(&account.bot),
        server: args.server.clone().or_else(|| account.server.clone()),
        desktop: account.desktop.clone(),
        login_timeout: config.process.login_timeout,
        settings: settings(args, config, &data),
        store: store(config),
        data,
    }
}

fn data(args: &Args) -> PathBuf {
    args.data.clone().unwrap_or_else(|| DATA.into())
}

/// The name, or the first of `name-2`, `name-3` … that is not used yet.
fn unused(names: &mut BTreeSet<String>, name: &str) -> String {
    let numbered = (2_u32..).map(|n| format!("{name}-{n}"));
    let free = std::iter::once(name.to_owned()).chain(numbered).find(|name| !names.contains(name));
    let free = free.expect("numbers do not run out before bots do");
    names.insert(free.clone());
    free
}

fn settings(args: &Args, config: &Config, data: &Path) -> runtime::Settings {
    let (pacing, messages) = (&config.pacing, &config.messages);
    let defaults = runtime::Settings::default();
    runtime::Settings {
        pacing: if args.no_pacing || pacing.off { runtime::Pacing::off() } else { pace(config) },
        max_age: Some(messages.max_age),
        reply_max_age: Some(pacing.reply_max_age),
        loop_breaker: messages.loop_breaker.map(|rate| runtime::LoopBreaker {
            answers: rate.count,
            within: rate.within,
            ..runtime::LoopBreaker::default()
        }),
        handler_timeout: config.handlers.timeout,
        unknown: match pacing.unknown {
            Unknown::Resend => runtime::UnknownPolicy::Resend,
            Unknown::Never => runtime::UnknownPolicy::Never,
        },
        stop_deadline: config.process.stop_deadline,
        dry_run: args.dry_run,
        // Whether it really does is decided when it is stopped; see `stop`.
        log_out_at_stop: true,
        save_folder: Some(data.to_owned()),
        ..defaults
    }
}

fn pace(config: &Config) -> runtime::Pacing {
    let rate = |rate: Rate| Some(runtime::Rate::new(rate.count, rate.within));
    runtime::Pacing {
        per_chat: rate(config.pacing.per_chat),
        account: rate(config.pacing.account),
        daily: Some(config.pacing.daily),
        jitter: (*config.pacing.jitter.start(), *config.pacing.jitter.end()),
    }
}

fn store(config: &Config) -> mynah_store::Options {
    let defaults = mynah_store::Options::default();
    // A repetition that is young enough to be answered must still be known as one.
    let keep_seen = defaults.keep_seen.max(config.messages.max_age * 2);
    mynah_store::Options {
        keep_log: config.messages.keep,
        largest: config.messages.keep_size,
        keep_seen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The defaults of the configuration are those of the runtime, so that it does not matter who sets them.
    #[test]
    fn the_defaults_agree() {
        let args = Args::default();
        let ours = settings(&args, &Config::default(), Path::new("data"));
        let save_folder = Some(PathBuf::from("data"));
        let theirs = runtime::Settings {
            log_out_at_stop: true,
            save_folder,
            ..runtime::Settings::default()
        };
        assert_eq!(ours, theirs);
        assert_eq!(store(&Config::default()), mynah_store::Options::default());
    }

    #[test]
    fn the_ids_of_events_are_known_longer_than_messages_are_answered() {
        let mut config = Config::default();
        for days in [0, 1, 45, 1000] {
            config.messages.max_age = std::time::Duration::from_secs(days * 86_400);
            assert!(store(&config).keep_seen > config.messages.max_age, "{days} days");
        }
    }

    #[test]
    fn several_bots_get_names_and_folders_of_their_own() {
        let bots = ["bots/faq", "other/faq/bot.toml", "bots/dice"];
        let bots = bots.map(|bot| PathBuf::from(bot).join("bot.toml"));
        let args = Args { bots: bots.into(), data: Some("d".into()), ..Args::default() };
        let plans = plans(&args, &Config::default()).unwrap();
        let data: Vec<_> = plans.iter().map(|plan| plan.data.to_str().unwrap()).collect();
        assert_eq!(data, ["d/faq", "d/bot.toml", "d/dice"]);
    }

    #[test]
    fn bots_on_the_command_line_replace_the_accounts() {
        let account =
            AccountConfig { name: "shop".into(), bot: "b".into(), ..AccountConfig::default() };
        let config = Config { accounts: vec![account], ..Config::default() };
        let names = |args: &Args| {
            plans(args, &config).unwrap().into_iter().map(|plan| plan.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&Args::default()), ["shop"]);
        let args = Args { bots: vec!["faq.toml".into()], ..Args::default() };
        assert_eq!(names(&args), ["faq"]);
    }

    #[test]
    fn nothing_to_run_is_wrong_usage() {
        let report = plans(&Args::default(), &Config::default()).unwrap_err();
        assert_eq!(report.ended(), Ended::Usage);
    }
}
