//! The sandbox as a chat in the browser: what it shows comes from the sandbox, the bot and the rule file.

mod reload;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use mynah_core::{Clock, Event, EventBody, EventId, EventKind, Timestamp};
use mynah_page::RejectedRules;
use mynah_page::view::{
    BotRow, Call, ChatRow, Checked, Deed as PageDeed, LastRow, MessagePage, MessageRow, News,
    Problem, Session, TestDraft, TestLine, TestPlayed, View,
};
use mynah_rules::{Disk, Files, Lang, Loaded, RuleBook};
use mynah_runtime::Control;
use mynah_sandbox::{Fault, Sandbox, SandboxAction, SandboxActionKind, SandboxEvent};
use mynah_transports::webwx::CalledBy;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::clock::AheadClock;
use super::draft::{self, Draft};
use super::onlooker::Onlooker;
use super::transcript::{self, Entry};
use crate::qr::Qr;
use crate::rule_file::Mistakes;
use crate::rule_handler::Shelf;
use crate::{Bot, rule_file};

/// Messages of one page of a conversation.
const PAGE: usize = 100;

/// Messages among which the last one of each chat is looked for.
const RECENT: usize = 1000;

/// Lines of a conversation that a test is made of at most.
const TEST: usize = 200;

/// News that may wait for a slow browser; one that misses some reads everything again.
const WAITING: usize = 1024;

/// The sandbox and its bot, as the page sees them.
pub(crate) struct SandboxView {
    /// The service.
    pub(crate) sandbox: Arc<Sandbox>,
    /// The bot's handlers.
    pub(crate) bot: Bot,
    /// The main rule file.
    pub(crate) main: PathBuf,
    /// Where the book lies that turns begin with.
    pub(crate) shelf: Arc<Shelf>,
    /// The names by which the bot is called.
    pub(crate) called_by: CalledBy,
    /// The running account.
    pub(crate) control: Control,
    /// The clock of the bot.
    pub(crate) clock: Arc<AheadClock>,
    /// Whether the rule file could be used.
    pub(crate) rules: Arc<RulesState>,
    /// Which run of the program this is.
    pub(crate) run: String,
    /// Who knows why.
    pub(crate) onlooker: Arc<Onlooker>,
    /// The group to open first.
    pub(crate) room: String,
    /// The language of diagnostics.
    pub(crate) lang: Lang,
    /// Where news are told.
    pub(crate) news: broadcast::Sender<Arc<News>>,
}

/// Whether the rule file of the sandbox could be used when it was read last.
#[derive(Debug, Default)]
pub(crate) struct RulesState(Mutex<Option<RejectedRules>>);

impl RulesState {
    /// What is wrong with the file, until it is mended.
    pub(crate) fn get(&self) -> Option<RejectedRules> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The file was read: with these mistakes, or with none.
    pub(crate) fn rejected(&self, mistakes: Option<Mistakes>, now: Timestamp) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now.as_millis().div_euclid(1000);
        let since = state.as_ref().map_or(now, |before| before.since);
        *state = mistakes.map(|mistakes| {
            let Mistakes { file, line, count, report } = mistakes;
            RejectedRules { file, line, mistakes: count, report, since }
        });
    }
}

/// A text to be written as the rule file.
struct Change<'a> {
    text: &'a str,
    /// The text it replaces; with another one in the file, nothing is written.
    was: Option<&'a str>,
    /// Write it although it has mistakes.
    anyway: bool,
}

/// Where news are told.
pub(crate) fn news() -> broadcast::Sender<Arc<News>> {
    broadcast::channel(WAITING).0
}

/// The state of the sandbox, as far as the page needs it.
#[derive(Deserialize)]
struct World {
    me: Somebody,
    login: Option<Login>,
    chats: Vec<Room>,
    people: Vec<Somebody>,
    messages: Vec<Said>,
}

#[derive(Deserialize)]
struct Somebody {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Login {
    state: String,
    link: String,
}

#[derive(Deserialize)]
struct Room {
    id: String,
    name: String,
    kind: String,
    members: Vec<Somebody>,
    unread: u32,
}

#[derive(Deserialize)]
struct Said {
    id: String,
    chat: String,
    from: String,
    from_name: String,
    mine: bool,
    kind: String,
    text: String,
    time: f64,
    recalled: bool,
    media: Option<String>,
}

impl SandboxView {
    /// Tells the page what happens in the sandbox, until it ends.
    pub(crate) async fn tell(self: Arc<Self>) {
        let mut happenings = self.sandbox.events();
        loop {
            let news = match happenings.recv().await {
                Ok(SandboxEvent::Message { id, .. }) => self.message_news(&id, false),
                Ok(SandboxEvent::Sent(sent)) => self.message_news(&sent.id, false),
                Ok(SandboxEvent::Recalled { id }) => self.message_news(&id, true),
                Ok(SandboxEvent::Login { .. }) => Some(News::Status),
                Ok(SandboxEvent::People) | Err(RecvError::Lagged(_)) => Some(News::Chats),
                Ok(_) => None,
                Err(RecvError::Closed) => return,
            };
            if let Some(news) = news {
                // Nobody looks at the page: fine.
                let _ = self.news.send(Arc::new(news));
            }
        }
    }

    fn world(
        &self,
        chat: Option<&str>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<World, Problem> {
        serde_json::from_value(self.sandbox.state(chat, before, limit)).map_err(|error| {
            Problem::Refused(format!("the sandbox says something unknown: {error}"))
        })
    }

    fn message_news(&self, id: &str, known: bool) -> Option<News> {
        let said: Said = serde_json::from_value(self.sandbox.message(id)?).ok()?;
        let mut message = self.row(said);
        message.known = known;
        Some(News::Message { message })
    }

    fn row(&self, said: Said) -> MessageRow {
        MessageRow {
            media: said.media.map(|_| format!("/api/media/{}", said.id)),
            kind: if said.from.is_empty() { "system".to_owned() } else { said.kind },
            id: said.id,
            chat: said.chat,
            from: said.from_name,
            mine: said.mine,
            text: said.text,
            time: millis(said.time),
            recalled: said.recalled,
            cause: None,
            known: false,
        }
    }

    /// A message with what made the bot say it.
    fn known_row(&self, said: Said) -> MessageRow {
        let row = self.row(said);
        let cause = self.onlooker.cause(&row.id).filter(|_| row.mine);
        MessageRow { cause, ..row }
    }

    fn session(&self) -> Result<Session, Problem> {
        let world = self.world(None, None, 0)?;
        let names = self.shelf.load();
        let name = names.names().first().cloned().unwrap_or(world.me.name);
        let chat =
            world.chats.iter().find(|chat| chat.name == self.room).map(|chat| chat.id.clone());
        Ok(Session {
            mode: "sandbox",
            bot: BotRow { name },
            file: self.main.file_name().map(|name| name.to_string_lossy().into_owned()),
            chat,
            now: self.clock.now().as_millis(),
            run: self.run.clone(),
            rejected_rules: self.rules.get().map(Into::into),
        })
    }

    fn chats(&self) -> Result<Vec<ChatRow>, Problem> {
        let World { me, chats, people, messages, .. } = self.world(None, None, RECENT)?;
        // Later messages take the place of earlier ones.
        let mut last: BTreeMap<&str, &Said> =
            messages.iter().map(|said| (said.chat.as_str(), said)).collect();
        let rows = chats.iter().map(|chat| {
            let group = chat.kind == "group";
            let speakers = if group { &chat.members } else { &people };
            let may_speak = |one: &&Somebody| one.id != me.id && (group || one.id == chat.id);
            ChatRow {
                people: speakers.iter().filter(may_speak).map(|one| one.name.clone()).collect(),
                last: last.remove(chat.id.as_str()).map(last_row),
                id: chat.id.clone(),
                name: chat.name.clone(),
                group,
                unread: chat.unread,
            }
        });
        Ok(rows.collect())
    }

    fn messages(&self, chat: &str, before: Option<&str>) -> Result<MessagePage, Problem> {
        let before = before.and_then(|before| before.parse().ok());
        let mut world = self.world(Some(chat), before, PAGE + 1)?;
        let more = world.messages.len() > PAGE;
        if more {
            world.messages.remove(0);
        }
        Ok(MessagePage {
            messages: world.messages.into_iter().map(|said| self.known_row(said)).collect(),
            more,
        })
    }

    /// The name of a group, or `None` for a private chat.
    fn group(&self, chat: &str) -> Result<Option<String>, Problem> {
        let found = self.sandbox.chat(chat);
        let (_, name, is_group) =
            found.ok_or_else(|| Problem::NotFound("there is no such chat".to_owned()))?;
        Ok(is_group.then_some(name))
    }

    fn act(
        &self,
        from: String,
        group: Option<String>,
        kind: SandboxActionKind,
    ) -> Result<(), Problem> {
        let act = SandboxAction { from, group, kind };
        self.sandbox.act(act).map(|_| ()).map_err(|error| Problem::Refused(error.to_string()))
    }

    fn send(&self, chat: &str, from: String, kind: SandboxActionKind) -> Result<Value, Problem> {
        self.act(from, self.group(chat)?, kind).map(|()| Value::Null)
    }

    fn deed(&self, deed: PageDeed) -> Result<Value, Problem> {
        let PageDeed { what, chat, from, name, text, message } = deed;
        let (from, group, kind) = match what.as_str() {
            "person" => (name.clone(), None, SandboxActionKind::NewPerson { friend: true }),
            "group" => (
                String::new(),
                Some(name.clone()),
                SandboxActionKind::NewGroup { members: self.founders()? },
            ),
            other => {
                let kind = EventKind::from_word(other)
                    .ok_or_else(|| Problem::Refused(format!("`{other}` is not an action here")))?;
                let group =
                    if kind == EventKind::FriendRequest { None } else { self.group(&chat)? };
                let who = if matches!(kind, EventKind::Join | EventKind::FriendRequest) {
                    name.clone()
                } else {
                    from
                };
                (who, group, self.event(kind, name.clone(), text, message)?)
            }
        };
        self.act(from, group, kind)?;
        let is_new = matches!(what.as_str(), "person" | "group");
        let made = is_new.then(|| self.sandbox.chat(&name)).flatten();
        Ok(json!({ "chat": made.map(|(id, ..)| id) }))
    }

    /// The action by which an event of that kind comes about.
    fn event(
        &self,
        kind: EventKind,
        name: String,
        text: String,
        message: String,
    ) -> Result<SandboxActionKind, Problem> {
        Ok(match kind {
            EventKind::Join => SandboxActionKind::Join { by: None },
            EventKind::Leave => SandboxActionKind::Leave,
            EventKind::Rename => SandboxActionKind::Rename { name },
            EventKind::Pat => SandboxActionKind::Pat {
                target: self.world(None, None, 0)?.me.name,
                suffix: String::new(),
            },
            EventKind::Recall => SandboxActionKind::Recall {
                id: Some(message).filter(|message| !message.is_empty()),
            },
            EventKind::RedPacket => SandboxActionKind::RedPacket,
            EventKind::FriendRequest => SandboxActionKind::FriendRequest { text },
        })
    }

    /// Two friends for a new group: alone with the bot it would be none.
    fn founders(&self) -> Result<Vec<String>, Problem> {
        let world = self.world(None, None, 0)?;
        Ok(world
            .chats
            .into_iter()
            .filter(|chat| chat.kind != "group")
            .map(|chat| chat.name)
            .take(2)
            .collect())
    }

    /// Moves the clocks of bot and sandbox ahead.
    pub(crate) async fn advance(&self, by: Duration) -> Result<Value, Problem> {
        self.clock.advance(by);
        self.sandbox.advance(by);
        self.control.release(Vec::new(), Vec::new()).await.map_err(|_| gone())?;
        let now = self.clock.now().as_millis();
        let _ = self.news.send(Arc::new(News::Clock { now }));
        Ok(Value::Null)
    }

    /// The language that the page asks for, else that of the program.
    fn lang_of(&self, wanted: &str) -> Lang {
        Lang::from_code(wanted).unwrap_or(self.lang)
    }

    fn read(&self) -> Result<String, Problem> {
        Disk.read(&self.main).map_err(|error| {
            Problem::Refused(format!("{} cannot be read: {error}", self.main.display()))
        })
    }

    /// Loads a text as if it were the rule file.
    fn load(&self, text: &str) -> Loaded {
        rule_file::load_to_try(&self.main, &Draft { main: &self.main, text }, &self.bot)
    }

    fn check(&self, text: &str, lang: Lang) -> Checked {
        Checked { diagnostics: draft::diagnostics(&self.load(text), lang), ..Checked::default() }
    }

    /// Writes the rule file and lets the bot work by it. A text with mistakes is written only if that is asked for.
    async fn save(&self, change: Change<'_>, lang: Lang) -> Result<Checked, Problem> {
        let Change { text, was, anyway } = change;
        if let Some(was) = was
            && self.read()? != was
        {
            return Err(Problem::Changed);
        }
        let loaded = self.load(text);
        let mistakes = rule_file::mistakes(&loaded, &self.bot, lang).await;
        let mut checked = Checked {
            diagnostics: draft::diagnostics(&loaded, lang),
            mistakes: mistakes.as_ref().map_or(0, |mistakes| mistakes.count),
            // The diagnostics say it already, where there are any.
            report: mistakes.as_ref().filter(|_| loaded.book.is_some()).map(|it| it.report.clone()),
            ..Checked::default()
        };
        if mistakes.is_some() && !anyway {
            return Ok(checked);
        }
        draft::replace(&self.main, text).map_err(|error| {
            Problem::Refused(format!("{} cannot be written: {error}", self.main.display()))
        })?;
        checked.saved = true;
        match (loaded.book, mistakes) {
            (Some(book), None) => {
                self.take_over(book).await?;
                checked.reloaded = true;
            }
            (_, mistakes) => self.rules.rejected(mistakes, self.clock.now()),
        }
        let _ = self.news.send(Arc::new(News::Reloaded));
        Ok(checked)
    }

    /// Lets the bot work by these rules from the next turn on.
    async fn take_over(&self, book: Arc<RuleBook>) -> Result<(), Problem> {
        self.called_by.replace(book.names().iter().cloned());
        self.shelf.store(book);
        self.rules.rejected(None, self.clock.now());
        let now = self.clock.now();
        let id = EventId::new(format!("started:page:{}", now.as_millis()));
        let event = Event { id, time: now, body: EventBody::Started };
        self.control.inject(vec![event]).await.map_err(|_| gone())
    }

    /// The conversation of a chat as a test, from the line `first` to the line `last`.
    fn draft_test(
        &self,
        chat: &str,
        first: Option<&str>,
        last: Option<&str>,
    ) -> Result<TestDraft, Problem> {
        let said = self.world(Some(chat), None, TEST)?.messages;
        let messages: Vec<String> = said.into_iter().map(|said| said.id).collect();
        let mut entries = self.onlooker.conversation(&messages);
        entries.drain(..entries.len().saturating_sub(TEST));
        let at = |id: Option<&str>| entries.iter().position(|entry| Some(entry.id.as_str()) == id);
        let from = at(first).unwrap_or(0);
        let to = at(last).map_or(entries.len(), |last| last + 1).max(from);
        let text = match &entries[from..to] {
            [] => String::new(),
            wanted => {
                let (_, name, _) = self.sandbox.chat(chat).unwrap_or_default();
                transcript::to_test(&name, wanted, self.shelf.load().zone())
            }
        };
        let line = |entry: &Entry| TestLine {
            id: entry.id.clone(),
            time: entry.time,
            label: entry.label(),
        };
        Ok(TestDraft { lines: entries.iter().map(line).collect(), text })
    }

    /// Plays a test. One that fails is written only on purpose: with it in the file the bot does not load its rules again.
    async fn play_test(&self, test: &str, anyway: bool, lang: Lang) -> Result<TestPlayed, Problem> {
        let before = self.read()?;
        let text = format!("{before}\n{}\n", test.trim_end());
        let mistakes = rule_file::mistakes(&self.load(&text), &self.bot, lang).await;
        let passes = mistakes.is_none();
        let report = mistakes.map(|mistakes| mistakes.report).unwrap_or_default();
        let change = Change { text: &text, was: Some(&before), anyway };
        let saved = (passes || anyway) && self.save(change, lang).await?.saved;
        Ok(TestPlayed { passes, saved, report })
    }

    async fn login(&self) -> Result<Value, Problem> {
        let pace = self.control.pace().await;
        let online = self.sandbox.is_online();
        let login = self.world(None, None, 0)?.login.filter(|_| !online);
        let is_open = |login: &&Login| matches!(login.state.as_str(), "waiting" | "scanned");
        let picture =
            login.as_ref().filter(is_open).and_then(|login| Qr::of(&login.link).ok()?.png().ok());
        Ok(json!({
            "online": online,
            "left": pace.is_err(),
            "pause": pace.ok().and_then(|pace| pace.pause).map(Timestamp::as_millis),
            "state": login.map(|login| login.state),
            "qr": picture.map(|png| format!("data:image/png;base64,{}", STANDARD.encode(png))),
        }))
    }

    async fn phone(&self, deed: &str) -> Result<Value, Problem> {
        match deed {
            "scan" => self.sandbox.login_scan().await,
            "confirm" => self.sandbox.login_confirm().await,
            "cancel" => {
                self.sandbox.login_cancel();
            }
            "logout" => {
                // Whoever logs out at the page wants to see the login, so nothing confirms itself any more.
                self.sandbox.set_auto_confirm(false);
                self.sandbox.login_logout();
            }
            other => return Err(Problem::Refused(format!("a phone cannot `{other}`"))),
        }
        Ok(Value::Null)
    }

    fn faults(&self, wanted: Value) -> Result<Value, Problem> {
        if wanted.get("clear").is_some() {
            self.sandbox.clear_faults();
            return Ok(Value::Null);
        }
        let fault: Fault =
            serde_json::from_value(wanted).map_err(|error| Problem::Refused(error.to_string()))?;
        self.sandbox.fault(fault);
        Ok(Value::Null)
    }
}

#[async_trait]
impl View for SandboxView {
    async fn answer(&self, call: Call) -> Result<Value, Problem> {
        match call {
            Call::Session => as_json(self.session()?),
            Call::Chats => as_json(self.chats()?),
            Call::Messages { chat, before } => as_json(self.messages(&chat, before.as_deref())?),
            Call::Say { chat, from, text } => {
                self.send(&chat, from, SandboxActionKind::Say { text, to: None })
            }
            Call::Picture { chat, from, name, data } => self.send(
                &chat,
                from,
                SandboxActionKind::Picture { data: Some(data), name: Some(name) },
            ),
            Call::Attachment { chat, from, name, data } => self.send(
                &chat,
                from,
                SandboxActionKind::File { data: Some(data), name: Some(name) },
            ),
            Call::Act(deed) => self.deed(deed),
            Call::Why { message, lang } => {
                let why = self.onlooker.why(&message, self.lang_of(&lang));
                as_json(why.ok_or_else(|| {
                    Problem::NotFound("the bot has not looked at this message".to_owned())
                })?)
            }
            Call::Clock { advance_ms } => self.advance(Duration::from_millis(advance_ms)).await,
            Call::File => Ok(json!({ "text": self.read()? })),
            Call::Check { text, lang } => as_json(self.check(&text, self.lang_of(&lang))),
            Call::Save { text, was, anyway, lang } => {
                let change = Change { text: &text, was: was.as_deref(), anyway };
                as_json(self.save(change, self.lang_of(&lang)).await?)
            }
            Call::DraftTest { chat, first, last } => {
                as_json(self.draft_test(&chat, first.as_deref(), last.as_deref())?)
            }
            Call::Test { text, anyway, lang } => {
                as_json(self.play_test(&text, anyway, self.lang_of(&lang)).await?)
            }
            Call::Login => self.login().await,
            Call::Phone { r#do } => self.phone(&r#do).await,
            Call::FaultsLeft => as_json(self.sandbox.faults()),
            Call::Faults(wanted) => self.faults(wanted),
            Call::Accounts
            | Call::Log
            | Call::Rules
            | Call::Queues
            | Call::KnownChats { .. }
            | Call::Mute { .. }
            | Call::Reload { .. } => Err(Problem::NotFound(
                "this is the sandbox, not the console of a running bot".to_owned(),
            )),
        }
    }

    fn follow(&self) -> broadcast::Receiver<Arc<News>> {
        self.news.subscribe()
    }

    fn media(&self, message: &str) -> Option<(&'static str, Bytes)> {
        self.sandbox.media(message)
    }
}

fn last_row(said: &Said) -> LastRow {
    LastRow {
        from: said.from_name.clone(),
        mine: said.mine,
        text: said.text.clone(),
        kind: said.kind.clone(),
        time: millis(said.time),
    }
}

fn as_json(value: impl serde::Serialize) -> Result<Value, Problem> {
    serde_json::to_value(value).map_err(|error| Problem::Refused(error.to_string()))
}

fn gone() -> Problem {
    Problem::Refused("the bot has left the sandbox".to_owned())
}

#[expect(clippy::cast_possible_truncation, reason = "moments of our time fit")]
fn millis(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

impl std::fmt::Debug for SandboxView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SandboxView").field("main", &self.main).finish_non_exhaustive()
    }
}
