//! `mynah replay BOT [FILE]`: the replies of the bot to recorded messages.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mynah_core::{
    Captures, Chat, Decided, Event, EventBody, LogPage, LogQuery, Logged, LoggedAction, NoState,
    Quiet, Random, Step, StoreError,
};
use mynah_rules::{Decision, Inputs, Lang, Moment, RuleBook};
use serde::Serialize;

use super::recorded::{self, Recorded};
use super::{common::Common, loading, print};
use crate::fetcher::Fetcher;
use crate::operate::{AccountArgs, AccountData};
use crate::testing::bot_action;
use crate::testing::cast::{self, Cast};
use crate::testing::clock::monday_noon;
use crate::testing::play::Play;
use crate::testing::watcher::WatchLevel;
use crate::{Bot, Ended, Report, log_pages};

/// Show how the bot would answer recorded messages.
///
/// FILE has one JSON object a line: {"text", "group"?, "from"?, "at_me"?, "type"?, "event"?, "time"? (RFC 3339),
/// "id"?}. Without FILE the own log of the account is taken, and messages are shown that would be answered differently now.
/// Handlers do not run.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A folder with a bot.toml, or the file.
    #[arg(value_name = "BOT")]
    bot: PathBuf,
    /// The messages (JSON Lines); `-` is standard input.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    account: AccountArgs,
    /// List all messages of the log, not only those with another answer.
    #[arg(long, conflicts_with = "file")]
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
    if args.file.is_some() && args.account.is_typed() {
        let what = "FILE goes without --data and --account: it is replayed in place of a log";
        return Err(Report::new(Ended::Usage, what));
    }
    let (book, common) =
        loading::load_book(&args.bot, &bot, &loading::JudgedFor::default(), common)?;
    let messages = match &args.file {
        Some(file) => read(file, &book)?,
        None => decided(&args.account.find(bot.services(), &common).await?).await?,
    };
    let answers = answers(&args, &book, &messages).await.map_err(|error| {
        Report::new(Ended::Storage, "failed to replay the messages in memory").because(error)
    })?;
    print::to_stdout(|out| match (args.json, args.file.is_none() && !args.list) {
        (true, _) => answers.iter().try_for_each(|answer| print::json(out, answer)),
        (false, true) => write_difference(out, &answers, common.lang()),
        (false, false) => answers.iter().try_for_each(|answer| answer.write(out, common.lang())),
    })?;
    Ok(Ended::Fine)
}

/// A message with the decision of then, where that is known.
struct Message {
    recorded: Recorded,
    then: Option<Then>,
}

fn read(file: &Path, book: &RuleBook) -> Result<Vec<Message>, Report> {
    let mut cast = Cast::around(book.names());
    let messages = recorded::read(file, &mut cast, monday_noon(book.zone()))
        .map_err(|error| Report::new(Ended::Usage, "failed to read the messages").because(error))?;
    Ok(messages.into_iter().map(|recorded| Message { recorded, then: None }).collect())
}

/// The events of a log before this one that were handled as usual.
pub(super) async fn logged_before(
    account: &AccountData,
    until: &Event,
) -> Result<Vec<Event>, Report> {
    let all = decided(account).await?;
    let mut events: Vec<Event> = all.into_iter().map(|message| message.recorded.event).collect();
    match events.iter().position(|event| event.id == until.id) {
        Some(at) => events.truncate(at),
        // A skipped message is not among them; its time shows the messages before it.
        None => events.retain(|event| event.time <= until.time),
    }
    Ok(events)
}

/// The messages and notices of a log that were handled as usual. Timers are left out: the replay has its own.
async fn decided(account: &AccountData) -> Result<Vec<Message>, Report> {
    let reader = account.inspect().await?;
    let mut messages = Vec::new();
    let collect = |page: LogPage| messages.extend(page.entries.into_iter().filter_map(handled));
    let read = log_pages::each_page(&*reader, LogQuery::from_the_start(), collect).await;
    read.map_err(|error| account.failed("read the log of", error))?;
    Ok(messages)
}

/// The message of an entry that was handled as usual.
fn handled(logged: Logged) -> Option<Message> {
    let usual = match &logged.event.body {
        EventBody::Message(_) | EventBody::Notice(_) => true,
        EventBody::Due(_) | EventBody::Started => false,
    };
    let then = logged.decided.filter(|then| usual && then.passed_over.is_none())?;
    let does = done(&logged.actions, &logged.event);
    let Decided { rule, replies, quiet, .. } = then;
    let id = logged.event.id.to_string();
    let then = Then { rule, replies, quiet, does };
    Some(Message { recorded: Recorded { id, event: logged.event }, then: Some(then) })
}

/// The actions of then beside the replies, in words; `None` if the contents of some were dropped. The log knows only the ids of
/// other chats.
fn done(actions: &[LoggedAction], event: &Event) -> Option<Vec<String>> {
    let here = event.chat().map(|chat| &chat.id);
    let mut does = Vec::new();
    for logged in actions {
        let action = logged.action.as_ref()?;
        does.extend(bot_action::in_words(action, &logged.chat, here, |_| ELSEWHERE).err());
    }
    Some(does)
}

/// Shown in place of the name of another chat.
const ELSEWHERE: &str = "…";

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
    let mut play =
        Play::new(book, &Bot::new(), start, args.seed, WatchLevel::Decisions, Fetcher::Standing);
    // The chats that the rules write to are assumed to exist.
    for name in book.destinations() {
        play.meet(&cast::group(name));
    }
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
    /// The other actions, in words of `[[test]]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    does: Vec<String>,
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
#[derive(Debug, Clone, Serialize)]
struct Then {
    rule: Option<String>,
    replies: Vec<String>,
    quiet: Option<Quiet>,
    /// The other actions, if the log still has all of them; other chats have no names.
    #[serde(skip_serializing_if = "Option::is_none")]
    does: Option<Vec<String>>,
}

impl Answer {
    fn new(message: &Message, decision: &Decision) -> Self {
        let event = &message.recorded.event;
        let (replies, does) = bot_action::of_decision(decision, event);
        let rule = decision.rule.as_ref();
        let mut answer = Self {
            id: message.recorded.id.clone(),
            rule: rule.map(|rule| rule.id.to_string()),
            file: rule.map(|rule| rule.file.to_string()),
            line: rule.map(|rule| rule.line),
            captures: decision.captures.clone(),
            replies,
            does,
            quiet: decision.quiet,
            then: message.then.clone(),
            differs: None,
            said: said(event),
        };
        // The replies and actions of a handler are not known to rules alone.
        let runs = decision.steps.iter().any(|step| matches!(step, Step::Run(_)));
        answer.differs = answer.then.as_ref().map(|then| {
            !(same_rule(answer.rule.as_deref(), then.rule.as_deref())
                && answer.quiet == then.quiet
                && (runs
                    || (answer.replies == then.replies && answer.does_as(then, decision, event))))
        });
        answer
    }

    /// Whether the other actions are those of then; other chats are not compared, since the log has only their ids.
    fn does_as(&self, then: &Then, decision: &Decision, event: &Event) -> bool {
        let here = event.chat().map(|chat| &chat.id);
        let words = |step: &Step| match step {
            Step::Act(planned) => {
                bot_action::in_words(&planned.action, &planned.chat, here, |_| ELSEWHERE).err()
            }
            Step::Run(_) => None,
        };
        let now: Vec<String> = decision.steps.iter().filter_map(words).collect();
        then.does.as_ref().is_none_or(|does| *does == now)
    }

    fn write(&self, out: &mut dyn Write, lang: Lang) -> io::Result<()> {
        writeln!(out, "{}", self.said)?;
        let decided = (self.rule.as_deref(), self.quiet);
        write_answer(out, '>', decided, (&self.replies, &self.does), lang)
    }
}

/// Whether two rules may be the same. A rule without `id` is named by its line, which changes with every line above it.
fn same_rule(now: Option<&str>, then: Option<&str>) -> bool {
    let has_id =
        |rule: &str| rule.rsplit_once(':').is_none_or(|(_, line)| line.parse::<u32>().is_err());
    match (now, then) {
        (Some(now), Some(then)) => now == then || !(has_id(now) || has_id(then)),
        _ => now == then,
    }
}

fn write_difference(out: &mut dyn Write, answers: &[Answer], lang: Lang) -> io::Result<()> {
    let mut differing = 0;
    for answer in answers {
        let (Some(then), Some(true)) = (&answer.then, answer.differs) else { continue };
        differing += 1;
        writeln!(out, "{}", answer.said)?;
        let did = then.does.as_deref().unwrap_or_default();
        write_answer(out, '-', (then.rule.as_deref(), then.quiet), (&then.replies, did), lang)?;
        let decided = (answer.rule.as_deref(), answer.quiet);
        write_answer(out, '+', decided, (&answer.replies, &answer.does), lang)?;
    }
    let messages = answers.len();
    match lang {
        Lang::En => {
            writeln!(out, "{differing} of {messages} messages would be answered differently")
        }
        Lang::Zh => writeln!(out, "{messages} 条消息中有 {differing} 条的处理会与当时不同"),
    }
}

fn write_answer(
    out: &mut dyn Write,
    mark: char,
    (rule, quiet): (Option<&str>, Option<Quiet>),
    (replies, does): (&[String], &[String]),
    lang: Lang,
) -> io::Result<()> {
    let by = rule.map(|rule| format!("   ({rule})")).unwrap_or_default();
    for reply in replies {
        writeln!(out, "{mark} {}{by}", print::on_one_line(reply))?;
    }
    for done in does {
        writeln!(out, "{mark} => {}{by}", print::on_one_line(done))?;
    }
    if !(replies.is_empty() && does.is_empty()) {
        return Ok(());
    }
    let reason = match (quiet, lang) {
        (Some(Quiet::Cooldown), Lang::En) => ": its cooldown is running",
        (Some(Quiet::Cooldown), Lang::Zh) => "：还在冷却",
        (Some(Quiet::Limit), Lang::En) => ": its limit is used up",
        (Some(Quiet::Limit), Lang::Zh) => "：次数用完",
        (Some(Quiet::Mute), Lang::En) => ": the chat is muted",
        (Some(Quiet::Mute), Lang::Zh) => "：会话已静音",
        (Some(Quiet::Hours), Lang::En) => ": these are quiet hours",
        (Some(Quiet::Hours), Lang::Zh) => "：现在是安静时段",
        (Some(Quiet::Fetch), Lang::En) => ": its request failed",
        (Some(Quiet::Fetch), Lang::Zh) => "：请求失败",
        (None, _) => "",
    };
    writeln!(out, "{mark} -{by}{reason}")
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
