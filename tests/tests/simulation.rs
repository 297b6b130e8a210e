//! The fault simulation: the real runtime and the real store on virtual time, with a service that repeats, delays,
//! drops and fails, and a process that dies repeatedly at the boundaries of store calls and sends.
//!
//! A run is a function of its seed. The promises are checked during the run, against a model.
//!
//! - `MYNAH_SIM_SEEDS=10000` runs that many seeds; by default, a moderate number.
//! - `MYNAH_SIM_SEED=17 cargo test -p mynah-tests --test simulation one_seed -- --nocapture` runs one and prints its
//!   trace.

#[path = "simulation/machine.rs"]
mod machine;
#[path = "simulation/mistakes.rs"]
mod mistakes;
#[path = "simulation/plan.rs"]
mod plan;
#[path = "simulation/world.rs"]
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mynah_core::{Batch, Event, EventBody, Handler, Scope};
use mynah_runtime::{Account, Control, Ended, Handlers, Unobserved, run};
use mynah_store::SqliteStore;
use mynah_store_testing::ModelStore;
use tokio_util::sync::CancellationToken;

use machine::{FusedStore, LastingStore, NeverFails, SimHandler, SimTransport};
use mistakes::{Mistake, Setup};
use world::Sim;

/// The default number of seeds.
const SEEDS: u64 = 200;

/// Each tenth seed also runs with the first answer of each call of the store lost.
const LOST_ANSWERS: u64 = 10;

/// The most lives of a run: a poisoned event kills three processes, and the planned deaths come on top.
const LIVES: usize = 16;

#[test]
fn no_promise_is_broken() {
    hide_planned_panics();
    let seeds = from_environment("MYNAH_SIM_SEEDS").unwrap_or(SEEDS);
    let next = AtomicU64::new(0);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        break;
                    }
                    let lost_answers =
                        seed.is_multiple_of(LOST_ANSWERS).then_some(Setup::LostAnswers);
                    for setup in [Setup::Sqlite].into_iter().chain(lost_answers) {
                        let problem = simulate(seed, setup).problem;
                        assert!(
                            problem.is_none(),
                            "{setup:?}: {}",
                            failure(seed, problem.as_deref())
                        );
                    }
                }
            });
        }
    });
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    hide_planned_panics();
    for seed in 0..20 {
        let (first, second) = (simulate(seed, Setup::Sqlite), simulate(seed, Setup::Sqlite));
        assert!(first.trace.lines().count() > 100, "seed {seed} did next to nothing");
        assert_eq!(first.trace, second.trace, "seed {seed}");
    }
}

#[test]
fn the_model_store_gives_the_same_trace() {
    hide_planned_panics();
    for seed in 0..20 {
        let (sqlite, model) = (simulate(seed, Setup::Sqlite), simulate(seed, Setup::Model));
        assert_eq!(sqlite.trace, model.trace, "seed {seed}");
    }
}

#[test]
fn another_process_sees_the_same_trace() {
    hide_planned_panics();
    let other = std::process::Command::new(std::env::current_exe().expect("a test has a file"))
        .args(["one_seed", "--exact", "--nocapture"])
        .env("MYNAH_SIM_SEED", "3")
        .output()
        .expect("the test itself can be run");
    let printed = String::from_utf8_lossy(&other.stdout).into_owned();
    assert!(printed.contains(&simulate(3, Setup::Sqlite).trace), "{printed}");
}

/// Prints the trace of the seed in the environment.
#[test]
fn one_seed() {
    hide_planned_panics();
    let Some(seed) = from_environment("MYNAH_SIM_SEED") else { return };
    let mistake = from_environment("MYNAH_SIM_MISTAKE")
        .and_then(|n| Mistake::all().nth(usize::try_from(n).unwrap_or(usize::MAX)));
    let run = simulate(seed, mistake.map_or(Setup::Sqlite, Setup::Mistaken));
    println!("{}", run.trace);
    assert!(run.problem.is_none(), "{}", failure(seed, run.problem.as_deref()));
}

#[test]
fn every_mistake_is_found() {
    hide_planned_panics();
    let mut missed = Vec::new();
    for mistake in Mistake::all() {
        let run = |seed| simulate(seed, Setup::Mistaken(mistake)).problem;
        let found = (0..1000).find_map(|seed| run(seed).map(|problem| (seed, problem)));
        match found {
            Some((seed, problem)) => println!("{mistake:?}: seed {seed}: {problem}"),
            None => missed.push(mistake),
        }
    }
    assert!(missed.is_empty(), "not found: {missed:?}");
}

#[test]
fn every_run_has_crashes() {
    hide_planned_panics();
    let least = (0..50).map(|seed| simulate(seed, Setup::Sqlite).crashes).min();
    assert!(least >= Some(3), "{least:?}");
}

/// The result of a run.
struct Run {
    trace: String,
    problem: Option<String>,
    crashes: usize,
}

fn store(sim: &Sim, setup: Setup) -> Arc<dyn LastingStore> {
    let model = match setup {
        Setup::Sqlite | Setup::LostAnswers => return Arc::new(SqliteStore::in_memory()),
        Setup::Model => ModelStore::new(),
        Setup::Mistaken(Mistake::Store(mistake)) => ModelStore::with_mistake(mistake),
        Setup::Mistaken(_) => return Arc::new(SqliteStore::in_memory()),
    };
    let sim = sim.clone();
    Arc::new(model.with_gap(Arc::new(move || {
        let sim = sim.clone();
        Box::pin(async move { sim.boundary("in the middle of a call").await })
    })))
}

fn simulate(seed: u64, setup: Setup) -> Run {
    let sim = Sim::new(seed);
    let store = store(&sim, setup);
    let mut crashes = 0;
    for life in 0..LIVES {
        let crash = sim.plan().crashes.get(life).copied();
        sim.light(crash.map(|(fuse, _)| fuse));
        let died = live(&sim, &store, setup);
        sim.bury();
        if !died || sim.world().problem.is_some() {
            break;
        }
        crashes += 1;
        let away = crash.map_or(Duration::ZERO, |(_, away)| away);
        sim.note(&format!("away for {away:?}"));
        sim.clock().go_on(away);
        sim.check(life + 1 < LIVES, || "it never comes to an end".to_owned());
    }
    if sim.world().problem.is_none() {
        check_store(&sim, &*store);
    }
    let problem = sim.world().problem.clone();
    Run { trace: sim.trace(), problem, crashes }
}

/// Runs one life of the process. Returns whether it died.
fn live(sim: &Sim, store: &Arc<dyn LastingStore>, setup: Setup) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime needs nothing");
    runtime.block_on(async {
        sim.clock().start();
        store.reopen().await;
        let stop = CancellationToken::new();
        let account = account(sim, store, setup);
        let enough = async {
            while !sim.is_done() {
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
            stop.cancel();
            std::future::pending::<()>().await;
        };
        let died = tokio::select! {
            biased;
            () = sim.over() => true,
            ended = run(account, Control::new(), stop.clone()) => {
                sim.check(matches!(ended, Ended::Stopped), || format!("it ended: {ended:?}"));
                false
            }
            () = enough => false,
        };
        sim.clock().stop();
        died
    })
}

fn account(sim: &Sim, store: &Arc<dyn LastingStore>, setup: Setup) -> Account {
    let handler = SimHandler(sim.clone(), setup);
    let handler: Arc<dyn Handler> = match setup {
        Setup::Mistaken(Mistake::FailureKeepsEffects) => Arc::new(NeverFails(handler)),
        _ => Arc::new(handler),
    };
    Account {
        name: "simulation".to_owned(),
        store: Arc::new(FusedStore { inner: Arc::clone(store), sim: sim.clone(), setup }),
        transport: Box::new(SimTransport(sim.clone(), setup)),
        handlers: Handlers::new().rules(handler),
        clock: sim.clock().clone(),
        settings: sim.plan().settings.clone(),
        observer: Arc::new(Unobserved),
    }
}

/// Checks the final content of the store.
fn check_store(sim: &Sim, store: &dyn LastingStore) {
    sim.check_end();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("no driver needed");
    runtime.block_on(async {
        let log = store.kept().await;
        let logged: std::collections::BTreeSet<_> =
            log.iter().map(|kept| kept.event.clone()).collect();
        sim.check(logged == sim.known() && log.len() == logged.len(), || {
            format!("the log has {logged:?}")
        });
        let open = log.iter().find(|kept| !kept.is_handled);
        sim.check(open.is_none(), || format!("not handled: {open:?}"));
        let unsettled: Vec<_> = log.iter().flat_map(|kept| &kept.unsettled).collect();
        sim.check(unsettled.is_empty(), || format!("not settled: {unsettled:?}"));
        check_counters(sim, store).await;
    });
}

/// Reads the counters through an event that no handler processes.
async fn check_counters(sim: &Sim, store: &dyn LastingStore) {
    let probe = Event { id: "probe".into(), time: sim.now(), body: EventBody::Started };
    let lane = probe.lane();
    let batch = Batch { events: vec![probe], ..Batch::default() };
    store.accept(batch, sim.now()).await.expect("memory does not fail");
    let begun = store.begin(&lane, sim.now()).await.expect("memory does not fail");
    let (_, snapshot) = begun.expect("the probe waits");
    let value = |key: &str| {
        let mut values = snapshot.values(Scope::Bot).into_iter();
        let found = values.find(|(name, _)| name == key);
        found.and_then(|(_, value)| value.text.parse().ok()).unwrap_or(0)
    };
    sim.check_counters(value("shared"), value("handled"));
}

fn failure(seed: u64, problem: Option<&str>) -> String {
    format!(
        "seed {seed}: {}\nrepeat it with: MYNAH_SIM_SEED={seed} cargo test -p mynah-tests --test simulation one_seed -- --nocapture",
        problem.unwrap_or("no problem")
    )
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Hides the planned panics of handlers; other panics are printed.
fn hide_planned_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.payload().downcast_ref::<&str>() != Some(&"planned") {
                loud(panic);
            }
        }));
    });
}
