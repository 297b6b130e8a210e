//! Everything that can be said about a rule file: one variant per mistake, with the facts that its text needs.
//!
//! The texts themselves, in every language, are in the [`catalogue`](crate::catalogue).

use std::io;
use std::path::Path;

use mynah_files::{LinkOut, Refusal};

use crate::comparison::BadComparison;
use crate::computed::BadComputed;
use crate::keys::{Advice, Kind, Table};
use crate::model::Place;
use mynah_core::EventKind;
use mynah_matching::pattern::PatternErrorKind;
use mynah_matching::regex::RegexErrorKind;
use mynah_matching::template::TemplateErrorKind;
use mynah_reader::{BadDuration, Found, Severity, Syntax};
use mynah_tables::{Form, Unreadable};

/// Something to say about a rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// No TOML.
    Syntax(Syntax),
    /// No key of this table.
    UnknownKey {
        key: String,
        table: Table,
        /// The key that was probably meant.
        meant: Option<&'static str>,
        /// A table that has such a key.
        elsewhere: Option<Table>,
        /// The remedy.
        advice: Option<&'static Advice>,
    },
    /// A value of the wrong type.
    Type { key: &'static str, kind: Kind, found: Found, in_list: bool },
    /// A value inside `vars`, `set` or `add` that is of the wrong type.
    EntryType { name: String, wanted: Wanted, found: Found },
    /// A key that its table cannot do without.
    Missing { table: Table, keys: &'static [&'static str] },
    /// A rule without a condition; `only_none` if it has `none`.
    NoCondition { only_none: bool },
    /// Nothing to do.
    NoAction { table: Table },
    /// A text that is empty or blank, or a list without an item.
    Empty { key: &'static str, text: Option<String> },
    /// A value that cannot be understood.
    Value(BadValue),
    /// Keys that contradict each other.
    Conflict(Conflict),
    /// A regular expression that cannot be used.
    Regex(RegexErrorKind),
    /// A regular expression that is found in every text.
    RegexEmpty { regex: String },
    /// A regular expression that has to run on every message.
    Scan,
    /// Regular expressions that are too costly together: so long for one message, in so many rules, the first of which
    /// stand here.
    RegexCost { millis: u128, rules: usize, places: Vec<Place> },
    /// A regular expression between slashes, and the same without them.
    RegexSlashes { written: String, plain: String, case: SlashCase, never: bool },
    /// A pattern that cannot be read.
    Pattern(PatternErrorKind),
    /// A full-width sign in a pattern where a plain one was probably meant, and the plain one to write. If the pattern
    /// `is_read` all the same, the sign is text.
    PatternWidth { found: char, plain: String, is_read: bool },
    /// A template that cannot be read.
    Template(TemplateErrorKind),
    /// A name that a template does not know here.
    UnknownName { name: String, meant: Option<String>, known: Vec<String>, asks_unsaved: bool },
    /// Texts that earlier versions compared in another way: so many, the first of which are at these places.
    Compared { how: Comparison, count: usize, places: Vec<Place> },
    /// A list of `[lists]` that cannot be.
    List(BadList),
    /// A table, or how it was read.
    Sheet(SheetProblem),
    /// A text that is taken literally although a construct was probably meant.
    Literal(Literal),
    /// A regular expression that is found in no text.
    RegexNever { regex: String },
    /// A pattern that fits every text.
    PatternEvery { pattern: String },
    /// `from = "admin"` in a bot that names no admins.
    NoAdmins,
    /// Nothing in the file answers or sends anything.
    Nothing,
    /// A capture that is not set by every way to match.
    Capture(Capture),
    /// A name with an argument that has no meaning.
    Computed(BadComputed),
    /// A request that cannot be sent.
    Fetch(BadFetch),
    /// A rule whose fixed sentence leads back to it.
    AnswerLoop { sentence: String },
    /// A message to many groups that anybody can set off.
    OpenBroadcast { to: String },
    /// A variable that nothing sets.
    NeverSet { name: String, meant: Option<String>, has_default: bool, has_no_text: bool },
    /// A handler that is not registered.
    NoHandler { name: String, registered: Vec<String>, meant: Option<String> },
    /// A handler that rules do not run, because of its role.
    HandlerRole { name: String, role: &'static str },
    /// A handler of which it is not known whether it is registered.
    HandlerUnknown { name: String, meant: Option<&'static str> },
    /// A file that cannot be sent.
    File(BadFile),
    /// A limitation of the transport.
    Transport(Limitation),
    /// A service that the program does not have.
    NoService { name: String, meant: Option<String>, known: String },
    /// An id that is there twice.
    DuplicateId { id: String, other: String },
    /// An id that does not exist.
    UnknownId { id: String, meant: Option<String> },
    /// A handler gets the rows of a table that does not exist.
    NoGround { handler: String, id: String, meant: Option<String> },
    /// An include that does nothing.
    IncludeNothing { pattern: String },
    /// An include that cannot be.
    Include(BadInclude),
    /// A rule that can never answer.
    NeverFires(Shadow),
    /// A rule whose own conditions never hold.
    SelfBarred(SelfBarred),
    /// Actions of which each only waits.
    OnlyWaits,
    /// Quiet hours of the whole day.
    AlwaysQuiet,
    /// A choice of a dialog that is the same as an earlier one when they are compared.
    SameChoice { text: String, other: String },
    /// The same keyword as in an earlier rule.
    DuplicateKeyword { place: Place },
    /// A dialog that nothing begins.
    NeverBegins,
    /// A step of a dialog to which no way leads.
    StepNotReached,
    /// The actions at the end of a dialog that has no end.
    DoneNotReached,
    /// The id of a step that does not exist.
    UnknownStep { id: String, meant: Option<String>, known: Vec<String> },
    /// A cron line that names no day of any year.
    NeverDue { cron: String },
    /// A step of a cron line that begins anew before it comes out even.
    UnevenStep(UnevenStep),
    /// A table of a group behind one that fits the same groups.
    NeverCounts { place: Place, why: EarlierGroup },
    /// A line of a test that cannot be read.
    Test(BadLine),
}

/// A text that is taken literally, with its probable meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Literal {
    /// Several texts in one.
    Several { key: &'static str, text: String, parts: Vec<String> },
    /// A regular expression among plain texts, and the same without its slashes.
    Regex { key: &'static str, text: String, plain: String, is_slashed: bool },
    /// A hole outside of a pattern.
    Hole { key: &'static str, text: String, name: String },
    /// A star at an end, and the text without it.
    Star { key: &'static str, text: String, plain: String },
    /// `<name>` of no list, the list that was probably meant, and whether there are lists at all.
    NoList { text: String, meant: Option<String>, has_lists: bool },
    /// A `*` or `?` that is text.
    Wildcard { text: String },
    /// A star where a pattern has a hole, and the pattern with the hole.
    StarInPattern { text: String, plain: String },
    /// A name with `@` before it, and the name.
    AtSign { text: String, plain: String },
    /// A word for the admins that is not `admin`.
    AdminWord { text: String },
    /// A list or a range as one text of `when`, and how it is written.
    Comparison { text: String, meant: String },
    /// A sum as the text of a variable, and how much it adds.
    Sum { text: String, variable: String, by: String },
    /// A name as other programs write it, and the name.
    Name { written: String, meant: String },
    /// A mention of the bot in a text of a condition; the name, and whether it is certainly one of the bot.
    Mention { name: String, is_own: bool },
}

/// The kinds of values of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A text or a number.
    Text,
    /// A whole number.
    Integer,
    /// A list of texts, or `{ file = "…" }`.
    List,
    /// The path of a file.
    Path,
    /// A text, a number, or a list of them.
    Comparison,
    /// A calendar unit.
    Unit,
    /// The id of a step.
    Step,
}

/// A way of comparing that differs from that of earlier versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Comparison {
    /// Blanks beside Chinese characters.
    Blanks,
    /// Quotation marks and dashes.
    Signs,
    /// Final punctuation of whole texts.
    FinalPunctuation,
    /// Mentions before a comma or a Chinese character, in any case.
    Mentions,
    /// Names of the bot without `@`.
    BareNames,
    /// Signs that lead to the value of a hole.
    Leads,
    /// Blanks around an item.
    Ends,
    /// Stars at an end of a word.
    Stars,
    /// Bars in square brackets.
    Bars,
    /// Chinese numerals.
    Numbers,
}

/// A list that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadList {
    /// Its name is a kind of hole.
    Reserved(String),
    /// Its name has a sign of the language.
    Name(String),
    /// Another list has its name.
    Twice { name: String, other: String },
    /// It contains itself, through these lists.
    Circle(Vec<String>),
    /// It has no items.
    NoItems { name: String },
    /// With it, all lists have more items than this.
    TooMany { name: String, most: usize },
    /// Another key than `file`.
    Key { name: String, key: String },
}

/// A table of questions and answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SheetProblem {
    /// It cannot be read as a table.
    Unreadable { path: String, why: Unreadable },
    /// A number that no column has.
    ColumnNumber { key: &'static str, found: i64 },
    /// A column that row 1 does not name, and the cells of that row.
    NoColumn { key: &'static str, header: String, known: Vec<String>, meant: Option<String> },
    /// Two keys mean the same column.
    SameColumn { key: &'static str, other: &'static str },
    /// No row has a question and an answer.
    NoRows { name: String },
    /// A mistake in a cell: the row as people name it, and the column.
    Cell { row: String, column: String, what: BadCell },
    /// A row that an earlier rule always answers.
    NeverFires { row: String, shadow: Shadow },
    /// So many more of these rows.
    MoreNeverFire { count: usize },
    /// So many more of a kind.
    More { count: usize, first: BadCell },
    /// How it was read.
    Read {
        name: String,
        rows: usize,
        header: Option<u32>,
        /// So many rows above the header are titles.
        titles: usize,
        columns: Vec<(&'static str, String)>,
        form: Form,
    },
    /// A column behind the last one that has text.
    EmptyColumn { key: &'static str, found: String, last: String },
    /// `sheet` for a file that has none.
    SheetOfText,
}

/// A mistake in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadCell {
    /// An answer without a question.
    NoQuestion,
    /// A question without an answer.
    NoAnswer,
    /// A fault of the spreadsheet: `#REF!`.
    Fault(String),
    /// A formula without a value.
    Formula,
    /// A question of signs that do not count.
    Nothing(String),
    /// A pattern that cannot be read.
    Pattern(String, PatternErrorKind),
    /// A pattern that fits every message.
    PatternEvery(String),
    /// A template that cannot be read.
    Template(TemplateErrorKind),
    /// A name that means nothing here.
    Name(String),
    /// A name that some pattern of the cell does not set.
    NotAlways(String),
    /// A name with an argument that has no meaning.
    Computed(BadComputed),
    /// A file that cannot be sent.
    File(BadFile),
}

impl BadCell {
    /// Whether the table cannot be used with it.
    fn is_error(&self) -> bool {
        !matches!(
            self,
            Self::NoQuestion | Self::NoAnswer | Self::Fault(_) | Self::Formula | Self::Nothing(_)
        )
    }
}

/// A value that cannot be understood; the texts are the values as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadValue {
    /// Not a duration, or not one that fits.
    Duration(BadDuration),
    /// No time of day.
    Time(String),
    /// No part of a day.
    TimeWindow(String),
    /// A part of the day that ends when it begins.
    EmptyWindow(String),
    /// No days.
    Days(String),
    /// No probability.
    Chance(String),
    /// The same of `at_least`.
    AtLeast(String),
    /// Not one of the words.
    Word { found: String, words: &'static [&'static str], meant: Option<&'static str> },
    /// No time zone.
    Zone(String),
    /// No cron line; the reason in the words of its reader.
    Cron { found: String, reason: String },
    /// A cron line of more or less than five fields.
    CronFields { found: String, count: usize },
    /// A number that is too small or too large.
    Number { key: &'static str, found: i64, least: i64, most: i64 },
    /// No name of a variable or an answer.
    Name(String),
    /// A variable of a scope that does not exist.
    Scope { found: String, scope: String },
    /// The same in `clear`, which knows one more.
    ClearScope { found: String, scope: String },
    /// No file name of a table of rows.
    FileName(String),
    /// No comparison.
    Comparison(BadComparison),
    /// A text that is not just one name of a number.
    NamedNumber(String),
    /// A streak of something that has no days of its own.
    StreakOwner(String),
    /// A variable of a person where there is no person.
    ClearedByNoOne(String),
    /// An argument with the name of a capture.
    ArgIsCapture(String),
    /// A word with `@` that means no chat.
    Target(String),
    /// A step with the id that means the end of the dialog.
    StepDone,
    /// Something other than the name of one group.
    OneGroup(String),
    /// A name that `when` does not compare.
    NotCompared(String),
}

/// Keys that contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// `at_me` where it always holds.
    AtMeInPrivate,
    /// An event of groups in private.
    GroupEventInPrivate(EventKind),
    /// A friend request in a group.
    FriendRequestInGroup,
    /// `groups` in private.
    GroupsInPrivate,
    /// `type` and `event` together.
    TypeAndEvent,
    /// A condition on the text of something that has none.
    NoText(&'static str),
    /// `quoted` without a condition on the text.
    QuotedWithoutText,
    /// `accept` without a friend request.
    AcceptWithout,
    /// A recall of an event, which is not a message.
    RecallOfEvent,
    /// A recall after the last answer of a dialog.
    RecallInDone,
    /// A kick where everybody is in private.
    KickInPrivate,
    /// A kick of people who have left.
    KickOfLeft,
    /// `cooldown_reply` without `cooldown`, or the like.
    ReplyWithout { reply: &'static str, brake: &'static str },
    /// `silent` beside a key that speaks or goes on.
    SilentAnd(&'static str),
    /// `at_least` without `similar`.
    AtLeastWithout,
    /// All texts have the weight 0.
    NoWeight,
    /// `args` without a handler that could use them.
    ArgsWithout,
    /// `answer_as` beside a key that speaks against it.
    AnswerAsAnd(&'static str),
    /// A body of a request whose method has none.
    BodyOfGet,
    /// `answer_as` for an event, which has no sentence.
    AnswerAsOfEvent,
    /// `within` without `after`.
    WithinWithout,
    /// `send` without `to`.
    SendWithout,
    /// `to` without anything that is sent there.
    ToWithout,
    /// `do` beside other actions.
    DoAndOthers(&'static str),
    /// Two of `at`, `every`, `cron`.
    TwoTimes(&'static str, &'static str),
    /// `days` without `at`.
    DaysWithoutAt,
    /// `check` and `choose` together.
    CheckAndChoose,
    /// An answer to restart on that is none of the choices.
    RestartNotChosen,
    /// An answer of `next` that is none of the choices.
    NextNotChosen,
}

/// A capture that is not always set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Capture {
    /// It is not in one of the items of `pattern` or `regex`; which, from 1.
    NotIn { name: String, key: &'static str, nth: usize },
    /// It is in a part that may be missing.
    Optional { name: String },
    /// It is the answer to a question that some way through the dialog leaves out.
    Skipped { name: String },
    /// It is called like something built in.
    BuiltIn { name: String },
}

/// A request that cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadFetch {
    /// Not an address of the web.
    Address { found: String },
    /// An address whose host is not one.
    Host { found: String },
    /// An address whose port is not one.
    Port { found: String },
    /// A name or a secret in scheme, host or port.
    NamedHost { found: String },
    /// A name and a password before the host.
    UserInfo,
    /// A `#`, behind which nothing is sent.
    Fragment,
    /// A `%` without two hex digits behind it.
    Percent,
    /// A part of the path that is `.` or `..`.
    Dots,
    /// An address that is too long; the most characters.
    TooLong { most: usize },
    /// A secret inside of the braces of a name.
    SecretInBraces { secret: String },
    /// A part of the request that is not understood, for a reason that nothing else says.
    NotRead,
    /// Not a JSON pointer.
    Pointer { found: String },
    /// A taken value with the name of a capture.
    TakenTwice { name: String },
    /// Not the name of a header.
    Header { name: String },
    /// A header that the program sets.
    OwnHeader { name: String },
    /// A control character in a header.
    HeaderBreak { name: String },
    /// `${name}` with the name of a capture.
    SecretIsCapture { name: String },
    /// JSON as text, with names in it.
    JsonText,
    /// Not a status or a list of them.
    Status { found: String },
    /// A time-out that is too long; the longest in seconds.
    Timeout { most: u64 },
    /// A host that the operator did not open, with its port.
    NotOpened { host: String, list: &'static str },
    /// A secret that the operator did not give to the host.
    NotGiven { name: String, host: String },
    /// The client refuses it for another reason.
    Refused { en: String, zh: String },
    /// An address of a picture or file that no service on the internet has.
    PrivateMedia { host: String },
    /// An address of a picture or file that is made at run time.
    NamedMedia { found: String },
}

/// A file that cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadFile {
    /// It is not there.
    Missing { path: String, meant: Option<String> },
    /// It is outside of the folder of the bot.
    Outside { path: String },
    /// A link leads out of the folder of the bot.
    Link(Link),
    /// It cannot be read.
    Unreadable { path: String, why: CannotRead },
    /// There is nothing in it.
    Nothing { path: String },
    /// It is larger than the transport takes.
    TooLarge { path: String, size: u64, most: u64, transport: &'static str },
    /// The rule file itself cannot be read.
    RuleFile(CannotRead),
}

/// A link that leads out of the folder of the bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// The link, relative to the folder.
    pub(crate) link: String,
    /// Where it leads.
    pub(crate) target: String,
}

impl Link {
    pub(crate) fn of(error: &io::Error) -> Option<Self> {
        let LinkOut { link, target } = LinkOut::of(error)?;
        let shown = |path: &Path| path.display().to_string();
        Some(Self { link: shown(link), target: shown(target) })
    }
}

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CannotRead {
    /// It is not there.
    NotFound,
    /// Its characters are written in another way than UTF-8.
    NotUtf8,
    /// A NUL, which no text has.
    Nul { line: usize },
    /// The permission is missing.
    Denied,
    /// It is a folder.
    Folder,
    /// It is a pipe, a device or a socket.
    NotRegular,
    /// It is larger than a rule file may be.
    TooLarge,
    /// Another program keeps it open, as Excel does on Windows.
    InUse,
    /// Any other error of the file system.
    Other(String),
}

impl CannotRead {
    pub(crate) fn of(error: &io::Error) -> Self {
        match Refusal::of(error) {
            Some(Refusal::NotRegular) => return Self::NotRegular,
            Some(Refusal::TooLarge { .. }) => return Self::TooLarge,
            _ => {}
        }
        // ERROR_SHARING_VIOLATION and ERROR_LOCK_VIOLATION.
        if cfg!(windows) && matches!(error.raw_os_error(), Some(32 | 33)) {
            return Self::InUse;
        }
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound,
            io::ErrorKind::InvalidData => Self::NotUtf8,
            io::ErrorKind::PermissionDenied => Self::Denied,
            io::ErrorKind::IsADirectory => Self::Folder,
            _ => Self::Other(error.to_string()),
        }
    }
}

/// A limitation of the transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Limitation {
    /// A mention is plain text: the person gets no alert.
    PlainMention { key: &'static str },
    /// It has no such action.
    NoAction { key: &'static str, transport: &'static str },
    /// It never brings this event.
    NoEvent { event: &'static str, transport: &'static str },
    /// Of the messages of groups, it brings only those that call the bot.
    OnlyCalls { key: &'static str, transport: &'static str },
    /// Its groups have no names.
    NoGroupNames { key: &'static str, transport: &'static str },
    /// It has no groups.
    NoGroups { key: &'static str, transport: &'static str },
}

/// An include that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadInclude {
    /// The file is not there.
    Missing(String),
    /// The file includes itself, perhaps through others.
    Cycle(String),
    /// The file has been included already.
    Twice(String),
    /// The file is outside of the folder of the bot.
    Outside(String),
    /// A link leads out of the folder of the bot.
    Link(Link),
    /// The file cannot be read.
    Unreadable { path: String, why: CannotRead },
    /// `[bot]` in an included file.
    BotTable,
    /// A star in the name of a folder.
    StarInFolder(String),
}

/// Why a rule can never answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shadow {
    /// The place of the earlier rule.
    pub(crate) place: Place,
    /// Why it is always first.
    pub(crate) why: ShadowReason,
    /// Whether it is first by its place in the file, not by its priority.
    pub(crate) is_by_order: bool,
}

/// Why the own conditions of a rule never hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SelfBarred {
    /// `chance = 0`.
    NoChance,
    /// Its sentence is `{rest}`, and nothing leaves a rest.
    NoRest,
    /// `after` names the rule itself only.
    AfterItself,
    /// `after` names rules that are switched off.
    AfterOff { id: String },
    /// Each text that it asks for contains an item of `none`.
    Excluded { none: Vec<String> },
    /// A text of `exact` lacks the item of another condition.
    Apart { exact: String, key: &'static str, text: String },
}

/// Why an earlier rule always answers first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ShadowReason {
    /// Its item is inside an item of the later rule.
    Inside { key: &'static str, earlier: String, later: String },
    /// They have this item in common.
    Same { key: &'static str, text: String },
    /// It has no condition that the later one lacks.
    Weaker,
}

/// The remark on letter case beside a regular expression between slashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SlashCase {
    /// It is ignored, as was asked for.
    Ignored,
    /// It is ignored, and there is a key to mind it.
    CanBeMinded,
    /// It is minded, as the rule says.
    Minded,
}

/// Why an earlier table of a group always applies first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EarlierGroup {
    /// It has the same name.
    Same { name: String },
    /// Its name fits every name that the later one fits.
    Fits { earlier: String, later: String },
}

/// A step of a cron line such as `*/40`, and the times that it gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnevenStep {
    pub(crate) step: u32,
    pub(crate) unit: StepUnit,
    /// The minutes of the hour, or the hours of the day, that it names.
    pub(crate) comes: Vec<u32>,
}

/// The unit that a step counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StepUnit {
    Minute,
    Hour,
}

/// A line of a test that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadLine {
    /// None of the forms.
    Form,
    /// A sign of full width where a plain one belongs.
    FullWidth { found: char, plain: &'static str },
    /// The text before the colon is missing.
    NoSpeaker,
    /// No such event.
    Event { found: String, meant: Option<&'static str> },
    /// An event of groups without a group.
    EventNeedsGroup,
    /// An expectation before anything was said.
    NothingSaid,
    /// No moment.
    Moment(String),
    /// A moment before the last one.
    Backwards,
    /// No time span.
    Span(BadDuration),
    /// No regular expression.
    Regex(RegexErrorKind),
    /// No answer to a request.
    Fetch,
    /// The script has no line.
    Nothing,
}

impl Problem {
    /// Its code: stable, for tools.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Syntax(_) => "syntax",
            Self::UnknownKey { .. } => "unknown-key",
            Self::Type { .. } | Self::EntryType { .. } => "type",
            Self::Missing { .. } => "missing",
            Self::NoCondition { .. } => "no-condition",
            Self::NoAction { .. } | Self::OnlyWaits => "no-action",
            Self::Empty { .. } => "empty",
            Self::Value(_) => "value",
            Self::Conflict(_) => "conflict",
            Self::Regex(kind) if kind.is_too_costly() => "regex-size",
            Self::Regex(_) => "regex",
            Self::RegexEmpty { .. } => "regex-empty",
            Self::Scan => "scan",
            Self::List(_) => "list",
            Self::Sheet(SheetProblem::Read { .. }) => "table-read",
            Self::Sheet(SheetProblem::NeverFires { .. } | SheetProblem::MoreNeverFire { .. }) => {
                "never-fires"
            }
            Self::Sheet(_) => "table",
            Self::Compared { .. } => "compared",
            Self::RegexCost { .. } => "regex-cost",
            Self::RegexSlashes { .. } => "regex-slashes",
            Self::Pattern(_) | Self::PatternWidth { .. } => "pattern",
            Self::Template(_) | Self::UnknownName { .. } | Self::Computed(_) => "template",
            Self::Capture(_) => "capture",
            Self::Fetch(_) => "fetch",
            Self::NeverSet { .. } => "never-set",
            Self::OpenBroadcast { .. } => "broadcast",
            Self::AnswerLoop { .. } => "loop",
            Self::NoHandler { .. } | Self::HandlerRole { .. } | Self::HandlerUnknown { .. } => {
                "handler"
            }
            Self::File(_) => "file",
            Self::Transport(_) => "transport",
            Self::DuplicateId { .. } => "duplicate-id",
            Self::NoService { .. } => "no-service",
            Self::UnknownId { .. } | Self::NoGround { .. } | Self::UnknownStep { .. } => {
                "unknown-id"
            }
            Self::IncludeNothing { .. } | Self::Include(_) => "include",
            Self::NeverFires(_)
            | Self::SelfBarred(_)
            | Self::AlwaysQuiet
            | Self::NeverBegins
            | Self::StepNotReached
            | Self::DoneNotReached => "never-fires",
            Self::DuplicateKeyword { .. } | Self::SameChoice { .. } => "duplicate-keyword",
            Self::NeverDue { .. } => "never-due",
            Self::UnevenStep(_) => "uneven-step",
            Self::NeverCounts { .. } => "never-counts",
            Self::Test(_) => "test",
            Self::Literal(Literal::Mention { is_own: true, .. })
            | Self::NoAdmins
            | Self::RegexNever { .. } => "never-fires",
            Self::Literal(_) => "literal",
            Self::PatternEvery { .. } => "regex-empty",
            Self::Nothing => "no-condition",
        }
    }

    /// How bad it is.
    pub(crate) fn severity(&self) -> Severity {
        match self {
            Self::RegexEmpty { .. }
            | Self::RegexNever { .. }
            | Self::PatternEvery { .. }
            | Self::NoAdmins
            | Self::Nothing
            | Self::HandlerUnknown { meant: Some(_), .. }
            | Self::RegexCost { .. }
            | Self::NeverSet { .. }
            | Self::OpenBroadcast { .. }
            | Self::NoGround { .. }
            | Self::IncludeNothing { .. }
            | Self::NeverFires(_)
            | Self::SelfBarred(_)
            | Self::OnlyWaits
            | Self::AlwaysQuiet
            | Self::SameChoice { .. }
            | Self::NeverBegins
            | Self::StepNotReached
            | Self::DoneNotReached
            | Self::DuplicateKeyword { .. }
            | Self::NeverDue { .. }
            | Self::UnevenStep(_)
            | Self::NeverCounts { .. }
            | Self::RegexSlashes { never: true, .. }
            | Self::Transport(
                Limitation::NoEvent { .. }
                | Limitation::OnlyCalls { .. }
                | Limitation::NoGroupNames { .. }
                | Limitation::NoGroups { .. },
            )
            | Self::PatternWidth { is_read: true, .. } => Severity::Warning,
            Self::Sheet(
                SheetProblem::Cell { what, .. } | SheetProblem::More { first: what, .. },
            ) if !what.is_error() => Severity::Warning,
            Self::Sheet(
                SheetProblem::NeverFires { .. }
                | SheetProblem::MoreNeverFire { .. }
                | SheetProblem::EmptyColumn { .. }
                | SheetProblem::SheetOfText,
            ) => Severity::Warning,
            Self::Sheet(SheetProblem::Read { .. })
            | Self::Scan
            | Self::Compared { .. }
            | Self::Literal(Literal::Wildcard { .. } | Literal::NoList { has_lists: false, .. })
            | Self::HandlerUnknown { meant: None, .. }
            | Self::Transport(Limitation::PlainMention { .. }) => Severity::Note,
            // With flags behind them the slashes were not meant; without flags they may be a path.
            Self::RegexSlashes { written, .. } if written.ends_with('/') => Severity::Note,
            Self::Literal(_) | Self::RegexSlashes { .. } => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// Whether it keeps the file from being used.
    pub(crate) fn is_error(&self) -> bool {
        self.severity() == Severity::Error
    }
}
