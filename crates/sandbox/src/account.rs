//! The handle of one account: its people, its phone, its faults, and the record of its client.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use tokio::sync::broadcast;

use crate::{
    Call, Fault, MessageView, RawMessage, SandboxAction, SandboxActionError, SandboxActionKind,
    SandboxEvent, Sent, StateView, control, fault::Faults, hub::Hub, login::Stage,
};

/// The code for a client that was logged out on the phone.
const LOGGED_OUT_ON_PHONE: i32 = 1100;

/// One account of a running sandbox: a world of people and groups, and the session of at most one client.
#[derive(Debug, Clone)]
pub struct Account {
    name: String,
    url: String,
    hub: Arc<Hub>,
}

impl Account {
    pub(crate) fn new(name: String, url: String, hub: Arc<Hub>) -> Self {
        Self { name, url, hub }
    }

    /// Its name; empty for the only account of a sandbox.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its base address, for example `http://127.0.0.1:40123`, or `http://127.0.0.1:40123/a/a1` for one of several.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Sends `text` from `from` to `group`, or in private; people and groups that do not exist are created. Returns
    /// the message's id. A message before the first login is dropped, as by the real service; a message while no
    /// client is logged in waits for the next login. The id is empty if the message is impossible ([`Account::act`]
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

    /// The messages of the client, in the order of arrival: the last 10 000 of them, see [`dropped_sent`](Self::dropped_sent).
    pub fn sent(&self) -> Vec<Sent> {
        self.hub.sent().0
    }

    /// The number of messages of the client that are not kept any more.
    pub fn dropped_sent(&self) -> u64 {
        self.hub.sent().1
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

    /// The calls of the protocol so far, in the order of their answers: the last 10 000 of them, see
    /// [`dropped_calls`](Self::dropped_calls).
    pub fn calls(&self) -> Vec<Call> {
        self.hub.calls().0
    }

    /// The number of calls that are not kept any more.
    pub fn dropped_calls(&self) -> u64 {
        self.hub.calls().1
    }

    /// Subscribes to the events from now on.
    pub fn events(&self) -> broadcast::Receiver<SandboxEvent> {
        self.hub.subscribe()
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
        self.hub.options.auto_confirm.store(on, Ordering::Relaxed);
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
        self.hub.with_faults(Faults::clear);
    }

    /// Moves the world's clock ahead: later messages carry later times.
    pub fn advance(&self, by: Duration) {
        self.hub
            .change(|state| state.world.advance(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)));
    }
}
