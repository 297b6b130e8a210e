//! `mynah replay BOT [FILE]`: the replies of the bot to recorded messages.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mynah_core::{
    Captures, Chat, Decided, Event, EventBody, LogPage, LogQuery, Logged, NoState, Quiet, Random,
    Step, StoreError,
};
use mynah_rules::{Decision, Inputs, Moment, RuleBook};
use serde::Serialize;

use super::recorded::{self, Recorded};
use super::{common::Common, loading, print};
use crate::operate::Folder;
use crate::testing::bot_action;
use crate::testing::cast::Cast;
use crate::testing::clock::monday_noon;
use crate::testing::play::Play;
use crate::testing::watcher::WatchLevel;
use crate::{Bot, Ended, Report, log_pages};

/// Show how the bot would answer recorded messages.
///
/// FILE has one JSON object a line: {"text", "group"?, "from"?, "at_me"?, "type"?, "event"?, "time"? (RFC 3339),
/// "id"?}. Without FILE the bot's own log under --data is taken, and messages are shown that would be answered
/// differently now. Handlers do not run.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A folder with a bot.toml, or the file.
    #[arg(value_name = "BOT")]
    bot: PathBuf,
    /// The messages (JSON Lines); `-` is standard input.
    #[arg(value_name = "FILE", required_unless_present = "data", conflicts_with = "data")]
    file: Option<PathBuf>,
    /// The data folder of the bot, for its own log.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// List all messages of the log, not only those with another answer.
    #[arg(long, requires = "data")]
    list: bool,
    /// Decide about each message alone: no cooldowns, variables or dialogs.
    #[arg(long)]
    stateless: bool,
    /// The seed of random replies.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// One JSON object a line for each message.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn execute(args: Args, bot: Bot, common: &Common) -> Result<Ended, Report> {
    let (book, _) = loading::load_book(&args.bot, &bot, &loading::JudgedFor::default(), common)?;
    let messages = messages(&args, &book).await?;
    let answers = answers(&args, &book, &messages).await.map_err(|error| {
        Report::new(Ended::Storage, "failed to replay the messages in memory").because(error)
    })?;
    print::to_stdout(|out| match (args.json, args.data.is_some() && !args.list) {
        (true, _) => answers.iter().try_for_each(|answer| print::json(out, answer)),
        (false, true) => write_difference(out, &answers),
        (false, false) => answers.iter().try_for_each(|answer| answer.write(out)),
    })?;
    Ok(Ended::Fine)
}

/// A message with the decision of then, where that is known.
struct Message {
    recorded: Recorded,
    then: Option<Decided>,
}

async fn messages(args: &Args, book: &RuleBook) -> Result<Vec<Message>, Report> {
    if let Some(data) = &args.data {
        return decided(data).await;
    }
    let file = args.file.as_deref().unwrap_or_else(|| Path::new("-"));
    let mut cast = Cast::around(book.names());
    let messages = recorded::read(file, &mut cast, monday_noon(book.zone()))
        .map_err(|error| Report::new(Ended::Usage, "failed to read the messages").because(error))?;
    Ok(messages.into_iter().map(|recorded| Message { recorded, then: None }).collect())
}

/// The events of a log before this one that were handled as usual.
pub(super) async fn logged_before(data: &Path, until: &Event) -> Result<Vec<Event>, Report> {
    let all = decided(data).await?;
    let mut events: Vec<Event> = all.into_iter().map(|message| message.recorded.event).collect();
    match events.iter().position(|event| event.id == until.id) {
        Some(at) => events.truncate(at),
        // A skipped message is not among them; its time shows the messages before it.
        None => events.retain(|event| event.time <= until.time),
    }
    Ok(events)
}

/// The messages and notices of a log that were handled as usual. Timers are left out: the replay has its own.
async fn decided(data: &Path) -> Result<Vec<Message>, Report> {
    let folder = Folder::at(data);
    let reader = folder.inspect().await?;
    let mut messages = Vec::new();
    let collect = |page: LogPage| messages.extend(page.entries.into_iter().filter_map(handled));
    let read = log_pages::each_page(&*reader, LogQuery::from_the_start(), collect).await;
    read.map_err(|error| folder.failed("read the log of", error))?;
    Ok(messages)
}

/// The message of an entry that was handled as usual.
fn handled(logged: Logged) -> Option<Message> {
    let usual = match &logged.event.body {
        EventBody::Message(_) | EventBody::Notice(_) => true,
        EventBody::Due(_) | EventBody::Started => false,
    };
    let then = logged.decided.filter(|then| usual && then.passed_over.is_none())?;
    let id = logged.event.id.to_string();
    Some(Message { recorded: Recorded { id, event: logged.event }, then: Some(then) })
}

async fn answers(
    args: &Args,
    book: &Arc<RuleBook>,
    messages: &[Message],
) -> Result<Vec<Answer>, StoreError> {
    let mut answers = Vec::with_capacity(messages.len());
    if args.stateless {
        for message in messages {
            let decision = alone(book, &message.recorded.event, args.seed);
            answers.push(Answer::new(message, &decision));
        }
        return Ok(answers);
    }
    let Some(first) = messages.first() else { return Ok(answers) };
    let start = first.recorded.event.time;
    // Without handlers: their effects outside must not be repeated.
    let mut play = Play::new(book, &Bot::new(), start, args.seed, WatchLevel::Decisions);
    // The bot is not started: announcements answer no message, and those of a long time would take long.
    for message in messages {
        let event = &message.recorded.event;
        let scene = play.happen_at_its_time(event.clone()).await?;
        let turn = scene.turns.into_iter().find(|turn| turn.event == event.id);
        let decision = turn.map(|turn| turn.decision).unwrap_or_default();
        answers.push(Answer::new(message, &decision));
    }
    Ok(answers)
}

/// Decides about an event as if nothing had been said before.
fn alone(book: &RuleBook, event: &Event, seed: u64) -> Decision {
    let chats: Vec<Chat> = event.chat().cloned().into_iter().collect();
    let random = Random::of(seed, &event.id);
    let inputs = Inputs::empty();
    book.decide(event, &NoState, &Moment { now: event.time, random, chats: chats.into(), inputs })
}

/// The decision of the rules about a message.
#[derive(Debug, Serialize)]
struct Answer {
    id: String,
    /// The id of the first rule that matched, or `file:line`.
    rule: Option<String>,
    file: Option<String>,
    line: Option<u32>,
    captures: Captures,
    replies: Vec<String>,
    quiet: Option<Quiet>,
    /// The answer of then, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    then: Option<Then>,
    /// Whether that was something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    differs: Option<bool>,
    #[serde(skip)]
    said: String,
}

/// The answer of then.
#[derive(Debug, Serialize)]
struct Then {
    rule: Option<String>,
    replies: Vec<String>,
    quiet: Option<Quiet>,
}

impl Answer {
    fn new(message: &Message, decision: &Decision) -> Self {
        let event = &message.recorded.event;
        let (replies, _) = bot_action::of_decision(decision, event);
        let rule = decision.rule.as_ref();
        let mut answer = Self {
            id: message.recorded.id.clone(),
            rule: rule.map(|rule| rule.id.to_string()),
            file: rule.map(|rule| rule.file.to_string()),
            line: rule.map(|rule| rule.line),
            captures: decision.captures.clone(),
            replies,
            quiet: decision.quiet,
            then: None,
            differs: None,
            said: said(event),
        };
        if let Some(then) = &message.then {
            let Decided { rule, replies, quiet, .. } = then.clone();
            // The replies of a handler of then are not known to rules alone.
            let runs = decision.steps.iter().any(|step| matches!(step, Step::Run(_)));
            let same =
                answer.rule == rule && answer.quiet == quiet && (runs || answer.replies == replies);
            answer.differs = Some(!same);
            answer.then = Some(Then { rule, replies, quiet });
        }
        answer
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.said)?;
        write_replies(out, '>', self.rule.as_deref(), &self.replies, self.quiet)
    }
}

fn write_difference(out: &mut dyn Write, answers: &[Answer]) -> io::Result<()> {
    let mut differing = 0;
    for answer in answers {
        let (Some(then), Some(true)) = (&answer.then, answer.differs) else { continue };
        differing += 1;
        writeln!(out, "{}", answer.said)?;
        write_replies(out, '-', then.rule.as_deref(), &then.replies, then.quiet)?;
        write_replies(out, '+', answer.rule.as_deref(), &answer.replies, answer.quiet)?;
    }
    let messages = answers.len();
    writeln!(out, "{differing} of {messages} messages would be answered differently")
}

fn write_replies(
    out: &mut dyn Write,
    mark: char,
    rule: Option<&str>,
    replies: &[String],
    quiet: Option<Quiet>,
) -> io::Result<()> {
    let by = rule.map(|rule| format!("   ({rule})")).unwrap_or_default();
    for reply in replies {
        writeln!(out, "{mark} {}{by}", print::on_one_line(reply))?;
    }
    match (replies.is_empty(), quiet) {
        (true, Some(Quiet::Cooldown)) => writeln!(out, "{mark} -{by}: its cooldown is running"),
        (true, Some(Quiet::Limit)) => writeln!(out, "{mark} -{by}: its limit is used up"),
        (true, Some(Quiet::Mute)) => writeln!(out, "{mark} -{by}: the chat is muted"),
        (true, Some(Quiet::Hours)) => writeln!(out, "{mark} -{by}: these are quiet hours"),
        (true, None) => writeln!(out, "{mark} -{by}"),
        (false, _) => Ok(()),
    }
}

/// Sender and text in one line, as `[[test]]` writes it.
fn said(event: &Event) -> String {
    let at = event.chat().filter(|chat| chat.is_group()).map(|chat| format!("{}/", chat.name));
    let who = event.person().map_or("", |person| person.name.as_str());
    let what = match &event.body {
        EventBody::Message(message) => bot_action::shown(&message.content),
        EventBody::Notice(notice) => format!("! {}", notice.kind.word()),
        EventBody::Due(_) | EventBody::Started => String::new(),
    };
    print::on_one_line(&format!("{}{who}: {what}", at.unwrap_or_default()))
}
