//! Accounts of a service with logins, on nodes that share them.

use mynah_sandbox::{Account, AccountNames, Options, Sandbox};

use super::*;

/// Two nodes with consoles, and the accounts of a sandbox.
fn nodes(cluster: &Cluster, database: &str, sandbox: &Sandbox) -> Fleet {
    let mut fleet = Fleet::new(cluster, database, 0);
    fleet.names = sandbox.accounts().iter().map(|account| account.name().to_owned()).collect();
    for node in ["n1", "n2"] {
        let mut text = String::from("[listen]\naddress = \"127.0.0.1:0\"\n");
        for account in sandbox.accounts() {
            let (name, url) = (account.name(), account.url());
            write!(
                text,
                "[[account]]\nname = \"{name}\"\nbot = \"bot\"\nserver = \"{url}\"\ndata = \"data-{node}/{name}\"\n"
            )
            .unwrap();
        }
        fleet.add_settings(node, &text);
    }
    fleet
}

fn account<'s>(sandbox: &'s Sandbox, name: &str) -> &'s Account {
    sandbox.accounts().iter().find(|account| account.name() == name).unwrap()
}

/// The row of an account at a console.
fn row(address: &str, name: &str) -> Value {
    let (_, rows) = console(address, "GET", "accounts", "");
    let rows = rows.as_array().cloned().unwrap_or_default();
    rows.into_iter().find(|row| row["name"] == name).unwrap_or_default()
}

#[test]
fn an_account_whose_session_ends_asks_the_phone_and_shows_its_code_at_every_node() {
    let Some(cluster) = Cluster::shared() else { return };
    let runtime = cluster::runtime();
    let options =
        Options { accounts: AccountNames::numbered(2), auto_confirm: true, ..Options::default() };
    let sandbox = runtime.block_on(Sandbox::start(options)).unwrap();
    let fleet = nodes(cluster, "sessions", &sandbox);
    let started = [fleet.start("n1"), fleet.start("n2")];
    fleet.until_held(&[("n1", 1), ("n2", 1)]);
    let addresses = started.each_ref().map(|node| fleet.console_of(node));
    let name = &fleet.names[0];
    let node = holder(&fleet.status(), name);
    let ended = account(&sandbox, name);
    ended.set_auto_confirm(false);
    assert!(ended.end_session(1101), "another client logs in");
    // The phone is asked first. It says nothing until its time is over, and the code follows.
    fleet.until("the phone is asked", |status| {
        status["live"][name]["condition"]["condition"] == "waiting"
    });
    ended.login_expire();
    let status = fleet.until("the code is shown", |status| {
        status["live"][name]["prompt"].as_str().is_some_and(|url| url.starts_with("http"))
    });
    assert_eq!(holder(&status, name), node, "it is not lost");
    let (_, shown) = fleet.runner.command(&["fleet", "status"]);
    assert!(shown.contains(&format!("account  {name} on {node}: needs a login")), "{shown}");
    for address in &addresses {
        let since = Instant::now();
        while row(address, name)["qr"].is_null() {
            assert!(since.elapsed() < PATIENCE, "{:#}", row(address, name));
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(row(address, name)["prompt"], "scan");
    }
    runtime.block_on(ended.login_confirm());
    fleet.until_held(&[("n1", 1), ("n2", 1)]);
    assert_eq!(holder(&fleet.status(), name), node);
    for node in started {
        node.stop();
    }
}
