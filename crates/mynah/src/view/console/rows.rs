//! The rows of the console's tables, from the data of an account.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::TimeZone;
use mynah_core::{
    Chat, ChatId, Decided, Event, EventBody, EventId, Prompt, Survey, Timestamp, TroubledAction,
    sort_by, sort_by_key, to_map,
};
use mynah_page::Condition;
use mynah_page::view::{
    AccountRow, ErrorRow, LogRow, MuteRow, PaceRow, QueueRow, RuleRow, UsedRow, WaitingRow,
};
use mynah_rules::{RuleInfo, mute};
use mynah_runtime::{Pace, Rate, Used};
use mynah_transports::Connector;

use super::archive::Present;
use super::cause::cause_of;
use super::live::RecentError;
use super::names::Names;
use crate::qr::Qr;

/// A rule that did not fire for so long is probably not needed any more.
const STALE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Errors shown for an account.
const ERRORS: usize = 30;

/// An account and its needs.
pub(super) fn account_row(
    (name, connector): (&str, &dyn Connector),
    condition: Option<&Condition>,
    since: Option<Timestamp>,
    prompt: Option<&Prompt>,
) -> AccountRow {
    let row = row(name, condition, since, prompt);
    AccountRow { cause: cause_of(&row.detail, connector), ..row }
}

/// An account that another node holds, or none.
#[cfg(feature = "postgres")]
pub(super) fn elsewhere(
    status: &crate::fleet::FleetStatus,
    account: &mynah_core::AccountState,
) -> AccountRow {
    let holder = status.holder(account);
    let shown = holder.and_then(|_| status.live.get(&account.account));
    let prompt = shown.and_then(|shown| shown.prompt.clone()).map(|url| Prompt::Scan { url });
    let free = Condition::Offline { reason: account.trouble.clone().unwrap_or_default() };
    let condition = match (holder, shown) {
        (None, _) => Some(&free),
        (Some(_), shown) => shown.map(|shown| &shown.condition),
    };
    let row = row(&account.account, condition, Some(account.since), prompt.as_ref());
    AccountRow {
        restart: matches!(condition, Some(Condition::Ended { .. })),
        node: Some(holder.map(|node| node.name.clone()).unwrap_or_default()),
        ..row
    }
}

fn row(
    name: &str,
    condition: Option<&Condition>,
    since: Option<Timestamp>,
    prompt: Option<&Prompt>,
) -> AccountRow {
    AccountRow {
        name: name.to_owned(),
        online: matches!(condition, Some(Condition::Online)),
        condition: word(condition),
        since: since.map(Timestamp::as_millis),
        cause: None,
        detail: condition.and_then(Condition::reason).unwrap_or_default().to_owned(),
        prompt: prompt.map(|prompt| match prompt {
            Prompt::Scan { .. } => "scan",
            Prompt::Confirm { .. } => "confirm",
        }),
        qr: prompt.and_then(picture),
        names: Vec::new(),
        rejected_rules: None,
        rejected_settings: None,
        node: None,
        restart: false,
    }
}

/// The word of the page for a condition.
fn word(condition: Option<&Condition>) -> &'static str {
    match condition {
        Some(Condition::Starting) | None => "starting",
        Some(Condition::Waiting { .. }) => "waiting",
        Some(Condition::Online) => "online",
        Some(Condition::Offline { .. }) => "offline",
        Some(Condition::Ended { .. }) => "ended",
        Some(Condition::NotStarted { .. }) => "not_started",
    }
}

fn picture(prompt: &Prompt) -> Option<String> {
    let Prompt::Scan { url } = prompt else { return None };
    let png = Qr::of(url).and_then(|qr| qr.png()).ok()?;
    Some(format!("data:image/png;base64,{}", STANDARD.encode(png)))
}

/// A decision whose requests show no texts of people.
fn without_texts(decided: &Decided) -> Decided {
    let mut decided = decided.clone();
    for fetch in &mut decided.fetches {
        fetch.request = fetch.for_logs();
        fetch.shown = None;
    }
    decided
}

/// An event and the decision about it.
pub(super) fn log_row(account: &str, event: &Event, decided: Option<&Decided>) -> LogRow {
    LogRow {
        account: account.to_owned(),
        kind: kind(event),
        id: event.id.as_str().to_owned(),
        time: event.time.as_millis(),
        chat: event.chat().map(|chat| chat.name.clone()).unwrap_or_default(),
        from: event.person().map(|person| person.name.clone()).unwrap_or_default(),
        text: event.plain_text(),
        decided: decided.map(without_texts),
    }
}

/// The kind of an event, in a word.
fn kind(event: &Event) -> &'static str {
    match &event.body {
        EventBody::Message(message) => message.kind().word(),
        EventBody::Notice(notice) => notice.kind.word(),
        EventBody::Due(_) => "due",
        EventBody::Started => "started",
    }
}

/// When the day began, by the clock on the wall.
pub(super) fn midnight(now: Timestamp, zone: &TimeZone) -> Timestamp {
    let began = jiff::Timestamp::from_millisecond(now.as_millis())
        .and_then(|now| now.to_zoned(zone.clone()).start_of_day());
    // Far beyond the calendar there are no days.
    began.map_or(now, |began| Timestamp::from_millis(began.timestamp().as_millisecond()))
}

/// The rules with their use, in the order of the file.
pub(super) fn rule_rows(
    account: &str,
    rules: impl Iterator<Item = RuleInfo>,
    survey: &Survey,
    now: Timestamp,
) -> Vec<RuleRow> {
    let reaches_far = survey.since.is_some_and(|since| now.since(since) >= STALE);
    let mut all = Vec::new();
    for rule in rules {
        let rows = rule.rows.as_deref().map(|name| fired_rows(name, survey)).unwrap_or_default();
        let own = survey.fired.get(&rule.id).map(|fired| (fired.times, fired.last));
        let fired = rows.iter().map(|(_, times, last)| (*times, *last)).chain(own);
        let fired = fired.reduce(|one, other| (one.0 + other.0, one.1.max(other.1)));
        let is_recent = fired.is_some_and(|(_, last)| now.since(last) < STALE);
        all.push(RuleRow {
            account: account.to_owned(),
            off: rule.off,
            file: rule.file.to_string(),
            line: rule.line,
            hits: fired.map_or(0, |(times, _)| times),
            last: fired.map(|(_, last)| last.as_millis()),
            stale: reaches_far && !is_recent && !rule.off,
            id: rule.id,
        });
        all.extend(rows.into_iter().take(MOST_ROWS).map(|(line, times, last)| RuleRow {
            account: account.to_owned(),
            off: rule.off,
            file: rule.rows.as_deref().unwrap_or_default().to_owned(),
            line,
            hits: times,
            last: Some(last.as_millis()),
            stale: false,
            id: format!("{}:{line}", rule.rows.as_deref().unwrap_or_default()),
        }));
    }
    all
}

/// So many rows of a table are shown, those that answered most often: it may have a hundred thousand.
const MOST_ROWS: usize = 20;

/// The rows of a table that fired, the most frequent first: the number of each, how often, and when last.
fn fired_rows(name: &str, survey: &Survey) -> Vec<(u32, u64, Timestamp)> {
    let begin = format!("{name}:");
    let fired = survey.fired.range(begin.clone()..);
    let fired = fired
        .take_while(|(id, _)| id.starts_with(&begin))
        .filter_map(|(id, fired)| Some((id[begin.len()..].parse().ok()?, fired.times, fired.last)));
    let mut rows: Vec<_> = fired.collect();
    sort_by_key(&mut rows, |(line, times, _)| (std::cmp::Reverse(*times), *line));
    rows
}

/// The queues of an account.
pub(super) struct Queues<'a> {
    /// The account.
    pub(super) account: &'a str,
    /// Its chat service.
    pub(super) connector: &'static dyn Connector,
    /// Its queues, and the sent messages.
    pub(super) present: &'a Present,
    /// Its chats.
    pub(super) names: &'a Names,
    /// How fast it may speak.
    pub(super) pace: Option<Pace>,
    /// The faults, newest first.
    pub(super) recent_errors: Vec<RecentError>,
    /// The events that something went wrong on.
    pub(super) events: BTreeMap<EventId, Event>,
}

impl Queues<'_> {
    /// As the page shows it.
    pub(super) fn row(self) -> QueueRow {
        let settled = |outcome| self.present.settled.get(outcome).copied().unwrap_or(0);
        QueueRow {
            account: self.account.to_owned(),
            events: self.present.status.open_events,
            actions: self.present.status.open_actions,
            sent_today: settled("delivered") + settled("accepted"),
            refused: settled("refused"),
            expired: settled("expired"),
            pace: self.pace.as_ref().map(pace_row),
            waiting: self.waiting(),
            errors: self.errors(),
        }
    }

    fn waiting(&self) -> Vec<WaitingRow> {
        let chats = self.pace.iter().flat_map(|pace| &pace.chats);
        let moments = to_map(chats.map(|(chat, at)| (chat, at)));
        let rows = self.present.waiting.iter().map(|one| WaitingRow {
            chat: one.chat.as_str().to_owned(),
            name: self.names.of(&one.chat).to_owned(),
            actions: one.actions,
            since: one.since.as_millis(),
            until: moments.get(&one.chat).map(|at| at.as_millis()),
        });
        rows.collect()
    }

    fn errors(&self) -> Vec<ErrorRow> {
        let troubled = self.present.status.troubled.iter().map(|action| self.error(action));
        let recent_errors =
            self.recent_errors.iter().map(|recent_error| self.recent_error(recent_error));
        let mut errors: Vec<ErrorRow> = troubled.chain(recent_errors).collect();
        sort_by_key(&mut errors, |error| std::cmp::Reverse(error.time));
        errors.truncate(ERRORS);
        errors
    }

    fn error(&self, action: &TroubledAction) -> ErrorRow {
        let kind = match action.outcome.as_str() {
            "refused" => "refused",
            "expired" => "expired",
            _ => "unknown",
        };
        let detail = action.reason.clone().unwrap_or_default();
        ErrorRow {
            time: action.time.as_millis(),
            kind,
            chat: Some(self.names.of(&action.chat).to_owned()),
            person: None,
            until: None,
            cause: cause_of(&detail, self.connector),
            detail,
        }
    }

    fn recent_error(&self, recent_error: &RecentError) -> ErrorRow {
        let event = recent_error.event.as_ref().and_then(|id| self.events.get(id));
        let chat = event.and_then(Event::chat).map(|chat| self.names.of(&chat.id).to_owned());
        let person = event.and_then(Event::person).map(|person| person.name.clone());
        ErrorRow {
            time: recent_error.time.as_millis(),
            kind: recent_error.kind,
            chat: recent_error.chat.clone().or(chat),
            person: recent_error.person.clone().or(person),
            until: recent_error.until.map(Timestamp::as_millis),
            cause: None,
            detail: recent_error.detail.clone(),
        }
    }
}

/// The chats of an account whose name has the text, those that are muted first.
pub(super) fn mute_rows(
    account: &str,
    names: &Names,
    mutes: &BTreeMap<ChatId, String>,
    query: &str,
    now: Timestamp,
) -> Vec<MuteRow> {
    let query = query.trim().to_lowercase();
    let fits = |chat: &&Chat| query.is_empty() || chat.name.to_lowercase().contains(&query);
    let rows = names.chats().filter(fits).map(|chat| {
        let until = mutes.get(&chat.id).and_then(|until| mute::still_until(until, now));
        MuteRow {
            account: account.to_owned(),
            id: chat.id.as_str().to_owned(),
            name: names.of(&chat.id).to_owned(),
            muted: until.is_some(),
            until: until.map(Timestamp::as_millis),
        }
    });
    let mut rows: Vec<MuteRow> = rows.collect();
    sort_by(&mut rows, |a, b| (!a.muted, &a.name, &a.id).cmp(&(!b.muted, &b.name, &b.id)));
    rows
}

fn pace_row(pace: &Pace) -> PaceRow {
    let per = |rate: Rate| u64::try_from(rate.per.as_millis()).unwrap_or(u64::MAX);
    let used = |one: Used| UsedRow {
        used: one.used,
        count: one.rate.count,
        per: per(one.rate),
        free_at: one.free_at.map(Timestamp::as_millis),
    };
    let limit = |rate: Rate| UsedRow { used: 0, count: rate.count, per: per(rate), free_at: None };
    PaceRow {
        open: pace.is_open,
        account: pace.account.map(used),
        day: pace.day.map(used),
        per_chat: pace.per_chat.map(limit),
        pause: pace.pause.map(Timestamp::as_millis),
    }
}

#[cfg(test)]
mod tests {
    use mynah_core::{
        Chat, Content, EventId, Fired, Message, Notice, NoticeKind, Origin, Person, StoreStatus,
        Waiting,
    };
    use mynah_transports::CONNECTORS;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn days_ago(days: u64) -> Timestamp {
        NOW - Duration::from_secs(days * 24 * 60 * 60)
    }

    fn event(body: EventBody) -> Event {
        Event { id: EventId::from("e"), time: NOW, body }
    }

    #[test]
    fn a_code_comes_as_a_picture_and_its_address_does_not() {
        let url = "https://login.example/l/secret==";
        let prompt = Prompt::Scan { url: url.to_owned() };
        let row = account_row(
            ("main", CONNECTORS[0]),
            Some(&Condition::Starting),
            Some(NOW),
            Some(&prompt),
        );
        assert_eq!((row.prompt, row.online), (Some("scan"), false));
        let shown = serde_json::to_string(&row).unwrap();
        assert!(shown.contains("data:image/png;base64,") && !shown.contains(url), "{shown}");
        let confirm = Prompt::Confirm { scanned: true };
        let row =
            account_row(("main", CONNECTORS[0]), Some(&Condition::Online), None, Some(&confirm));
        assert_eq!((row.prompt, row.qr, row.online), (Some("confirm"), None, true));
        let reason = "HTTP 502".to_owned();
        let row =
            account_row(("a", CONNECTORS[0]), Some(&Condition::Offline { reason }), None, None);
        assert_eq!((row.condition, row.detail.as_str()), ("offline", "HTTP 502"));
    }

    #[test]
    fn every_event_has_words_and_no_ticket() {
        let chat = Chat::group("g", "客户一群");
        let said = event(EventBody::Message(Message {
            id: "1".into(),
            chat: chat.clone(),
            sender: Person::stranger("p", "张三"),
            origin: Origin::Person,
            content: Content::text("@八哥 多少钱"),
            text: "多少钱".to_owned(),
            called: true,
            behind_name: None,
        }));
        let row = log_row("main", &said, None);
        let shown = (row.chat.as_str(), row.from.as_str(), row.text.as_str());
        assert_eq!(shown, ("客户一群", "张三", "@八哥 多少钱"));
        let notice =
            |kind| event(EventBody::Notice(Notice { chat: chat.clone(), person: None, kind }));
        let request = NoticeKind::FriendRequest {
            greeting: "我是李四".to_owned(),
            ticket: "t1cket".to_owned(),
        };
        for (event, expected) in [
            (notice(request), ("friend_request", "我是李四")),
            (notice(NoticeKind::RedPacket), ("red_packet", "")),
            (event(EventBody::Started), ("started", "")),
        ] {
            let row = log_row("main", &event, None);
            assert_eq!((row.kind, row.text.as_str()), expected);
        }
    }

    #[test]
    fn the_requests_of_a_decision_show_no_texts_of_people() {
        let (line, fixed) = ("GET http://h.test/u/my%20secret?q=x", "GET http://h.test/u/");
        let note = mynah_core::FetchNote::new(line.to_owned(), fixed, None);
        let decided = Decided { fetches: vec![note], ..Decided::default() };
        let row = log_row("main", &event(EventBody::Started), Some(&decided));
        let fetches = serde_json::to_string(&row.decided.unwrap().fetches).unwrap();
        assert_eq!(fetches, r#"[{"request":"GET http://h.test/u/…"}]"#);
    }

    #[test]
    fn a_rule_is_stale_only_if_the_log_reaches_far_enough() {
        let rule = |id: &str, off| RuleInfo {
            id: id.to_owned(),
            key: id.to_owned(),
            file: "bot.toml".into(),
            line: 1,
            off,
            rows: None,
        };
        let rules =
            || [rule("never", false), rule("old", false), rule("new", false), rule("off", true)];
        let fired = |days| Fired { times: 3, last: days_ago(days) };
        let survey = |days| Survey {
            since: Some(days_ago(days)),
            fired: BTreeMap::from([("old".to_owned(), fired(31)), ("new".to_owned(), fired(1))]),
            chats: Vec::new(),
        };
        let stale = |days| {
            let rows = rule_rows("main", rules().into_iter(), &survey(days), NOW);
            rows.into_iter().map(|row| row.stale).collect::<Vec<_>>()
        };
        assert_eq!(stale(40), [true, true, false, false]);
        assert_eq!(stale(29), [false; 4]);
        let rows = rule_rows("main", rules().into_iter(), &survey(40), NOW);
        assert_eq!((rows[2].hits, rows[2].last), (3, Some(days_ago(1).as_millis())));
        assert_eq!((rows[0].hits, rows[0].last), (0, None));
    }

    #[test]
    fn the_rows_of_a_table_that_fired_are_below_it() {
        let table = RuleInfo {
            id: "faq".to_owned(),
            key: "faq".to_owned(),
            file: "bot.toml".into(),
            line: 4,
            off: false,
            rows: Some("faq.csv".into()),
        };
        let fired = |times, days| Fired { times, last: days_ago(days) };
        let survey = Survey {
            since: Some(days_ago(40)),
            fired: BTreeMap::from([
                ("faq.csv:12".to_owned(), fired(1, 1)),
                ("faq.csv:7".to_owned(), fired(3, 35)),
                ("faq.csv2:7".to_owned(), fired(3, 35)),
            ]),
            chats: Vec::new(),
        };
        let rows = rule_rows("main", [table].into_iter(), &survey, NOW);
        let shown: Vec<_> = rows.iter().map(|row| (row.id.as_str(), row.hits, row.stale)).collect();
        assert_eq!(shown, [("faq", 4, false), ("faq.csv:7", 3, false), ("faq.csv:12", 1, false)]);
    }

    /// An action that was refused in the chat g, two that wait in h.
    fn present() -> Present {
        let status = StoreStatus {
            open_actions: 2,
            troubled: vec![TroubledAction {
                id: "e#0".to_owned(),
                chat: "g".into(),
                time: NOW,
                outcome: "refused".to_owned(),
                reason: Some("the receiver is not a friend".to_owned()),
            }],
            ..StoreStatus::default()
        };
        let settled = [("accepted", 3), ("delivered", 4), ("refused", 1)]
            .map(|(outcome, count)| (outcome.to_owned(), count));
        let waiting = Waiting { chat: "h".into(), actions: 2, since: days_ago(1), expires: None };
        Present { status, settled: settled.into(), waiting: vec![waiting] }
    }

    /// A handler that failed on a message of Zhang San in the chat h.
    fn failed(time: Timestamp) -> (RecentError, Event) {
        let event = event(EventBody::Notice(Notice {
            chat: Chat::group("h", "以前的名字"),
            person: Some(Person::stranger("p", "张三")),
            kind: NoticeKind::RedPacket,
        }));
        let recent_error = RecentError {
            time,
            kind: "handler_failed",
            event: Some(event.id.clone()),
            detail: "weather: no answer".to_owned(),
            ..RecentError::default()
        };
        (recent_error, event)
    }

    #[test]
    fn what_waits_and_what_failed_is_named_not_numbered() {
        let listed = [Chat::group("g", "客户一群"), Chat::group("h", "家人")];
        let names = Names::new(&[Chat::group("g", "客户")], &listed);
        let later = NOW + Duration::from_secs(1);
        let day = Used { rate: Rate::new(400, STALE), used: 3, free_at: None };
        let chats = vec![("h".into(), later)];
        let pace = Pace { day: Some(day), pause: Some(later), chats, ..Pace::default() };
        let (recent_error, event) = failed(later);
        let queues = Queues {
            account: "main",
            connector: CONNECTORS[0],
            present: &present(),
            names: &names,
            pace: Some(pace),
            recent_errors: vec![recent_error],
            events: BTreeMap::from([(event.id.clone(), event)]),
        };
        let row = queues.row();
        assert_eq!((row.actions, row.sent_today, row.refused, row.expired), (2, 7, 1, 0));
        let shown = |error: &ErrorRow| {
            (error.kind, error.chat.clone().unwrap(), error.person.clone(), error.cause)
        };
        let errors: Vec<_> = row.errors.iter().map(shown).collect();
        let handler = ("handler_failed", "家人".to_owned(), Some("张三".to_owned()), None);
        let refused = ("refused", "客户一群".to_owned(), None, Some("cause-not-friend"));
        assert_eq!(errors, [handler, refused]);
        let waits = &row.waiting[0];
        let shown = (waits.name.as_str(), waits.actions, waits.until);
        assert_eq!(shown, ("家人", 2, Some(later.as_millis())));
        let pace = row.pace.unwrap();
        assert_eq!((pace.pause, pace.day.unwrap().used), (Some(later.as_millis()), 3));
    }

    #[test]
    fn of_many_chats_each_is_found_by_its_name_and_the_muted_come_first() {
        let listed: Vec<Chat> =
            (0..1000).map(|n| Chat::group(format!("g{n}"), format!("群 {n:04}"))).collect();
        let names = Names::new(&[], &listed);
        let until = |at: Timestamp| at.as_millis().to_string();
        let mutes = BTreeMap::from([
            (ChatId::from("g999"), until(NOW + Duration::from_secs(1))),
            (ChatId::from("g998"), until(NOW)),
        ]);
        let all = mute_rows("main", &names, &mutes, "", NOW);
        assert_eq!((all.len(), all[0].name.as_str(), all[0].muted), (1000, "群 0999", true));
        assert_eq!((all[1].name.as_str(), all[999].muted), ("群 0000", false));
        let found = mute_rows("main", &names, &mutes, " 0567 ", NOW);
        assert_eq!(found.iter().map(|chat| chat.id.as_str()).collect::<Vec<_>>(), ["g567"]);
    }

    #[test]
    fn the_day_begins_at_midnight_of_the_zone() {
        let shanghai = TimeZone::fixed(jiff::tz::offset(8));
        let at = |text: &str| {
            let at: jiff::Timestamp = text.parse().unwrap();
            Timestamp::from_millis(at.as_millisecond())
        };
        let noon = at("2026-11-23T04:00:00Z");
        assert_eq!(midnight(noon, &shanghai), at("2026-11-22T16:00:00Z"));
        assert_eq!(midnight(noon, &TimeZone::UTC), at("2026-11-23T00:00:00Z"));
    }
}
