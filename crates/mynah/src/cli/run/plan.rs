//! From arguments and configuration to the accounts that are run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use mynah_core::Capabilities;
use mynah_runtime as runtime;
use mynah_transports::Value;

use super::Args;
use crate::account::Plan;
use crate::cli::loading;
use crate::config::{AccountConfig, Config, DATA, Messages, Pacing, Rate, Unknown};
use crate::stores::Options;
use crate::{Bot, Ended, Report, rule_file};

/// The accounts to run: the bots that were named, else those of the configuration.
pub(super) fn plans(args: &Args, config: &Config, bot: &Bot) -> Result<Vec<Plan>, Report> {
    let mut plans: Vec<Plan> = if args.bots.is_empty() {
        config.accounts.iter().map(|account| of_account(account, args, config)).collect()
    } else {
        of_bots(args, config, bot)?
    };
    if plans.is_empty() {
        let hint = "name a folder with a bot.toml: mynah run BOT; or add an [[account]] to the configuration";
        return Err(Report::new(Ended::Usage, "there is no bot to run").hint(hint));
    }
    for plan in &mut plans {
        set_server(plan, args);
    }
    share_nothing(&plans)?;
    Ok(plans)
}

/// Refuses two accounts that need the same resource, e.g. standard input.
fn share_nothing(plans: &[Plan]) -> Result<(), Report> {
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    for plan in plans {
        for resource in plan.connector.exclusive(&plan.values) {
            if let Some(other) = taken.insert(resource.clone(), &plan.name) {
                let what = format!("{other} and {} need the same {resource}", plan.name);
                return Err(
                    Report::new(Ended::Usage, what).hint("run one of them in another process")
                );
            }
        }
    }
    Ok(())
}

/// Sets the server of the command line, where the service has one.
fn set_server(plan: &mut Plan, args: &Args) {
    let key = plan.connector.keys().iter().find(|key| key.name == "server");
    if let (Some(key), Some(server)) = (key, &args.server) {
        plan.values.set(key.name, Value::Text(server.clone()));
    }
}

fn of_bots(args: &Args, config: &Config, bot: &Bot) -> Result<Vec<Plan>, Report> {
    let mut names = BTreeSet::new();
    let several = args.bots.len() > 1;
    let given = args.transport.as_deref().map(|name| loading::service(name, bot)).transpose()?;
    let connector = given.unwrap_or_else(|| bot.services().usual());
    let account = AccountConfig { connector, ..AccountConfig::default() };
    let plans = args
        .bots
        .iter()
        .map(|bot| {
            let name = unused(&mut names, &rule_file::name_of(bot));
            let data = if several { data(args).join(&name) } else { data(args) };
            Plan { name, main: rule_file::main_file(bot), ..plan(&account, data, args, config) }
        })
        .collect();
    Ok(plans)
}

fn of_account(account: &AccountConfig, args: &Args, config: &Config) -> Plan {
    let data = account.data.clone().unwrap_or_else(|| data(args).join(&account.name));
    plan(account, data, args, config)
}

fn plan(account: &AccountConfig, data: PathBuf, args: &Args, config: &Config) -> Plan {
    Plan {
        name: account.name.clone(),
        main: rule_file::expected_main_file(&account.bot),
        connector: account.connector,
        values: account.values.clone(),
        login_timeout: config.process.login_timeout,
        settings: settings(args, config, account, &data),
        store: store(&account.messages.over(&config.messages)),
        first_ask_after: Duration::ZERO,
        data,
    }
}

/// The folder for the data of accounts that name none.
pub(super) fn data(args: &Args) -> PathBuf {
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

/// The settings of the runtime: of the account, else of the process, else of the service, else of the program.
fn settings(
    args: &Args,
    config: &Config,
    account: &AccountConfig,
    data: &Path,
) -> runtime::Settings {
    let capabilities = account.connector.capabilities();
    let pacing = account.pacing.over(&config.pacing);
    let messages = account.messages.over(&config.messages);
    let defaults = runtime::Settings::default();
    let is_off = args.no_pacing || pacing.off == Some(true);
    runtime::Settings {
        pacing: if is_off { runtime::Pacing::off() } else { pace(&pacing, &capabilities) },
        kicks: pacing.kicks.unwrap_or(defaults.kicks),
        max_age: messages.max_age.or(defaults.max_age),
        reply_max_age: reply_max_age(&pacing, &capabilities).or(defaults.reply_max_age),
        loop_breaker: match messages.loop_breaker {
            Some(rate) => rate.map(loop_breaker),
            None => defaults.loop_breaker,
        },
        handler_timeout: config.handlers.timeout,
        unknown: unknown(&pacing, &capabilities),
        stop_deadline: config.process.stop_deadline,
        dry_run: args.dry_run,
        // Whether it really does is decided when it is stopped; see `stop`.
        log_out_at_stop: true,
        save_folder: Some(data.to_owned()),
        ..defaults
    }
}

fn pace(pacing: &Pacing, capabilities: &Capabilities) -> runtime::Pacing {
    let rate = |rate: Rate| runtime::Rate::new(rate.count, rate.within);
    let of_service = &capabilities.pacing;
    runtime::Pacing {
        per_chat: pacing.per_chat.map(rate).or(of_service.per_chat),
        account: pacing.account.map(rate).or(of_service.account),
        daily: pacing.daily.or(of_service.daily),
        jitter: match &pacing.jitter {
            Some(jitter) => (*jitter.start(), *jitter.end()),
            None => of_service.jitter,
        },
    }
}

/// How long a reply may wait to leave: no longer than the service takes it.
fn reply_max_age(pacing: &Pacing, capabilities: &Capabilities) -> Option<Duration> {
    [pacing.reply_max_age, capabilities.reply_window].into_iter().flatten().min()
}

fn loop_breaker(rate: Rate) -> runtime::LoopBreaker {
    runtime::LoopBreaker {
        answers: rate.count,
        within: rate.within,
        ..runtime::LoopBreaker::default()
    }
}

fn unknown(pacing: &Pacing, capabilities: &Capabilities) -> runtime::UnknownPolicy {
    let usual = if capabilities.drops_copies { Unknown::Resend } else { Unknown::Never };
    match pacing.unknown.unwrap_or(usual) {
        Unknown::Resend => runtime::UnknownPolicy::Resend,
        Unknown::Never => runtime::UnknownPolicy::Never,
    }
}

fn store(messages: &Messages) -> Options {
    let defaults = Options::default();
    let keep_seen = match messages.max_age {
        // A repetition that is young enough to be answered must still be known as one.
        Some(max_age) => defaults.keep_seen.max(max_age * 2),
        None => defaults.keep_seen,
    };
    Options {
        keep_log: messages.keep.unwrap_or(defaults.keep_log),
        largest: messages.keep_size.unwrap_or(defaults.largest),
        keep_seen,
    }
}

#[cfg(test)]
mod tests {
    use mynah_transports::Connectors;

    use super::*;
    use crate::config::Outside;

    /// The committed file shows the defaults: with it and without, an account is run in the same way.
    #[test]
    fn the_defaults_agree() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/mynah.toml");
        let committed = Config::load(Some(&file), &Outside::new(&Connectors::default(), None))
            .map_err(|problems| problems.render(mynah_rules::Lang::En, false));
        for config in [Config::default(), committed.unwrap()] {
            let account = AccountConfig::default();
            let ours = settings(&Args::default(), &config, &account, Path::new("data"));
            let theirs = runtime::Settings {
                log_out_at_stop: true,
                save_folder: Some(PathBuf::from("data")),
                ..runtime::Settings::default()
            };
            assert_eq!(ours, theirs);
            assert_eq!(store(&config.messages), Options::default());
        }
    }

    #[test]
    fn what_an_account_says_counts_before_the_process_and_that_before_the_service() {
        let daily = |account: Option<u32>, process: Option<u32>| {
            let pacing = |daily| Pacing { daily, ..Pacing::default() };
            let config = Config { pacing: pacing(process), ..Config::default() };
            let account = AccountConfig { pacing: pacing(account), ..AccountConfig::default() };
            settings(&Args::default(), &config, &account, Path::new("data")).pacing.daily
        };
        assert_eq!(daily(Some(7), Some(9)), Some(7));
        assert_eq!(daily(None, Some(9)), Some(9));
        assert_eq!(daily(None, None), Connectors::default().usual().capabilities().pacing.daily);
    }

    #[test]
    fn the_ids_of_events_are_known_longer_than_messages_are_answered() {
        for days in [0, 1, 45, 1000] {
            let max_age = Duration::from_secs(days * 86_400);
            let messages = Messages { max_age: Some(max_age), ..Messages::default() };
            assert!(store(&messages).keep_seen > max_age, "{days} days");
        }
    }

    #[test]
    fn several_bots_get_names_and_folders_of_their_own() {
        let bots = ["bots/faq", "other/faq/bot.toml", "bots/dice"];
        let bots = bots.map(|bot| PathBuf::from(bot).join("bot.toml"));
        let args = Args { bots: bots.into(), data: Some("d".into()), ..Args::default() };
        let plans = plans(&args, &Config::default(), &Bot::new()).unwrap();
        let data: Vec<_> = plans.iter().map(|plan| plan.data.to_str().unwrap()).collect();
        assert_eq!(data, ["d/faq", "d/bot.toml", "d/dice"]);
    }

    #[test]
    fn bots_on_the_command_line_replace_the_accounts() {
        let account =
            AccountConfig { name: "shop".into(), bot: "b".into(), ..AccountConfig::default() };
        let config = Config { accounts: vec![account], ..Config::default() };
        let names = |args: &Args| {
            plans(args, &config, &Bot::new())
                .unwrap()
                .into_iter()
                .map(|plan| plan.name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&Args::default()), ["shop"]);
        let args = Args { bots: vec!["faq.toml".into()], ..Args::default() };
        assert_eq!(names(&args), ["faq"]);
    }

    #[test]
    fn nothing_to_run_is_wrong_usage() {
        let report = plans(&Args::default(), &Config::default(), &Bot::new()).unwrap_err();
        assert_eq!(report.ended(), Ended::Usage);
    }
}
