//! A whole account on the real runtime and store: floods, handlers that misbehave, starts and stops.

#[path = "account/stage.rs"]
mod stage;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use mynah_core::{
    Batch, Content, Context, Event, EventBody, Flow, Handler, HandlerError, Incoming, LogQuery,
    Message, OfflineCause, Outcome, Perform, PerformError, Person, Planned, Receipt, Scope,
    SendError, StateView, Status, Step, StoreError, StoreReader, Throttled, handler_fn,
};
use mynah_runtime::{Ended, Handlers, Pacing, Rate, Settings, UnknownPolicy, saying};
use mynah_store::{Options, SqliteStore};
use tempfile::TempDir;
use tokio::sync::{Notify, Semaphore};

use stage::{Played, SentText, group, settings};

/// Answers with the text.
struct Echo;

#[async_trait]
impl Handler for Echo {
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        ctx.reply(message.text.clone());
        Ok(Flow::Stop)
    }
}

/// Answers with the text once the gate is open.
struct Gated(Arc<Semaphore>);

#[async_trait]
impl Handler for Gated {
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        let _open = self.0.acquire().await?;
        ctx.reply(message.text.clone());
        Ok(Flow::Stop)
    }
}

/// Fails in the way that the text names.
struct Moody;

#[async_trait]
impl Handler for Moody {
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        ctx.reply(format!("{} was answered", message.text));
        match message.text.as_str() {
            "fail" => Err("a bad mood".into()),
            "panic" => panic!("planned"),
            "hang" => std::future::pending().await,
            _ => Ok(Flow::Stop),
        }
    }
}

/// The memory that 10 000 messages in one chat or in many may use while they wait on disk.
const MEMORY: u64 = 32 << 20;

async fn flood(chats: usize) {
    let messages = 10_000;
    let folder = TempDir::new().expect("a folder can be made");
    let store = Arc::new(SqliteStore::open(folder.path(), Options::default()).expect("it is new"));
    let gate = Arc::new(Semaphore::new(0));
    let handlers = Handlers::new().fallback("gated", Arc::new(Gated(gate.clone())));
    let patient = Duration::from_secs(300);
    let settings = Settings { handler_timeout: patient, ..settings() };
    let mut played = Played::start(store.clone(), handlers, settings);
    let before = resident();
    // 4 kB each: they would use 40 MB of memory.
    let long = "x".repeat(4000);
    for n in 0..messages {
        played.say(group(n % chats), &format!("{n} {long}")).await;
    }
    played.accepted(messages).await;
    assert_eq!(played.said().len(), 0, "accepted without waiting for a handler");
    if let (Some(before), Some(after)) = (before, resident()) {
        let grown = after.saturating_sub(before);
        assert!(grown < MEMORY, "{grown} bytes for a flood that waits");
    }
    gate.add_permits(Semaphore::MAX_PERMITS / 2);
    played.until_said(messages).await;
    let said = played.said();
    for chat in 0..chats {
        let chat = group(chat);
        let numbers: Vec<usize> = said
            .iter()
            .filter(|said| said.chat == chat.id)
            .filter_map(|said| said.text.split(' ').next()?.parse().ok())
            .collect();
        assert!(numbers.is_sorted() && numbers.len() == messages / chats, "{}", chat.name);
    }
    assert!(matches!(played.stop().await, Ended::Stopped));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_in_one_chat_waits_on_disk_and_is_answered_in_order() {
    flood(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_over_many_chats_waits_on_disk_and_is_answered_in_order() {
    flood(500).await;
}

#[tokio::test(start_paused = true)]
async fn when_the_source_ends_what_waits_is_answered_and_the_run_is_finished() {
    let handlers = Handlers::new().rules(Arc::new(Echo));
    let per_chat = Some(Rate::new(1, Duration::from_secs(2)));
    let settings = Settings { pacing: Pacing { per_chat, ..Pacing::off() }, ..settings() };
    let mut played = Played::start(Arc::new(SqliteStore::in_memory()), handlers, settings);
    for text in ["one", "two", "three"] {
        played.say(group(0), text).await;
    }
    played.news(Incoming::End).await;
    assert!(matches!(played.ended().await, Ended::Finished));
    let texts: Vec<String> = played.said().into_iter().map(|said| said.text).collect();
    assert_eq!(texts, ["one", "two", "three"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_arrives_together_with_its_recall_is_not_answered() {
    let handlers = Handlers::new().rules(Arc::new(Echo));
    let mut played = Played::start(Arc::new(SqliteStore::in_memory()), handlers, settings());
    let recalled = played.message(&group(0), "recalled");
    let elsewhere = played.message(&group(1), "recalled elsewhere");
    let events = vec![
        played.recall(&recalled, &group(0)),
        played.recall(&elsewhere, &group(0)),
        played.message(&group(0), "kept"),
    ];
    let events = [recalled, elsewhere].into_iter().chain(events).collect();
    played.news(Incoming::Batch(Batch { events, ..Batch::default() })).await;
    played.idle().await;
    let mut texts: Vec<String> = played.said().into_iter().map(|said| said.text).collect();
    texts.sort();
    assert_eq!(texts, ["kept", "recalled elsewhere"]);
    assert!(matches!(played.stop().await, Ended::Stopped));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_recalled_while_it_waits_is_not_answered() {
    let gate = Arc::new(Semaphore::new(0));
    let handlers = Handlers::new().rules(Arc::new(Gated(gate.clone())));
    let mut played = Played::start(Arc::new(SqliteStore::in_memory()), handlers, settings());
    played.say(group(0), "first").await;
    let waits = played.message(&group(0), "recalled");
    let recall = played.recall(&waits, &group(0));
    for event in [waits, recall] {
        played.news(Incoming::Batch(Batch { events: vec![event], ..Batch::default() })).await;
    }
    played.accepted(3).await;
    gate.add_permits(2);
    played.idle().await;
    let texts: Vec<String> = played.said().into_iter().map(|said| said.text).collect();
    assert_eq!(texts, ["first"]);
    assert!(matches!(played.stop().await, Ended::Stopped));
}

#[tokio::test(start_paused = true)]
async fn a_request_of_the_service_to_send_less_is_a_pause_of_the_outbox() {
    let handlers = Handlers::new().rules(Arc::new(Echo));
    let mut played = Played::start(Arc::new(SqliteStore::in_memory()), handlers, settings());
    let throttled = vec![Throttled { pause: Some(Duration::from_secs(90)) }];
    played.news(Incoming::Batch(Batch { throttled, ..Batch::default() })).await;
    played.say(group(0), "hi").await;
    played.until_said(1).await;
    assert_eq!(played.said()[0].at.as_secs(), 90, "of the virtual clock");
    assert!(matches!(played.stop().await, Ended::Stopped));
}

/// The memory of this process, if the system reports it.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_misbehaves_delays_nothing_but_its_own_chat() {
    let store = Arc::new(SqliteStore::in_memory());
    let handlers = Handlers::new().rules(Arc::new(Moody));
    let mut played = Played::start(store.clone(), handlers, settings());
    for (chat, text) in
        [(0, "hang"), (0, "after"), (1, "fail"), (1, "after"), (2, "panic"), (2, "after")]
    {
        played.say(group(chat), text).await;
    }
    played.until_said(2).await;
    assert!(played.seconds() < 1.0, "the others did not wait: {}", played.seconds());
    played.until_said(3).await;
    assert!((30.0..32.0).contains(&played.seconds()), "{}", played.seconds());
    let texts: Vec<String> = played.said().into_iter().map(|said| said.text).collect();
    assert_eq!(texts, ["after was answered", "after was answered", "after was answered"]);
    let failed: Vec<String> = store
        .log(&LogQuery::default())
        .await
        .unwrap()
        .entries
        .into_iter()
        .filter_map(|logged| logged.decided?.passed_over)
        .collect();
    assert_eq!(failed, ["handler rules failed"; 3]);
    assert!(matches!(played.stop().await, Ended::Stopped));
}

#[tokio::test(start_paused = true)]
async fn handlers_run_in_order_and_those_of_rules_at_their_place() {
    let before = handler_fn(|ctx, _| {
        ctx.reply("before");
        Ok(Flow::Continue)
    });
    let rules = handler_fn(|ctx, message| {
        ctx.reply("rule 1");
        let captures = [("city".to_owned(), message.text.clone())].into();
        ctx.step(Step::Run(mynah_core::Call { handler: "weather".to_owned(), captures }));
        ctx.reply("rule 2");
        Ok(if message.text == "stop" { Flow::Stop } else { Flow::Continue })
    });
    let weather = handler_fn(|ctx, _| {
        let city = ctx.capture("city").unwrap_or_default().to_owned();
        ctx.reply(format!("weather of {city}"));
        Ok(Flow::Continue)
    });
    let fallback = handler_fn(|ctx, _| {
        ctx.reply("fallback");
        Ok(Flow::Stop)
    });
    let handlers = Handlers::new()
        .before("before", Arc::new(before))
        .rules(Arc::new(rules))
        .named("weather", Arc::new(weather))
        .fallback("fallback", Arc::new(fallback));
    let mut played = Played::start(Arc::new(SqliteStore::in_memory()), handlers, settings());
    played.say(group(0), "Ulm").await;
    played.say(group(0), "stop").await;
    played.until_said(9).await;
    let texts: Vec<String> = played.said().into_iter().map(|said| said.text).collect();
    let both = |city: &str| ["before", "rule 1", city, "rule 2"].map(str::to_owned).to_vec();
    let first = [both("weather of Ulm"), vec!["fallback".to_owned()]].concat();
    assert_eq!(texts, [first, both("weather of stop")].concat());
    played.stop().await;
}

/// Sends a first message at once, and the rest in a separate turn.
struct Later;

#[async_trait]
impl Handler for Later {
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        ctx.reply("wait");
        ctx.follow_up(Duration::from_secs(5), "later", message.text.clone());
        Ok(Flow::Stop)
    }

    async fn on_event(&self, ctx: &mut Context, event: &Event) -> Result<Flow, HandlerError> {
        if let EventBody::Due(due) = &event.body {
            ctx.reply(format!("{} {}", due.name, due.data));
        }
        Ok(Flow::Stop)
    }
}

#[tokio::test(start_paused = true)]
async fn a_follow_up_comes_to_the_handler_of_its_name_and_to_nobody_else() {
    let rules = handler_fn(|ctx, _| {
        let captures = [].into();
        ctx.step(Step::Run(mynah_core::Call { handler: "later".to_owned(), captures }));
        Ok(Flow::Stop)
    });
    let handlers = Handlers::new()
        .rules(Arc::new(rules))
        .named("later", Arc::new(Later))
        .named("other", Arc::new(Later))
        .fallback("fallback", Arc::new(Later));
    let mut played = Played::start(Arc::new(SqliteStore::in_memory()), handlers, settings());
    played.say(group(0), "question").await;
    played.until_said(2).await;
    played.idle().await;
    let said: Vec<(String, u64)> =
        played.said().into_iter().map(|SentText { text, at, .. }| (text, at.as_secs())).collect();
    assert_eq!(said, [("wait".to_owned(), 0), ("later question".to_owned(), 5)]);
    played.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_works_on_no_more_events_at_once_than_it_wants() {
    static NOW: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    struct Slow;
    #[async_trait]
    impl Handler for Slow {
        async fn on_message(&self, ctx: &mut Context, _: &Message) -> Result<Flow, HandlerError> {
            MOST.fetch_max(NOW.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_secs(1)).await;
            NOW.fetch_sub(1, Ordering::SeqCst);
            ctx.reply("done");
            Ok(Flow::Stop)
        }
    }
    let handlers = Handlers::new().fallback("slow", Arc::new(Slow)).at_once(3);
    let mut played = Played::start(Arc::new(SqliteStore::in_memory()), handlers, settings());
    for chat in 0..12 {
        played.say(group(chat), "x").await;
    }
    played.until_said(12).await;
    assert_eq!(MOST.load(Ordering::SeqCst), 3);
    played.stop().await;
}

#[tokio::test(start_paused = true)]
async fn answers_are_paced_and_a_reply_that_is_too_late_expires() {
    let pacing = Pacing { per_chat: Some(Rate::new(1, Duration::from_secs(20))), ..Pacing::off() };
    let reply_max_age = Some(Duration::from_secs(50));
    let settings = Settings { pacing, reply_max_age, ..settings() };
    let store = Arc::new(SqliteStore::in_memory());
    let handlers = Handlers::new().rules(Arc::new(Echo));
    let mut played = Played::start(store.clone(), handlers, settings);
    for text in ["1", "2", "3", "4", "5"] {
        played.say(group(0), text).await;
    }
    played.idle().await;
    let said: Vec<(String, u64)> =
        played.said().into_iter().map(|SentText { text, at, .. }| (text, at.as_secs())).collect();
    assert_eq!(said, [("1".to_owned(), 0), ("2".to_owned(), 20), ("3".to_owned(), 40)]);
    let log = store.log(&LogQuery::default()).await.unwrap().entries;
    let outcomes: Vec<String> = log
        .into_iter()
        .flat_map(|logged| logged.actions)
        .filter_map(|action| action.outcome)
        .collect();
    assert_eq!(outcomes, ["accepted", "accepted", "accepted", "expired", "expired"]);
    played.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_sent_for_a_night_expires_and_does_not_come_in_the_morning() {
    let store = Arc::new(SqliteStore::in_memory());
    let handlers = Handlers::new().rules(Arc::new(Echo));
    let mut played = Played::start(store.clone(), handlers, settings());
    let (cause, detail) = (OfflineCause::Unreachable, "the phone is off".to_owned());
    let retry_in = Some(Duration::from_secs(60));
    played.status(Status::Offline { cause, detail, retry_in }).await;
    played.say(group(0), "good night").await;
    tokio::time::sleep(Duration::from_secs(8 * 3600)).await;
    played.status(Status::Online { name: "Bot".to_owned() }).await;
    played.say(group(0), "good morning").await;
    played.until_said(1).await;
    played.idle().await;
    let texts: Vec<String> = played.said().into_iter().map(|said| said.text).collect();
    assert_eq!(texts, ["good morning"]);
    assert_eq!(played.expired(), 1, "and it is told");
    played.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_send_without_an_answer_goes_by_the_policy() {
    for (unknown, expected) in [(UnknownPolicy::Resend, 2), (UnknownPolicy::Never, 1)] {
        let handlers = Handlers::new().rules(Arc::new(Echo));
        let settings = Settings { unknown, ..settings() };
        let mut played = Played::start(Arc::new(SqliteStore::in_memory()), handlers, settings);
        played.answer_with(|| Err(SendError::Unknown { source: "cut".into() }));
        played.say(group(0), "x").await;
        played.until_tried(1).await;
        played.idle().await;
        assert_eq!(played.tried(), expected, "{unknown:?}");
        played.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_the_transport_asks_for_is_kept_though_many_tries_went_before() {
    let handlers = Handlers::new().rules(Arc::new(Echo));
    let mut played = Played::start(Arc::new(SqliteStore::in_memory()), handlers, settings());
    let tries = AtomicUsize::new(0);
    played.answer_with(move || {
        let not_sent = |pause| Err(SendError::NotSent { retry_after: pause, source: "no".into() });
        match tries.fetch_add(1, Ordering::SeqCst) {
            // 1 s, 2 s, 4 s, 8 s without a network; then the service declines twice.
            0..4 => not_sent(None),
            4 | 5 => not_sent(Some(Duration::from_secs(2))),
            6 => Err(SendError::Refused { reason: "no".to_owned() }),
            _ => Ok(Receipt::default()),
        }
    });
    played.say(group(0), "x").await;
    played.say(group(0), "y").await;
    played.until_said(1).await;
    let said = &played.said()[0];
    assert_eq!((said.text.as_str(), said.at.as_secs()), ("y", 19));
    played.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_too_frequent_is_silent_for_a_while() {
    let handlers = Handlers::new().rules(Arc::new(Echo));
    let mut played = Played::start(Arc::new(SqliteStore::in_memory()), handlers, settings());
    played.answer_with(|| Err(SendError::TooFrequent { retry_after: None }));
    played.say(group(0), "x").await;
    played.until_tried(1).await;
    played.answer_as_usual();
    played.say(group(1), "y").await;
    played.until_said(2).await;
    assert!(played.said().iter().all(|said| said.at.as_secs() >= 60), "{:?}", played.said());
    played.stop().await;
}

#[tokio::test(start_paused = true)]
async fn two_bots_do_not_answer_each_other_for_ever() {
    let settings = Settings { loop_breaker: Settings::default().loop_breaker, ..settings() };
    let handlers = Handlers::new().rules(Arc::new(Echo));
    let store = Arc::new(SqliteStore::in_memory());
    let mut played = Played::start(store, handlers, settings);
    for _ in 0..30 {
        played.say(group(0), "I do not understand").await;
        played.idle().await;
    }
    assert_eq!(played.said().len(), 6, "the first, and five to repetitions");
    played.say(group(1), "I do not understand").await;
    played.until_said(7).await;
    tokio::time::sleep(Duration::from_secs(601)).await;
    played.say(group(0), "hello again").await;
    played.until_said(8).await;
    played.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_only_sends_to_another_chat_is_in_a_loop_as_well() {
    struct Reporter;
    #[async_trait]
    impl Handler for Reporter {
        async fn on_message(&self, ctx: &mut Context, _: &Message) -> Result<Flow, HandlerError> {
            ctx.send(&group(9), Content::text("seen"));
            Ok(Flow::Stop)
        }
    }
    let settings = Settings { loop_breaker: Settings::default().loop_breaker, ..settings() };
    let handlers = Handlers::new().rules(Arc::new(Reporter));
    let mut played = Played::start(Arc::new(SqliteStore::in_memory()), handlers, settings);
    for _ in 0..30 {
        played.say(group(0), "again").await;
        played.idle().await;
    }
    assert_eq!((played.said().len(), played.troubles("Loop")), (6, 1));
    played.stop().await;
}

/// Removes the person whose name is the text.
struct Bouncer;

#[async_trait]
impl Handler for Bouncer {
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        ctx.kick(&Person::stranger(message.text.as_str(), message.text.as_str()));
        Ok(Flow::Stop)
    }
}

// The clock runs: a paused one would jump ahead while the file is written.
#[tokio::test]
async fn rules_that_remove_everybody_stop_after_ten_people_in_an_hour_also_over_a_restart() {
    let folder = TempDir::new().expect("a folder can be made");
    let open = || Arc::new(SqliteStore::open(folder.path(), Options::default()).expect("it opens"));
    let handlers = Handlers::new().rules(Arc::new(Bouncer));
    let mut played = Played::start(open(), handlers.clone(), settings());
    // In several groups at once: concurrent turns count together.
    for n in 0..30 {
        played.say(group(n % 6), &format!("person {n}")).await;
    }
    played.idle().await;
    assert_eq!((played.tried(), played.troubles("TooManyKicks")), (10, 20));
    played.stop().await;
    let mut played = Played::start(open(), handlers, settings());
    for n in 30..40 {
        played.say(group(n), &format!("person {n}")).await;
    }
    played.idle().await;
    assert_eq!((played.tried(), played.troubles("TooManyKicks")), (0, 10));
    played.stop().await;
}

#[tokio::test(start_paused = true)]
async fn after_the_hour_people_are_removed_again() {
    let handlers = Handlers::new().rules(Arc::new(Bouncer));
    let settings = Settings { kicks: 1, ..settings() };
    let mut played = Played::start(Arc::new(SqliteStore::in_memory()), handlers, settings);
    for (person, tried) in [("a", 1), ("b", 1)] {
        played.say(group(0), person).await;
        played.idle().await;
        assert_eq!(played.tried(), tried, "{person}");
    }
    tokio::time::sleep(Duration::from_secs(3600)).await;
    played.say(group(0), "b").await;
    played.until_tried(2).await;
    played.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_what_is_under_way_and_the_rest_waits_on_disk() {
    struct Slow;
    #[async_trait]
    impl Handler for Slow {
        async fn on_message(&self, ctx: &mut Context, _: &Message) -> Result<Flow, HandlerError> {
            tokio::time::sleep(Duration::from_secs(3)).await;
            ctx.reply("done");
            Ok(Flow::Stop)
        }
    }
    let store = Arc::new(SqliteStore::in_memory());
    let handlers = Handlers::new().rules(Arc::new(Slow));
    let mut played = Played::start(store.clone(), handlers.clone(), settings());
    played.say(group(0), "1").await;
    played.say(group(0), "2").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(matches!(played.stop().await, Ended::Stopped));
    let status = store.status(stage::begin()).await.unwrap();
    assert_eq!((status.open_events, status.open_actions), (1, 1));
    let played = Played::start(store.clone(), handlers, settings());
    played.until_said(2).await;
    played.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_ends_the_account_with_its_reason() {
    let handlers = Handlers::new().rules(Arc::new(Echo));
    let store =
        Arc::new(stage::FailingStore::new(|| StoreError::Full { place: "data".to_owned() }));
    let mut played = Played::start(store.clone(), handlers, settings());
    store.fail();
    played.say(group(0), "x").await;
    let ended = played.ended().await;
    assert!(matches!(ended, Ended::Storage(StoreError::Full { .. })), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn an_account_that_another_process_took_over_is_not_logged_out() {
    for (is_lost, logged_out) in [(false, 1), (true, 0)] {
        let store = Arc::new(stage::FailingStore::new(|| StoreError::LeaseLost));
        let settings = Settings { log_out_at_stop: true, ..settings() };
        let played = Played::start(store.clone(), Handlers::new(), settings);
        let seen = played.seen.clone();
        tokio::time::sleep(Duration::from_secs(1)).await;
        if is_lost {
            store.fail();
        }
        assert!(matches!(played.stop().await, Ended::Stopped));
        assert_eq!(seen.logged_out.load(Ordering::SeqCst), logged_out, "lost: {is_lost}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_whose_lease_expires_ends_and_is_not_logged_out() {
    let store = Arc::new(stage::FailingStore::new(|| StoreError::LeaseLost));
    let settings = Settings { log_out_at_stop: true, ..settings() };
    let mut played = Played::start(store.clone(), Handlers::new(), settings);
    store.lose();
    let ended = played.ended().await;
    assert!(matches!(ended, Ended::Storage(StoreError::LeaseLost)), "{ended:?}");
    assert_eq!(played.seen.logged_out.load(Ordering::SeqCst), 0);
}

/// An action of the program, in a chat of the service.
fn order(text: &str) -> Planned {
    saying(&group(0), Content::text(text))
}

fn texts(played: &Played) -> Vec<String> {
    played.said().into_iter().map(|said| said.text).collect()
}

#[tokio::test(start_paused = true)]
async fn an_action_of_the_program_is_performed_once_for_its_id() {
    let store = Arc::new(SqliteStore::in_memory());
    let played = Played::start(store.clone(), Handlers::new(), settings());
    let control = played.control();
    let (one, other) = tokio::join!(
        control.perform("id".into(), order("hello")),
        control.perform("id".into(), order("hello")),
    );
    let outcomes = one.expect("it runs");
    assert_eq!((outcomes.len(), Some(&outcomes)), (1, other.as_ref().ok()));
    assert!(matches!(outcomes[0], Outcome::Accepted | Outcome::Delivered(_)), "{outcomes:?}");
    let again = control.perform("id".into(), order("hello")).await;
    assert_eq!(again, Err(PerformError::Repeated));
    assert_eq!(texts(&played), ["hello"]);
    assert!(matches!(played.stop().await, Ended::Stopped));
    assert_eq!(control.perform("new".into(), order("late")).await, Err(PerformError::NotRunning));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_service_is_the_outcome_and_a_failure_that_passes_is_not() {
    let played = Played::start(Arc::new(SqliteStore::in_memory()), Handlers::new(), settings());
    let tries = AtomicUsize::new(0);
    played.answer_with(move || match tries.fetch_add(1, Ordering::SeqCst) {
        0 => Err(SendError::NotSent { retry_after: None, source: "no network".into() }),
        _ => Err(SendError::Refused { reason: "not here".to_owned() }),
    });
    let outcomes = played.control().perform("id".into(), order("hello")).await;
    assert_eq!(outcomes, Ok(vec![Outcome::Refused { reason: "not here".to_owned() }]));
    assert_eq!(played.tried(), 2);
    assert!(matches!(played.stop().await, Ended::Stopped));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_gives_up_the_answer_and_not_the_action() {
    let played = Played::start(Arc::new(SqliteStore::in_memory()), Handlers::new(), settings());
    let control = played.control();
    // Polled once, then dropped.
    let given_up = control.perform("id".into(), order("hello"));
    assert!(tokio::time::timeout(Duration::ZERO, given_up).await.is_err());
    played.until_said(1).await;
    assert_eq!(texts(&played), ["hello"]);
    assert!(matches!(played.stop().await, Ended::Stopped));
}

#[tokio::test(start_paused = true)]
async fn an_action_that_a_stop_interrupts_leaves_once_at_the_next_start() {
    let store = Arc::new(SqliteStore::in_memory());
    let played = Played::start(store.clone(), Handlers::new(), settings());
    played
        .status(Status::Offline {
            cause: OfflineCause::Unreachable,
            detail: String::new(),
            retry_in: None,
        })
        .await;
    played.idle().await;
    let control = played.control();
    let waiting = tokio::spawn(async move { control.perform("id".into(), order("hello")).await });
    played.accepted(1).await;
    assert!(matches!(played.stop().await, Ended::Stopped));
    assert_eq!(waiting.await.expect("it ends"), Err(PerformError::Interrupted));
    let played = Played::start(store, Handlers::new(), settings());
    let again = played.control().perform("id".into(), order("hello")).await;
    assert!(matches!(again, Ok(_) | Err(PerformError::Repeated)), "{again:?}");
    played.until_said(1).await;
    played.idle().await;
    assert_eq!(texts(&played), ["hello"]);
    assert!(matches!(played.stop().await, Ended::Stopped));
}

/// Asks another service once for a turn, and reads a value that each turn changes.
#[derive(Default)]
struct AskingOnce {
    asked: AtomicUsize,
    runs: AtomicUsize,
    answered: Notify,
    release: Notify,
}

#[async_trait]
impl Handler for AskingOnce {
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        let before = ctx.get(Scope::Bot, "n").unwrap_or_default();
        ctx.set(Scope::Bot, "n", format!("{before}1"));
        if message.text == "slow" && ctx.memory().get::<String>("answer").is_none() {
            let answer = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
            ctx.memory().put("answer", format!("answer {answer}"));
            self.answered.notify_one();
            self.release.notified().await;
        }
        let answer = ctx.memory().get::<String>("answer").cloned();
        ctx.reply(answer.unwrap_or_else(|| "nothing asked".to_owned()));
        Ok(Flow::Stop)
    }
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_runs_again_has_the_memory_of_its_first_attempt_and_the_next_turn_has_not() {
    let handler = Arc::new(AskingOnce::default());
    let handlers = Handlers::new().rules(handler.clone());
    let mut played = Played::start(Arc::new(SqliteStore::in_memory()), handlers, settings());
    for (turn, answer) in [(1, "answer 1"), (2, "answer 2")] {
        played.say(group(0), "slow").await;
        handler.answered.notified().await;
        // Changes the value that the waiting turn has read.
        played.say(group(1), "quick").await;
        played.until_said(2 * turn - 1).await;
        handler.release.notify_one();
        played.until_said(2 * turn).await;
        let said: Vec<String> = played.said().into_iter().map(|one| one.text).collect();
        assert_eq!(said[2 * turn - 2..], ["nothing asked", answer]);
    }
    assert_eq!((handler.asked.load(Ordering::SeqCst), handler.runs.load(Ordering::SeqCst)), (2, 6));
    played.stop().await;
}

/// Waits for another service if the text is "slow".
struct Waits(Arc<Semaphore>);

#[async_trait]
impl Handler for Waits {
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        if message.text == "slow" {
            let wait = ctx.wait_apart();
            let _open = self.0.acquire().await?;
            drop(wait);
        }
        ctx.reply(message.text.clone());
        Ok(Flow::Stop)
    }
}

#[tokio::test(start_paused = true)]
async fn turns_that_wait_for_another_service_delay_their_own_chats_only() {
    let gate = Arc::new(Semaphore::new(0));
    let handlers = Handlers::new().rules(Arc::new(Waits(Arc::clone(&gate))));
    let settings = Settings { lanes_at_once: 2, ..settings() };
    let mut played = Played::start(Arc::new(SqliteStore::in_memory()), handlers, settings);
    for n in 0..20 {
        played.say(group(n), "slow").await;
    }
    played.say(group(20), "quick").await;
    played.until_said(1).await;
    assert_eq!(played.said()[0].text, "quick");
    gate.add_permits(1);
    played.until_said(21).await;
    played.stop().await;
}

/// Waits for the gate, then runs the handler `word`.
struct RunsWord(Arc<Semaphore>);

#[async_trait]
impl Handler for RunsWord {
    async fn on_message(&self, ctx: &mut Context, _: &Message) -> Result<Flow, HandlerError> {
        let _open = self.0.acquire().await?;
        let captures = [].into();
        ctx.step(Step::Run(mynah_core::Call { handler: "word".to_owned(), captures }));
        Ok(Flow::Stop)
    }
}

#[tokio::test(start_paused = true)]
async fn replaced_handlers_finish_their_turns_and_are_dropped() {
    let says = |word: &'static str| {
        Arc::new(handler_fn(move |ctx, _| {
            ctx.reply(word);
            Ok(Flow::Stop)
        }))
    };
    let (closed, old) = (Arc::new(Semaphore::new(0)), says("old"));
    let handlers = |gate, word| Handlers::new().rules(Arc::new(RunsWord(gate))).named("word", word);
    let first = handlers(Arc::clone(&closed), Arc::clone(&old) as Arc<dyn Handler>);
    let mut played = Played::start(Arc::new(SqliteStore::in_memory()), first, settings());
    played.say(group(0), "begun").await;
    played.say(group(0), "next").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    played.control().replace_handlers(handlers(Arc::new(Semaphore::new(1)), says("new")));
    played.say(group(1), "other").await;
    played.until_said(1).await;
    assert!(Arc::strong_count(&old) > 1, "the turn that has begun has it");
    closed.add_permits(1);
    played.until_said(3).await;
    assert_eq!(texts(&played), ["new", "old", "new"]);
    assert_eq!(Arc::strong_count(&old), 1);
    played.stop().await;
}

#[tokio::test(start_paused = true)]
async fn housekeeping_removes_files_that_were_kept_for_sending_for_too_long() {
    let data = TempDir::new().expect("a folder can be made");
    let folder = data.path().join("outgoing");
    fs::create_dir(&folder).unwrap();
    let (old, new) = (folder.join("old.png"), folder.join("new.png"));
    fs::write(&new, "x").unwrap();
    let file = fs::File::create(&old).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(3 * 24 * 3600)).unwrap();
    let settings = Settings { save_folder: Some(data.path().to_owned()), ..settings() };
    let handlers = Handlers::new().rules(Arc::new(Echo));
    let mut played = Played::start(Arc::new(SqliteStore::in_memory()), handlers, settings);
    let removed = async {
        while old.exists() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(3600), removed).await.expect("no message is needed");
    assert!(new.exists());
    played.news(Incoming::End).await;
    assert!(matches!(played.ended().await, Ended::Finished));
}
