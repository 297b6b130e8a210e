//! How long a big account takes from login to its first message, and how much memory it needs at most.
//!
//! `cargo run --release -p mynah-transports --example big_account` plays an account with 5 000 contacts and 300 groups
//! of 500 members. The sandbox runs in the same process, so the memory shown is that of both together.

#![expect(clippy::print_stdout, reason = "what it measures is printed")]

use std::time::{Duration, Instant};

use mynah_core::{Incoming, Records, Source, Status, Transport};
use mynah_sandbox::{Options, Sandbox, World};
use mynah_transports::webwx::{self, WebWx};

const WORLD: &str = "[me]\nname = \"小助手\"\n[[group]]\nname = \"测试群\"\nmembers = [\"小红\"]\n[crowd]\ncontacts = 5000\ngroups = 300\nmembers = 500\n";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let world = World::from_toml(WORLD)?;
    let hold = Duration::from_secs(1);
    let sandbox =
        Sandbox::start(Options { world, hold, auto_confirm: true, ..Options::default() }).await?;
    println!("sandbox alone: {}", peak_memory());
    let server = Some(sandbox.url().to_owned());
    let began = Instant::now();
    let transport = WebWx::new(webwx::Options { server, ..webwx::Options::default() });
    let (mut source, service) = Box::new(transport).open(Records::new());
    until(source.as_mut(), |incoming| matches!(incoming, Incoming::Status(Status::Online { .. })))
        .await?;
    println!("login: {:?}, {} chats, {}", began.elapsed(), service.chats().len(), peak_memory());
    let said = Instant::now();
    sandbox.say("小红", Some("测试群"), "hi");
    until(
        source.as_mut(),
        |incoming| matches!(incoming, Incoming::Batch(batch) if !batch.events.is_empty()),
    )
    .await?;
    println!("first message: {:?}, {}", said.elapsed(), peak_memory());
    Ok(())
}

async fn until(
    source: &mut dyn Source,
    found: impl Fn(&Incoming) -> bool,
) -> Result<(), mynah_core::ReceiveError> {
    while !found(&source.receive().await?) {}
    Ok(())
}

/// The most memory that this process has had so far, where the system tells.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    format!("peak memory {}", line.unwrap_or(" unknown").trim())
}
