//! The server of the database is away for long, or has no room.

use super::*;

/// Fails each insert of an event as a full disk does.
const NO_ROOM: &str = "
    CREATE FUNCTION mynah.no_room() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN RAISE EXCEPTION ''could not extend file'' USING ERRCODE = ''disk_full''; END';
    CREATE TRIGGER no_room BEFORE INSERT ON mynah.event FOR EACH ROW EXECUTE FUNCTION mynah.no_room()";

/// Lines and memory of a node.
struct Sizes {
    lines: usize,
    resident_kb: u64,
}

impl Node {
    fn sizes(&self) -> Sizes {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = resident.and_then(|line| line.split_whitespace().next()?.parse().ok());
        Sizes { lines: self.log().lines().count(), resident_kb: number.unwrap_or_default() }
    }
}

/// A call gives up after half a minute. From the second time on a node does the same again and again, so that an hour is like
/// a minute, a hundred times.
#[test]
fn nodes_wait_for_a_server_that_is_away_for_long_and_lose_nothing() {
    const FAILED: &str = "failed to look for accounts";
    let Some(cluster) = Cluster::start() else { return };
    let fleet = Fleet::new(&cluster, "away", 4);
    for node in ["n1", "n2"] {
        let file = fleet.file(&format!("{node}.toml"));
        let settings = fs::read_to_string(&file).unwrap();
        fs::write(file, settings.replace("ttl = \"3s\"", "ttl = \"1s\"")).unwrap();
    }
    let nodes = [fleet.start("n1"), fleet.start("n2")];
    fleet.until_held(&[("n1", 2), ("n2", 2)]);
    let people = fleet.people();
    for name in &fleet.names {
        fleet.until_answered(name, "0");
    }
    cluster.stop();
    let before = nodes.each_ref().map(|node| {
        node.until_logged(FAILED, 1);
        node.sizes()
    });
    for (node, before) in nodes.iter().zip(before) {
        let log = node.until_logged(FAILED, 2);
        assert!(log.contains("has lost its accounts"), "{log}");
        let after = node.sizes();
        assert!(after.lines - before.lines <= 10, "it logs without a bound: {log}");
        assert!(after.resident_kb < before.resident_kb + 8 * 1024, "its memory grows");
    }
    let messages = people.stop();
    cluster.begin();
    fleet.all_answered(messages);
    fleet.until_held(&[("n1", 2), ("n2", 2)]);
    for node in nodes {
        node.stop();
    }
}

#[test]
fn a_full_disk_of_the_server_is_no_fault_of_the_accounts() {
    let Some(cluster) = Cluster::shared() else { return };
    let fleet = Fleet::new(cluster, "no_space", 2);
    let node = fleet.start("n1");
    fleet.until_held(&[("n1", 2)]);
    fleet.asked_and_answered("one");
    cluster.admin_runs("no_space", NO_ROOM);
    fleet.ask("a1", "two");
    node.until_logged("is full: calls are repeated until there is room", 1);
    // It ends after half a minute, and is taken again at once.
    node.until_logged("the disk with no_space on ", 1);
    let log = node.until_logged("taken account=a1", 2);
    let status = fleet.status();
    let a1 = status["accounts"].as_array().unwrap().iter().find(|one| one["account"] == "a1");
    let a1 = a1.unwrap();
    assert!(a1["trouble"].is_null() && a1["not_before"].is_null(), "{a1}: {log}");
    cluster.admin_runs("no_space", "DROP TRIGGER no_room ON mynah.event");
    fleet.until_answered("a1", "two");
    fleet.asked_and_answered("three");
    assert_eq!(fleet.answers("a1", "two"), 1);
    node.stop();
}
