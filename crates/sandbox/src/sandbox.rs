//! The handle of a running sandbox.

use std::{io, sync::Arc, time::Duration};

use axum::{Router, middleware};
use bytes::Bytes;
use mynah_serve::Limits;
use tokio::{net::TcpListener, sync::broadcast, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    Call, Fault, MessageView, Options, RawMessage, SandboxAction, SandboxActionError,
    SandboxActionKind, SandboxEvent, Sent, StateView, World, api, control, fault, hub::Hub,
    login::Stage, net::Connection,
};

/// The code for a client that was logged out on the phone.
const LOGGED_OUT_ON_PHONE: i32 = 1100;

/// The time for which an orderly stop waits for answers in progress before it breaks their connections.
const PATIENCE: Duration = Duration::from_secs(2);

/// All clients are on this machine, and tests run many of them at once.
const LIMITS: Limits = Limits { head: Duration::from_secs(30), per_address: 512, total: 512 };

/// A running sandbox. Dropping it ends it at once; [`Sandbox::stop`] ends it in an orderly way.
///
/// ```
/// use mynah_sandbox::{Fault, FaultKind, Options, Sandbox};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// let sandbox = Sandbox::start(Options { auto_confirm: true, ..Options::default() }).await?;
/// // A client logs in at `sandbox.url()`; its next sync breaks off in the middle.
/// sandbox.fault(Fault::new("webwxsync", FaultKind::Cut));
/// sandbox.say("Ann", Some("Group"), "hello");
/// // … until the client has answered:
/// for sent in sandbox.sent() {
///     println!("{}: {}", sent.to_name, sent.text);
/// }
/// sandbox.stop().await;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Sandbox {
    url: String,
    hub: Arc<Hub>,
    kill: CancellationToken,
    served: JoinHandle<()>,
}

impl Sandbox {
    /// Listens and serves.
    ///
    /// # Errors
    ///
    /// Fails if the sandbox cannot listen on the address.
    pub async fn start(options: Options) -> io::Result<Self> {
        let tcp = TcpListener::bind(options.listen).await?;
        let address = tcp.local_addr()?;
        let hub = Arc::new(Hub::new(address, options));
        let kill = CancellationToken::new();
        let (routes, stop) = (router(&hub), hub.stop.clone());
        let killed = kill.clone();
        let prepare = move |stream| Connection::new(stream, &killed);
        let served = tokio::spawn(mynah_serve::serve_with(tcp, routes, LIMITS, stop, prepare));
        Ok(Self { url: format!("http://{address}"), hub, kill, served })
    }

    /// The base address, for example `http://127.0.0.1:40123`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends `text` from `from` to `group`, or in private; people and groups that do not exist are created. Returns
    /// the message's id. A message before the first login is dropped, as by the real service; a message while no
    /// client is logged in waits for the next login. The id is empty if the message is impossible ([`Sandbox::act`]
    /// returns the error).
    pub fn say(&self, from: &str, group: Option<&str>, text: &str) -> String {
        let kind = SandboxActionKind::Say { text: text.to_owned(), to: None };
        let said = self.act(SandboxAction {
            from: from.to_owned(),
            group: group.map(str::to_owned),
            kind,
        });
        said.ok().flatten().unwrap_or_default()
    }

    /// Performs an action of a person on the phone. Returns the id of the resulting message, if there is one.
    ///
    /// # Errors
    ///
    /// Fails if the action is invalid: it names no person, it needs a group, or there is no message to recall.
    pub fn act(&self, act: SandboxAction) -> Result<Option<String>, SandboxActionError> {
        self.hub.act(act)
    }

    /// Delivers a message in the service's own form, as `POST /sandbox/raw` does. Returns its id.
    ///
    /// # Errors
    ///
    /// Fails if neither a person nor a group is named, or only the account itself.
    pub fn raw(&self, raw: RawMessage) -> Result<String, SandboxActionError> {
        self.hub.deliver_raw(raw)
    }

    /// All messages of the client, in the order of arrival.
    pub fn sent(&self) -> Vec<Sent> {
        self.hub.read(|state| state.sent.clone())
    }

    /// Chats, people and the latest messages, as in `GET /sandbox/state`: of one chat or of all, before a given
    /// message or up to now, at most `limit` messages.
    pub fn state(&self, chat: Option<&str>, before: Option<u64>, limit: usize) -> StateView {
        self.hub.read(|state| control::view::state_of(state, chat, before, limit))
    }

    /// One message, in the form of `GET /sandbox/state`.
    pub fn message(&self, id: &str) -> Option<MessageView> {
        let id = id.parse().ok()?;
        self.hub.read(|state| control::view::message_of(state, id))
    }

    /// Finds a chat by id or name. Returns the id, the name, and true for a group.
    pub fn chat(&self, id_or_name: &str) -> Option<(String, String, bool)> {
        self.hub.read(|state| control::view::chat_of(state, id_or_name))
    }

    /// The picture, voice or file of a message: its MIME type and its bytes.
    pub fn media(&self, message: &str) -> Option<(&'static str, Bytes)> {
        let id = message.parse().ok()?;
        self.hub.read(|state| {
            let media = state.world.message(id)?.body.media()?;
            Some((media.mime, media.bytes.clone()))
        })
    }

    /// The calls of the protocol so far, in the order of their answers.
    pub fn calls(&self) -> Vec<Call> {
        self.hub.calls()
    }

    /// Subscribes to the events from now on.
    pub fn events(&self) -> broadcast::Receiver<SandboxEvent> {
        self.hub.events.subscribe()
    }

    /// The phone scans the newest code; waits for one if there is none.
    pub async fn login_scan(&self) {
        self.hub.phone(Stage::Scanned).await;
    }

    /// The phone confirms the login (scanning first); waits for a code if there is none.
    pub async fn login_confirm(&self) {
        self.hub.phone(Stage::Confirmed).await;
    }

    /// The phone's owner cancels the login. Returns false if no login was open.
    pub fn login_cancel(&self) -> bool {
        self.hub.cancel_login()
    }

    /// The phone ends the session (code 1100). Returns false if there was none.
    pub fn login_logout(&self) -> bool {
        self.hub.end_session(LOGGED_OUT_ON_PHONE)
    }

    /// Switches automatic confirmation of logins on, or leaves logins to the phone.
    pub fn set_auto_confirm(&self, on: bool) {
        self.hub.options.auto_confirm.store(on, std::sync::atomic::Ordering::Relaxed);
    }

    /// The service ends the session with this code, for example 1101 after another login. Returns false if there was
    /// none.
    pub fn end_session(&self, code: i32) -> bool {
        self.hub.end_session(code)
    }

    /// The open login codes expire (code 400).
    pub fn login_expire(&self) {
        self.hub.expire_logins();
    }

    /// Returns true if a client is logged in.
    pub fn is_online(&self) -> bool {
        self.hub.read(|state| state.world.session().is_some())
    }

    /// Adds a fault.
    pub fn fault(&self, fault: Fault) {
        self.hub.with_faults(|faults| faults.add(fault));
    }

    /// The pending faults, the oldest first.
    pub fn faults(&self) -> Vec<Fault> {
        self.hub.with_faults(|faults| faults.list().to_vec())
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.hub.with_faults(fault::Faults::clear);
    }

    /// Moves the world's clock ahead: later messages carry later times.
    pub fn advance(&self, by: Duration) {
        self.hub
            .change(|state| state.world.advance(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)));
    }

    /// Stops in an orderly way: accepts no new connections, releases held polls, finishes answers in progress.
    /// Returns the world with its session, so that another sandbox can continue as if the service had only been away.
    pub async fn stop(mut self) -> World {
        self.hub.stop.cancel();
        if tokio::time::timeout(PATIENCE, &mut self.served).await.is_err() {
            self.break_off().await;
        }
        self.hub.take_world()
    }

    /// Stops like a killed process: every connection is reset. Returns the world as [`Sandbox::stop`] does.
    pub async fn kill(mut self) -> World {
        self.kill.cancel();
        self.hub.stop.cancel();
        self.break_off().await;
        self.hub.take_world()
    }

    async fn break_off(&mut self) {
        self.kill.cancel();
        // All connections are broken by now, so this ends.
        let _ = (&mut self.served).await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.kill.cancel();
        self.hub.stop.cancel();
        self.served.abort();
    }
}

fn router(hub: &Arc<Hub>) -> Router {
    let protocol = api::router()
        .fallback(api::unknown)
        .layer(middleware::from_fn_with_state(hub.clone(), fault::inject));
    Router::new().merge(control::router(hub)).merge(protocol).with_state(hub.clone())
}
