//! Watches a running account: logs, health, metrics, the login screen and alerts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mynah_core::{
    Action, Binding, Clock, Decided, Depths, Event, EventBody, EventId, OfflineCause, Outcome,
    Outgoing, Quiet, Status, StoreReader, Timestamp,
};
use mynah_page::{Condition, Pages};
use mynah_programs::Programs;
use mynah_rules::Lang;
use mynah_runtime::{Observer, Trouble};
use tokio::runtime::Handle;

use crate::alert::{Alert, AlertKind, Alerts};
use crate::greeting::{Greeting, greeting};
use crate::login::LoginScreen;
use crate::metrics;
use crate::rule_handler::ActiveRules;
use crate::stop::OpenService;
use crate::view::console::{Live, RecentError};

/// Watches one account.
pub(crate) struct AccountObserver {
    /// The account's name.
    pub(crate) account: String,
    /// Where the state and the numbers go.
    pub(crate) pages: Pages,
    /// Where a person is called from.
    pub(crate) alerts: Alerts,
    /// The screen for prompts; `None` where another part shows them.
    pub(crate) screen: Option<LoginScreen>,
    /// The language of diagnostics.
    pub(crate) lang: Lang,
    /// The clock.
    pub(crate) clock: Arc<dyn Clock>,
    /// Whether nothing is sent, and replies are logged instead.
    pub(crate) dry_run: bool,
    /// The rules in use, for the checks once the account is online.
    pub(crate) rules: Option<(Arc<ActiveRules>, OpenService)>,
    /// Since when the session lasts, and when the service last brought anything.
    pub(crate) moments: Arc<Moments>,
    /// The handlers of the settings, which count the messages that rules answered in their place.
    pub(crate) programs: Programs,
    /// Receives the news for the console.
    pub(crate) live: Arc<Live>,
}

/// Moments that gauges are computed from.
#[derive(Debug, Default)]
pub(crate) struct Moments(Mutex<Marks>);

#[derive(Debug, Default, Clone, Copy)]
struct Marks {
    is_online: bool,
    was_online: bool,
    /// Since when the session lasts; a connection that is lost for a while does not end it.
    session: Option<Timestamp>,
    synced: Option<Timestamp>,
}

impl AccountObserver {
    /// Has the gauges of this account computed whenever they are read; those of the queues with a look into its data.
    pub(crate) fn register_gauges(&self, data: Option<Arc<dyn StoreReader>>) {
        let (moments, clock) = (Arc::clone(&self.moments), Arc::clone(&self.clock));
        let account = self.account.clone();
        let health = Arc::clone(&self.pages.health);
        self.pages.metrics.collect_for(&self.account, move |registry| {
            let Marks { is_online, session, synced, .. } = *moments.marks();
            let now = clock.now();
            let age =
                |since: Option<Timestamp>| since.map_or(0.0, |at| now.since(at).as_secs_f64());
            registry.set(&metrics::ONLINE, &[&account], f64::from(u8::from(is_online)));
            let rejected = health.rejected_rules(&account).is_some();
            registry.set(&metrics::RULES_REJECTED, &[&account], f64::from(u8::from(rejected)));
            let rejected = health.rejected_settings().is_some();
            registry.set(&metrics::SETTINGS_REJECTED, &[&account], f64::from(u8::from(rejected)));
            registry.set(&metrics::SESSION_AGE, &[&account], age(session));
            registry.set(&metrics::SYNC_DELAY, &[&account], age(synced));
            // The page collects gauges on a thread for blocking work.
            let depths = data.as_ref().map(|data| Handle::current().block_on(data.depths()));
            if let Some(Ok(Depths { events, actions })) = depths {
                let depth = |waiting: u64| f64::from(u32::try_from(waiting).unwrap_or(u32::MAX));
                registry.set(&metrics::QUEUE, &[&account, "inbox"], depth(events));
                registry.set(&metrics::QUEUE, &[&account, "outbox"], depth(actions));
            }
        });
    }

    /// The account has ended, for this reason.
    pub(crate) fn ended(&self, reason: &str) {
        self.moments.lost_the_session();
        self.condition(Condition::Ended { reason: reason.to_owned() });
        self.live.ended();
    }

    /// Reports the results of the checks that need an online account.
    fn greet(&self) {
        let Some((active_rules, service)) = &self.rules else { return };
        let Some(service) = service.get() else { return };
        let called = |name: &str| service.person_called(name);
        let Greeting { reach, warnings } =
            greeting(&active_rules.load(), &service.chats(), called, self.lang);
        tracing::info!(account = self.account, "{reach}");
        for warning in warnings {
            tracing::warn!(account = self.account, "{warning}");
        }
    }

    fn condition(&self, condition: Condition) {
        self.pages.health.set(&self.account, condition, self.clock.now());
    }

    fn count(&self, metric: &mynah_page::Metric, label: &str) {
        self.pages.metrics.add(metric, &[&self.account, label], 1.0);
    }

    fn took(&self, metric: &mynah_page::Metric, duration: Duration) {
        self.pages.metrics.observe(metric, &[&self.account], duration);
    }

    fn count_event(&self, event: &Event) {
        match &event.body {
            EventBody::Message(_) => {
                self.pages.metrics.add(&metrics::MESSAGES, &[&self.account], 1.0);
            }
            EventBody::Notice(notice) => self.count(&metrics::EVENTS, notice.kind.word()),
            EventBody::Due(_) => self.count(&metrics::EVENTS, "due"),
            EventBody::Started => self.count(&metrics::EVENTS, "started"),
        }
    }

    /// A person has a right by nickname from now on: the operator should check it.
    fn tell_bound(&self, bound: &Binding, event: &Event) {
        let shown = event.person().map_or("", |person| person.name.as_str());
        let text = bound_words(bound, shown, self.lang);
        tracing::warn!(account = self.account, event = %event.id, "{text}");
        let now = self.clock.now();
        self.alerts.send(Alert::new(AlertKind::Bound, &self.account, text, now), now);
    }

    fn log_replies(&self, event: &Event, decided: &Decided) {
        let chat = event.chat().map_or("-", |chat| chat.name.as_str());
        for text in self.dry_run.then_some(&decided.replies).into_iter().flatten() {
            tracing::info!(account = self.account, chat, text, "dry run: reply not sent");
        }
    }
}

impl Moments {
    fn marks(&self) -> MutexGuard<'_, Marks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The account is online; returns whether for the first time.
    fn came_on_line(&self, now: Timestamp) -> bool {
        let mut marks = self.marks();
        marks.is_online = true;
        marks.session.get_or_insert(now);
        marks.synced.get_or_insert(now);
        !std::mem::replace(&mut marks.was_online, true)
    }

    fn lost_the_connection(&self) {
        self.marks().is_online = false;
    }

    fn lost_the_session(&self) {
        let mut marks = self.marks();
        marks.is_online = false;
        marks.session = None;
    }
}

impl Observer for AccountObserver {
    fn status(&self, status: &Status) {
        let account = self.account.as_str();
        let now = self.clock.now();
        match status {
            Status::Prompt(prompt) => {
                self.moments.lost_the_session();
                self.condition(Condition::Waiting { what: "login".to_owned() });
                let was_online = self.moments.marks().was_online;
                let kind = if was_online { AlertKind::LoggedOut } else { AlertKind::Login };
                let alert = self.screen.as_ref().and_then(|screen| screen.show(prompt, kind, now));
                alert.into_iter().for_each(|alert| self.alerts.send(alert, now));
                tracing::info!(account, "log in with the phone");
            }
            Status::Online { name } => {
                let is_first = self.moments.came_on_line(now);
                tracing::info!(account, name, "online");
                self.condition(Condition::Online);
                self.alerts.all_is_well(account, now);
                self.screen.as_ref().inspect(|screen| screen.clear());
                if is_first {
                    self.greet();
                }
            }
            Status::Offline { cause, detail, retry_in } => {
                self.moments.lost_the_connection();
                let retry_in = retry_in.map(tracing::field::debug);
                let words = offline_words(*cause, Lang::En);
                tracing::warn!(account, cause = words, detail, retry_in, "offline");
                let reason = format!("{}: {detail}", offline_words(*cause, self.lang));
                self.condition(Condition::Offline { reason });
            }
        }
        self.live.status(status);
    }

    fn accepted(&self, _events: usize) {
        self.moments.marks().synced = Some(self.clock.now());
    }

    fn turn(&self, event: &Event, decided: &Decided) {
        self.count_event(event);
        self.took(&metrics::TURN, Duration::from_micros(decided.micros));
        self.took(&metrics::LAG, self.clock.now().since(event.time));
        if let Some(reason) = &decided.passed_over {
            self.pages.metrics.add(&metrics::PASSED_OVER, &[&self.account], 1.0);
            tracing::debug!(account = self.account, event = %event.id, reason, "passed over");
        }
        if let Some(rule) = &decided.rule {
            let outcome = decided.quiet.map_or("answered", quiet_word);
            self.pages.metrics.add(&metrics::DECISIONS, &[&self.account, rule, outcome], 1.0);
            if let Some(message) = event.message().filter(|_| decided.quiet.is_none()) {
                self.programs.note_answer_by_rules(&message.chat, message);
            }
        }
        for _ in &decided.warnings {
            self.pages.metrics.add(&metrics::WARNINGS, &[&self.account], 1.0);
        }
        // The rules were replaced.
        if matches!(event.body, EventBody::Started) && self.moments.marks().is_online {
            self.greet();
        }
        decided.bound.iter().for_each(|bound| self.tell_bound(bound, event));
        self.log_replies(event, decided);
        self.live.turn(event, decided);
    }

    fn sent(&self, outgoing: &Outgoing, outcome: &Outcome, took: Duration) {
        let account = self.account.as_str();
        let (chat, action) = (&outgoing.chat, action_word(&outgoing.action));
        self.count(&metrics::SENDS, outcome_word(outcome));
        self.took(&metrics::SEND, took);
        match outcome {
            Outcome::Delivered(_) | Outcome::Accepted => {
                self.took(&metrics::WAIT, self.clock.now().since(outgoing.queued));
            }
            Outcome::NotSent { reason, .. } if matches!(outgoing.action, Action::Save { .. }) => {
                tracing::warn!(account, %chat, reason, attempt = outgoing.attempt, "a row could not be saved yet; it is tried until it is");
            }
            Outcome::NotSent { reason, .. } => {
                tracing::info!(account, %chat, action, reason, attempt = outgoing.attempt, "not sent yet");
            }
            Outcome::Refused { .. } if self.dry_run => {
                tracing::debug!(account, %chat, action, "not sent: this is a dry run");
            }
            Outcome::Refused { reason } => {
                tracing::warn!(account, %chat, action, reason, "given up");
            }
            Outcome::Expired => {
                tracing::warn!(account, %chat, action, "expired: it could not leave in time");
            }
            Outcome::Unknown { reason, again_at } => {
                let again = again_at.is_some();
                tracing::warn!(account, %chat, action, reason, again, "unknown whether it was sent");
            }
        }
    }

    fn trouble(&self, trouble: &Trouble) {
        let account = self.account.as_str();
        self.count(&metrics::TROUBLES, trouble_word(trouble));
        self.live.recent_error(recent_error(trouble, self.clock.now()));
        match trouble {
            Trouble::HandlerFailed { handler, event, error } => {
                tracing::error!(account, handler, %event, error, "a handler failed; its effects are dropped");
            }
            Trouble::NoSuchHandler { handler, event } => {
                tracing::error!(account, handler, %event, "a rule runs a handler that is not registered");
            }
            Trouble::TooLong { event, dropped } => {
                tracing::warn!(account, %event, dropped, "a reply is too long; its last messages are not sent");
            }
            Trouble::SetAside { event } => {
                tracing::error!(account, %event, "the process died on this event too often; it is set aside");
                let text =
                    format!("event {event} was set aside: the process died on it three times");
                let now = self.clock.now();
                self.alerts.send(Alert::new(AlertKind::Trouble, account, text, now), now);
            }
            Trouble::InDoubt { action } => {
                tracing::warn!(account, action, "it was on its way when the process ended");
            }
            Trouble::TooFrequent { until } => {
                tracing::warn!(account, %until, "the service says: too frequent; nothing is sent until then");
            }
            Trouble::TooManyKicks { event, dropped, until } => {
                tracing::error!(account, %event, dropped, %until, "too many kicks: these people were not removed, and no one is until then");
                let text = kicks_words(*until, self.lang);
                let now = self.clock.now();
                self.alerts.send(Alert::new(AlertKind::Kicks, account, text, now), now);
            }
            Trouble::Loop { chat, person, until } => {
                let (chat, person) = (chat.id.as_str(), person.id.as_str());
                tracing::warn!(account, chat, person, %until, "probably another bot: no answer until then");
            }
        }
    }
}

/// Why the service cannot be reached, for people.
const fn offline_words(cause: OfflineCause, lang: Lang) -> &'static str {
    match (lang, cause) {
        (Lang::En, OfflineCause::Unreachable) => "no connection",
        (Lang::Zh, OfflineCause::Unreachable) => "连不上",
        (Lang::En, OfflineCause::NoDescriptors) => {
            "this process may open no more files and connections"
        }
        (Lang::Zh, OfflineCause::NoDescriptors) => "本进程能打开的文件和连接已达上限",
        (Lang::En, OfflineCause::ServiceFailed) => "the service fails",
        (Lang::Zh, OfflineCause::ServiceFailed) => "服务出错",
        (Lang::En, OfflineCause::Throttled) => "the service asks for a pause",
        (Lang::Zh, OfflineCause::Throttled) => "服务要求暂停一会儿",
        (Lang::En, OfflineCause::SessionOver) => "the session ended",
        (Lang::Zh, OfflineCause::SessionOver) => "会话已结束",
    }
}

/// The alert about too many kicks.
pub(crate) fn kicks_words(until: Timestamp, lang: Lang) -> String {
    match lang {
        Lang::En => format!(
            "the rules removed as many people from groups as [pacing] kicks allows in an hour; no one else is removed \
             before {until}. Check the rules with kick = true"
        ),
        Lang::Zh => format!(
            "规则在一小时内移出的人数已达 [pacing] kicks 的上限，{until} 之前不再移出任何人。请检查写有 kick = true 的规则"
        ),
    }
}

/// The alert about a name that a person got by nickname.
fn bound_words(Binding { name, person }: &Binding, shown: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!(
            "\"{name}\" of the rule file now means {shown} ({person}), by nickname, which anybody can take. \
             If that is right, give this friend the remark {name}. If not, give it to the right one, or run: \
             mynah unbind \"{name}\""
        ),
        Lang::Zh => format!(
            "规则文件里的“{name}”从现在起指 {shown}（{person}），依据只是昵称，而昵称谁都能改成这样。\
             如果没错，请给这位好友设备注“{name}”；如果不对，请把备注设给正确的人，或运行：mynah unbind \"{name}\""
        ),
    }
}

const fn quiet_word(quiet: Quiet) -> &'static str {
    match quiet {
        Quiet::Cooldown => "cooldown",
        Quiet::Limit => "limit",
        Quiet::Mute => "mute",
        Quiet::Hours => "hours",
        Quiet::Fetch => "fetch",
    }
}

const fn outcome_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered(_) => "delivered",
        Outcome::Accepted => "accepted",
        Outcome::NotSent { .. } => "not_sent",
        Outcome::Refused { .. } => "refused",
        Outcome::Expired => "expired",
        Outcome::Unknown { .. } => "unknown",
    }
}

const fn action_word(action: &Action) -> &'static str {
    match action {
        Action::Send { .. } => "send",
        Action::Recall { .. } => "recall",
        Action::Kick { .. } => "kick",
        Action::Invite { .. } => "invite",
        Action::AcceptFriend { .. } => "accept_friend",
        Action::Save { .. } => "save",
    }
}

const fn trouble_word(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::HandlerFailed { .. } => "handler_failed",
        Trouble::NoSuchHandler { .. } => "no_such_handler",
        Trouble::TooLong { .. } => "too_long",
        Trouble::SetAside { .. } => "set_aside",
        Trouble::InDoubt { .. } => "in_doubt",
        Trouble::TooFrequent { .. } => "too_frequent",
        Trouble::TooManyKicks { .. } => "too_many_kicks",
        Trouble::Loop { .. } => "loop",
    }
}

/// A trouble for the console.
fn recent_error(trouble: &Trouble, time: Timestamp) -> RecentError {
    let recent_error = RecentError { time, kind: trouble_word(trouble), ..RecentError::default() };
    match trouble {
        Trouble::HandlerFailed { handler, event, error } => RecentError {
            event: Some(event.clone()),
            detail: format!("{handler}: {error}"),
            ..recent_error
        },
        Trouble::NoSuchHandler { handler, event } => {
            RecentError { event: Some(event.clone()), detail: handler.clone(), ..recent_error }
        }
        Trouble::TooLong { event, dropped } => RecentError {
            event: Some(event.clone()),
            detail: format!("{dropped} messages"),
            ..recent_error
        },
        Trouble::SetAside { event } => RecentError { event: Some(event.clone()), ..recent_error },
        Trouble::InDoubt { action } => {
            // An action is named after its event.
            let event = action.rsplit_once('#').map(|(event, _)| EventId::from(event));
            RecentError { event, ..recent_error }
        }
        Trouble::TooManyKicks { event, until, .. } => {
            RecentError { event: Some(event.clone()), until: Some(*until), ..recent_error }
        }
        Trouble::TooFrequent { until } => RecentError { until: Some(*until), ..recent_error },
        Trouble::Loop { chat, person, until } => RecentError {
            chat: Some(chat.name.clone()),
            person: Some(person.name.clone()),
            until: Some(*until),
            ..recent_error
        },
    }
}

#[cfg(test)]
mod tests {
    use mynah_core::{ActionId, ChatId, Content};
    use mynah_runtime::ManualClock;

    use super::*;
    use crate::config::AlertConfig;

    async fn watch() -> AccountObserver {
        let (alerts, task) = Alerts::start(&AlertConfig::default());
        task.finish().await;
        let watch = AccountObserver {
            account: "main".to_owned(),
            pages: Pages::default(),
            alerts,
            screen: None,
            lang: Lang::En,
            clock: Arc::new(ManualClock::at(Timestamp::from_secs(100))),
            dry_run: false,
            rules: None,
            moments: Arc::default(),
            programs: Programs::default(),
            live: Arc::default(),
        };
        watch.register_gauges(None);
        watch
    }

    fn outgoing() -> Outgoing {
        Outgoing {
            id: ActionId { event: EventId::from("e"), n: 0 },
            chat: ChatId::from("c"),
            action: Action::Send { content: Content::text("hi") },
            queued: Timestamp::from_secs(98),
            attempt: 1,
        }
    }

    #[tokio::test]
    async fn health_is_true_only_while_on_line() {
        let watch = watch().await;
        watch.status(&Status::Online { name: "八哥".to_owned() });
        assert!(watch.pages.health.is_healthy());
        let (cause, retry_in) = (OfflineCause::ServiceFailed, Some(Duration::from_secs(1)));
        watch.status(&Status::Offline { cause, detail: "HTTP 502".to_owned(), retry_in });
        assert!(!watch.pages.health.is_healthy());
        assert!(watch.pages.metrics.render().contains("mynah_online{account=\"main\"} 0"));
        watch.status(&Status::Online { name: "八哥".to_owned() });
        watch.ended("logged out");
        assert!(!watch.pages.health.is_healthy());
    }

    #[tokio::test]
    async fn kicks_beyond_the_limit_are_counted_shown_and_say_what_to_check() {
        let watch = watch().await;
        let until = Timestamp::from_secs(3600);
        watch.trouble(&Trouble::TooManyKicks { event: "e".into(), dropped: 2, until });
        let text = watch.pages.metrics.render();
        assert!(text.contains("mynah_troubles_total{account=\"main\",kind=\"too_many_kicks\"} 1"));
        for (lang, word) in [(Lang::En, "Check the rules"), (Lang::Zh, "请检查")] {
            let words = kicks_words(until, lang);
            assert!(words.contains(word) && words.contains("[pacing] kicks"), "{words}");
            assert!(words.contains("1970-01-01"), "{words}");
        }
        let decided =
            Decided { warnings: vec![mynah_core::Words::fixed("a", "b")], ..Decided::default() };
        let body = EventBody::Started;
        watch.turn(&Event { id: "e".into(), time: until, body }, &decided);
        assert!(watch.pages.metrics.render().contains("mynah_warnings_total{account=\"main\"} 1"));
    }

    #[tokio::test]
    async fn sends_are_counted_by_outcome() {
        let watch = watch().await;
        watch.sent(&outgoing(), &Outcome::Accepted, Duration::from_millis(3));
        watch.sent(&outgoing(), &Outcome::Expired, Duration::ZERO);
        let text = watch.pages.metrics.render();
        assert!(text.contains("mynah_sends_total{account=\"main\",outcome=\"accepted\"} 1"));
        assert!(text.contains("mynah_sends_total{account=\"main\",outcome=\"expired\"} 1"));
        assert!(text.contains("mynah_send_wait_seconds_sum{account=\"main\"} 2\n"));
    }
}
