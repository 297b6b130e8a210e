use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use mynah_core::{
    Action, Batch, Change, Chat, ChatId, Claim, ClaimToken, Content, Decided, Effects, Event,
    EventBody, ExportPlace, Exported, Message, Origin, Outcome, Person, Planned, Records, RowPage,
    Scope, Step, Stores, Timer, TimerChange, Timestamp, Turn, Write,
};
use mynah_store::{AccountFolder, Options, SqliteStores};
use tempfile::TempDir;

use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_000_000);

fn stores(folder: &Path) -> SqliteStores {
    let of = |name: &str| AccountFolder::new(folder.join(name));
    SqliteStores::default().with("here", of("here"), Options::default()).with(
        "there",
        of("there"),
        Options::default(),
    )
}

fn message(n: u32) -> Event {
    let text = format!("message {n}");
    let body = EventBody::Message(Message {
        id: n.to_string().into(),
        chat: Chat::group("g", "客户一群"),
        sender: Person::stranger("p", "小明"),
        origin: Origin::Person,
        content: Content::text(text.clone()),
        text,
        called: false,
        behind_name: None,
    });
    Event { id: format!("m{n}").into(), time: NOW, body }
}

/// A turn that answers, counts and waits.
fn turn(event: Event) -> Turn {
    let reply = |text: &str| {
        let (chat, action) = (ChatId::from("g"), Action::Send { content: Content::text(text) });
        Step::Act(Planned { chat, action, delay: Duration::ZERO, is_reply: true })
    };
    let timer = Timer {
        key: format!("t:{}", event.id),
        at: NOW + Duration::from_secs(60),
        chat: event.chat().cloned(),
        person: event.person().cloned(),
        name: "later".to_owned(),
        data: String::new(),
    };
    let key = format!("k:{}", event.id);
    let change = Change::Set("v".to_owned());
    let effects = Effects {
        writes: vec![Write { scope: Scope::Chat, key, change, expires: None }],
        steps: vec![reply("one"), reply("two")],
        timers: vec![TimerChange::Set(timer)],
    };
    let decided = Decided { rule: Some("prices".to_owned()), ..Decided::default() };
    Turn { event, reads: Vec::new(), effects, decided, reply_max_age: None }
}

#[test]
fn a_copy_that_differs_is_described_by_table_and_key() {
    let value = |person: &str, value: &str| {
        let row = serde_json::json!({ "value": {
            "scope": 2, "chat": "g", "person": person, "key": "points", "value": value, "version": 1,
        }});
        Some(serde_json::from_value::<StoredRow>(row).unwrap())
    };
    let timer = serde_json::json!({ "timer": { "chat": "", "key": "t", "at": 1, "body": "{}" } });
    let timer = Some(serde_json::from_value::<StoredRow>(timer).unwrap());
    let words =
        |row: Option<StoredRow>, copy: Option<StoredRow>| difference(row.as_ref(), copy.as_ref());
    let ann = r#"the row of the values with the key "points" of the person "ann" in the chat "g""#;
    for (row, copy, expected) in [
        (value("ann", "1"), value("ann", "2"), format!("{ann} has another content in the copy")),
        (value("ann", "1"), None, format!("{ann} is missing in the copy")),
        (None, value("ann", "1"), format!("the copy also has {ann}")),
        (
            value("ann", "1"),
            timer,
            format!(r#"in place of {ann} the copy has the row of the timers with the key "t""#),
        ),
    ] {
        assert_eq!(words(row, copy), expected);
    }
}

/// An account with events that are handled, waiting and begun, and with actions that are settled, claimed and waiting.
async fn filled(stores: &SqliteStores) {
    let store = stores.open("here").await.unwrap();
    let records = Records::from([("session".to_owned(), "s3cret".to_owned())]);
    let events = (0..600).map(message).collect();
    store.accept(Batch { events, records, ..Batch::default() }, NOW).await.unwrap();
    for n in 0..3 {
        store.commit(turn(message(n)), NOW).await.unwrap();
    }
    for token in 0..2 {
        let claim = store.claim(&"g".into(), ClaimToken(token), NOW, NOW).await.unwrap();
        let Claim::Send(outgoing) = claim else { panic!("{claim:?}") };
        if token == 0 {
            let delivered = Outcome::Delivered("x".into());
            store.settle(&outgoing.id, delivered, NOW).await.unwrap();
        }
    }
    store.close().await.unwrap();
}

async fn export(stores: &SqliteStores, account: &str) -> Vec<Exported> {
    let reader = stores.reader(account).await.unwrap().unwrap();
    let (mut all, mut place) = (Vec::new(), Some(ExportPlace::Start));
    while let Some(from) = place {
        let page = reader.export(&from).await.unwrap();
        all.extend(page.items);
        place = page.next;
    }
    all
}

/// A process that dies before one of its calls that change something, or right after it.
struct Mortal {
    store: Arc<dyn MovingStore>,
    calls: Arc<AtomicU32>,
    dies_at: u32,
}

impl Mortal {
    /// Counts a call. Of two numbers, the first is the death before it and the second the death after it.
    fn lives(&self) -> Result<(), StoreError> {
        if self.calls.fetch_add(1, Ordering::Relaxed) >= self.dies_at {
            return Err(StoreError::Closed);
        }
        Ok(())
    }
}

#[async_trait]
impl MovingStore for Mortal {
    async fn mark(&self) -> Result<Option<MoveMark>, StoreError> {
        self.store.mark().await
    }

    async fn set_mark(&self, mark: Option<&MoveMark>) -> Result<(), StoreError> {
        self.lives()?;
        self.store.set_mark(mark).await?;
        self.lives()
    }

    async fn is_empty(&self) -> Result<bool, StoreError> {
        self.store.is_empty().await
    }

    async fn clear(&self, mark: &MoveMark) -> Result<(), StoreError> {
        self.lives()?;
        self.store.clear(mark).await?;
        self.lives()
    }

    async fn rows(&self, after: &RowPlace) -> Result<RowPage, StoreError> {
        self.store.rows(after).await
    }

    async fn put(
        &self,
        rows: &[StoredRow],
        before: &MoveMark,
        mark: &MoveMark,
    ) -> Result<(), StoreError> {
        self.lives()?;
        self.store.put(rows, before, mark).await?;
        self.lives()
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.store.close().await
    }
}

/// One process that moves the data and dies at a call; `None` lives.
async fn attempt(stores: &SqliteStores, dies_at: Option<u32>) -> Result<Moved, MoveError> {
    let calls = Arc::new(AtomicU32::new(0));
    let open = async |account| Mortal {
        store: stores.open_to_move(account).await.unwrap(),
        calls: Arc::clone(&calls),
        dies_at: dies_at.unwrap_or(u32::MAX),
    };
    let (from, to) = (open("here").await, open("there").await);
    let from = Side { store: &from, place: "here" };
    let to = Side { store: &to, place: "there" };
    move_data(from, to, &new_id(), |_| {}).await
}

/// An id that no other move has.
fn new_id() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("new-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

#[tokio::test]
async fn a_move_that_dies_at_any_call_goes_on_and_never_leaves_two_stores_to_work_with() {
    let whole = TempDir::new().unwrap();
    let original = stores(whole.path());
    filled(&original).await;
    let expected = export(&original, "here").await;
    for dies_at in 0.. {
        let folder = TempDir::new().unwrap();
        let stores = stores(folder.path());
        std::fs::create_dir(folder.path().join("here")).unwrap();
        let copied = folder.path().join("here/mynah.db");
        std::fs::copy(whole.path().join("here/mynah.db"), copied).unwrap();
        let outcome = attempt(&stores, Some(dies_at)).await;
        let (here, there) = (stores.open("here").await, stores.open("there").await);
        // Before the first call nothing has begun.
        let is_one = here.is_err() || there.is_err();
        assert!(is_one || dies_at == 0, "{dies_at}: both can be worked with");
        drop((here, there));
        let lived = outcome.is_ok();
        if !lived {
            let moved = attempt(&stores, None).await.unwrap();
            // Only the answer of the last call was lost.
            let is_done = matches!(moved, Moved::Before);
            assert!(
                matches!(moved, Moved::Now(_)) || is_done && dies_at > 15,
                "{dies_at}: {moved:?}"
            );
        }
        assert!(matches!(stores.open("here").await.map(drop), Err(StoreError::Moved { .. })));
        assert_eq!(export(&stores, "there").await, expected, "{dies_at}");
        assert_eq!(attempt(&stores, None).await.unwrap(), Moved::Before);
        if lived {
            assert!(dies_at > 15, "a move has more calls");
            break;
        }
    }
}

#[tokio::test]
async fn a_moved_account_goes_on_where_it_was() {
    let folder = TempDir::new().unwrap();
    let stores = stores(folder.path());
    filled(&stores).await;
    let Moved::Now(counts) = attempt(&stores, None).await.unwrap() else { panic!("moved") };
    let expected =
        Counts { events: 600, actions: 6, values: 3, timers: 3, records: 1, hits: 2, ids: 0 };
    assert_eq!(counts, expected);
    let store = stores.open("there").await.unwrap();
    let recovered = store.recover(NOW).await.unwrap();
    assert_eq!(recovered.in_doubt.len(), 1, "the claimed action is in doubt");
    assert_eq!(store.records().await.unwrap()["session"], "s3cret");
    let accepted = store.accept(Batch { events: vec![message(0)], ..Batch::default() }, NOW).await;
    assert!(accepted.unwrap().is_empty(), "its id is known");
    let (event, state) = store.begin(&message(3).lane(), NOW).await.unwrap().unwrap();
    assert_eq!(event.id, message(3).id);
    assert_eq!(state.values(Scope::Chat).len(), 3);
    let later = NOW + Duration::from_secs(61);
    let (lanes, next) = store.fire(later).await.unwrap();
    assert!(!lanes.is_empty() && next.is_none());
}

#[tokio::test]
async fn a_store_with_data_is_not_overwritten_and_a_copy_of_then_is() {
    let folder = TempDir::new().unwrap();
    let stores = stores(folder.path());
    filled(&stores).await;
    let other = stores.open("there").await.unwrap();
    other.accept(Batch { events: vec![message(9_999)], ..Batch::default() }, NOW).await.unwrap();
    drop(other);
    assert!(matches!(attempt(&stores, None).await, Err(MoveError::HasData { .. })));
    assert!(stores.open("here").await.is_ok(), "nothing was marked");
    std::fs::remove_dir_all(folder.path().join("there")).unwrap();
    attempt(&stores, None).await.unwrap();
    // Back: the copy here is from before the move.
    let (here, there) =
        (stores.open_to_move("here").await.unwrap(), stores.open_to_move("there").await.unwrap());
    let (here, there) =
        (Side { store: &*here, place: "here" }, Side { store: &*there, place: "there" });
    assert!(matches!(move_data(there, here, "back", |_| {}).await.unwrap(), Moved::Now(_)));
    delete_source(there).await.unwrap();
    assert!(there.store.is_empty().await.unwrap());
}

mod marks;
