#![doc = include_str!("../README.md")]
// Some of the parts serve only nodes of a fleet.
#![cfg_attr(not(feature = "postgres"), allow(dead_code))]

mod account;
mod alert;
mod bot;
mod boxed;
mod cli;
mod config;
mod conversation;
#[cfg(feature = "postgres")]
mod data_move;
mod defaults;
mod descriptors;
pub mod embed;
mod ended;
mod fetcher;
#[cfg(feature = "postgres")]
mod fleet;
#[cfg(not(feature = "postgres"))]
#[path = "fleet/absent.rs"]
mod fleet;
mod greeting;
mod handlers;
mod lacking_inputs;
mod log_pages;
mod login;
mod metrics;
mod names;
mod observer;
mod operate;
mod own_handlers;
mod page_token;
pub mod prelude;
mod qr;
mod reload;
mod report;
mod rule_books;
mod rule_file;
mod rule_handler;
mod secrets;
mod stop;
mod stores;
mod supervisor;
mod telemetry;
pub mod testing;
mod tls;
mod unreadable;
mod url_media;
mod view;

pub use bot::Bot;
pub use ended::Ended;
/// All types that handlers meet; the [`prelude`] has the usual ones.
pub use mynah_core as core;
/// The store on SQLite, in a file or in memory, for [`Bot::embed`].
pub use mynah_store as store;
/// The chat services, and the traits of a service of your own; see [`Bot::connector`].
pub use mynah_transports as transports;
pub use report::Report;

/// The runtime of the program `mynah`: one worker thread. A message wakes several tasks one after the other, and to hand
/// them to another thread costs more than it saves. Handlers that block get a thread of their own. `TOKIO_WORKER_THREADS`
/// sets another number.
///
/// # Errors
///
/// If the system allows this process no further thread or no file descriptor.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    probe_limits().map_err(no_runtime)?;
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if std::env::var_os("TOKIO_WORKER_THREADS").is_none() {
        builder.worker_threads(1);
    }
    let runtime = builder.enable_all().build().map_err(no_runtime)?;
    #[cfg(unix)]
    survive_file_limit(&runtime).map_err(no_runtime)?;
    Ok(runtime)
}

/// Makes a write beyond the limit of file sizes (`ulimit -f`) an error, as a full disk is one: without a handler of the
/// signal the process is killed without a word. tokio never removes a handler.
#[cfg(unix)]
fn survive_file_limit(runtime: &tokio::runtime::Runtime) -> std::io::Result<()> {
    use nix::sys::signal::Signal::SIGXFSZ;
    use tokio::signal::unix::{SignalKind, signal};

    let _inside = runtime.enter();
    signal(SignalKind::from_raw(SIGXFSZ as i32)).map(drop)
}

/// More than the files that the runtime opens at its start, for events and signals.
#[cfg(unix)]
const FILES: usize = 8;

/// Starts a thread and opens some files: the runtime panics where it gets none.
fn probe_limits() -> std::io::Result<()> {
    std::thread::Builder::new().spawn(|| {}).map(|thread| drop(thread.join()))?;
    #[cfg(unix)]
    (0..FILES).map(|_| std::fs::File::open("/dev/null")).collect::<std::io::Result<Vec<_>>>()?;
    Ok(())
}

fn no_runtime(error: std::io::Error) -> Report {
    Report::new(Ended::Storage, "the system allows this process too few threads or open files")
        .because(error)
        .hint("raise the limits: `ulimit -u` for threads, `ulimit -n` for open files")
}

/// The result of the entry points.
pub type Result<T, E = Report> = std::result::Result<T, E>;
