//! Answers requests for a running account.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use mynah_core::{
    Binding, Called, Chat, Clock, Content, Context, Due, Event, EventBody, EventId, Flow,
    Forgotten, Handler, HandlerError, Outcome, Perform, PersonId, Service, Store, StoreError,
    StoreReader, Timestamp,
};
use mynah_page::{Condition, Pages, RejectedFile};
use mynah_programs::Programs;
use mynah_rules::mute;
use mynah_runtime::{Control, saying};
use mynah_transports::Connector;

use super::{AccountStatus, Answer, Asked, Request, find_chat};
use crate::handlers;
use crate::names::name_rows;
use crate::rule_handler::ActiveRules;
use crate::stop::AccountStop;

/// How long `mynah send` waits for the outcome; after it the message stays queued.
const OUTCOME: Duration = Duration::from_secs(5);

/// The name of the event that mutes a chat.
const MUTE: &str = "mynah.mute";

/// Answers requests for one running account.
pub(crate) struct OperatorApi {
    /// The account's name.
    pub(crate) account: String,
    /// Its data.
    pub(crate) store: Arc<dyn Store>,
    /// Read access to the data.
    pub(crate) reader: Arc<dyn StoreReader>,
    /// Takes the messages to send.
    pub(crate) control: Control,
    /// Its connection, once it is open.
    pub(crate) service: Arc<OnceLock<Arc<dyn Service>>>,
    /// The rules in use.
    pub(crate) active_rules: Arc<ActiveRules>,
    /// How it is.
    pub(crate) pages: Pages,
    /// How it is stopped.
    pub(crate) stop: AccountStop,
    /// The clock.
    pub(crate) clock: Arc<dyn Clock>,
    /// The chat service.
    pub(crate) connector: &'static dyn Connector,
    /// The handlers of the settings.
    pub(crate) programs: Programs,
}

impl OperatorApi {
    /// Carries out a request that came through the folder of the account, if it is for this account.
    pub(super) async fn asked(&self, asked: Asked) -> Answer {
        match asked {
            Asked::Of { account, .. } if account != self.account => Answer::of_another(),
            Asked::Of { request, .. } | Asked::Only(request) => self.answer(request).await,
        }
    }

    /// Carries out a request.
    pub(crate) async fn answer(&self, request: Request) -> Answer {
        self.answer_as(request, None).await
    }

    /// Carries out a request. A message gets this id, so that a request which comes twice sends it once.
    pub(crate) async fn answer_as(&self, request: Request, id: Option<EventId>) -> Answer {
        match request {
            Request::Status => self.status().await,
            Request::Send { chat, text } => self.send(&chat, &text, id).await,
            Request::Restart => Answer::refused("only an account of a fleet is started again"),
            Request::Unbind { name } => self.unbind(name).await,
            Request::Forget { person } => self.forget(&person).await,
            Request::Logout => self.log_out(),
        }
    }

    fn log_out(&self) -> Answer {
        if !self.connector.has_login() {
            let title = self.connector.title();
            return Answer::refused(format!(
                "there is no session to end: {} has no login; stop the bot with Ctrl-C or SIGTERM",
                title.en
            ));
        }
        self.stop.log_out();
        Answer::done("logging out")
    }

    async fn status(&self) -> Answer {
        let bindings = match self.reader.bindings().await {
            Ok(bindings) => bindings,
            Err(error) => return failed(&error),
        };
        let called = |name: &str| {
            self.service.get().map_or(Called::Nobody, |service| service.person_called(name))
        };
        let names = name_rows(Some(&self.active_rules.load()), &bindings, called);
        let condition = self.pages.health.of(&self.account).unwrap_or(Condition::Starting);
        let health = &self.pages.health;
        let rules = health.rejected_rules(&self.account).map(|file| in_one_line(&file, "rules"));
        let settings =
            health.rejected_settings(&self.account).map(|file| in_one_line(&file, "settings"));
        let handlers = handlers::rows(&self.programs);
        let status = AccountStatus { condition, names, rules, settings, handlers };
        Answer { status: Some(status), ..Answer::done("") }
    }

    async fn unbind(&self, name: String) -> Answer {
        match self.store.unbind(&name).await {
            Ok(ended) => freed(&name, ended.as_ref()),
            Err(error) => failed(&error),
        }
    }

    async fn send(&self, chat: &str, text: &str, id: Option<EventId>) -> Answer {
        let Some(service) = self.service.get() else {
            return Answer::refused("it is only starting");
        };
        let is_complete = service.capabilities().lists_chats;
        let chats = service.chats();
        let planned = match find_chat(&chats, chat, is_complete) {
            Ok(chat) => saying(chat, Content::text(text)),
            Err(why) => return Answer::refused(why),
        };
        // The action goes on after this wait for its outcome has ended.
        let id = id.unwrap_or_else(|| new_id(self.clock.now()));
        let outcomes = self.control.perform(id, planned);
        match tokio::time::timeout(OUTCOME, outcomes).await {
            Ok(Ok(outcomes)) => performed(&outcomes),
            Ok(Err(error)) => Answer::refused(error.to_string()),
            Err(_) => Answer::done("queued"),
        }
    }

    async fn forget(&self, person: &str) -> Answer {
        match self.store.forget(&PersonId::from(person)).await {
            Ok(forgotten) => deleted(person, forgotten),
            Err(error) => failed(&error),
        }
    }
}

/// A file that was rejected, and what is used in its place.
fn in_one_line(rejected: &RejectedFile, kept: &str) -> String {
    let RejectedFile { file, line, mistakes, since, .. } = rejected;
    let since = jiff::Timestamp::from_second(*since).unwrap_or_default();
    let since = since.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S");
    let s = if *mistakes == 1 { "" } else { "s" };
    format!("{file}:{line}: {mistakes} mistake{s} since {since}; the old {kept} are in use")
}

/// The answer about an action that is settled.
fn performed(outcomes: &[Outcome]) -> Answer {
    for outcome in outcomes {
        match outcome {
            Outcome::Refused { reason } => return Answer::refused(format!("not sent: {reason}")),
            Outcome::Expired => return Answer::refused("not sent: it could not leave in time"),
            Outcome::Unknown { reason, .. } => {
                return Answer::refused(format!("it is not known whether it was sent: {reason}"));
            }
            Outcome::Delivered(_) | Outcome::Accepted | Outcome::NotSent { .. } => {}
        }
    }
    Answer::done("sent")
}

fn failed(error: &StoreError) -> Answer {
    Answer::refused(format!("{error}; {}", error.remedy()))
}

/// The binding that was ended. None is a refusal: the name may have been mistyped.
pub(crate) fn freed(name: &str, ended: Option<&Binding>) -> Answer {
    match ended {
        Some(Binding { person, .. }) => Answer::done(format!(
            "{name} was bound to {person} and is free now: it means the friend with this remark, else the next friend \
             with this nickname"
        )),
        None => Answer::refused(format!(
            "{name} is not bound to anybody; a name that is a friend's remark needs no binding"
        )),
    }
}

/// How much was deleted. Nothing at all is a refusal: the name may have been mistyped.
pub(crate) fn deleted(person: &str, forgotten: Forgotten) -> Answer {
    let Forgotten { events, actions, values, timers } = forgotten;
    if events + actions + values + timers == 0 {
        return Answer::nothing(format!(
            "nothing is kept about {person}; somebody whose messages are gone already is known by id only, \
             which `mynah data export` shows beside the variables"
        ));
    }
    Answer::done(format!(
        "deleted: {events} events, {actions} answers, {values} values, {timers} timers"
    ))
}

/// A new id for a message of the operator.
pub(crate) fn new_id(now: Timestamp) -> EventId {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    EventId::new(format!("say:{}:{}:{count}", now.as_millis(), std::process::id()))
}

/// The event that mutes a chat until then, or ends that.
pub(crate) fn muting(chat: &Chat, until: Option<Timestamp>, now: Timestamp) -> Event {
    let key = format!("mute:{}:{}", chat.id, now.as_millis());
    let until = until.map(|until| until.as_millis().to_string()).unwrap_or_default();
    ordered(key, chat, MUTE, until, now)
}

/// Whether an event mutes a chat, or ends that.
pub(crate) fn is_mute(event: &Event) -> bool {
    matches!(&event.body, EventBody::Due(due) if due.name == MUTE)
}

/// The event that brings an order of an operator to [`OperatorCommands`].
fn ordered(key: String, chat: &Chat, name: &str, data: String, now: Timestamp) -> Event {
    let due = Due {
        key: key.clone(),
        at: now,
        chat: Some(chat.clone()),
        person: None,
        name: name.to_owned(),
        data,
    };
    Event { id: EventId::new(key), time: now, body: EventBody::Due(due) }
}

/// The handler that carries out the operator's mutes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OperatorCommands;

#[async_trait]
impl Handler for OperatorCommands {
    async fn on_event(&self, ctx: &mut Context, event: &Event) -> Result<Flow, HandlerError> {
        let EventBody::Due(due) = &event.body else { return Ok(Flow::Continue) };
        if due.chat.is_none() || due.name != MUTE {
            return Ok(Flow::Continue);
        }
        ctx.write(mute::write(due.data.parse().ok().map(Timestamp::from_millis)));
        Ok(Flow::Stop)
    }
}

#[cfg(test)]
mod tests {
    use mynah_core::Frame;

    use super::*;

    #[test]
    fn ids_of_messages_differ_and_a_refusal_of_the_service_is_one() {
        let now = Timestamp::from_secs(1);
        assert_ne!(new_id(now), new_id(now));
        assert!(performed(&[Outcome::Accepted, Outcome::Delivered("m".into())]).ok);
        let refused = Outcome::Refused { reason: "not a friend".to_owned() };
        let answer = performed(&[Outcome::Accepted, refused]);
        assert!(!answer.ok && answer.text.contains("not a friend"));
    }

    #[tokio::test]
    async fn a_mute_and_its_end_write_what_rules_read() {
        let (chat, now) = (Chat::group("g", "客户一群"), Timestamp::from_secs(1));
        for until in [Some(Timestamp::from_secs(61)), None] {
            let event = muting(&chat, until, now);
            assert!(is_mute(&event));
            let mut ctx = Context::new(Frame::of(&event, now));
            assert_eq!(OperatorCommands.on_event(&mut ctx, &event).await.unwrap(), Flow::Stop);
            let (_, effects, _) = ctx.finish();
            assert_eq!(effects.writes, [mute::write(until)]);
        }
    }
}
