//! `mynah status`: how the bot of an account is.

use std::io::{self, Write};

use mynah_core::{Clock, StoreError, StoreStatus, SystemClock, Timestamp};
use mynah_page::Condition;
use mynah_page::view::{HandlerRow, NameRow};
use serde::Serialize;

use super::common::Common;
use super::print;
use crate::names::in_words;
use crate::operate::{AccountArgs, AccountStatus, Answer};
use crate::{Bot, Ended, Report};

/// Show account, session and queues of a running or stopped bot, whom the names of its rule file mean, and the last errors.
///
/// Ends with status 1 if the bot does not run or is not online.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    account: AccountArgs,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct State {
    data: String,
    /// The chat service.
    service: &'static str,
    /// Whether the service has a login at all.
    #[serde(skip)]
    has_login: bool,
    /// Whether a process works with the data.
    running: bool,
    /// How the account is, as that process says.
    condition: Option<String>,
    /// The rule file that was saved meanwhile and could not be used, as that process says.
    rules: Option<String>,
    /// The same of the settings.
    settings: Option<String>,
    /// The handlers in other processes and the language models, as that process says.
    handlers: Vec<HandlerRow>,
    /// Whether a session is stored that the next start tries to go on with; absent if the user of the database may not
    /// know.
    session: Option<bool>,
    queues: StoreStatus,
    /// Whom the names of the rule file mean. Of a stopped bot, only the names that are bound to a person.
    names: Vec<NameRow>,
}

pub(crate) async fn execute(args: Args, bot: &Bot, common: &Common) -> Result<Ended, Report> {
    let Args { account, json } = args;
    let account = account.find(bot.services(), common).await?;
    let status = account.ask_status().await?.map(status_of).transpose()?;
    let reader =
        account.inspect().await.map_err(|missing| why_without_data(status.as_ref(), missing))?;
    let failed = |error| account.failed("look into", error);
    let records = match reader.records().await {
        Err(StoreError::NoRight { .. }) => None,
        records => Some(records.map_err(failed)?),
    };
    let is_visible = records.is_some();
    let records = records.unwrap_or_default();
    let connector = account.service(&records, bot.services())?;
    let condition = status.as_ref().map(|status| status.condition.clone());
    let running = condition.as_ref().is_some_and(|condition| !is_not_started(condition));
    let online = condition == Some(Condition::Online);
    let (names, rules, settings, handlers) = match status.filter(|_| running) {
        Some(AccountStatus { names, rules, settings, handlers, .. }) => {
            (names, rules, settings, handlers)
        }
        None => (account.names(&*reader, &records, connector).await?, None, None, Vec::new()),
    };
    let state = State {
        service: if is_visible { connector.name() } else { "not for this user of the database" },
        has_login: !is_visible || connector.has_login(),
        rules,
        settings,
        handlers,
        data: account.place().to_owned(),
        running,
        condition: condition.as_ref().map(words),
        names,
        session: is_visible.then(|| connector.has_session(&records)),
        queues: reader.status(SystemClock.now()).await.map_err(failed)?,
    };
    print::to_stdout(|out| if json { print::json(out, &state) } else { show(out, &state) })?;
    Ok(if online { Ended::Fine } else { Ended::No })
}

fn is_not_started(condition: &Condition) -> bool {
    matches!(condition, Condition::NotStarted { .. })
}

/// The report about an account without data: the reason why its first start failed, if that is known.
fn why_without_data(status: Option<&AccountStatus>, missing: Report) -> Report {
    match status.map(|status| &status.condition).filter(|condition| is_not_started(condition)) {
        Some(condition) => Report::new(Ended::No, words(condition)),
        None => missing,
    }
}

/// The status in an answer. A process of another version may refuse the request.
fn status_of(answer: Answer) -> Result<AccountStatus, Report> {
    let Answer { text, status, .. } = answer;
    status.ok_or_else(|| {
        let text = if text.is_empty() { "it sent no status".to_owned() } else { text };
        Report::new(Ended::Storage, "failed to ask the running process").hint(text)
    })
}

fn words(condition: &Condition) -> String {
    match condition {
        Condition::Online => "online".to_owned(),
        Condition::Waiting { .. } => "waiting for the login on the phone".to_owned(),
        Condition::Offline { reason } => format!("offline: {reason}"),
        Condition::Ended { reason } => format!("ended: {reason}"),
        Condition::NotStarted { reason } => format!("not started: {reason}"),
        Condition::Starting => "starting".to_owned(),
    }
}

fn show(out: &mut dyn Write, state: &State) -> io::Result<()> {
    let condition = state.condition.as_deref().unwrap_or("not running");
    let session = match (state.has_login, state.session) {
        (false, _) => "not needed: this service has no login",
        (true, Some(true)) => "stored; the next start tries to go on with it",
        (true, Some(false)) => "none",
        (true, None) => "not for this user of the database; the role `mynah_node` may see it",
    };
    let queues = &state.queues;
    writeln!(out, "account  {}", print::on_one_line(condition))?;
    if let Some(rules) = &state.rules {
        writeln!(out, "rules    {}", print::on_one_line(rules))?;
    }
    if let Some(settings) = &state.settings {
        writeln!(out, "settings {}", print::on_one_line(settings))?;
    }
    writeln!(out, "service  {}", state.service)?;
    writeln!(out, "data     {}", state.data)?;
    writeln!(out, "session  {session}")?;
    writeln!(out, "inbox    {} events{}", queues.open_events, since(queues.oldest_event))?;
    writeln!(out, "outbox   {} actions{}", queues.open_actions, since(queues.oldest_action))?;
    let next = queues.next_timer.map(|at| format!(", the next at {}", moment(at)));
    writeln!(out, "timers   {}{}", queues.timers, next.unwrap_or_default())?;
    let sends = queues.settled_today.iter().map(|(outcome, count)| format!(", {count} {outcome}"));
    writeln!(out, "24 hours {} events handled{}", queues.handled_today, sends.collect::<String>())?;
    for row in &state.names {
        writeln!(out, "{}", print::on_one_line(&name_line(row)))?;
    }
    for row in &state.handlers {
        writeln!(out, "{}", print::on_one_line(&handler_line(row)))?;
    }
    for one in &queues.troubled {
        let reason = print::on_one_line(one.reason.as_deref().unwrap_or(unsaid(&one.outcome)));
        writeln!(out, "trouble  {} {} in {}: {reason}", moment(one.time), one.outcome, one.chat)?;
    }
    Ok(())
}

/// Whom a name means. The keys are left out for an admin: the word says it.
fn name_line(row: &NameRow) -> String {
    let words = in_words(row);
    let is_admin = row.keys.iter().any(|key| key == "admins");
    let others: Vec<&str> =
        row.keys.iter().map(String::as_str).filter(|key| *key != "admins").collect();
    let keys = if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
    let label = if is_admin { "admin" } else { "name" };
    format!("{label:<8} {}{keys}: {words}", row.name)
}

/// The state and the counts of a handler since the start of the program.
fn handler_line(row: &HandlerRow) -> String {
    let HandlerRow { name, model, running, answered, failed, timed_out, starts, .. } = row;
    let state = match (*running, *model) {
        (true, false) => "running",
        (true, true) => "a language model",
        (false, _) => "not running",
    };
    let times = match (*answered, *model) {
        (0, _) => String::new(),
        (_, _) => format!(", {} on average, {} at most", seconds(row.mean), seconds(row.longest)),
    };
    let timed_out = (*timed_out > 0).then(|| format!(" ({timed_out} without an answer in time)"));
    let timed_out = timed_out.unwrap_or_default();
    let restarts = match starts {
        0 | 1 => String::new(),
        starts => format!(", started {starts} times"),
    };
    let rules = if *model {
        format!(", {} not asked (limit), {} answered by rules instead", row.limited, row.by_rules)
    } else {
        String::new()
    };
    let last = row.last_failure.as_ref().map(|last| format!("; the last failure: {last}"));
    let last = last.unwrap_or_default();
    format!(
        "handler  {name}: {state}, {answered} answered{times}, {failed} failed{timed_out}{rules}{restarts}{last}"
    )
}

/// A time in microseconds, for people.
fn seconds(micros: u64) -> String {
    match micros {
        0..1000 => format!("{micros} µs"),
        1000..1_000_000 => format!("{} ms", micros / 1000),
        _ => format!("{}.{} s", micros / 1_000_000, micros / 100_000 % 10),
    }
}

/// The text in place of a reason where the store has none.
fn unsaid(outcome: &str) -> &'static str {
    if outcome == "expired" { "it could not leave in time" } else { "no reason given" }
}

fn since(oldest: Option<Timestamp>) -> String {
    oldest.map(|at| format!(", the oldest since {}", moment(at))).unwrap_or_default()
}

/// A moment in the zone of this machine.
fn moment(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use mynah_core::TroubledAction;

    use super::*;

    #[test]
    fn what_expired_says_why() {
        let trouble = |reason: Option<&str>| TroubledAction {
            id: "1#0".to_owned(),
            chat: "g1".into(),
            time: Timestamp::from_secs(0),
            outcome: "expired".to_owned(),
            reason: reason.map(str::to_owned),
        };
        let troubled = vec![trouble(None), trouble(Some("the service says: too frequent"))];
        let queues = StoreStatus { troubled, ..StoreStatus::default() };
        let state = State {
            data: "data".to_owned(),
            service: "telegraph",
            has_login: false,
            running: false,
            condition: None,
            rules: None,
            settings: None,
            handlers: Vec::new(),
            session: Some(false),
            queues,
            names: Vec::new(),
        };
        let mut out = Vec::new();
        show(&mut out, &state).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.contains("session  not needed"), "{out}");
        let told: Vec<&str> = out.lines().filter(|line| line.starts_with("trouble")).collect();
        assert!(told[0].ends_with("expired in g1: it could not leave in time"), "{out}");
        assert!(told[1].ends_with("expired in g1: the service says: too frequent"), "{out}");
        let hidden = State { has_login: true, session: None, ..state };
        let mut out = Vec::new();
        show(&mut out, &hidden).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.contains("session  not for this user of the database; the role `mynah_node`"));
    }
}
