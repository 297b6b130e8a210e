//! Answers requests for a running account.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use mynah_core::{
    Binding, Called, Chat, Clock, Content, Context, Due, Event, EventBody, EventId, Flow,
    Forgotten, Handler, HandlerError, Outcome, Perform, PersonId, Service, Store, StoreError,
    StoreReader, Timestamp, to_map,
};
use mynah_page::{Condition, Pages, RejectedFile};
use mynah_programs::Programs;
use mynah_rules::mute;
use mynah_runtime::{Control, saying};
use mynah_transports::Connector;

use super::{AccountStatus, Answer, Asked, Request, find_chat};
use crate::handlers;
use crate::names::name_rows;
use crate::reload::Reloader;
use crate::rule_handler::ActiveRules;
use crate::stop::AccountStop;

/// How long `mynah send` waits for the outcome; after it the message stays queued.
const OUTCOME: Duration = Duration::from_secs(5);

/// Longer than this is for ever.
const LONGEST_MUTE: Duration = Duration::from_secs(366 * 24 * 60 * 60);

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
    /// Reads them again.
    pub(crate) reloader: Arc<Reloader>,
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
            Asked::Of { account, request } if account != self.account => {
                self.of_beside(&account, &request)
            }
            Asked::Of { request, .. } | Asked::Only(request) => self.answer(request).await,
        }
    }

    /// Answers for another account: one that this process could not start is not there to answer by itself.
    fn of_beside(&self, account: &str, request: &Request) -> Answer {
        match self.pages.health.of(account) {
            Some(condition @ Condition::NotStarted { .. }) if *request == Request::Status => {
                let status = AccountStatus::of(condition);
                Answer { status: Some(status), ..Answer::done("") }
            }
            _ => Answer::of_another(),
        }
    }

    /// Carries out a request.
    pub(crate) async fn answer(&self, request: Request) -> Answer {
        self.answer_as(request, None).await
    }

    /// Carries out a request. Its message or its mute gets this id, so that a request which comes twice takes effect once.
    pub(crate) async fn answer_as(&self, request: Request, id: Option<EventId>) -> Answer {
        match request {
            Request::Status => self.status().await,
            Request::Send { chat, text } => self.send(&chat, &text, id).await,
            Request::Mute { chat, seconds } => self.mute(&chat, seconds, id).await,
            Request::Reload => self.reloader.reload().await,
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
        let settings = health.rejected_settings().map(|file| in_one_line(&file, "settings"));
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

    /// Mutes a chat by way of an event, so that it is stored and comes in order with everything else in that chat.
    async fn mute(&self, chat: &str, seconds: u64, id: Option<EventId>) -> Answer {
        let chats =
            match all_chats(self.service.get().map(|service| &**service), &*self.reader).await {
                Ok(chats) => chats,
                Err(error) => return failed(&error),
            };
        let chat = match find_chat(&chats, chat, self.connector.capabilities().lists_chats) {
            Ok(chat) => chat,
            Err(why) => return Answer::refused(why),
        };
        let event = muting(chat, seconds, self.clock.now(), id);
        match tokio::time::timeout(OUTCOME, self.control.inject_and_store(vec![event])).await {
            Ok(Ok(())) => muted(&chat.name, seconds),
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

/// All chats of an account: those that the service lists now, with the names of today, and those that the log knows.
pub(crate) async fn all_chats(
    service: Option<&dyn Service>,
    reader: &dyn StoreReader,
) -> Result<Vec<Chat>, StoreError> {
    let survey = reader.survey().await?;
    let listed = service.map(|service| service.chats()).unwrap_or_default();
    let chats =
        survey.chats.into_iter().chain(listed.iter().cloned()).map(|chat| (chat.id.clone(), chat));
    Ok(to_map(chats).into_values().collect())
}

/// The answer to a mute of so many seconds.
pub(crate) fn muted(chat: &str, seconds: u64) -> Answer {
    match seconds {
        0 => Answer::done(format!("{chat} is not muted any more")),
        _ => Answer::done(format!("{chat} is muted for {}", minutes(seconds))),
    }
}

fn minutes(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        _ => format!("{} min", seconds / 60),
    }
}

/// The event that mutes a chat for so many seconds, or with 0 ends that.
pub(crate) fn muting(chat: &Chat, seconds: u64, now: Timestamp, id: Option<EventId>) -> Event {
    let key =
        id.map_or_else(|| format!("mute:{}:{}", chat.id, now.as_millis()), |id| id.to_string());
    let lasts = Duration::from_secs(seconds).min(LONGEST_MUTE);
    let until = if seconds > 0 { (now + lasts).as_millis().to_string() } else { String::new() };
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
        for (seconds, until) in [(60, Some(Timestamp::from_secs(61))), (0, None)] {
            let event = muting(&chat, seconds, now, None);
            assert!(is_mute(&event));
            let mut ctx = Context::new(Frame::of(&event, now));
            assert_eq!(OperatorCommands.on_event(&mut ctx, &event).await.unwrap(), Flow::Stop);
            let (_, effects, _) = ctx.finish();
            assert_eq!(effects.writes, [mute::write(until)]);
        }
    }
}
