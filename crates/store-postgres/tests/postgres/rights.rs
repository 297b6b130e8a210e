//! The actions of a user with few rights, and errors of the server that an operator must solve.

use std::time::Duration;

use mynah_core::{Fleet, LogQuery, NodeInfo, StoreError, StoreReader, Stores};
use mynah_store_postgres::{PostgresStores, Settings, migrate};
use tokio::time::timeout;
use tokio_postgres::error::SqlState;

use crate::cluster::{Cluster, runtime};
use crate::fleet::database;
use crate::restarts::{NOW, answer, batch, claim};

fn story(story: impl Future<Output = ()>) {
    runtime().block_on(async { timeout(Duration::from_secs(60), story).await.unwrap() });
}

const ROLES: &str = "CREATE ROLE mynah_owner; CREATE ROLE mynah_node; CREATE ROLE mynah_operator; CREATE ROLE mynah_reader;
    CREATE ROLE owning LOGIN IN ROLE mynah_owner; CREATE ROLE node LOGIN IN ROLE mynah_node;
    CREATE ROLE operator LOGIN IN ROLE mynah_operator; CREATE ROLE reader LOGIN IN ROLE mynah_reader;
    CREATE ROLE stranger LOGIN";

/// The settings of a user of a database.
fn settings(cluster: &Cluster, database: &str, user: &str) -> Settings {
    let address = cluster.address(database).replace("mynah@", &format!("{user}@"));
    Settings::new(&address, None, None).unwrap()
}

/// Uses an account in all ways.
async fn use_all(stores: &PostgresStores) {
    let store = stores.open("main").await.unwrap();
    store.recover(NOW).await.unwrap();
    store.records().await.unwrap();
    store.accept(batch("1"), NOW).await.unwrap();
    answer(&*store).await.unwrap();
    claim(&*store, 1).await.unwrap();
    store.sync().await.unwrap();
    store.fire(NOW).await.unwrap();
    store.tidy(NOW).await.unwrap();
    store.recent_claims(NOW, 1).await.unwrap();
    let action = mynah_core::ActionId { event: "1".into(), n: 0 };
    let cells = ["a".to_owned(), "b".to_owned()];
    for _ in 0..2 {
        assert!(store.save_row(&action, "list.csv", &cells, NOW).await.unwrap());
    }
    store.settle(&action, mynah_core::Outcome::Accepted, NOW).await.unwrap();
    read_all(&*stores.reader("main").await.unwrap().unwrap()).await;
    store.forget(&"p".into()).await.unwrap();
    store.unbind("x").await.unwrap();
    store.close().await.unwrap();
}

async fn read_all(reader: &dyn StoreReader) {
    reader.depths().await.unwrap();
    reader.status(NOW).await.unwrap();
    reader.settled(NOW).await.unwrap();
    reader.waiting().await.unwrap();
    reader.survey().await.unwrap();
    reader.records().await.unwrap();
    reader.bindings().await.unwrap();
    reader.chat_values("x", NOW).await.unwrap();
    assert_eq!(
        reader.log(&LogQuery { limit: 10, ..LogQuery::default() }).await.unwrap().entries.len(),
        1
    );
    let mut place = Some(mynah_core::ExportPlace::Start);
    while let Some(from) = place {
        place = reader.export(&from).await.unwrap().next;
    }
    assert_eq!(reader.saved_files().await.unwrap()["list.csv"], 1, "a row is saved once");
    let rows = reader.saved_rows("list.csv", 0).await.unwrap();
    assert_eq!(rows[0].cells, ["a", "b"]);
    assert!(reader.saved_rows("list.csv", rows[0].seq).await.unwrap().is_empty());
}

async fn share(fleet: &dyn Fleet) {
    let info =
        NodeInfo { ttl: Duration::from_secs(60), ..NodeInfo::new("n", vec!["main".to_owned()]) };
    fleet.join(info).await.unwrap();
    let look = fleet.look().await.unwrap();
    assert_eq!(look.take.len(), 1);
    fleet.changed().await;
    fleet
        .publish(vec![mynah_core::LiveRow { account: "main".to_owned(), body: "{}".to_owned() }])
        .await
        .unwrap();
    assert!(fleet.live().await.unwrap()[0].is_current);
    let order = fleet.order("main", "{}", "pat", Duration::from_secs(60)).await.unwrap();
    fleet.orders().await.unwrap();
    fleet.answer(&order, false, "no").await.unwrap();
    fleet.wait_for(&order).await.unwrap();
    fleet.move_account("main", "n").await.unwrap();
    fleet.poison("main", "it failed").await.unwrap();
    fleet.overview().await.unwrap();
    fleet.drain().await.unwrap();
    assert_eq!(fleet.drain_node("n").await.unwrap(), 1);
    assert_eq!(fleet.restored().await.unwrap(), 1);
    fleet.leave().await.unwrap();
}

/// Another server for all of it: roles are those of a whole server.
#[test]
fn a_node_may_call_every_function_and_touch_no_table() {
    let Some(cluster) = Cluster::start() else { return };
    story(async {
        let admin = cluster.admin("postgres").await;
        admin.batch_execute(ROLES).await.unwrap();
        admin.batch_execute("CREATE DATABASE roles OWNER mynah_owner").await.unwrap();
        migrate(&settings(&cluster, "roles", "owning")).await.unwrap();
        let admin = cluster.admin("roles").await;
        admin
            .batch_execute(
                "ALTER TABLE mynah.node ALTER joined SET DEFAULT now() - interval '1 hour'",
            )
            .await
            .unwrap();
        let stores = PostgresStores::new(settings(&cluster, "roles", "node"), "n");
        use_all(&stores).await;
        share(&*stores.fleet().unwrap()).await;
        every_table_is_refused(&cluster).await;
        others(&cluster).await;
        let again = migrate(&settings(&cluster, "roles", "node")).await.unwrap_err();
        assert!(matches!(&again, StoreError::NoRight { .. }), "{again:?}");
        assert!(again.remedy().contains("`mynah store migrate` the owner"));
    });
}

/// Roles are those of the whole server, so another database can bring one.
#[test]
fn tables_that_were_made_without_a_role_for_owners_keep_their_owner() {
    let Some(cluster) = Cluster::start() else { return };
    story(async {
        let admin = cluster.admin("postgres").await;
        admin.batch_execute("CREATE ROLE early LOGIN").await.unwrap();
        admin.batch_execute("CREATE DATABASE early OWNER early").await.unwrap();
        let settings = settings(&cluster, "early", "early");
        migrate(&settings).await.unwrap();
        admin.batch_execute("CREATE ROLE mynah_owner").await.unwrap();
        migrate(&settings).await.unwrap();
        let store = PostgresStores::new(settings, "n").open("main").await.unwrap();
        store.close().await.unwrap();
    });
}

fn said(error: &StoreError) -> String {
    mynah_core::with_causes(error)
}

async fn every_table_is_refused(cluster: &Cluster) {
    let admin = cluster.admin("roles").await;
    let sql = "SELECT relname::text, relkind::text FROM pg_class WHERE relnamespace = 'mynah'::regnamespace AND relkind IN ('r', 'S')";
    let tables = admin.query(sql, &[]).await.unwrap();
    assert!(tables.len() > 20);
    for role in ["mynah_node", "mynah_operator", "mynah_reader", "stranger"] {
        admin.batch_execute(&format!("SET ROLE {role}")).await.unwrap();
        for table in &tables {
            let name: String = table.get(0);
            for sql in [
                format!("SELECT * FROM mynah.\"{name}\""),
                format!("DELETE FROM mynah.\"{name}\""),
                format!("DROP TABLE mynah.\"{name}\""),
            ] {
                let error = admin.batch_execute(&sql).await.unwrap_err();
                let code = error.code().unwrap().clone();
                let is_refused =
                    code == SqlState::INSUFFICIENT_PRIVILEGE || code == SqlState::WRONG_OBJECT_TYPE;
                assert!(is_refused, "{role}: {sql}: {error}");
            }
        }
        let inner = "SELECT mynah.fence_1(1, gen_random_uuid(), 1, true)";
        let error = admin.batch_execute(inner).await.unwrap_err();
        assert_eq!(error.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{role}");
        admin.batch_execute("RESET ROLE").await.unwrap();
    }
}

async fn others(cluster: &Cluster) {
    let operator = PostgresStores::new(settings(cluster, "roles", "operator"), "o");
    let fleet = operator.fleet().unwrap();
    fleet.overview().await.unwrap();
    let order = fleet.order("main", "{}", "pat", Duration::ZERO).await.unwrap();
    fleet.wait_for(&order).await.unwrap();
    let reader = operator.reader("main").await.unwrap().unwrap();
    reader.log(&LogQuery::default()).await.unwrap();
    assert!(said(&reader.records().await.unwrap_err()).contains("has no right"));
    assert!(said(&operator.open("main").await.err().unwrap()).contains("has no right"));
    let metrics = PostgresStores::new(settings(cluster, "roles", "reader"), "r");
    metrics.fleet().unwrap().overview().await.unwrap();
    let reader = metrics.reader("main").await.unwrap().unwrap();
    reader.depths().await.unwrap();
    assert!(said(&reader.log(&LogQuery::default()).await.unwrap_err()).contains("has no right"));
    let stranger = PostgresStores::new(settings(cluster, "roles", "stranger"), "s");
    assert!(said(&stranger.open("main").await.err().unwrap()).contains("has no right"));
}

#[test]
fn a_call_waits_for_room_on_a_full_disk_of_the_server_and_nothing_is_lost() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        let admin = database(cluster, "no_room").await;
        let stores = PostgresStores::new(settings(cluster, "no_room", "mynah"), "n");
        let store = stores.open("main").await.unwrap();
        store.recover(NOW).await.unwrap();
        store.accept(batch("1"), NOW).await.unwrap();
        // The number of tries stays although each is undone.
        let sql = "CREATE SEQUENCE tries;
            CREATE FUNCTION no_room() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS
                'BEGIN PERFORM nextval(''mynah.tries'');
                    RAISE EXCEPTION ''could not extend file'' USING ERRCODE = ''disk_full''; END';
            CREATE TRIGGER no_room BEFORE INSERT ON mynah.event FOR EACH ROW EXECUTE FUNCTION no_room()";
        admin.batch_execute(sql).await.unwrap();
        let waiting = async { store.accept(batch("2"), NOW).await.unwrap() };
        let making_room = async {
            let tries = "SELECT last_value FROM tries";
            while admin.query_one(tries, &[]).await.unwrap().get::<_, i64>(0) < 3 {}
            admin.batch_execute("DROP TRIGGER no_room ON mynah.event").await.unwrap();
        };
        let (accepted, ()) = tokio::join!(waiting, making_room);
        assert_eq!(accepted.len(), 1);
        let reader = stores.reader("main").await.unwrap().unwrap();
        assert_eq!(reader.depths().await.unwrap().events, 2);
    });
}

#[test]
fn a_missing_database_and_missing_tables_are_told_apart() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        let admin = cluster.admin("postgres").await;
        admin.batch_execute("CREATE DATABASE without_tables").await.unwrap();
        let accounts = async |database| {
            let settings = Settings::new(&cluster.address(database), None, None).unwrap();
            PostgresStores::new(settings, "test").accounts().await.unwrap_err()
        };
        let missing = accounts("no_such_database").await;
        assert!(matches!(missing, StoreError::Unreachable { .. }), "{missing:?}");
        let empty = accounts("without_tables").await;
        assert!(matches!(empty, StoreError::Unprepared { .. }), "{empty:?}");
        assert!(empty.remedy().contains("mynah store migrate"));
    });
}
