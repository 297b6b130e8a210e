//! The state shared by all requests: the world behind a lock, waiting requests, and watchers.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    Call, Options, RawMessage, SandboxAction, SandboxActionError, SandboxEvent, Sent,
    fault::Faults,
    latest::{KEPT, Latest},
    login::{Logins, Stage},
    upload::Uploads,
    world::{News, World, message::Message},
};

/// The mutable state.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) logins: Logins,
    pub(crate) sent: Latest<Sent>,
    pub(crate) uploads: Uploads,
    /// The times of the latest sends, for the send limit.
    pub(crate) send_times: VecDeque<Instant>,
}

#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) address: SocketAddr,
    /// The path of the account; empty at the root.
    pub(crate) home: String,
    pub(crate) options: Settings,
    faults: Mutex<Faults>,
    /// Made for the first watcher: its memory is that of many accounts without one.
    events: OnceLock<broadcast::Sender<SandboxEvent>>,
    /// Cancelled when the sandbox stops: held requests are then answered at once.
    pub(crate) stop: CancellationToken,
    state: Mutex<State>,
    calls: Mutex<Latest<Call>>,
    changed: watch::Sender<u64>,
}

/// The part of [`Options`] that requests need.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) hold: Duration,
    /// Logins confirm themselves; can be switched while the sandbox runs.
    pub(crate) auto_confirm: AtomicBool,
    pub(crate) redirect_base: Option<String>,
    pub(crate) echo: bool,
    pub(crate) drops_repeats: bool,
    pub(crate) sync_batch: usize,
    pub(crate) send_limit: Option<(usize, Duration)>,
    pub(crate) refuse_login: Option<String>,
    pub(crate) desktop_only: bool,
}

impl Settings {
    /// Returns true if logins confirm themselves without the phone.
    pub(crate) fn confirms_itself(&self) -> bool {
        self.auto_confirm.load(Ordering::Relaxed)
    }
}

/// The capacity of the event channel. A watcher that falls further behind misses events and gets a notice about it.
const EVENTS: usize = 4096;

impl Hub {
    pub(crate) fn new(
        address: SocketAddr,
        home: String,
        number: u32,
        options: &Options,
        stop: CancellationToken,
    ) -> Self {
        let state = State {
            world: options.world.clone().of_account(number),
            logins: Logins::default(),
            sent: Latest::new(KEPT),
            uploads: Uploads::default(),
            send_times: VecDeque::new(),
        };
        Self {
            address,
            home,
            options: Settings {
                hold: options.hold,
                auto_confirm: AtomicBool::new(options.auto_confirm),
                redirect_base: options.redirect_base.clone(),
                echo: options.echo,
                drops_repeats: options.drops_repeats,
                sync_batch: options.sync_batch.max(1),
                send_limit: options.send_limit,
                refuse_login: options.refuse_login.clone(),
                desktop_only: options.desktop_only,
            },
            faults: Mutex::new(Faults::new(options.faults.clone())),
            events: OnceLock::new(),
            stop,
            state: Mutex::new(state),
            calls: Mutex::new(Latest::new(KEPT)),
            changed: watch::channel(0).0,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.lock())
    }

    /// Changes the state, sends the resulting events to the watchers and wakes waiting requests.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state);
        self.publish_change(state);
        result
    }

    /// Sends the events of a change and wakes waiting requests: not generic, so that it is compiled once.
    fn publish_change(&self, mut state: MutexGuard<'_, State>) {
        for news in state.world.take_news() {
            let event = match news {
                News::Message(message) => message_event(&state.world, &message),
                News::Recalled(id) => SandboxEvent::Recalled { id: id.to_string() },
                News::People => SandboxEvent::People,
            };
            self.publish(event);
        }
        drop(state);
        self.changed.send_modify(|version| *version += 1);
    }

    pub(crate) fn publish(&self, event: SandboxEvent) {
        if let Some(events) = self.events.get() {
            // An error only means that there are no watchers.
            let _ = events.send(event);
        }
    }

    /// The events from now on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<SandboxEvent> {
        self.events.get_or_init(|| broadcast::channel(EVENTS).0).subscribe()
    }

    pub(crate) fn publish_login(&self, state: &str, uuid: Option<&str>) {
        self.publish(SandboxEvent::Login {
            state: state.to_owned(),
            uuid: uuid.map(str::to_owned),
        });
    }

    /// Calls `poll` after every change until it returns a value, the time is over or the sandbox stops.
    pub(crate) async fn wait_for<T>(
        &self,
        time: Duration,
        mut poll: impl FnMut(&mut State) -> Option<T>,
    ) -> Option<T> {
        let mut changed = self.changed.subscribe();
        let over = tokio::time::sleep(time);
        tokio::pin!(over);
        loop {
            changed.mark_unchanged();
            if let Some(answer) = poll(&mut self.lock()) {
                return Some(answer);
            }
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return None,
                _ = changed.changed() => {}
                () = &mut over => return None,
            }
        }
    }

    pub(crate) fn log_call(&self, call: Call) {
        tracing::debug!(method = call.method, path = call.path, status = call.status, "call");
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call.clone());
        self.publish(SandboxEvent::Call(call));
    }

    /// The latest calls, and the number of those before them.
    pub(crate) fn calls(&self) -> (Vec<Call>, u64) {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        (calls.list(), calls.dropped())
    }

    /// The latest messages of the client, and the number of those before them.
    pub(crate) fn sent(&self) -> (Vec<Sent>, u64) {
        self.read(|state| (state.sent.list(), state.sent.dropped()))
    }

    pub(crate) fn take_world(&self) -> World {
        std::mem::replace(&mut self.lock().world, World::new(""))
    }

    pub(crate) fn with_faults<T>(&self, change: impl FnOnce(&mut Faults) -> T) -> T {
        change(&mut self.faults.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn act(&self, act: SandboxAction) -> Result<Option<String>, SandboxActionError> {
        self.change(|state| state.world.act(act)).map(|id| id.map(|id| id.to_string()))
    }

    pub(crate) fn deliver_raw(&self, raw: RawMessage) -> Result<String, SandboxActionError> {
        self.change(|state| state.world.deliver_raw(raw)).map(|id| id.to_string())
    }

    // --- the phone --------------------------------------------------------------------------------------------------

    /// Moves the newest open code to `stage`; waits for a code if there is none. `None` if the sandbox stops first.
    pub(crate) async fn phone(&self, stage: Stage) -> Option<()> {
        if self.options.confirms_itself() {
            // Every code confirms itself.
            return Some(());
        }
        // A code whose client seems to be gone is used only if no other code appears soon.
        const PATIENCE: Duration = Duration::from_secs(3);
        const FOR_EVER: Duration = Duration::from_secs(86_400);
        let lively = self.wait_for(PATIENCE, |state| state.logins.press(stage, true)).await;
        let uuid = match lively {
            Some(uuid) => uuid,
            None => self.wait_for(FOR_EVER, |state| state.logins.press(stage, false)).await?,
        };
        self.change(|_| ());
        self.publish_login(
            if stage == Stage::Scanned { "scanned" } else { "confirmed" },
            Some(&uuid),
        );
        Some(())
    }

    pub(crate) fn cancel_login(&self) -> bool {
        let uuid = self.change(|state| {
            let login = state.logins.open(false)?;
            login.stage = Stage::Cancelled;
            Some(login.uuid.clone())
        });
        if let Some(uuid) = &uuid {
            self.publish_login("cancelled", Some(uuid));
        }
        uuid.is_some()
    }

    pub(crate) fn expire_logins(&self) {
        self.change(|state| state.logins.expire());
        self.publish_login("expired", None);
    }

    pub(crate) fn end_session(&self, code: i32) -> bool {
        let ended = self.change(|state| state.world.end_session(code));
        if ended {
            self.publish_login("offline", None);
        }
        ended
    }
}

fn message_event(world: &World, message: &Arc<Message>) -> SandboxEvent {
    SandboxEvent::Message {
        id: message.id.to_string(),
        chat: message.chat.id(),
        chat_name: world.chat_name(message.chat),
        from: message.from.map(|from| world.person(from).name.clone()).unwrap_or_default(),
        kind: message.body.kind().to_owned(),
        text: message.body.text().to_owned(),
    }
}
