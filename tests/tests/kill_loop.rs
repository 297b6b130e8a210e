//! The bot is killed at random moments while it answers: every question is answered once and in order.
//!
//! A rule answers half of the questions, a handler in another process the others. Such an answer also counts in a variable
//! and asks for a later call, which counts too: these effects take place once as well. A call that was cut comes again with
//! the same id, and the handler of a killed bot ends at the end of its input.
//!
//! An answer may be missing if its send was cut twice (the policy for sends of unknown outcome); these are counted. No
//! question may be blamed for the kills: the last attempt at a suspect runs alone after the start.
//!
//! `MYNAH_KILLS=200 cargo test -p mynah-tests --test kill_loop -- --nocapture` kills the bot two hundred times during
//! two thousand questions. The moments come from a seed, which is printed; `MYNAH_SEED` repeats it.
#![expect(clippy::print_stdout, reason = "the seed and the figures are for people")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::FutureExt;
use mynah_core::{Clock, EventBody, LogQuery, Logged, Random, SystemClock};
use mynah_sandbox::{Options, SandboxEvent};
use mynah_store::Inspector;
use mynah_tests::{Stage, processes};
use rusqlite::{Connection, OpenFlags};

/// Half of them are groups, half are private chats.
const CHATS: usize = 20;

/// The number of kills without `MYNAH_KILLS`.
const KILLS: u64 = 20;

/// The words before the number of a question that a rule answers, and of one that the handler answers.
const QUESTION: &str = "问题";
const COUNTED: &str = "计数";

/// The file in the data folder in which the handler writes down its calls: id and question.
const CALLS: &str = "calls";

const LEAST_QUESTIONS: u64 = 300;
const QUESTIONS_PER_KILL: u64 = 10;

/// The most calls and answers in one life of the bot. Going online takes a few calls, then each answer is a call and a
/// message: most lives end while work is still open.
const LONGEST_LIFE: u64 = 60;

/// After this many polls in a row without other calls, the bot is idle, and a kill would interrupt nothing.
const QUIET: u32 = 3;

/// Then the kill waits for at most this many turns of the scheduler, so that it does not always follow an answer.
const MOST_YIELDS: u64 = 5000;

/// Polls are short, so that an idle bot is noticed soon.
const HOLD: Duration = Duration::from_millis(50);

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_moments_the_bot_answers_every_question_once_and_in_order() {
    let kills = number("MYNAH_KILLS").unwrap_or(KILLS);
    let questions = LEAST_QUESTIONS.max(kills * QUESTIONS_PER_KILL);
    let seed = number("MYNAH_SEED").unwrap_or_else(seed_from_clock);
    println!("{kills} kills, {questions} questions: MYNAH_KILLS={kills} MYNAH_SEED={seed}");
    let longest = Duration::from_secs(120 + 10 * kills);
    let body = async {
        let mut kill_loop = KillLoop::start(seed).await;
        for kill in 0..kills {
            let upto = questions * (kill + 1) / kills;
            kill_loop.live_and_die(upto).await;
        }
        kill_loop.live_until_all_is_done().await;
        // Each handler of a killed bot has ended by itself.
        let calls = kill_loop.stage.data.path().join(CALLS);
        processes::until_none_with("MYNAH_TEST_CALLS", &calls.display().to_string()).await;
        kill_loop.check();
        if kills >= 100 {
            let KillLoop { in_turns, in_calls, in_sends, .. } = kill_loop;
            let missed = in_turns == 0 || in_calls == 0 || in_sends == 0;
            assert!(!missed, "the kills all missed");
        }
    };
    tokio::time::timeout(longest, body).await.expect("the kill loop took too long");
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

fn seed_from_clock() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970");
    now.as_secs() ^ u64::from(now.subsec_nanos())
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bots/kill_loop")
}

/// An event of the sandbox about the bot.
#[derive(Clone, Copy, PartialEq)]
enum News {
    Login,
    Poll,
    Work,
}

struct KillLoop {
    stage: Stage,
    random: Random,
    /// The chat of each question, by its number.
    asked: Vec<usize>,
    /// The questions that the handler answers.
    of_handler: BTreeSet<usize>,
    logins: u64,
    /// The number of kills during a turn, of those during a call of the handler, and of those between the claim and the
    /// settlement of a send.
    in_turns: u64,
    in_calls: u64,
    in_sends: u64,
}

impl KillLoop {
    /// A bot that has logged in and answered a question: the service does not deliver messages from before the first
    /// login.
    async fn start(seed: u64) -> Self {
        let options = Options { auto_confirm: true, hold: HOLD, ..Options::default() };
        let stage = Stage::with(env!("CARGO_BIN_EXE_stock_bot"), &folder(), options).await;
        let config = folder().join("mynah.toml").display().to_string();
        let calls = stage.data.path().join(CALLS).display().to_string();
        let stage = stage
            .argument("--config")
            .argument(&config)
            .variable("KILL_LOOP_HANDLER", env!("CARGO_BIN_EXE_handler_child"))
            .variable("KILL_LOOP_CALLS", &calls);
        let (random, asked, of_handler) = (Random::from_seed(seed), Vec::new(), BTreeSet::new());
        let (logins, in_turns, in_calls, in_sends) = (1, 0, 0, 0);
        let mut it =
            Self { stage, random, asked, of_handler, logins, in_turns, in_calls, in_sends };
        it.stage.start().await;
        it.ask();
        it.stage.said().await;
        it.stage.kill().await;
        it
    }

    /// Asks the next question, in a random chat.
    fn ask(&mut self) {
        let place = self.draw(CHATS as u64);
        let place = usize::try_from(place).unwrap_or(0);
        let group = is_group(place).then(|| chat(place));
        let from = if group.is_some() { "群友".to_owned() } else { chat(place) };
        let number = self.asked.len();
        let is_of_handler = self.draw(2) == 0;
        if is_of_handler {
            self.of_handler.insert(number);
        }
        let text = format!("{} {number}", if is_of_handler { COUNTED } else { QUESTION });
        self.stage.sandbox.say(&from, group.as_deref(), &text);
        self.asked.push(place);
    }

    fn draw(&mut self, bound: u64) -> u64 {
        self.random.below(bound)
    }

    /// One life of the bot: it ends in the middle of its work, or after so many questions in all.
    async fn live_and_die(&mut self, questions: u64) {
        // Events after the last kill belong to the previous life.
        while self.next_news().now_or_never().is_some() {}
        self.stage.spawn();
        let mut polls = 0;
        for _ in 0..=self.draw(LONGEST_LIFE) {
            for _ in 0..self.draw(3).min(questions - self.asked.len() as u64) {
                self.ask();
            }
            polls = if self.next_news().await == News::Poll { polls + 1 } else { 0 };
            if polls == QUIET {
                break;
            }
        }
        while (self.asked.len() as u64) < questions {
            self.ask();
        }
        for _ in 0..self.draw(MOST_YIELDS) {
            tokio::task::yield_now().await;
        }
        self.stage.kill().await;
        self.count_interrupted_work();
    }

    async fn live_until_all_is_done(&mut self) {
        self.stage.spawn();
        while !self.is_all_done() {
            self.next_news().await;
        }
        assert_eq!(self.stage.terminate().await, 0);
    }

    /// Waits for a call or a message of the bot.
    async fn next_news(&mut self) -> News {
        let news = self.stage.until(|event| match event {
            SandboxEvent::Call(call) if call.path.ends_with("/synccheck") => Some(News::Poll),
            SandboxEvent::Login { state, .. } if state == "online" => Some(News::Login),
            SandboxEvent::Call(_) | SandboxEvent::Sent(_) => Some(News::Work),
            _ => None,
        });
        let news = news.await;
        self.logins += u64::from(news == News::Login);
        news
    }

    /// Whether all questions have arrived, and no work is left.
    fn is_all_done(&self) -> bool {
        let inspector = self.inspector();
        let status = inspector.status(SystemClock.now()).expect("a store in order");
        status.open_events + status.open_actions + self.count("timer") == 0
            && self.log().keys().copied().eq(0..self.asked.len())
    }

    fn inspector(&self) -> Inspector {
        Inspector::open(self.stage.data.path()).expect("a store in order")
    }

    /// The accepted questions, by their numbers, with their results.
    fn log(&self) -> BTreeMap<usize, Logged> {
        let all = LogQuery { limit: u32::MAX, ..LogQuery::default() };
        let logged = self.inspector().log(&all).expect("a store in order").entries;
        let questions = logged.into_iter().filter_map(|logged| {
            let EventBody::Message(message) = &logged.event.body else { return None };
            let (word, number) = message.text.split_once(' ')?;
            let is_question = word == QUESTION || word == COUNTED;
            let number = number.parse().ok().filter(|_| is_question)?;
            Some((number, logged))
        });
        questions.collect()
    }

    fn count_interrupted_work(&mut self) {
        let begun = "event WHERE begun = 1 AND handled IS NULL";
        self.in_turns += u64::from(self.count(begun) > 0);
        let of_handler = format!("{begun} AND (body LIKE '%{COUNTED}%' OR id GLOB 'due:*')");
        self.in_calls += u64::from(self.count(&of_handler) > 0);
        self.in_sends +=
            u64::from(self.count("action WHERE claimed IS NOT NULL AND settled IS NULL") > 0);
    }

    fn count(&self, rows: &str) -> u64 {
        let count = self.column(&format!("SELECT CAST(count(*) AS TEXT) FROM {rows}"));
        count[0].parse().expect("a number")
    }

    /// The texts of the first column.
    fn column(&self, query: &str) -> Vec<String> {
        let path = self.stage.data.path().join(mynah_store::FILE);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let database = Connection::open_with_flags(path, flags).expect("a database");
        let mut statement = database.prepare(query).expect("a query");
        let rows = statement.query_map([], |row| row.get(0)).expect("rows of the store");
        rows.collect::<Result<_, _>>().expect("texts")
    }

    /// Checks the promises: once, in order, and by the policy if the outcome is unknown.
    fn check(&self) {
        let answers = self.answers();
        let given_up = self.questions(|logged| {
            logged.actions.iter().any(|action| action.outcome.as_deref() == Some("unknown"))
        });
        let set_aside = self.questions(|logged| {
            logged.decided.as_ref().is_some_and(|decided| decided.passed_over.is_some())
        });
        self.print_figures(answers.len(), &given_up);
        assert_eq!(set_aside, BTreeSet::new(), "set aside although nothing was wrong with them");
        for place in 0..CHATS {
            let asked = (0..self.asked.len()).filter(|n| self.asked[*n] == place);
            let said: Vec<usize> =
                answers.iter().filter(|(to, _)| *to == chat(place)).map(|(_, n)| *n).collect();
            // An answer may or may not have arrived if both its sends were cut.
            let expected: Vec<usize> =
                asked.filter(|n| !given_up.contains(n) || said.contains(n)).collect();
            assert_eq!(said, expected, "in {}", chat(place));
        }
        let known: BTreeSet<String> = (0..CHATS).map(chat).collect();
        assert!(answers.iter().all(|(to, _)| known.contains(to)), "an answer in a wrong chat");
        assert_eq!(self.logins, 1, "a kill cost the session");
        self.check_calls();
    }

    /// Checks the calls of the handler: effects once, and the same id on every try.
    fn check_calls(&self) {
        let of_handler = self.of_handler.len() as u64;
        for name in ["answered", "later"] {
            let sums = self.column(&format!("SELECT value FROM state WHERE key = '{name}'"));
            let sum: u64 = sums.iter().filter_map(|sum| sum.parse::<u64>().ok()).sum();
            assert_eq!(sum, of_handler, "effects of the handler: chat.{name}");
        }
        let calls = std::fs::read_to_string(self.stage.data.path().join(CALLS)).expect("calls");
        let mut ids = BTreeMap::<&str, BTreeSet<&str>>::new();
        for call in calls.lines() {
            let (id, what) = call.split_once(' ').expect("an id");
            ids.entry(what).or_default().insert(id);
        }
        let again = calls.lines().count().saturating_sub(ids.len());
        println!("calls of the handler: {}, of them once more: {again}", calls.lines().count());
        assert_eq!(ids.len(), 2 * self.of_handler.len(), "each question and its later call");
        assert!(ids.values().all(|ids| ids.len() == 1), "another id for the same call: {ids:?}");
    }

    /// The answers of the bot, in order: the chat, and the number of the question.
    fn answers(&self) -> Vec<(String, usize)> {
        let answer = |text: &str| text.strip_prefix("答案 ")?.parse().ok();
        let sent = self.stage.sandbox.sent().into_iter();
        sent.map(|sent| {
            let n = answer(&sent.text).unwrap_or_else(|| panic!("no answer: {}", sent.text));
            (sent.to_name, n)
        })
        .collect()
    }

    fn questions(&self, which: impl Fn(&Logged) -> bool) -> BTreeSet<usize> {
        self.log().into_iter().filter(|(_, logged)| which(logged)).map(|(n, _)| n).collect()
    }

    fn print_figures(&self, answers: usize, given_up: &BTreeSet<usize>) {
        println!("{} questions in {CHATS} chats, {answers} answers", self.asked.len());
        let Self { in_turns, in_calls, in_sends, .. } = self;
        println!("kills in a turn: {in_turns}, in a call: {in_calls}, in a send: {in_sends}");
        println!("sends cut in flight: {}", self.count("action WHERE doubts > 0"));
        let copies = self.stage.calls("webwxsendmsg").saturating_sub(answers);
        println!("  sent once more and dropped by the service as copies: {copies}");
        let lost = self.asked.len().saturating_sub(answers);
        println!(
            "  given up after the second cut: {}, of which never arrived: {lost}",
            given_up.len()
        );
    }
}

fn is_group(place: usize) -> bool {
    place < CHATS / 2
}

fn chat(place: usize) -> String {
    if is_group(place) { format!("{place} 号群") } else { format!("{place} 号客人") }
}
