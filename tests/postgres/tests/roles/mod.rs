//! Users of the database with fewer rights than a node.

use super::*;

const ROLES: &str = "CREATE ROLE mynah_node; CREATE ROLE mynah_operator; CREATE ROLE mynah_reader;
    CREATE ROLE operating LOGIN IN ROLE mynah_operator; CREATE ROLE reading LOGIN IN ROLE mynah_reader;";

/// Another server: roles are those of a whole server.
#[test]
fn users_with_fewer_rights_see_what_they_may_and_learn_what_else_needs() {
    let Some(cluster) = Cluster::start() else { return };
    cluster.admin_runs("postgres", ROLES);
    let fleet = Fleet::new(&cluster, "roles", 1);
    let node = fleet.start("n1");
    fleet.until_held(&[("n1", 1)]);
    let settings = fs::read_to_string(fleet.file("n1.toml")).unwrap();
    for user in ["operating", "reading"] {
        let other = settings.replace("postgres://mynah@", &format!("postgres://{user}@"));
        fs::write(fleet.file(&format!("{user}.toml")), other).unwrap();
    }
    let run = |user: &str, command: &[&str]| {
        let file = format!("{user}.toml");
        fleet.runner.command(&[command, &["--config", &file]].concat())
    };
    let account = ["status", "--account", "a1"];
    let (_, status) = run("operating", &account);
    assert!(status.contains("account  online") && status.contains("session  not for"), "{status}");
    let (is_whole, shown) = run("operating", &["fleet", "status"]);
    assert!(is_whole && shown.contains("account  a1 on n1: online"), "{shown}");
    let (is_whole, shown) = run("reading", &["fleet", "status"]);
    assert!(is_whole && shown.contains("account  a1 on n1: held; the role"), "{shown}");
    for (user, command) in [("reading", &account[..]), ("reading", &["fleet", "drain", "n1"])] {
        let (is_fine, refused) = run(user, command);
        let is_clear = refused.contains("has no right") && refused.contains("`mynah_operator`");
        assert!(!is_fine && is_clear && !refused.contains("data folder"), "{command:?}: {refused}");
    }
    node.stop();
}
