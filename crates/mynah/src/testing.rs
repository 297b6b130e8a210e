//! Conversations with a whole bot, in memory, with a clock that the test moves.
//!
//! Like a `[[test]]` of `bot.toml` for rules, but for rules and handlers together: the real rules, turns, store and
//! outbox, and no network. Nothing happens between calls, so tests need not wait for anything.
//!
//! ```
//! use std::time::Duration;
//!
//! use mynah::prelude::*;
//! use mynah::testing::Conversation;
//!
//! const RULES: &str = r#"
//! [[rule]]
//! pattern = "roll {sides:int}"
//! run = "dice"
//!
//! [[rule]]
//! keyword = "price"
//! reply = "See https://example.com/price"
//! cooldown = "1m"
//! "#;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> mynah::Result<()> {
//! let dice = handler_fn(|ctx, _message| {
//!     let sides = ctx.capture("sides").unwrap_or("6").to_owned();
//!     ctx.reply(format!("one of {sides}"));
//!     Ok(Flow::Stop)
//! });
//! let bot = Bot::new().handler("dice", dice);
//! let mut talk = Conversation::with_rules(bot, RULES).await?;
//!
//! assert_eq!(talk.say("Players/Ann", "roll 20").await?, ["one of 20"]);
//! assert_eq!(talk.say("Ann", "what is the price?").await?.len(), 1);
//! assert!(talk.say("Ann", "the price!").await?.is_empty(), "its cooldown is running");
//! talk.advance(Duration::from_secs(60)).await?;
//! assert_eq!(talk.say("Ann", "price").await?, ["See https://example.com/price"]);
//! # Ok(())
//! # }
//! ```

pub(crate) mod bot_action;
pub(crate) mod cast;
pub(crate) mod clock;
pub(crate) mod files;
mod lacking;
pub(crate) mod play;
pub(crate) mod scripted_fetch;
mod service;
pub(crate) mod watcher;
pub(crate) mod why;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mynah_core::{Chat, Event, MessageKind, StoreError, Timestamp};
use mynah_rules::script::{FetchLine, ScriptEvent};
use mynah_rules::{Disk, Files, LoadOptions};

use self::bot_action::{BotAction, shown};
use self::cast::{Speaker, Spoken};
use self::files::OneFile;
use self::play::{Play, StepResult};
use self::scripted_fetch::ScriptedFetch;
use self::watcher::WatchLevel;
use crate::fetcher::Fetcher;
use crate::{Bot, Ended, Report, rule_file};

/// A conversation with a bot.
///
/// Who speaks is written as in `[[test]]`: `group/person`, or `person` in private. Everybody is a friend of the bot, the
/// bot is called by its `names` (without any, by `bot`), and it begins on a Monday noon.
///
/// ```
/// use mynah::prelude::*;
/// use mynah::testing::Conversation;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> mynah::Result<()> {
/// let hello = handler_fn(|ctx, message| {
///     ctx.reply(format!("hello, {}", message.sender.name));
///     Ok(Flow::Stop)
/// });
/// let mut talk = Conversation::with_rules(Bot::new().fallback("hello", hello), "").await?;
/// assert_eq!(talk.say("Group/Ann", "hi").await?, ["hello, Ann"]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Conversation {
    play: Play,
    fetch: Arc<ScriptedFetch>,
}

/// Something that the bot said.
///
/// Compares with text, so that `assert_eq!(talk.say("Ann", "hi").await?, ["hello"])` works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The name of the chat it was said in.
    pub chat: String,
    /// The text; a picture or a file is written as `[image menu.png]`.
    pub text: String,
}

impl PartialEq<str> for Reply {
    fn eq(&self, text: &str) -> bool {
        self.text == text
    }
}

impl PartialEq<&str> for Reply {
    fn eq(&self, text: &&str) -> bool {
        self.text == *text
    }
}

/// The events of a chat other than messages.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The speaker comes into the group.
    Join,
    /// The speaker leaves the group.
    Leave,
    /// The speaker recalls their last message.
    Recall,
    /// The speaker pats the bot.
    Pat,
    /// The speaker sends a red packet.
    RedPacket,
    /// The speaker gives the group this title.
    Rename(String),
    /// The speaker wants to be a friend, with this greeting.
    FriendRequest(String),
}

impl Conversation {
    /// A conversation with the bot of that folder or rule file, and the handlers of `bot`.
    ///
    /// # Errors
    ///
    /// If the file has mistakes; the report holds them all.
    pub async fn new(bot: Bot, rules: impl AsRef<Path>) -> Result<Self, Report> {
        Self::begin(&bot, &rule_file::main_file(rules.as_ref()), &Disk).await
    }

    /// The same with the text of a rule file.
    ///
    /// # Errors
    ///
    /// If the text has mistakes; the report holds them all.
    pub async fn with_rules(bot: Bot, rules: &str) -> Result<Self, Report> {
        Self::begin(&bot, Path::new(OneFile::NAME), &OneFile(rules.to_owned())).await
    }

    async fn begin(bot: &Bot, main: &Path, files: &dyn Files) -> Result<Self, Report> {
        let handlers = bot.names();
        let options = LoadOptions { handlers: Some(&handlers), ..LoadOptions::default() };
        let loaded = mynah_rules::load(main, &bot.files(files), &options);
        let Some(book) = &loaded.book else { return Err(rule_file::unusable(&loaded)) };
        let start = clock::monday_noon(book.zone());
        let fetch = Arc::new(ScriptedFetch::default());
        let fetcher = if bot.has_own_fetch() {
            bot.new_fetcher()
        } else {
            Fetcher::Client(Arc::clone(&fetch) as _)
        };
        let mut play = Play::new(book, bot, start, 0, WatchLevel::Decisions, fetcher);
        fetch.keep_by(play.clock());
        play.start().await.map_err(broken)?;
        Ok(Self { play, fetch })
    }

    /// Answers the next request of a rule (`fetch`), as a line of a `[[test]]` does:
    /// `GET https://api.example.com/w?q=1 -> 200 {"temp": 3}`, or `-> time-out`, `-> fail`. A request without such a line is an
    /// error of the call in which it happens, unless an equal one was answered within its `cache`. Not for a bot with a client of its own ([`Bot::fetch_by`]).
    ///
    /// # Errors
    ///
    /// If the line has another form.
    pub fn answer_fetch(&mut self, line: &str) -> Result<(), Report> {
        let fetch = FetchLine::parse(line).ok_or_else(|| {
            let what = format!("\"{line}\" answers no request");
            Report::new(Ended::Usage, what).hint("write GET https://… -> 200 {…}")
        })?;
        self.fetch.expect(0, fetch);
        Ok(())
    }

    /// The present moment of the conversation.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.play.now()
    }

    /// Sends a text of a person; returns all resulting messages of the bot, in any chat.
    ///
    /// # Errors
    ///
    /// If the store in memory fails.
    pub async fn say(&mut self, who: &str, text: &str) -> Result<Vec<Reply>, Report> {
        self.spoken(who, Spoken::Text(text)).await
    }

    /// Sends a picture, a file or the like with these bytes: the media that [`Context::media`] fetches.
    ///
    /// [`Context::media`]: mynah_core::Context::media
    ///
    /// # Errors
    ///
    /// If the store in memory fails.
    pub async fn send_bytes(
        &mut self,
        who: &str,
        kind: MessageKind,
        name: &str,
        bytes: impl Into<Bytes>,
    ) -> Result<Vec<Reply>, Report> {
        let media = self.play.keep(name, bytes.into());
        self.spoken(who, Spoken::MediaOf(kind, &media)).await
    }

    /// Sends a picture, a voice message or the like without bytes to fetch.
    ///
    /// # Errors
    ///
    /// If the store in memory fails.
    pub async fn send(&mut self, who: &str, kind: MessageKind) -> Result<Vec<Reply>, Report> {
        self.spoken(who, Spoken::Media(kind)).await
    }

    async fn spoken(&mut self, who: &str, spoken: Spoken<'_>) -> Result<Vec<Reply>, Report> {
        let now = self.now();
        let event = self.play.cast.message(&Speaker::parse(who), spoken, now, None);
        self.happen(event).await
    }

    /// Something else happens.
    ///
    /// # Errors
    ///
    /// If the store in memory fails.
    pub async fn notice(&mut self, who: &str, notice: Notice) -> Result<Vec<Reply>, Report> {
        let speaker = Speaker::parse(who);
        let what = match notice {
            Notice::Join => ScriptEvent::Join(vec![speaker.name.clone()]),
            Notice::Leave => ScriptEvent::Leave(vec![speaker.name.clone()]),
            Notice::Recall => ScriptEvent::Recall(None),
            Notice::Pat => ScriptEvent::Pat,
            Notice::RedPacket => ScriptEvent::RedPacket,
            Notice::Rename(name) => ScriptEvent::Rename(name),
            Notice::FriendRequest(greeting) => ScriptEvent::FriendRequest(greeting),
        };
        let now = self.now();
        let event = self.play.cast.notice(&speaker, &what, now);
        self.happen(event).await
    }

    /// Makes a group known to the bot before anybody has spoken there, so that rules and schedules can send to it.
    pub fn meet_group(&mut self, title: &str) -> Chat {
        let group = cast::group(title);
        self.play.meet(&group);
        group
    }

    /// Lets time pass, with everything that is due on the way: dialog time-outs, schedules, follow-ups, waits.
    ///
    /// # Errors
    ///
    /// If the store in memory fails.
    pub async fn advance(&mut self, by: Duration) -> Result<Vec<Reply>, Report> {
        let moment = self.now() + by;
        let scene = self.play.advance_to(moment).await;
        self.replies(scene)
    }

    /// Jumps to a moment: of all due timers, only those due at that moment run.
    ///
    /// # Errors
    ///
    /// If the store in memory fails.
    pub async fn jump_to(&mut self, moment: Timestamp) -> Result<Vec<Reply>, Report> {
        let scene = self.play.jump_to(moment).await;
        self.replies(scene)
    }

    async fn happen(&mut self, event: Event) -> Result<Vec<Reply>, Report> {
        let scene = self.play.happen(event).await;
        self.replies(scene)
    }

    fn replies(&self, scene: Result<StepResult, StoreError>) -> Result<Vec<Reply>, Report> {
        let scene = scene.map_err(broken)?;
        match self.fetch.take_missed() {
            Some(missed) => {
                let what = format!("nothing answers the request {}", missed.request);
                Err(Report::new(Ended::No, what).hint("call answer_fetch before"))
            }
            None => Ok(replies(scene)),
        }
    }
}

fn replies(scene: StepResult) -> Vec<Reply> {
    let said = scene.actions.into_iter().filter_map(|(_, bot_action)| match bot_action {
        BotAction::Sent { chat, content } => Some(Reply { chat, text: shown(&content) }),
        BotAction::Accepted { .. }
        | BotAction::Ran { .. }
        | BotAction::Saved { .. }
        | BotAction::Recalled { .. }
        | BotAction::Kicked { .. }
        | BotAction::Invited { .. } => None,
    });
    said.collect()
}

fn broken(error: StoreError) -> Report {
    Report::new(Ended::Storage, "the store in memory failed").because(error)
}
