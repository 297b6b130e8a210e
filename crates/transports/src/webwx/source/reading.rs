//! Reading the account's log once it is logged in (section 6 of the protocol reference).

use std::collections::VecDeque;
use std::time::Duration;

use mynah_core::{Event, EventBody, NoticeKind, Origin, Throttled, Timestamp};
use mynah_webwx::wire::{Contact, Init, Synced, is_group, message_type};
use mynah_webwx::{self as webwx, Call, CallError, Notify};
use tokio::time::Instant;

use super::super::directory::Facts;
use super::super::events::{BEFRIENDED, NO_FRIEND, Translator, conversations};
use super::super::needs::{self, Need};
use super::contact_list::{Listed, unique};
use super::{EMPTY_SYNCS, Stage, Trouble, WebWxSource};

/// More pages of contacts than the genuine client reads.
const MOST_PAGES: u64 = 17;

/// How often a page of contacts is tried before the bot goes on without.
const CONTACT_TRIES: u32 = 3;

/// If a page of contacts takes longer, the log names it: until it is read, the account does not come online.
const LONG_PAGE: Duration = Duration::from_secs(10);

/// Events are not held back longer than this to find out who is who.
const PATIENCE_FOR_NAMES: Duration = Duration::from_secs(10);

/// How many groups one call of the idle fetching asks for: a group of 500 has 150 KB.
const GROUPS_AT_A_TIME: usize = 10;

/// How long to leave the service alone between two calls of the idle fetching.
const IDLE_FETCH_PAUSE: Duration = Duration::from_secs(15);

/// How much of the contact list was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contacts {
    All,
    /// Some pages could not be read, or there are too many.
    Some,
}

/// Data that was fetched and not handed out yet.
#[derive(Debug)]
pub(super) struct Pending {
    synced: Synced,
    /// Names of the service to ask about before the events can be translated.
    ask: Vec<String>,
    tries: u32,
    since: Instant,
}

/// Names that were asked about lately. The service does not know some of them, and a flood of their messages must not
/// become a flood of calls.
#[derive(Debug, Default)]
pub(super) struct AskedFor(VecDeque<(String, Instant)>);

impl AskedFor {
    const KEPT: usize = 500;
    const LATELY: Duration = Duration::from_secs(5);

    /// In this time a list of members is asked for so often at the most, however many unknown people speak.
    const MOST_LATELY: usize = 3;

    fn note(&mut self, names: &[String]) {
        let now = Instant::now();
        self.0.retain(|(_, asked)| now.duration_since(*asked) < Self::LATELY);
        self.0.extend(names.iter().map(|name| (name.clone(), now)));
        let surplus = self.0.len().saturating_sub(Self::KEPT);
        self.0.drain(..surplus);
    }

    /// The contacts to ask about, out of all needed. A new member of a group may have joined since the group was asked
    /// about.
    fn choose(&mut self, needs: Vec<Need>) -> Vec<String> {
        let mut ask = Vec::new();
        for Need { name, unknown } in needs {
            let speakers: Vec<String> =
                unknown.iter().map(|sender| format!("{name} {sender}")).collect();
            let newcomers = speakers.iter().any(|speaker| self.lately(speaker) == 0);
            if self.lately(&name) == 0 || (newcomers && self.lately(&name) < Self::MOST_LATELY) {
                self.note(&speakers);
                ask.push(name);
            }
        }
        ask
    }

    /// How often that was asked about lately.
    fn lately(&self, name: &str) -> usize {
        let is_recent = |asked: &Instant| asked.elapsed() < Self::LATELY;
        self.0.iter().filter(|(known, asked)| known == name && is_recent(asked)).count()
    }
}

/// Groups that are known by name only, to be asked about when there is time.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    groups: VecDeque<String>,
    not_before: Option<Instant>,
}

impl Wanted {
    /// More are not remembered; a group is asked about anyway when a member writes in it.
    const MOST: usize = 500;

    fn add(&mut self, user_name: &str) {
        if self.groups.len() < Self::MOST && !self.groups.iter().any(|known| known == user_name) {
            self.groups.push_back(user_name.to_owned());
        }
    }

    fn next(&mut self) -> Vec<String> {
        let due = self.not_before.is_none_or(|moment| moment <= Instant::now());
        let many = if due { self.groups.len().min(GROUPS_AT_A_TIME) } else { 0 };
        self.groups.iter().take(many).cloned().collect()
    }

    fn done(&mut self, asked: &[String]) {
        self.groups.retain(|group| !asked.contains(group));
        self.not_before = Some(Instant::now() + IDLE_FETCH_PAUSE);
    }
}

impl WebWxSource {
    // -- After a login, or with a stored session.

    pub(super) async fn init(&mut self, fresh: bool) -> Result<(), Trouble> {
        let init = self.shared.client.init().await?;
        self.network.succeed();
        self.too_frequent.succeed();
        let time = (init.system_time > 0).then(|| Timestamp::from_secs(init.system_time));
        self.clock.set(time, self.shared.client.clock_ahead(), self.shared.clock.now());
        self.shared.set_invite_start(init.invite_start_count);
        let fresh = self.take_in(&init, fresh);
        self.stage = Stage::Announce { fresh };
        Ok(())
    }

    /// A machine without a clock of its own gets the time only after its start: until then all ages would be wrong.
    fn watch_clock(&mut self) {
        let local = self.shared.clock.now();
        if let Some(change) = self.clock.watch(self.shared.client.clock_ahead(), local) {
            tracing::warn!(seconds = change / 1000, "a clock was set, here or at the service");
        }
    }

    /// Takes in who the account is and whom it talked to. Returns whether all names are new.
    fn take_in(&mut self, init: &Init, fresh: bool) -> bool {
        let now = self.service_time();
        let mut directory = self.shared.directory();
        // A session whose own user name changed is always another login.
        let fresh = fresh || directory.me().user_name != init.user.user_name;
        if fresh {
            directory.begin_login(&init.user);
        } else {
            directory.set_me(&init.user);
        }
        let groups: Vec<Contact> =
            init.contact_list.iter().filter(|contact| contact.is_group()).cloned().collect();
        if !fresh {
            directory.learn_groups(&groups, now);
        }
        drop(directory);
        let named = groups.iter().map(|group| group.user_name.as_str());
        for group in named.chain(init.chat_set.split(',')).filter(|name| is_group(name)) {
            self.wanted.add(group);
        }
        let first = if fresh { init.contact_list.as_slice() } else { &[] };
        self.first_contacts = first.iter().cloned().map(Listed::from).collect();
        fresh
    }

    pub(super) async fn announce(&mut self, fresh: bool) -> Result<(), Trouble> {
        // Also where the answer is that the session is over: the calls that read tell whether it is.
        if let Err(error) = self.shared.client.notify(&Notify::Ready).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the phone was not notified of this session"
            );
        }
        if fresh {
            let gathered = std::mem::take(&mut self.first_contacts);
            self.stage = Stage::Contacts { seq: 0, gathered };
        } else {
            self.go_online();
        }
        Ok(())
    }

    pub(super) async fn read_contacts(&mut self) -> Result<(), Trouble> {
        let Stage::Contacts { seq, .. } = &self.stage else { return Ok(()) };
        let asked = *seq;
        let client = &self.shared.client;
        let failed = self.network.failures() + self.too_frequent.failures();
        let word = || {
            tracing::warn!(
                page = self.pages + 1,
                longest_silence = ?client.longest_silence(Call::GetContact),
                tries_left = CONTACT_TRIES.saturating_sub(failed),
                "logged in; the contact list has not come yet, and the account is online when it has. A page is asked \
                 for again after the longest silence; when no try is left, the account goes online without the list"
            );
        };
        let page = in_time_or(LONG_PAGE, word, client.contact_page(asked)).await?;
        self.network.succeed();
        self.pages += 1;
        let Stage::Contacts { seq, gathered } = &mut self.stage else { return Ok(()) };
        gathered.extend(page.member_list);
        if page.seq == 0 || page.seq == asked {
            self.know_contacts(Contacts::All);
        } else if self.pages >= MOST_PAGES {
            self.know_contacts(Contacts::Some);
        } else {
            *seq = page.seq;
        }
        Ok(())
    }

    /// After some failures the bot goes on with the contacts it has. Returns whether it does.
    pub(super) fn skips_contacts(&mut self, error: &CallError) -> bool {
        let failures = self.network.failures() + self.too_frequent.failures() + 1;
        let skips = matches!(self.stage, Stage::Contacts { .. }) && failures >= CONTACT_TRIES;
        if skips {
            tracing::warn!(
                error = error as &dyn std::error::Error,
                "the contact list cannot be read; people are learnt as they speak, and nicknames in the rule file mean \
                 no friend"
            );
            self.know_contacts(Contacts::Some);
        }
        skips
    }

    fn know_contacts(&mut self, read: Contacts) {
        let Stage::Contacts { gathered, .. } = std::mem::replace(&mut self.stage, Stage::Sync)
        else {
            return;
        };
        self.pages = 0;
        let now = self.service_time();
        let (groups, mut people) = unique(gathered);
        let mut directory = self.shared.directory();
        people.retain(|(user_name, _)| !directory.is_me(user_name));
        directory.learn_contact_list(people);
        directory.learn_groups(&groups, now);
        if read == Contacts::Some {
            directory.contacts_are_partial();
        }
        directory.end_login();
        drop(directory);
        self.go_online();
    }

    fn go_online(&mut self) {
        self.online_since = Some(Instant::now());
        self.told_offline = false;
        self.shared.set_online(true);
        self.give(Vec::new());
        self.say_online();
        self.stage = Stage::Sync;
    }

    // -- Reading.

    pub(super) async fn sync(&mut self) -> Result<(), Trouble> {
        let doubts = self.shared.doubts();
        let synced = self.shared.client.sync().await?;
        if self.shared.settle_doubts(doubts) {
            tracing::info!("the session goes on");
        }
        match self.poll_failed {
            true => self.is_back(),
            false => self.succeed(),
        }
        self.proven = true;
        self.watch_clock();
        for notice in synced
            .add_msg_list
            .iter()
            .filter(|message| message.msg_type == message_type::STATUS_NOTIFY)
        {
            for name in conversations(notice).filter(|name| is_group(name)) {
                if !self.shared.directory().knows_group(name) {
                    self.wanted.add(name);
                }
            }
        }
        let needs = needs::of(&synced, &self.shared.directory(), self.service_time());
        let ask = self.asked_for.choose(needs);
        self.stage =
            Stage::Translate(Box::new(Pending { synced, ask, tries: 0, since: Instant::now() }));
        Ok(())
    }

    /// Asks about people and groups that the events need, a few times at most; then hands the events out.
    pub(super) async fn translate(&mut self) -> Result<(), Trouble> {
        let Stage::Translate(pending) = &self.stage else { return Ok(()) };
        let patient = pending.tries < 3 && pending.since.elapsed() < PATIENCE_FOR_NAMES;
        if !pending.ask.is_empty() && patient {
            let ask = pending.ask.clone();
            let left = PATIENCE_FOR_NAMES.saturating_sub(pending.since.elapsed());
            match tokio::time::timeout(left, self.fetch(&ask)).await {
                Ok(answer) => self.asked(answer),
                Err(_) => tracing::debug!("members did not come in time"),
            }
            self.asked_for.note(&ask);
            return Ok(());
        }
        self.hand_out();
        Ok(())
    }

    fn asked(&mut self, answer: Result<(), CallError>) {
        let Stage::Translate(pending) = &mut self.stage else { return };
        pending.tries += 1;
        let Err(error) = answer else {
            pending.ask.clear();
            return;
        };
        tracing::debug!(error = &error as &dyn std::error::Error, "members could not be fetched");
        if error.is_retryable() && !error.is_too_frequent() {
            let wait = Duration::from_millis(200 << pending.tries.min(4));
            self.wait(wait);
        } else {
            pending.ask.clear();
        }
    }

    fn hand_out(&mut self) {
        let Stage::Translate(pending) = std::mem::replace(&mut self.stage, Stage::Poll) else {
            return;
        };
        let synced = pending.synced;
        let names = self.shared.names.names();
        let shared = &self.shared;
        let is_echo = |id: &str| shared.is_echo(id);
        let now = self.service_time();
        let mut directory = shared.directory();
        let mut translator =
            Translator { directory: &mut directory, names: &names, is_echo: &is_echo, now };
        let news = translator.translate(&synced);
        drop(directory);
        let mut throttled = Vec::new();
        if news.throttled {
            let wait = self.shared.throttled();
            tracing::warn!(?wait, "the service says that the account sends too often");
            // The service names no time: the pause of the outbox grows by its own steps.
            throttled.push(Throttled { pause: None });
        }
        self.unread_joins.warn_of(&news.unread_joins);
        self.note_friendships(&news.events);
        let moved = self.shared.client.advance(&synced);
        if moved || !news.events.is_empty() || !throttled.is_empty() {
            self.give_news(news.events, throttled);
        }
        self.after_sync(&synced, moved);
    }

    /// Nothing is sent for a while to people who turn out not to be friends; a person who writes is a friend.
    fn note_friendships(&self, events: &[Event]) {
        for event in events {
            let Some(chat) = event.chat().filter(|chat| !chat.is_group()) else { continue };
            match &event.body {
                EventBody::Message(message) if message.origin == Origin::Person => {
                    self.shared.note_reachable(&chat.id);
                }
                EventBody::Notice(notice) => match &notice.kind {
                    NoticeKind::Raw { kind, .. } if kind == BEFRIENDED => {
                        self.shared.note_reachable(&chat.id);
                    }
                    NoticeKind::Raw { kind, .. } if kind == NO_FRIEND => {
                        tracing::warn!(chat = %chat.id, "the service says that nothing reaches this chat: its person is not a friend");
                        self.shared.note_unreachable(&chat.id);
                    }
                    _ => {}
                },
                _ => {}
            }
        }
    }

    /// More is fetched at once; but a service that promises news and brings none is asked less and less often.
    pub(super) fn after_sync(&mut self, synced: &Synced, moved: bool) {
        if moved && synced.brings_something() {
            self.empty_syncs.succeed();
            self.hurried.succeed();
        } else {
            let wait = self.empty_syncs.fail();
            if self.empty_syncs.failures() > EMPTY_SYNCS {
                self.wait(wait);
            }
        }
        self.stage = if moved && synced.has_more() { Stage::Sync } else { Stage::Poll };
    }

    pub(super) async fn poll(&mut self) -> Result<(), Trouble> {
        let groups = self.wanted.next();
        if !groups.is_empty() {
            let answer = self.fetch(&groups).await;
            self.wanted.done(&groups);
            if let Err(error) = answer {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "groups could not be fetched"
                );
            }
        }
        let asked = Instant::now();
        let shared = &self.shared;
        let news = tokio::select! {
            biased;
            () = shared.until_doubted() => return Ok(()),
            news = shared.client.sync_check() => news,
        };
        match news {
            Ok(webwx::News::Some { .. }) => self.stage = Stage::Sync,
            Ok(webwx::News::None) => {
                self.empty_syncs.succeed();
                self.give_renewed();
                self.do_not_hurry(asked);
            }
            // On the way through the internet a long poll breaks off now and then.
            Err(error) if is_broken_poll(&error) && asked.elapsed() > Duration::from_secs(10) => {
                self.stage = Stage::Sync;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
        self.succeed();
        Ok(())
    }

    /// Asks the service about groups and people and takes in the answers.
    async fn fetch(&self, user_names: &[String]) -> Result<(), CallError> {
        let wanted: Vec<webwx::Wanted> = user_names.iter().map(webwx::Wanted::contact).collect();
        let contacts = self.shared.client.batch_contacts(&wanted).await.inspect_err(|error| {
            if error.is_session_over() {
                self.shared.doubt_session();
            }
        })?;
        let now = self.service_time();
        let (groups, people): (Vec<Contact>, Vec<Contact>) = contacts
            .into_iter()
            .filter(|contact| !contact.user_name.is_empty())
            .partition(Contact::is_group);
        let mut directory = self.shared.directory();
        directory.learn_groups(&groups, now);
        for person in people.iter().filter(|person| !person.nick_name.is_empty()) {
            if !directory.is_me(&person.user_name) {
                directory.learn_person(&person.user_name, Facts::of(person));
            }
        }
        Ok(())
    }
}

/// Waits for a call. If it takes longer than this, `word` is called once.
async fn in_time_or<T>(longest: Duration, word: impl FnOnce(), call: impl Future<Output = T>) -> T {
    let mut call = std::pin::pin!(call);
    if let Ok(answer) = tokio::time::timeout(longest, call.as_mut()).await {
        return answer;
    }
    word();
    call.await
}

fn is_broken_poll(error: &CallError) -> bool {
    matches!(error.failure, webwx::Failure::TimedOut | webwx::Failure::Interrupted(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(name: &str, unknown: &[&str]) -> Vec<Need> {
        let unknown = unknown.iter().map(|name| (*name).to_owned()).collect();
        vec![Need { name: name.to_owned(), unknown }]
    }

    #[tokio::test(start_paused = true)]
    async fn a_contact_list_that_hangs_is_named_while_it_is_waited_for() {
        for (seconds, named) in [(9, 0), (60, 1)] {
            let mut words = 0;
            let call = tokio::time::sleep(Duration::from_secs(seconds));
            let begun = Instant::now();
            in_time_or(LONG_PAGE, || words += 1, call).await;
            assert_eq!((begun.elapsed().as_secs(), words), (seconds, named));
        }
    }

    #[test]
    fn somebody_new_who_speaks_is_asked_about_though_the_group_was_just_asked_about() {
        let mut asked = AskedFor::default();
        let mut ask = |name: &str, unknown: &[&str]| {
            let chosen = asked.choose(need(name, unknown));
            asked.note(&chosen);
            chosen.len()
        };
        assert_eq!(ask("@@g", &[]), 1);
        assert_eq!(ask("@@g", &[]), 0, "asked about just now");
        assert_eq!(ask("@@g", &["@a"]), 1, "but somebody else speaks");
        assert_eq!(ask("@@g", &["@a"]), 0, "of whom nothing can be learnt");
        assert_eq!(ask("@@g", &["@a", "@b"]), 1);
        assert_eq!(ask("@@g", &["@c"]), 0, "a crowd of unknown people is no flood of calls");
        assert_eq!(ask("@@h", &["@c"]), 1);
    }
}
