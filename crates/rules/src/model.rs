//! The checked meaning of a rule file and its includes: the result of `check`, from which the rule book is built.
//!
//! Everything here is as meant, not as written: texts are parsed, units resolved, defaults filled in, and actions lie in
//! the order in which they happen. A value of these types cannot fail later. The original text stays reachable where a
//! person wants to see it (`Template`, `Pattern`, `RegexCondition` and `Glob` keep their source).

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use mynah_core::{ChatKind, EventKind, MessageKind, Scope};

use crate::comparison::Comparison;
use crate::fetching::Fetching;
use crate::rows::Rows;
use mynah_matching::glob::Glob;
use mynah_matching::pattern::Pattern;
use mynah_matching::regex::RegexCondition;
use mynah_matching::template::Template;
use mynah_reader::Lang;
use serde::{Deserialize, Serialize};

/// A whole bot: the main file with everything that it includes, in reading order.
#[derive(Debug, Clone)]
pub(crate) struct Bot {
    /// The folder of the main file, which contains all files to send.
    pub(crate) folder: PathBuf,
    /// Extra names that count as called.
    pub(crate) names: Vec<String>,
    /// The people meant by `from = "admin"`.
    pub(crate) admins: Vec<String>,
    /// The groups that are looked at; never empty.
    pub(crate) groups: Vec<Glob>,
    /// Whether private chats are looked at.
    pub(crate) private: bool,
    /// People who are never answered.
    pub(crate) ignore: Vec<String>,
    /// The zone of times, days and limits.
    pub(crate) zone: TimeZone,
    /// Whether traditional characters match simplified ones.
    pub(crate) fold_hant: bool,
    /// The language of messages about its files, and of its own words in answers.
    pub(crate) lang: Option<Lang>,
    /// The times of day at which nothing is answered.
    pub(crate) quiet: Vec<TimeWindow>,
    /// Values of `{bot.…}` until one is set at run time.
    pub(crate) vars: BTreeMap<String, String>,
    /// Rules in reading order; `priority` is not applied yet.
    pub(crate) rules: Vec<Rule>,
    /// Values and restrictions per group; the first table that fits counts.
    pub(crate) tables: Vec<GroupTable>,
    /// Dialogs in reading order.
    pub(crate) dialogs: Vec<Dialog>,
    /// Schedules in reading order.
    pub(crate) schedules: Vec<Schedule>,
}

/// A place: the line of a `[[…]]` header.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The file as shown to people: relative to the folder of the main file.
    pub(crate) file: Arc<str>,
    /// The line, from 1.
    pub(crate) line: u32,
}

/// The name of a rule, dialog or schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    /// The `id` that was given.
    pub(crate) id: Option<String>,
    /// Under which its clocks, counters and last choices are kept: the id, else a hash of its conditions. Unique in the bot.
    pub(crate) key: String,
}

/// One `[[rule]]`.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    /// Its place in the files.
    pub(crate) place: Place,
    /// Its name.
    pub(crate) name: Name,
    /// All of these must hold.
    pub(crate) when: Conditions,
    /// Its actions, in this order.
    pub(crate) then: Vec<Step>,
    /// Its brakes.
    pub(crate) brakes: Brakes,
    /// The request whose answer the actions use.
    pub(crate) fetch: Option<Box<Fetching>>,
    /// The sentence as which the message is searched again.
    pub(crate) answer_as: Option<Template>,
    /// Higher ones are asked first.
    pub(crate) priority: i64,
    /// Whether the search goes on after it acted (`continue = true`).
    pub(crate) go_on: bool,
    /// Whether it says nothing here, and so acts in muted chats and quiet hours as well.
    pub(crate) silent: bool,
    /// Whether it is switched off.
    pub(crate) off: bool,
    /// The rows of a `[[table]]`, of which one must be asked for.
    pub(crate) table: Option<Box<AnswerTable>>,
}

/// The questions and answers of a `[[table]]`.
#[derive(Debug, Clone)]
pub(crate) struct AnswerTable {
    /// The file, and the sheet where one is named, as shown to people.
    pub(crate) name: Arc<str>,
    /// How a message is compared with a question.
    pub(crate) matching: Matching,
    /// The questions in the order of their rows; none is blank.
    pub(crate) questions: Vec<Asked>,
    /// Beside each question its pattern, if the table has patterns.
    pub(crate) patterns: Vec<Pattern>,
    /// The rows.
    pub(crate) rows: Rows,
    /// How an answer is addressed.
    pub(crate) shape: Shape,
    /// Whether answers may have names.
    pub(crate) templates: bool,
    /// How many actions of the table come before the answer.
    pub(crate) before_reply: usize,
}

/// How a message is compared with the questions of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Matching {
    /// As by `exact`.
    Exact,
    /// As by `keyword`.
    Keyword,
    /// As by `pattern`.
    Pattern,
    /// As by `similar`, at least so much.
    Similar(f64),
}

/// A question as it is written in a cell.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Its text.
    pub(crate) text: Box<str>,
    /// The place of its row.
    pub(crate) row: u32,
}

/// The conditions of a rule. In every list one item is enough, except in `all` and `none`; an empty list sets no
/// condition.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conditions {
    /// The conditions on the text.
    pub(crate) text: mynah_matching::Conditions,
    /// Whether these also look at the words that a message quotes.
    pub(crate) quoted: bool,
    /// Only in groups, or only in private. `groups` has made it `Group`.
    pub(crate) place: Option<ChatKind>,
    /// Only in groups of these names.
    pub(crate) groups: Vec<Glob>,
    /// Only when the bot was called.
    pub(crate) at_me: bool,
    /// Only from these people.
    pub(crate) from: Vec<Who>,
    /// Not from these people.
    pub(crate) not_from: Vec<Who>,
    /// Only messages of these kinds; empty together with `events` means text.
    pub(crate) kinds: Vec<MessageKind>,
    /// These events instead of messages.
    pub(crate) events: Vec<EventKind>,
    /// Only within one of these times of day.
    pub(crate) time: Vec<TimeWindow>,
    /// Only on these days.
    pub(crate) days: Option<Days>,
    /// Only with this probability, above 0 and below 1.
    pub(crate) chance: Option<f64>,
    /// Only texts that are like one of these sentences, at least so much.
    pub(crate) similar: Option<(Vec<String>, f64)>,
    /// Only if these rules answered the last message of the person.
    pub(crate) after: Option<After>,
    /// Only while these captures and variables have such values.
    pub(crate) comparisons: Vec<Comparison>,
}

/// A person in `from` and `not_from`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// Those in `[bot] admins`.
    Admin,
    /// The one friend of that name.
    Named(String),
}

/// `after` and `within`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct After {
    /// The ids of rules and dialogs; all exist.
    pub(crate) ids: Vec<String>,
    /// At most so long ago.
    pub(crate) within: Duration,
}

/// A chat to which something is sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Target {
    /// The chats of this name.
    #[serde(rename = "named")]
    Named(Glob),
    /// The private chat with the sender.
    #[serde(rename = "sender")]
    Sender,
    /// The private chats with the admins.
    #[serde(rename = "admins")]
    Admins,
}

impl Target {
    /// The name of the chats, unless the target is a person of the scene.
    pub(crate) fn name(&self) -> Option<&Glob> {
        if let Self::Named(name) = self { Some(name) } else { None }
    }
}

/// What is sent to other chats.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sent {
    /// A text.
    Text(Template),
    /// A picture, by its path.
    Image(PathBuf),
    /// A file, by its path.
    File(PathBuf),
    /// A picture or file at an address of the web.
    Web(WebMedia),
}

/// A picture or file at an address of the web.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WebMedia {
    /// Whether it is a picture.
    pub(crate) is_image: bool,
    /// Its address.
    pub(crate) address: WebAddress,
}

/// The address of a picture or file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WebAddress {
    /// This one.
    Fixed(String),
    /// The one that was taken out of an answer under this name.
    Taken(String),
}

/// A part of the day, from `from` up to but without `to`; over midnight if `to` is not later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeWindow {
    /// The first moment.
    pub(crate) from: Time,
    /// The end; midnight for `24:00`.
    pub(crate) to: Time,
}

impl TimeWindow {
    /// Whether it contains that time of day.
    pub(crate) fn contains(self, time: Time) -> bool {
        if self.from < self.to {
            self.from <= time && time < self.to
        } else {
            self.from <= time || time < self.to
        }
    }
}

/// Some days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Days(u8);

impl Days {
    /// The whole week.
    pub(crate) const EVERY: Self = Self(0b111_1111);
    /// No day.
    pub(crate) const NONE: Self = Self(0);

    /// The same days and this one.
    pub(crate) fn with(self, day: Weekday) -> Self {
        Self(self.0 | Self::bit(day))
    }

    /// These days and those.
    pub(crate) fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether it is one of them.
    pub(crate) fn contains(self, day: Weekday) -> bool {
        self.0 & Self::bit(day) != 0
    }

    fn bit(day: Weekday) -> u8 {
        1 << day.to_monday_zero_offset()
    }
}

/// One thing that a rule, a dialog or a schedule does.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// A variable becomes this text.
    Set {
        /// Whose variable.
        scope: Scope,
        /// Its name.
        key: String,
        /// Its value.
        value: Template,
    },
    /// A variable becomes this much more.
    Add {
        /// Whose variable.
        scope: Scope,
        /// Its name.
        key: String,
        /// How much more.
        by: i64,
    },
    /// A variable becomes as much more as this text says, or less.
    AddValue {
        /// The owner of the variable.
        scope: Scope,
        /// Its name.
        key: String,
        /// A text that is a whole number when it is needed.
        by: Template,
        /// Whether it is subtracted.
        negative: bool,
    },
    /// A variable of the person counts calendar units without a gap.
    Streak {
        /// Its name.
        key: String,
        /// The calendar unit.
        per: Period,
    },
    /// A variable is forgotten.
    Clear {
        /// The owner of the variable.
        scope: Scope,
        /// Its name.
        key: String,
    },
    /// A variable of all people in the chat is forgotten.
    ClearMembers {
        /// Its name.
        key: String,
    },
    /// Something is sent to other chats.
    Send {
        /// The content.
        what: Sent,
        /// The chats.
        to: Vec<Target>,
    },
    /// One of these pictures is sent: at random, not the last one again.
    ImageOneOf(Vec<PathBuf>),
    /// The message is recalled.
    Recall,
    /// The sender, or those who joined, are invited into the group of this name.
    Invite(String),
    /// The sender, or those who joined, are removed from the group.
    Kick,
    /// The friend request is accepted.
    Accept,
    /// A text is said. `reply_all_of` becomes one of these per text; only the first is shaped.
    Say {
        /// The text.
        text: Template,
        /// How.
        shape: Shape,
    },
    /// One of these texts is said: at random, not the last one again.
    SayOneOf {
        /// The texts; at least one.
        texts: Vec<Template>,
        /// How.
        shape: Shape,
    },
    /// One of these texts is said, with the odds of its weight.
    SayWeighted {
        /// The texts with their weights, not all of them 0.
        texts: Vec<(Template, u32)>,
        /// How.
        shape: Shape,
    },
    /// A picture is sent; the path is absolute or relative to the working directory, ready to be opened.
    Image(PathBuf),
    /// A file is sent; the path as for a picture.
    File(PathBuf),
    /// A picture or file at an address of the web is sent.
    Web(WebMedia),
    /// The message goes on to the chats of these names.
    Forward(Vec<Glob>),
    /// A row is written into this file of the data folder.
    Save(String),
    /// The dialog of this id begins; it exists.
    Start(String),
    /// The handler of this name runs.
    Run(String),
    /// The following steps come so much later.
    Wait(Duration),
    /// The handler of this name runs, with texts of these names beside the captures.
    RunWith {
        /// The name of the handler.
        name: String,
        /// Its arguments.
        args: Vec<(String, Template)>,
    },
}

/// How a reply is addressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// With a mention of the sender in front; not in private.
    pub(crate) at_sender: bool,
    /// With the message that it answers.
    pub(crate) quote: bool,
}

/// The brakes, which keep a rule quiet although it matched.
#[derive(Debug, Clone, Default)]
pub(crate) struct Brakes {
    /// Each clock that is given, once.
    pub(crate) cooldown: Vec<Cooldown>,
    /// How often per calendar unit.
    pub(crate) limit: Option<Limit>,
    /// Said once while a cooldown runs.
    pub(crate) cooldown_reply: Option<Template>,
    /// Said once in a period whose limit is used up.
    pub(crate) limit_reply: Option<Template>,
}

/// A clock of a cooldown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cooldown {
    /// Whose clock.
    pub(crate) clock: Clock,
    /// How long it runs; above zero.
    pub(crate) lasts: Duration,
}

/// How often a rule may act in a calendar unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limit {
    /// For each clock that is given, how often; above zero.
    pub(crate) counts: Vec<(Clock, u32)>,
    /// The calendar unit.
    pub(crate) per: Period,
}

/// Whose clock or counter it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Clock {
    /// This person's in this chat.
    User,
    /// This chat's.
    Chat,
    /// The whole bot's.
    All,
}

/// A calendar unit in the zone of the bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// From full hour to full hour.
    Hour,
    /// From midnight to midnight.
    Day,
    /// From Monday to Monday.
    Week,
}

/// One `[[group]]`.
#[derive(Debug, Clone)]
pub(crate) struct GroupTable {
    /// The names of the groups that it is for.
    pub(crate) name: Glob,
    /// Values of `{chat.…}` until one is set at run time.
    pub(crate) vars: BTreeMap<String, String>,
    /// The ids of the only rules and dialogs that work there; all exist. Builtin handlers always work.
    pub(crate) only: Option<BTreeSet<String>>,
    /// The times of day at which nothing is answered there, instead of those of the bot; empty for none.
    pub(crate) quiet: Option<Vec<TimeWindow>>,
}

/// One `[[dialog]]`.
#[derive(Debug, Clone)]
pub(crate) struct Dialog {
    /// Its place in the files.
    pub(crate) place: Place,
    /// Its id; unique.
    pub(crate) id: String,
    /// The texts that begin it; none if only rules do.
    pub(crate) starts: Vec<String>,
    /// Where it may begin; `groups` has made `place` a group.
    pub(crate) place_kind: Option<ChatKind>,
    /// In groups of which names; empty for any.
    pub(crate) groups: Vec<Glob>,
    /// Who may begin it; empty for anybody.
    pub(crate) from: Vec<Who>,
    /// Who may not.
    pub(crate) not_from: Vec<Who>,
    /// How long it waits for each answer.
    pub(crate) timeout: Duration,
    /// Sent when that time is over.
    pub(crate) timeout_reply: Option<Template>,
    /// The texts that cancel it.
    pub(crate) cancel: Vec<String>,
    /// Said when it was cancelled, also after too many wrong answers.
    pub(crate) cancel_reply: Option<Template>,
    /// The questions in order; at least one.
    pub(crate) steps: Vec<Question>,
    /// The request after the last answer, before the actions.
    pub(crate) fetch: Option<Box<Fetching>>,
    /// The actions after the last answer.
    pub(crate) done: Vec<Step>,
}

/// One `[[dialog.step]]`.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// Its name in the dialog.
    pub(crate) id: Option<String>,
    /// The question.
    pub(crate) ask: Template,
    /// The name under which the answer is kept.
    pub(crate) save: Option<String>,
    /// Which answers are right.
    pub(crate) answer: Answer,
    /// Sent after a wrong answer; without it the question is repeated.
    pub(crate) retry: Option<Template>,
    /// So many wrong answers end the dialog.
    pub(crate) tries: u32,
    /// The answers that begin the dialog anew; all of them right ones.
    pub(crate) restart_on: Vec<String>,
    /// The step after a right answer.
    pub(crate) next: Next,
}

/// The step after a right answer. Steps are numbers from 0; the number of steps is the end of the dialog.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Next {
    /// The one that follows in the file.
    #[default]
    Following,
    /// This one.
    Step(usize),
    /// The one beside the answer; without such an answer the following one.
    ByAnswer(Vec<(String, usize)>),
}

/// Which answers are right.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Any text.
    Any,
    /// One in which this is found.
    Check(RegexCondition),
    /// One of these, or its number from 1.
    Choose(Vec<String>),
}

/// One `[[schedule]]`.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    /// Its place in the files.
    pub(crate) place: Place,
    /// Its name.
    pub(crate) name: Name,
    /// When it is due.
    pub(crate) due: Due,
    /// The chats it goes to.
    pub(crate) to: Vec<Glob>,
    /// The request whose answer its messages use.
    pub(crate) fetch: Option<Box<Fetching>>,
    /// Its messages.
    pub(crate) then: Vec<Step>,
    /// The treatment of a time that passed while the bot was down.
    pub(crate) missed: Missed,
}

/// When a schedule is due.
#[derive(Debug, Clone)]
pub(crate) enum Due {
    /// At these times of day, on these days.
    At {
        /// The times; at least one.
        times: Vec<Time>,
        /// The days; at least one.
        days: Days,
    },
    /// At this interval.
    Every(Duration),
    /// By a cron line of five fields.
    Cron(Box<croner::Cron>),
}

/// The treatment of a time that passed while the bot was down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missed {
    /// Nothing.
    Skip,
    /// It is made up for once.
    Once,
}
