//! The server stops, starts again, or crashes.

use std::time::Duration;

use mynah_core::{
    Action, Batch, Chat, Claim, ClaimToken, Content, Decided, Effects, Event, EventBody, Lane,
    Message, Origin, Person, Planned, Step, Store, StoreError, Stores, Timestamp, Turn,
};
use mynah_store_postgres::{PostgresStores, Settings};
use tokio::time::timeout;

use crate::cluster::{Cluster, runtime};
use crate::fleet::database;

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// A batch with a message in chat g.
pub(crate) fn batch(id: &str) -> Batch {
    let body = EventBody::Message(Message {
        id: id.into(),
        chat: Chat::group("g", "Group"),
        sender: Person::stranger("p", "Pat"),
        origin: Origin::Person,
        content: Content::text("hi"),
        text: "hi".to_owned(),
        called: false,
        behind_name: None,
    });
    let event = Event { id: id.into(), time: NOW, body };
    Batch { events: vec![event], ..Batch::default() }
}

/// Handles the next event of chat g with a reply.
pub(crate) async fn answer(store: &dyn Store) -> Result<(), StoreError> {
    let (event, _) = store.begin(&Lane::new("g"), NOW).await?.unwrap();
    store.commit(reply(event), NOW).await.map(drop)
}

/// A turn that replies in chat g.
pub(crate) fn reply(event: Event) -> Turn {
    let action = Action::Send { content: Content::text("hello") };
    let delay = Duration::ZERO;
    let step = Step::Act(Planned { chat: "g".into(), action, delay, is_reply: true });
    let effects = Effects { steps: vec![step], ..Effects::default() };
    let (reads, decided) = (Vec::new(), Decided::default());
    Turn { event, reads, effects, decided, reply_max_age: None }
}

/// Claims the next action of chat g.
pub(crate) async fn claim(store: &dyn Store, token: u64) -> Result<Claim, StoreError> {
    store.claim(&"g".into(), ClaimToken(token), NOW, NOW).await
}

#[test]
fn a_store_outlives_a_restart_of_the_server_and_ends_with_its_crash() {
    let Some(cluster) = Cluster::start() else { return };
    let story = async {
        let stores = PostgresStores::new(cluster.settings(), "test");
        let store = stores.open_store("main").await.unwrap();
        store.recover(NOW).await.unwrap();
        store.accept(batch("1"), NOW).await.unwrap();
        cluster.restart("fast");
        answer(&store).await.unwrap();
        assert!(matches!(claim(&store, 1).await, Ok(Claim::Send(_))));
        store.accept(batch("2"), NOW).await.unwrap();
        store.sync().await.unwrap();
        // The server writes unsynced data after ten seconds, so this is lost.
        store.accept(batch("3"), NOW).await.unwrap();
        cluster.restart("immediate");
        for error in
            [store.accept(batch("4"), NOW).await.unwrap_err(), store.sync().await.unwrap_err()]
        {
            assert!(matches!(error, StoreError::Recovered) && error.is_passing(), "{error}");
        }
        store.close().await.unwrap();
        let again = stores.open_store("main").await.unwrap();
        assert!(again.epoch() > store.epoch());
        let recovered = again.recover(NOW).await.unwrap();
        assert_eq!(recovered.in_doubt.len(), 1, "a claim survives");
        let (event, _) = again.begin(&Lane::new("g"), NOW).await.unwrap().unwrap();
        assert_eq!(event.id.as_str(), "2", "a synced event survives");
        let reader = stores.reader("main").await.unwrap().unwrap();
        assert_eq!(reader.depths().await.unwrap().events, 1, "what is not synced may be lost");
        again.accept(batch("3"), NOW).await.unwrap();
        assert_eq!(reader.depths().await.unwrap().events, 2, "and then comes again");
    };
    let in_time = async { timeout(Duration::from_secs(120), story).await };
    runtime().block_on(in_time).expect("it takes too long");
}

/// The first call of a claim is still in its commit when its repetition comes: both give the same.
#[test]
fn a_repeated_claim_that_waits_for_the_first_one_gives_the_same_action() {
    let Some(cluster) = Cluster::shared() else { return };
    let story = async {
        let stores = PostgresStores::new(cluster.settings(), "test");
        let store = stores.open_store("repeated claim").await.unwrap();
        store.recover(NOW).await.unwrap();
        store.accept(batch("1"), NOW).await.unwrap();
        answer(&store).await.unwrap();
        // The first call: its change of the row is made, and its commit has not come yet.
        let mut first = cluster.admin("bots").await;
        let transaction = first.transaction().await.unwrap();
        let change = "UPDATE mynah.outbox SET claimed = 1, last_claim = 1, attempts = 1, until = 1, token = 7, epoch = $1
            WHERE account = (SELECT account FROM mynah.account WHERE name = 'repeated claim')";
        let epoch = store.epoch();
        assert_eq!(transaction.execute(change, &[&epoch]).await.unwrap(), 1);
        let repeated = claim(&store, 7);
        let commit = async {
            let admin = cluster.admin("bots").await;
            let waiting =
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'";
            while admin.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) < 1 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            transaction.commit().await.unwrap();
        };
        let (repeated, ()) = tokio::join!(repeated, commit);
        assert!(matches!(repeated, Ok(Claim::Send(_))), "{repeated:?}");
    };
    runtime().block_on(async { timeout(Duration::from_secs(60), story).await.unwrap() });
}

#[test]
fn a_call_that_an_administrator_cancels_is_repeated() {
    let Some(cluster) = Cluster::shared() else { return };
    let story = async {
        let mut admin = database(cluster, "cancelled").await;
        let address = cluster.address("cancelled");
        let stores = PostgresStores::new(Settings::new(&address, None, None).unwrap(), "test");
        let store = stores.open("main").await.unwrap();
        store.recover(NOW).await.unwrap();
        let lock = admin.transaction().await.unwrap();
        lock.batch_execute("LOCK TABLE mynah.event").await.unwrap();
        let cancelled = async {
            let sql = "SELECT count(pg_cancel_backend(pid)) FROM pg_locks
                WHERE NOT granted AND relation = 'mynah.event'::regclass";
            for _ in 0..2 {
                while lock.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) == 0 {}
            }
            lock.commit().await.unwrap();
        };
        let (accepted, ()) = tokio::join!(store.accept(batch("1"), NOW), cancelled);
        assert_eq!(accepted.unwrap().len(), 1);
    };
    runtime().block_on(async { timeout(Duration::from_secs(60), story).await.unwrap() });
}
