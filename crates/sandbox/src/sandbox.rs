//! The handle on a running sandbox.

use std::{io, sync::Arc, time::Duration};

use axum::{Router, middleware};
use bytes::Bytes;
use mynah_serve::Limits;
use tokio::{net::TcpListener, sync::broadcast, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    Act, ActError, Call, Deed, Fault, Happening, Options, RawMessage, Sent, World, api, control,
    fault, hub::Hub, login::Stage, net::Connection,
};

/// The code that tells a client that it was logged out on the phone.
const LOGGED_OUT_ON_PHONE: i32 = 1100;

/// How long an ordered stop waits for answers under way before it breaks their connections.
const PATIENCE: Duration = Duration::from_secs(2);

/// All clients are on this machine, and tests play many of them at once.
const LIMITS: Limits = Limits { head: Duration::from_secs(30), per_address: 512, total: 512 };

/// A running sandbox. Dropping it ends it at once; [`Sandbox::stop`] ends it in order.
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
    /// Starts to listen and serve.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
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

    /// `from` says `text` in `group`, or in private; people and groups that do not exist are made. Returns the
    /// message's id. Said before the first login it is dropped, as by the real service; said later while nobody is
    /// logged in, it waits for the next login. Empty if nobody could say it ([`Sandbox::act`] tells why).
    pub fn say(&self, from: &str, group: Option<&str>, text: &str) -> String {
        let deed = Deed::Say { text: text.to_owned(), to: None };
        let said = self.act(Act { from: from.to_owned(), group: group.map(str::to_owned), deed });
        said.ok().flatten().unwrap_or_default()
    }

    /// Somebody does something on his phone. Returns the id of the message that came of it, if one did.
    ///
    /// # Errors
    ///
    /// When the act makes no sense: nobody does it, it needs a group, there is nothing to take back.
    pub fn act(&self, act: Act) -> Result<Option<String>, ActError> {
        self.hub.act(act)
    }

    /// Delivers a message in the service's own form, as `POST /sandbox/raw` does. Returns its id.
    ///
    /// # Errors
    ///
    /// When nobody is named whose chat it is, or the account itself in private.
    pub fn raw(&self, raw: RawMessage) -> Result<String, ActError> {
        self.hub.deliver_raw(raw)
    }

    /// Everything the client has sent, in the order of arrival.
    pub fn sent(&self) -> Vec<Sent> {
        self.hub.look(|state| state.sent.clone())
    }

    /// Chats, people and the latest messages, as `GET /sandbox/state` answers: of one chat or of all, before a
    /// message or up to now, at most so many messages.
    pub fn state(
        &self,
        chat: Option<&str>,
        before: Option<u64>,
        limit: usize,
    ) -> serde_json::Value {
        self.hub.look(|state| control::view::state_of(state, chat, before, limit))
    }

    /// One message, in the form of `GET /sandbox/state`.
    pub fn message(&self, id: &str) -> Option<serde_json::Value> {
        let id = id.parse().ok()?;
        self.hub.look(|state| control::view::message_of(state, id))
    }

    /// A chat by its id or its name: id, name, and whether it is a group.
    pub fn chat(&self, wanted: &str) -> Option<(String, String, bool)> {
        self.hub.look(|state| control::view::chat_of(state, wanted))
    }

    /// The picture, voice or file of a message: its type and its bytes.
    pub fn media(&self, message: &str) -> Option<(&'static str, Bytes)> {
        let id = message.parse().ok()?;
        self.hub.look(|state| {
            let media = state.world.message(id)?.body.media()?;
            Some((media.mime, media.bytes.clone()))
        })
    }

    /// The calls of the protocol so far, in the order in which they were answered.
    pub fn calls(&self) -> Vec<Call> {
        self.hub.calls()
    }

    /// What happens from now on.
    pub fn events(&self) -> broadcast::Receiver<Happening> {
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

    /// The phone's owner presses cancel. False if no login was open.
    pub fn login_cancel(&self) -> bool {
        self.hub.cancel_login()
    }

    /// The phone ends the session (code 1100). False if there was none.
    pub fn login_logout(&self) -> bool {
        self.hub.end_session(LOGGED_OUT_ON_PHONE)
    }

    /// Lets logins confirm themselves from now on, or leaves them to whoever plays the phone.
    pub fn set_auto_confirm(&self, on: bool) {
        self.hub.options.auto_confirm.store(on, std::sync::atomic::Ordering::Relaxed);
    }

    /// The service ends the session with this code, for example 1101 as another login does. False if there was none.
    pub fn end_session(&self, code: i32) -> bool {
        self.hub.end_session(code)
    }

    /// The open login codes expire (code 400).
    pub fn login_expire(&self) {
        self.hub.expire_logins();
    }

    /// Whether a client is logged in.
    pub fn is_online(&self) -> bool {
        self.hub.look(|state| state.world.session().is_some())
    }

    /// Adds a fault.
    pub fn fault(&self, fault: Fault) {
        self.hub.with_faults(|faults| faults.add(fault));
    }

    /// The faults that still wait for their calls, the oldest first.
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

    /// Ends in order: no new connections, held polls released, answers under way finished. Gives the world back with
    /// its session, so that another sandbox can go on with it as if the service had only been away.
    pub async fn stop(mut self) -> World {
        self.hub.stop.cancel();
        if tokio::time::timeout(PATIENCE, &mut self.served).await.is_err() {
            self.break_off().await;
        }
        self.hub.take_world()
    }

    /// Ends as a killed process does: every connection is reset. Gives the world back as [`Sandbox::stop`] does.
    pub async fn kill(mut self) -> World {
        self.kill.cancel();
        self.hub.stop.cancel();
        self.break_off().await;
        self.hub.take_world()
    }

    async fn break_off(&mut self) {
        self.kill.cancel();
        // Every connection is broken now, so this ends.
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
