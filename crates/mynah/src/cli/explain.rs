//! `mynah explain BOT "text"`: which rule answers, and why every earlier one does not.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;
use mynah_core::{
    Captures, Chat, Clock, Event, LogQuery, Message, MessageKind, NoState, Quiet, Random,
    SystemClock, Timestamp, quote,
};
use mynah_rules::{Decision, Inputs, Lang, Moment, RuleBook, RuleRef, Trace, Verdict};
use serde::Serialize;

use super::recorded::SOMEBODY;
use super::{common::Common, loading, print, replay};
use crate::fetcher::Fetcher;
use crate::operate::{AccountArgs, AccountData};
use crate::testing::bot_action;
use crate::testing::cast::{self, Cast, Speaker, Spoken};
use crate::testing::play::Play;
use crate::testing::watcher::WatchLevel;
use crate::testing::why::{self, Why};
use crate::{Bot, Ended, Report};

/// Show which rule answers a message, and why every earlier one does not.
///
/// Each rule is listed up to the one that answers, with the first condition that failed and the text it saw. The message
/// is typed here, as if nothing had been said before; or it is taken from the log of a bot with --message and --data or
/// --account, with the cooldowns, variables and dialogs that the messages before it in the log left behind.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Example:\n\n  mynah explain bots/faq \"请问多少钱\" --group 客户一群 --user 张三"
)]
pub(crate) struct Args {
    /// A folder with a bot.toml, or the file.
    #[arg(value_name = "BOT")]
    bot: PathBuf,
    #[command(flatten)]
    judged_for: loading::JudgedFor,
    /// The text of the message.
    #[arg(required_unless_present_any = ["message", "kind"], conflicts_with = "message")]
    text: Option<String>,
    /// In which group; without it, in private.
    #[arg(long, value_name = "NAME", conflicts_with = "message")]
    group: Option<String>,
    /// Who says it; taken for a friend of that name.
    #[arg(long, value_name = "NAME", default_value = SOMEBODY, conflicts_with = "message")]
    user: String,
    /// The bot is called, even if the text does not do so.
    #[arg(long, conflicts_with = "message")]
    at_me: bool,
    /// A message other than text: image, voice, video, file, card, link, location, emoji.
    #[arg(long = "type", value_name = "TYPE", value_parser = kind, conflicts_with = "message")]
    kind: Option<MessageKind>,
    /// When it is said (like 2026-11-23T09:00:00+08:00); by default now.
    #[arg(long, value_name = "TIME", value_parser = moment, conflicts_with = "message")]
    time: Option<Timestamp>,
    /// A message of the log, by its id.
    #[arg(long, value_name = "ID")]
    message: Option<String>,
    #[command(flatten)]
    account: AccountArgs,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

fn kind(word: &str) -> Result<MessageKind, String> {
    MessageKind::from_word(word).ok_or_else(|| format!("there is no type {word}"))
}

fn moment(text: &str) -> Result<Timestamp, String> {
    let parsed: jiff::Timestamp = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    Ok(Timestamp::from_millis(parsed.as_millisecond()))
}

pub(crate) async fn execute(args: &Args, bot: &Bot, common: &Common) -> Result<Ended, Report> {
    if args.message.is_none() && args.account.is_typed() {
        let what = "--data and --account need --message: they name the log with the message";
        return Err(Report::new(Ended::Usage, what));
    }
    let (book, common) = loading::load_book(&args.bot, bot, &args.judged_for, common)?;
    let explained = match &args.message {
        Some(id) => {
            let account = args.account.find(bot.services(), &common).await?;
            let event = logged(&account, id).await?;
            as_of_then(&book, &account, event).await?
        }
        None => Explained::alone(&book, &typed(args, &book)),
    };
    print::to_stdout(|out| {
        if args.json {
            print::json(out, &explained)
        } else {
            explained.write(out, book.zone(), common.lang())
        }
    })?;
    Ok(Ended::Fine)
}

/// The message of the command line.
fn typed(args: &Args, book: &RuleBook) -> Event {
    let speaker = Speaker::new(args.group.as_deref(), &args.user);
    let spoken = match args.kind {
        Some(kind) if kind != MessageKind::Text => Spoken::Media(kind),
        _ => Spoken::Text(args.text.as_deref().unwrap_or_default()),
    };
    let now = args.time.unwrap_or_else(|| SystemClock.now());
    let mut event = Cast::around(book.names()).message(&speaker, spoken, now, None);
    if let mynah_core::EventBody::Message(message) = &mut event.body {
        message.called |= args.at_me;
    }
    event
}

/// Decides about an event of the log after all earlier events of the log.
async fn as_of_then(
    book: &Arc<RuleBook>,
    account: &AccountData,
    event: Event,
) -> Result<Explained, Report> {
    let before = replay::logged_before(account, &event).await?;
    let start = before.first().map_or(event.time, |first| first.time);
    let mut play = Play::new(book, &Bot::new(), start, 0, WatchLevel::Decisions, Fetcher::Standing);
    let failed =
        |error| Report::new(Ended::Storage, "failed to play the log in memory").because(error);
    // The chats that the rules forward to are assumed to exist.
    for name in book.destinations() {
        play.meet(&cast::group(name));
    }
    for earlier in before {
        play.happen_at_its_time(earlier).await.map_err(failed)?;
    }
    play.watch_closely();
    let scene = play.happen_at_its_time(event.clone()).await.map_err(failed)?;
    let turn = scene.turns.into_iter().find(|turn| turn.event == event.id);
    let (decision, verdicts) = turn.map(|turn| (turn.decision, turn.verdicts)).unwrap_or_default();
    Ok(Explained::of(&event, decision, &verdicts))
}

/// An event of the log.
async fn logged(account: &AccountData, id: &str) -> Result<Event, Report> {
    let place = account.place();
    let query = LogQuery { id: Some(id.to_owned()), limit: 1, ..LogQuery::default() };
    let found = account.inspect().await?.log(&query).await;
    let found = found.map_err(|error| account.failed("read the log of", error))?;
    if found.entries.is_empty()
        && let Some(unreadable) = found.unreadable.first()
    {
        let what = format!("the log in {place} has message {id}: {}", unreadable.why);
        return Err(Report::new(Ended::No, what).hint("use the version that wrote it"));
    }
    found.entries.into_iter().next().map(|logged| logged.event).ok_or_else(|| {
        Report::new(Ended::No, format!("the log in {place} has no message {id}"))
            .hint("the log keeps messages for a while only; see `keep` in mynah.toml")
    })
}

/// The decision about a message, and the reasons.
#[derive(Debug, Serialize)]
struct Explained {
    /// The first rule that matched.
    rule: Option<String>,
    file: Option<String>,
    line: Option<u32>,
    captures: Captures,
    /// The replies.
    replies: Vec<String>,
    /// The other actions, in words of `[[test]]`.
    does: Vec<String>,
    quiet: Option<Quiet>,
    /// Why no rule was asked at all.
    passed_over: Option<String>,
    /// Each rule that was looked at, in order.
    rules: Vec<Why>,
    /// The places in it of those that nearly matched.
    #[serde(skip)]
    near: BTreeSet<usize>,
    #[serde(skip)]
    event: Event,
}

impl Explained {
    /// Decides about an event as if nothing had been said before: no cooldown runs, no variable is set.
    fn alone(book: &RuleBook, event: &Event) -> Self {
        // The chats that the rules forward to are assumed to exist.
        let named = book.destinations().into_iter().map(cast::group);
        let chats: Vec<Chat> = event.chat().cloned().into_iter().chain(named).collect();
        let random = Random::of(0, &event.id);
        let inputs = Inputs::empty();
        let at = Moment { now: event.time, random, chats: chats.into(), inputs };
        let mut verdicts = Verdicts::default();
        let decision = book.explain(event, &NoState, &at, &mut verdicts);
        Self { near: verdicts.near, ..Self::of(event, decision, &verdicts.all) }
    }

    fn of(event: &Event, decision: Decision, verdicts: &[(RuleRef, Verdict)]) -> Self {
        let (replies, does) = bot_action::of_decision(&decision, event);
        Self {
            rule: decision.rule.as_ref().map(|rule| rule.id.to_string()),
            file: decision.rule.as_ref().map(|rule| rule.file.to_string()),
            line: decision.rule.as_ref().map(|rule| rule.line),
            captures: decision.captures,
            replies,
            does,
            quiet: decision.quiet,
            passed_over: decision.passed_over.map(str::to_owned),
            rules: verdicts.iter().map(|(rule, verdict)| Why::of(rule, verdict)).collect(),
            near: BTreeSet::new(),
            event: event.clone(),
        }
    }

    fn write(&self, out: &mut dyn Write, zone: &TimeZone, lang: Lang) -> io::Result<()> {
        writeln!(out, "{}", saw(&self.event, zone, lang))?;
        let (failed, answering): (Vec<_>, Vec<_>) =
            self.rules.iter().enumerate().partition(|(_, why)| why.is_failed());
        for (_, why) in answering.iter().take(MOST_RULES) {
            writeln!(out, "{}", why.line(lang))?;
        }
        self.write_why_none(out, lang)?;
        let captured = |(name, text): (&String, &String)| {
            format!("  {{{name}}} = \"{}\"", print::on_one_line(text))
        };
        write_some(out, self.captures.iter().map(captured), MOST_CAPTURES, lang)?;
        let replies = self.replies.iter().map(|reply| format!("> {}", print::on_one_line(reply)));
        write_some(out, replies, MOST_REPLIES, lang)?;
        let does = self.does.iter().map(|does| format!("=> {}", print::on_one_line(does)));
        write_some(out, does, MOST_ACTIONS, lang)?;
        self.write_failed(out, &failed, lang)
    }

    /// Says if no rule answers.
    fn write_why_none(&self, out: &mut dyn Write, lang: Lang) -> io::Result<()> {
        if let Some(reason) = &self.passed_over {
            let reason = why::passed_over(reason, lang);
            return match lang {
                Lang::En => writeln!(out, "no rule is asked: {reason}"),
                Lang::Zh => writeln!(out, "没有查看任何规则：{reason}"),
            };
        }
        match lang {
            _ if self.rule.is_some() => Ok(()),
            Lang::En => writeln!(out, "no rule answers"),
            Lang::Zh => writeln!(out, "没有规则回答"),
        }
    }

    /// The rules that do not match: all if they are few, else those that nearly match, and how many others there are.
    fn write_failed(
        &self,
        out: &mut dyn Write,
        failed: &[(usize, &Why)],
        lang: Lang,
    ) -> io::Result<()> {
        let are_few = failed.len() <= MOST_RULES;
        let is_shown = |place: &usize| are_few || self.near.contains(place);
        let shown: Vec<_> =
            failed.iter().filter(|(place, _)| is_shown(place)).take(MOST_RULES).collect();
        for (_, why) in &shown {
            writeln!(out, "{}", why.line(lang))?;
        }
        let others = failed.len() - shown.len();
        let count = print::grouped(others);
        match (others, shown.is_empty(), lang) {
            (0, ..) => Ok(()),
            (1, false, Lang::En) => writeln!(out, "1 other rule does not match"),
            (1, true, Lang::En) => writeln!(out, "1 rule does not match"),
            (_, false, Lang::En) => writeln!(out, "{count} other rules do not match"),
            (_, true, Lang::En) => writeln!(out, "{count} rules do not match"),
            (_, false, Lang::Zh) => writeln!(out, "另有 {count} 条规则不符合"),
            (_, true, Lang::Zh) => writeln!(out, "{count} 条规则不符合"),
        }
    }
}

/// So many rules of a kind are shown. With the lines below and one for the rest of each kind, all fit on a screen of 40 lines.
const MOST_RULES: usize = 10;

/// So many captures are shown.
const MOST_CAPTURES: usize = 4;

/// So many replies are shown.
const MOST_REPLIES: usize = 6;

/// So many other actions are shown.
const MOST_ACTIONS: usize = 4;

/// Writes the first lines, and how many are left out.
fn write_some(
    out: &mut dyn Write,
    lines: impl ExactSizeIterator<Item = String>,
    most: usize,
    lang: Lang,
) -> io::Result<()> {
    let others = lines.len().saturating_sub(most);
    for line in lines.take(most) {
        writeln!(out, "{line}")?;
    }
    match (others, lang) {
        (0, _) => Ok(()),
        (_, Lang::En) => writeln!(out, "  and {} more (--json)", print::grouped(others)),
        (_, Lang::Zh) => writeln!(out, "  另有 {} 条（--json）", print::grouped(others)),
    }
}

/// Keeps the verdicts, and the places of those that nearly matched.
#[derive(Default)]
struct Verdicts {
    all: Vec<(RuleRef, Verdict)>,
    near: BTreeSet<usize>,
}

impl Trace for Verdicts {
    fn looked_at(&mut self, rule: &RuleRef, verdict: Verdict) {
        self.all.push((rule.clone(), verdict));
    }

    fn nearly(&mut self, _rule: &RuleRef) {
        self.near.insert(self.all.len());
    }
}

/// The event of the decision, in one line.
fn saw(event: &Event, zone: &TimeZone, lang: Lang) -> String {
    let time = local(event.time, zone);
    let Some(message) = event.message() else {
        return match lang {
            Lang::En => format!("event {} at {time}", event.id),
            Lang::Zh => format!("事件 {}，{time}", event.id),
        };
    };
    let chat =
        if message.chat.is_group() { format!("{}/", message.chat.name) } else { String::new() };
    let called = match (message.called && message.chat.is_group(), lang) {
        (true, Lang::En) => ", the bot is called",
        (true, Lang::Zh) => "，叫到了机器人",
        (false, _) => "",
    };
    let quoted = quoted(message, lang);
    let text = match message.kind() {
        MessageKind::Text => print::on_one_line(&message.text),
        kind => format!("[{}]", kind.word()),
    };
    format!("{chat}{}: {text}   ({time}{called}{quoted})", message.sender.name)
}

/// The quoted text of the message: only rules with `quoted = true` look at it.
fn quoted(message: &Message, lang: Lang) -> String {
    let quoted = message.content.quoted_text().map(|text| quote::excerpt(&text));
    quoted.map_or_else(String::new, |quoted| match lang {
        Lang::En => format!(", quotes \"{}\"", print::on_one_line(&quoted)),
        Lang::Zh => format!("，引用了“{}”", print::on_one_line(&quoted)),
    })
}

fn local(time: Timestamp, zone: &TimeZone) -> String {
    let moment = jiff::Timestamp::from_millisecond(time.as_millis()).unwrap_or_default();
    moment.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}
