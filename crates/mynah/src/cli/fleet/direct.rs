//! What the commands do.

use std::io::{self, Write};

use mynah_core::{AccountState, Fleet, Overview, Timestamp};
use mynah_page::Condition;

use super::{Args, FleetCommand};
use crate::cli::{Common, print};
use crate::fleet::{FleetStatus, ask_holder, user, word};
use crate::operate::{Request, data_places};
use crate::{Bot, Ended, Report, stores};

pub(super) async fn execute(args: Args, bot: &Bot, common: &Common) -> Result<Ended, Report> {
    let places = data_places(args.config.as_deref(), bot.services(), common)?;
    let fleet = stores::fleet_of(&places.store)?;
    match args.command {
        FleetCommand::Status { json } => status(&*fleet, json).await,
        FleetCommand::Drain { node, here: _ } => {
            let node = node.unwrap_or_else(|| places.node.unwrap_or_else(stores::machine));
            drain(&*fleet, &node).await
        }
        FleetCommand::Move { account, node } => {
            let moved = fleet.move_account(&account, &node).await;
            moved.map_err(|error| Report::of_store(&format!("move {account} to {node}"), error))?;
            say(&format!("{account} is on its way to {node}; `mynah fleet status` shows it"))
        }
        FleetCommand::Restart { account } => restart(&*fleet, &account).await,
        FleetCommand::Restored => {
            let freed = fleet
                .restored()
                .await
                .map_err(|error| Report::of_store("free all accounts", error))?;
            say(&format!("{freed} accounts are free; nodes take them from now on"))
        }
    }
}

fn say(text: &str) -> Result<Ended, Report> {
    print::to_stdout(|out| writeln!(out, "{}", print::on_one_line(text)))?;
    Ok(Ended::Fine)
}

async fn drain(fleet: &dyn Fleet, node: &str) -> Result<Ended, Report> {
    let drained = fleet
        .drain_node(node)
        .await
        .map_err(|error| Report::of_store(&format!("drain {node}"), error))?;
    if drained == 0 {
        return Err(Report::new(Ended::No, format!("no live node is called {node}"))
            .hint("`mynah fleet status` lists the nodes"));
    }
    say(&format!("{node} gives its accounts back; `mynah fleet status` shows how many are left"))
}

async fn restart(fleet: &dyn Fleet, account: &str) -> Result<Ended, Report> {
    let answer = ask_holder(fleet, account, &Request::Restart, &user()).await?;
    crate::cli::send::tell(&answer, false)
}

async fn status(fleet: &dyn Fleet, json: bool) -> Result<Ended, Report> {
    let status = FleetStatus::read(fleet).await;
    let status = status.map_err(|error| Report::of_store("look at the fleet", error))?;
    print::to_stdout(|out| if json { print::json(out, &status) } else { show(out, &status) })?;
    let is_fine =
        |account: &AccountState| status.holder(account).is_some() || status.is_unused(account);
    let is_whole = status.overview.accounts.iter().all(is_fine);
    let lives = status.overview.nodes.iter().any(|node| node.is_alive);
    Ok(if lives && is_whole { Ended::Fine } else { Ended::No })
}

/// How an account is, in words.
fn words(status: &FleetStatus, account: &AccountState) -> String {
    if status.holder(account).is_none() {
        return why_free(status, account);
    }
    let Some(shown) = status.live.get(&account.account) else {
        return if status.is_limited {
            "held; the role `mynah_operator` or `mynah_node` may see more".to_owned()
        } else {
            "starting".to_owned()
        };
    };
    let mut words = match &shown.condition {
        Condition::Online => "online".to_owned(),
        Condition::Waiting { what } => format!("needs a login: {what}"),
        Condition::Offline { reason } => format!("offline: {reason}"),
        Condition::Ended { reason } => format!("ended: {reason}"),
        Condition::NotStarted { reason } => format!("not started: {reason}"),
        Condition::Starting => "starting".to_owned(),
    };
    if let Some(prompt) = &shown.prompt {
        words += &format!("; scan {prompt}");
    }
    if let Some(rules) = &shown.rules {
        words += &format!("; {rules}: the saved rules have mistakes");
    }
    words
}

/// Why no live node holds an account.
fn why_free(status: &FleetStatus, account: &AccountState) -> String {
    if status.is_unused(account) {
        let name = &account.account;
        return format!(
            "unused: no live node has it in its settings; `mynah data move folder --account {name} --delete-source` takes it out of the database"
        );
    }
    match (&account.trouble, account.not_before) {
        (Some(trouble), Some(until)) if status.is_left_alone(account) => {
            format!("left alone for {}: {trouble}", ago(until, status.overview.now))
        }
        _ if account.runners == 0 => {
            "no live node can take it: they are draining or in another zone".to_owned()
        }
        _ => "free".to_owned(),
    }
}

/// The time between two moments, in its largest unit.
fn ago(later: Timestamp, earlier: Timestamp) -> String {
    let seconds = (later.as_millis() - earlier.as_millis()).max(0) / 1000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn show(out: &mut dyn Write, status: &FleetStatus) -> io::Result<()> {
    let Overview { nodes, accounts, now } = &status.overview;
    for node in nodes {
        let state = word(node);
        let zone =
            if node.zone.is_empty() { String::new() } else { format!(", zone {}", node.zone) };
        let line = format!(
            "node     {}: {state}, holds {} accounts of a share of {}{zone}, version {}, last sign {} ago",
            node.name,
            node.held,
            node.share,
            node.version,
            ago(*now, node.beaten),
        );
        writeln!(out, "{}", print::on_one_line(&line))?;
    }
    if nodes.is_empty() {
        writeln!(out, "node     none: start one with `mynah run` and [fleet] in its settings")?;
    }
    for account in accounts {
        let holder = status.holder(account).map_or("-", |node| node.name.as_str());
        let moving = account.moving_to.as_ref().map(|to| format!(", on its way to {to}"));
        let line = format!(
            "account  {} on {holder}{}: {}",
            account.account,
            moving.unwrap_or_default(),
            words(status, account),
        );
        writeln!(out, "{}", print::on_one_line(&line))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use mynah_core::NodeState;

    use super::*;
    use crate::fleet::Shown;

    fn node(name: &str, is_alive: bool) -> NodeState {
        let then = Timestamp::from_secs(100);
        NodeState {
            id: name.to_owned(),
            name: name.to_owned(),
            zone: String::new(),
            weight: 1,
            version: "1.0.0".to_owned(),
            joined: then,
            beaten: then,
            is_alive,
            is_draining: false,
            held: 1,
            share: 2,
        }
    }

    fn account(name: &str, node: Option<&str>) -> AccountState {
        AccountState {
            account: name.to_owned(),
            node: node.map(str::to_owned),
            last_node: None,
            zone: None,
            epoch: 1,
            since: Timestamp::from_secs(100),
            runners: 1,
            is_named: true,
            not_before: None,
            failures: 0,
            trouble: None,
            moving_to: None,
        }
    }

    #[test]
    fn each_node_and_account_is_a_line_with_what_a_person_has_to_know() {
        let left_alone = AccountState {
            not_before: Some(Timestamp::from_secs(140)),
            trouble: Some("its rules have mistakes".to_owned()),
            ..account("ill", None)
        };
        let accounts = vec![
            account("faq", Some("a")),
            account("shop", Some("b")),
            left_alone,
            AccountState { runners: 0, is_named: false, ..account("old", None) },
            AccountState { runners: 0, ..account("other", None) },
            AccountState { moving_to: Some("a".to_owned()), ..account("wait", Some("a")) },
        ];
        let overview = Overview {
            nodes: vec![node("a", true), node("b", false)],
            accounts,
            now: Timestamp::from_secs(101),
        };
        let waiting = Condition::Waiting { what: "scan the code".to_owned() };
        let prompt = Some("https://x/1".to_owned());
        let live = [
            ("faq".to_owned(), Shown { condition: Condition::Online, prompt: None, rules: None }),
            ("wait".to_owned(), Shown { condition: waiting, prompt, rules: None }),
        ];
        let mut out = Vec::new();
        let status = FleetStatus { overview, live: live.into(), is_limited: false };
        show(&mut out, &status).unwrap();
        let expected = "\
node     a: alive, holds 1 accounts of a share of 2, version 1.0.0, last sign 1 s ago
node     b: dead, holds 1 accounts of a share of 2, version 1.0.0, last sign 1 s ago
account  faq on a: online
account  shop on -: free
account  ill on -: left alone for 39 s: its rules have mistakes
account  old on -: unused: no live node has it in its settings; `mynah data move folder --account old --delete-source` takes it out of the database
account  other on -: no live node can take it: they are draining or in another zone
account  wait on a, on its way to a: needs a login: scan the code; scan https://x/1
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let limited = FleetStatus { is_limited: true, live: BTreeMap::new(), ..status };
        let mut out = Vec::new();
        show(&mut out, &limited).unwrap();
        let shown = String::from_utf8(out).unwrap();
        assert!(shown.contains("faq on a: held; the role `mynah_operator`"), "{shown}");
    }
}
