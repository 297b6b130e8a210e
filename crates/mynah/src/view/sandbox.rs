//! The sandbox as a chat in the browser: its data comes from the sandbox, the bot and the rule file.

mod page;
mod reload;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use mynah_core::{CalledBy, Clock, Event, EventBody, EventId, EventKind, Timestamp};
use mynah_page::RejectedFile;
use mynah_page::sandbox::{PageAction, Save};
use mynah_page::view::{Checked, CreatedChat, LastRow, MessageRow, News, Problem};
use mynah_rules::{Disk, Files as _, Lang, Loaded, RuleBook};
use mynah_runtime::Control;
use mynah_sandbox::{MessageView, Sandbox, SandboxAction, SandboxActionKind, SandboxEvent};
use mynah_transports::Connector;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, broadcast};

use super::clock::AheadClock;
use super::draft::{self, Draft};
use super::recorder::EventRecorder;
use crate::rule_file::Mistakes;
use crate::rule_handler::ActiveRules;
use crate::{Bot, rule_file};

/// News that may wait for a slow browser; one that misses some reads everything again.
const WAITING: usize = 1024;

/// The sandbox and its bot, as the page sees them.
pub(crate) struct SandboxView {
    /// The service.
    pub(crate) sandbox: Arc<Sandbox>,
    /// The bot's handlers.
    pub(crate) bot: Bot,
    /// The service that the rules are judged for, if the command line names one.
    pub(crate) judged_for: Option<&'static dyn Connector>,
    /// The main rule file.
    pub(crate) main: PathBuf,
    /// The rules that turns begin with.
    pub(crate) active_rules: Arc<ActiveRules>,
    /// The names by which the bot is called.
    pub(crate) called_by: CalledBy,
    /// The running account.
    pub(crate) control: Control,
    /// The clock of the bot.
    pub(crate) clock: Arc<AheadClock>,
    /// Whether the rule file could be used.
    pub(crate) rules: Arc<FileState>,
    /// Whether the settings could be used.
    pub(crate) settings: Arc<FileState>,
    /// Notified when new rules answer.
    pub(crate) swapped: Arc<Notify>,
    /// Which run of the program this is.
    pub(crate) run: String,
    /// Who knows why.
    pub(crate) recorder: Arc<EventRecorder>,
    /// The group to open first.
    pub(crate) room: String,
    /// The language of diagnostics.
    pub(crate) lang: Lang,
    /// The channel of news.
    pub(crate) news: broadcast::Sender<Arc<News>>,
}

/// Whether a file of the sandbox could be used when it was read last.
#[derive(Debug, Default)]
pub(crate) struct FileState(Mutex<Option<RejectedFile>>);

impl FileState {
    /// The mistakes of the file, until they are corrected.
    pub(crate) fn get(&self) -> Option<RejectedFile> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The file was read: with these mistakes, or with none.
    pub(crate) fn rejected(&self, mistakes: Option<Mistakes>, now: Timestamp) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.take().map(|before| before.since);
        *state = mistakes.map(|mistakes| {
            let rejected = mistakes.rejected(now);
            RejectedFile { since: before.unwrap_or(rejected.since), ..rejected }
        });
    }
}

/// The channel of news.
pub(crate) fn news() -> broadcast::Sender<Arc<News>> {
    broadcast::channel(WAITING).0
}

impl SandboxView {
    /// Sends the events of the sandbox to the page, until it ends.
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
                // Fails if no page is open, which is fine.
                let _ = self.news.send(Arc::new(news));
            }
        }
    }

    fn message_news(&self, id: &str, known: bool) -> Option<News> {
        let row = row(self.sandbox.message(id)?);
        Some(News::Message { message: MessageRow { known, ..row } })
    }

    /// A message with the cause for which the bot sent it.
    fn known_row(&self, said: MessageView) -> MessageRow {
        let row = row(said);
        let cause = self.recorder.cause(&row.id).filter(|_| row.mine);
        MessageRow { cause, ..row }
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

    fn send(&self, chat: &str, from: String, kind: SandboxActionKind) -> Result<(), Problem> {
        self.act(from, self.group(chat)?, kind)
    }

    fn perform(&self, action: PageAction) -> Result<CreatedChat, Problem> {
        let PageAction { what, chat, from, name, text, message } = action;
        let (from, group, kind) = match what.as_str() {
            "person" => (name.clone(), None, SandboxActionKind::NewPerson { friend: true }),
            "group" => (
                String::new(),
                Some(name.clone()),
                SandboxActionKind::NewGroup { members: self.founders() },
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
        Ok(CreatedChat { chat: made.map(|(id, ..)| id) })
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
                target: self.sandbox.state(None, None, 0).me.name,
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
    fn founders(&self) -> Vec<String> {
        let chats = self.sandbox.state(None, None, 0).chats.into_iter();
        chats.filter(|chat| chat.kind != "group").map(|chat| chat.name).take(2).collect()
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
        let draft = Draft { main: &self.main, text };
        rule_file::load_to_try(&self.main, &draft, &self.bot, self.judged_for)
    }

    /// Writes the rule file and lets the bot work by it. A text with mistakes is written only if that is asked for.
    async fn write(&self, save: Save) -> Result<Checked, Problem> {
        let Save { text, was, anyway, lang } = save;
        let lang = self.lang_of(&lang);
        if let Some(was) = was
            && self.read()? != was
        {
            return Err(Problem::Changed);
        }
        let loaded = self.load(&text);
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
        draft::replace(&self.main, &text).map_err(|error| {
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
        self.active_rules.store(book);
        self.rules.rejected(None, self.clock.now());
        self.swapped.notify_one();
        let now = self.clock.now();
        let id = EventId::new(format!("started:page:{}", now.as_millis()));
        let event = Event { id, time: now, body: EventBody::Started };
        self.control.inject(vec![event]).await.map_err(|_| gone())
    }
}

fn row(said: MessageView) -> MessageRow {
    MessageRow {
        media: said.media.map(|_| format!("/api/media/{}", said.id)),
        kind: if said.from.is_empty() { "system" } else { said.kind },
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

fn last_row(said: &MessageView) -> LastRow {
    LastRow {
        from: said.from_name.clone(),
        mine: said.mine,
        text: said.text.clone(),
        kind: said.kind,
        time: millis(said.time),
    }
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
