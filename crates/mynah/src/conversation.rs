//! Plays the conversations of `[[test]]`: every message that the bot sends must be expected, and every expected one sent.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use mynah_core::{Chat, EventId, StoreError};
use mynah_rules::script::{ChatName, Expected, Line, ScriptMessage, Test, What};
use mynah_rules::{Lang, RuleBook};
use serde::Serialize;

use crate::Bot;
use crate::cli::print::on_one_line;
use crate::fetcher::Fetcher;
use crate::testing::bot_action::{BotAction, is_media, shown};
use crate::testing::cast::{self, Speaker, Spoken};
use crate::testing::play::{Play, StepResult};
use crate::testing::scripted_fetch::{MissedFetch, ScriptedFetch};
use crate::testing::watcher::{WatchLevel, WatchedTurn};
use crate::testing::why::{self, Why};

/// How many rules of a decision are shown before the one that matched.
const MOST_REASONS: usize = 12;

/// So many timers may fire while a line lets time pass: a schedule of every second and a wait of a year would not end.
const MOST_TURNS: usize = 10_000;

/// The result of a test.
#[derive(Debug, Default)]
pub(crate) struct Played {
    /// The ids of the rules that matched something in it.
    pub(crate) reached: BTreeSet<String>,
    /// Where it went wrong, if it did.
    pub(crate) failure: Option<Failure>,
}

/// Where a test went wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Failure {
    /// The file of the line.
    pub(crate) file: String,
    /// The number of the line that was played last.
    pub(crate) line: u32,
    /// That line.
    pub(crate) at: String,
    /// The time of the test there, in the zone of the bot.
    pub(crate) time: String,
    /// The expected action, as the test writes it; null for no further one.
    pub(crate) expected: Option<String>,
    /// The actual action; null for none.
    pub(crate) got: Option<String>,
    /// Why: each rule that was looked at.
    pub(crate) rules: Vec<Why>,
    /// Handlers that a rule called and that this program does not have: they could not answer.
    pub(crate) missing_handlers: Vec<String>,
    /// Why no rule was asked at all.
    pub(crate) passed_over: Option<String>,
    /// A request that no line answers.
    #[serde(skip)]
    missed_fetch: Option<MissedFetch>,
    /// Whether it did not come to an end.
    #[serde(skip)]
    is_endless: bool,
}

/// Plays one test with the handlers of `bot`. Stops at the first thing that goes wrong.
///
/// # Errors
///
/// If the store in memory fails.
pub(crate) async fn play(
    test: &Test,
    book: &Arc<RuleBook>,
    bot: &Bot,
) -> Result<Played, StoreError> {
    let fetch = Arc::new(ScriptedFetch::default());
    let fetcher = Fetcher::Client(Arc::clone(&fetch) as _);
    let play = Play::new(book, bot, test.start, 0, WatchLevel::Reasons, fetcher);
    fetch.keep_by(play.clock());
    let mut player = Player {
        fetch,
        test,
        book,
        registered: bot.played_names(),
        play,
        last: None,
        here: None,
        open: Vec::new(),
        turns: Vec::new(),
        reached: BTreeSet::new(),
    };
    let failure = player.run().await?;
    Ok(Played { reached: player.reached, failure })
}

struct Player<'a> {
    test: &'a Test,
    book: &'a RuleBook,
    /// Answers the requests of the rules.
    fetch: Arc<ScriptedFetch>,
    /// The names of the handlers that this program has.
    registered: Vec<String>,
    play: Play,
    /// The line that was played last: the one that everything after it answers.
    last: Option<&'a Line>,
    /// The name of the chat of the last line that said or did something.
    here: Option<&'a str>,
    /// The actions of the bot since then that no line has expected yet.
    open: Vec<(EventId, BotAction)>,
    turns: Vec<WatchedTurn>,
    reached: BTreeSet<String>,
}

impl<'a> Player<'a> {
    async fn run(&mut self) -> Result<Option<Failure>, StoreError> {
        self.set_the_stage();
        // A jump starts the bot by itself, at the moment it jumps to.
        let jumps = matches!(self.test.lines.first(), Some(Line { what: What::Jump(_), .. }));
        self.expect_fetches(&self.test.lines);
        if !jumps {
            let scene = self.play.start().await?;
            self.take(scene);
        }
        for line in &self.test.lines {
            let failure = match self.answered_by(line) {
                Some(outcome) => outcome.err(),
                None => {
                    let surplus = self.surplus();
                    if surplus.is_none() { self.act(line).await? } else { surplus }
                }
            };
            if failure.is_some() {
                return Ok(failure);
            }
        }
        Ok(self.surplus().or_else(|| self.unused_fetch()))
    }

    /// Lets the lines up to the next one that does something answer requests.
    fn expect_fetches(&self, lines: &[Line]) {
        for line in lines.iter().take_while(|line| !acts(&line.what)) {
            if let What::Fetches(fetch) = &line.what {
                self.fetch.expect(line.line, fetch.clone());
            }
        }
    }

    /// A line that answered no request.
    fn unused_fetch(&mut self) -> Option<Failure> {
        let number = self.fetch.left()?;
        let line = self.test.lines.iter().find(|line| line.line == number)?;
        self.last = Some(line);
        Some(self.failure(Some(&line.text), None))
    }

    /// A request that no line answers.
    fn missed_fetch(&self) -> Option<Failure> {
        let missed = self.fetch.take_missed()?;
        let written = |request: &str| format!("~ {request}");
        let expected = missed.expected.as_deref().map(written);
        let mut failure = self.failure(expected.as_deref(), None);
        failure.got = Some(on_one_line(&written(&missed.request)));
        failure.missed_fetch = Some(missed);
        Some(failure)
    }

    /// Makes everybody and every chat of the test known before anything is said.
    fn set_the_stage(&mut self) {
        for line in &self.test.lines {
            if let What::Says { chat, who, .. } | What::Happens { chat, who, .. } = &line.what {
                let speaker = speaker(chat, who);
                self.play.cast.meet(&speaker);
                self.play.meet(&speaker.chat());
            }
        }
        // Chats that the rules name in full exist too: messages to them must be expected.
        let expected = self.test.lines.iter().filter_map(|line| match &line.what {
            What::Elsewhere { chat, .. } => Some(chat.as_str()),
            What::Invites { group, .. } => Some(group.as_str()),
            _ => None,
        });
        for name in expected.chain(self.book.destinations()) {
            self.play.meet(&self.chat_called(name));
        }
    }

    /// The chat of this name: a private one if it is a person of the test or of the rules, else a group.
    fn chat_called(&self, name: &str) -> Chat {
        let is_person = self.test.lines.iter().any(|line| match &line.what {
            What::Says { who, .. } | What::Happens { who, .. } => who == name,
            _ => false,
        });
        let is_person = is_person || self.book.people().any(|(person, _)| person == name);
        if is_person { cast::private(name) } else { cast::group(name) }
    }

    /// Carries out a line. Fails if it does not come to an end.
    async fn act(&mut self, line: &'a Line) -> Result<Option<Failure>, StoreError> {
        self.last = Some(line);
        let after = self.test.lines.iter().position(|one| std::ptr::eq(one, line));
        self.expect_fetches(after.map_or(&[], |at| &self.test.lines[at + 1..]));
        let now = self.play.now();
        let mut is_over = true;
        let scene = match &line.what {
            What::Says { chat, who, said } => {
                self.here = Some(chat.name());
                let spoken = match said {
                    ScriptMessage::Text(text) => Spoken::Text(text),
                    ScriptMessage::Media(kind) => Spoken::Media(*kind),
                };
                let event = self.play.cast.message(&speaker(chat, who), spoken, now, None);
                self.play.happen(event).await?
            }
            What::Happens { chat, who, event } => {
                self.here = Some(chat.name());
                let event = self.play.cast.notice(&speaker(chat, who), event, now);
                self.play.happen(event).await?
            }
            What::Wait(time) => {
                let expected = self.expected_after(line);
                let (scene, reached) =
                    self.play.advance_within(now + *time, expected, MOST_TURNS).await?;
                is_over = reached || scene.turns.len() <= MOST_TURNS;
                scene
            }
            What::Jump(moment) => self.play.jump_to(*moment).await?,
            What::Reply(_)
            | What::NoReply
            | What::Fetches(_)
            | What::Elsewhere { .. }
            | What::Runs { .. }
            | What::Accepts { .. }
            | What::Kicks { .. }
            | What::Mutes { .. }
            | What::Invites { .. }
            | What::Recalls { .. } => StepResult::default(),
        };
        self.turns.clear();
        self.take(scene);
        Ok(self.missed_fetch().or_else(|| (!is_over).then(|| self.endless())))
    }

    /// How many messages the lines right after this one expect: one more is one too many, however long time goes on.
    fn expected_after(&self, line: &Line) -> usize {
        let after = self.test.lines.iter().skip_while(|one| !std::ptr::eq(*one, line)).skip(1);
        after.take_while(|one| !acts(&one.what)).count()
    }

    /// Too much is due for the time that passes.
    fn endless(&self) -> Failure {
        let mut failure = self.failure(None, None);
        failure.got = Some(too_many_timers(Lang::En));
        failure.is_endless = true;
        failure
    }

    fn take(&mut self, scene: StepResult) {
        self.open = scene.actions;
        for turn in &scene.turns {
            let matched = turn.verdicts.iter().map(|(rule, verdict)| Why::of(rule, verdict));
            let ids = matched.filter(Why::matched).map(|why| why.rule().to_owned());
            self.reached.extend(ids);
        }
        self.turns.extend(scene.turns);
    }

    /// Whether a line that expects something got it; none for a line that does something itself.
    fn answered_by(&mut self, line: &Line) -> Option<Result<(), Failure>> {
        let answered = match &line.what {
            What::Reply(expected) => self.next_said(self.here, expected),
            What::Elsewhere { chat, said } => self.next_said(Some(chat), said),
            What::NoReply => {
                let here = self.here;
                let said = self.open.iter().find(|(_, bot_action)| is_in(bot_action, here));
                said.map_or(Ok(()), |(event, bot_action)| {
                    Err(Some((event.clone(), bot_action.clone())))
                })
            }
            What::Runs { handler, captures } => self.find(|bot_action| match bot_action {
                BotAction::Ran { handler: ran, captures: given } => {
                    ran == handler
                        && captures.iter().all(|(name, text)| given.get(name) == Some(text))
                }
                _ => false,
            }),
            What::Accepts { who } => self.find(
                |bot_action| matches!(bot_action, BotAction::Accepted { person } if person == who),
            ),
            What::Kicks { who } => self.find(
                |bot_action| matches!(bot_action, BotAction::Kicked { person } if person == who),
            ),
            What::Invites { who, group } => self.find(|bot_action| match bot_action {
                BotAction::Invited { person, group: into } => person == who && into == group,
                _ => false,
            }),
            What::Recalls { who } => self.find(
                |bot_action| matches!(bot_action, BotAction::Recalled { person: Some(person) } if person == who),
            ),
            // It has answered a request before; a line that answers none is found at the end.
            What::Fetches(_) => Ok(()),
            // No service has such an action yet, so none can have happened.
            What::Mutes { .. } => self.find(|_| false),
            What::Says { .. } | What::Happens { .. } | What::Wait(_) | What::Jump(_) => {
                return None;
            }
        };
        Some(answered.map_err(|got| self.failure(Some(&line.text), got)))
    }

    /// Takes the next message of a chat if it is the expected one; else returns the message in its place.
    fn next_said(
        &mut self,
        chat: Option<&str>,
        expected: &Expected,
    ) -> Result<(), Option<(EventId, BotAction)>> {
        let Some(at) = self.open.iter().position(|(_, bot_action)| is_in(bot_action, chat)) else {
            return Err(None);
        };
        let (event, bot_action) = &self.open[at];
        if self.is_expected(event, bot_action, expected) {
            self.open.remove(at);
            return Ok(());
        }
        Err(Some((event.clone(), bot_action.clone())))
    }

    fn is_expected(&self, event: &EventId, bot_action: &BotAction, expected: &Expected) -> bool {
        let BotAction::Sent { content, .. } = bot_action else { return false };
        match expected {
            Expected::Media { kind, name } => is_media(content, *kind, name.as_deref()),
            Expected::Regex(regex) => regex.is_match(&shown(content)),
            Expected::Text(text) => {
                let text = text.replace('\u{2005}', " ");
                let text = text.trim();
                // It does not matter which of several random texts was drawn.
                let turn = self.turns.iter().find(|turn| turn.event == *event);
                let said = shown(content);
                said == text || turn.is_some_and(|turn| turn.could_have_said(text, &said))
            }
        }
    }

    /// Takes the first action like that; else returns the action of the same kind.
    fn find(
        &mut self,
        wanted: impl Fn(&BotAction) -> bool,
    ) -> Result<(), Option<(EventId, BotAction)>> {
        if let Some(at) = self.open.iter().position(|(_, bot_action)| wanted(bot_action)) {
            self.open.remove(at);
            return Ok(());
        }
        let other =
            self.open.iter().find(|(_, bot_action)| !matches!(bot_action, BotAction::Sent { .. }));
        Err(other.cloned())
    }

    /// A message, or an action on people, that nothing expected.
    fn surplus(&self) -> Option<Failure> {
        let said = self.open.iter().find(|(_, bot_action)| bot_action.must_be_expected());
        said.map(|said| self.failure(None, Some(said.clone())))
    }

    /// The present moment of the test, as its `@` lines write it.
    fn shown_time(&self) -> String {
        let now = self.play.now();
        let moment = jiff::Timestamp::from_millisecond(now.as_millis());
        moment.map_or_else(
            |_| now.to_string(),
            |moment| {
                let local = moment.to_zoned(self.book.zone().clone());
                let seconds = if local.second() == 0 { "" } else { ":%S" };
                local.strftime(&format!("%Y-%m-%d %H:%M{seconds}")).to_string()
            },
        )
    }

    fn failure(&self, expected: Option<&str>, got: Option<(EventId, BotAction)>) -> Failure {
        let event = got.as_ref().map(|(event, _)| event);
        let turn = event.and_then(|event| self.turns.iter().find(|turn| turn.event == *event));
        let turn = turn.or_else(|| self.turns.last());
        let rules = turn.map_or_else(Vec::new, |turn| {
            turn.verdicts.iter().map(|(rule, verdict)| Why::of(rule, verdict)).collect()
        });
        let missing_handlers = turn.map_or_else(Vec::new, |turn| {
            let called = turn.calls().map(|call| &call.handler);
            called.filter(|name| !self.registered.contains(name)).cloned().collect()
        });
        let got = got.map(|(_, bot_action)| match &bot_action {
            BotAction::Sent { content, .. }
                if self.here.is_some() && is_in(&bot_action, self.here) =>
            {
                format!("> {}", on_one_line(&shown(content)))
            }
            _ => on_one_line(&bot_action.to_string()),
        });
        Failure {
            file: self.test.file.clone(),
            line: self.last.map_or(self.test.line, |line| line.line),
            at: self.last.map_or_else(|| "[[test]]".to_owned(), |line| line.text.clone()),
            time: self.shown_time(),
            expected: expected.map(|text| text.trim().to_owned()),
            got,
            rules,
            missing_handlers,
            passed_over: turn.and_then(|turn| turn.decision.passed_over).map(str::to_owned),
            missed_fetch: None,
            is_endless: false,
        }
    }
}

/// Whether a line does something itself.
fn acts(what: &What) -> bool {
    matches!(what, What::Says { .. } | What::Happens { .. } | What::Wait(_) | What::Jump(_))
}

fn too_many_timers(lang: Lang) -> String {
    match lang {
        Lang::En => format!("more than {MOST_TURNS} timers in this time"),
        Lang::Zh => format!("这段时间里有超过 {MOST_TURNS} 个定时"),
    }
}

fn speaker(chat: &ChatName, who: &str) -> Speaker {
    match chat {
        ChatName::Group(group) => Speaker::new(Some(group), who),
        ChatName::Private(_) => Speaker::new(None, who),
    }
}

/// Whether something was said in the chat of that name; without a name, anywhere.
fn is_in(bot_action: &BotAction, name: Option<&str>) -> bool {
    matches!(bot_action, BotAction::Sent { chat, .. } if name.is_none_or(|name| chat == name))
}

impl Failure {
    /// The failure for people, with the rules that were looked at.
    pub(crate) fn render(&self, lang: Lang) -> String {
        let Self { file, line, at, time, expected, got, rules, .. } = self;
        let endless = self.is_endless.then(|| too_many_timers(lang));
        let got = if self.is_endless { &endless } else { got };
        let at = on_one_line(at.trim());
        let or = |text: &Option<String>, nothing: &str| {
            text.clone().unwrap_or_else(|| nothing.to_owned())
        };
        let mut text = match lang {
            Lang::En => format!(
                "{file}:{line}: test failed at \"{at}\" ({time})\n  expected  {}\n  got       {}\n",
                or(expected, "nothing more"),
                or(got, "nothing"),
            ),
            Lang::Zh => format!(
                "{file}:{line}: 测试在“{at}”处失败（{time}）\n  应为  {}\n  实为  {}\n",
                or(expected, "没有别的"),
                or(got, "什么也没有"),
            ),
        };
        // Writing to a string cannot fail.
        if let Some(reason) = &self.passed_over {
            let _ = writeln!(text, "    {}", why::passed_over(reason, lang));
        }
        let reasons = rules.len().min(MOST_REASONS);
        let hidden = rules.iter().skip(reasons).filter(|why| !why.matched()).count();
        let late = rules.iter().skip(reasons).filter(|why| why.matched());
        for why in &rules[..reasons] {
            let _ = writeln!(text, "  {}", why.line(lang));
        }
        if hidden > 0 {
            let _ = match lang {
                Lang::En => writeln!(text, "    … and {hidden} more rules that did not match"),
                Lang::Zh => writeln!(text, "    …… 还有 {hidden} 条规则不匹配"),
            };
        }
        for why in late {
            let _ = writeln!(text, "  {}", why.line(lang));
        }
        if let Some(missed) = &self.missed_fetch {
            let _ = writeln!(text, "    {}", missed.hint(lang));
        }
        for name in &self.missing_handlers {
            let _ = match lang {
                Lang::En => writeln!(
                    text,
                    "    the handler {name} is not in this program, so it did not run; expect the call with => run {name}, or run the handlers of mynah.toml with --handlers"
                ),
                Lang::Zh => writeln!(
                    text,
                    "    这个程序里没有处理器 {name}，所以没有运行；可以写 => run {name} 来断言它被调用；mynah.toml 里的处理器用 --handlers 运行"
                ),
            };
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use mynah_rules::LoadOptions;

    use super::*;
    use crate::testing::files::OneFile;

    const RULES: &str = r#"
[[rule]]
pattern = "天气 {city}"
fetch = { url = "https://api.example.com/w?q={city}&k=${KEY}", take = { temp = "/now/temp" } }
reply = "{city} {temp}°C"
fetch_reply = "查不到"
continue = true
"#;

    /// The failure of a test with this script, in English.
    async fn play_script(script: &str) -> Option<String> {
        let text = format!("{RULES}\n[[test]]\nscript = '''\n{script}\n'''\n");
        let file = OneFile(text);
        let loaded = mynah_rules::load(Path::new(OneFile::NAME), &file, &LoadOptions::default());
        let book = loaded.book.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
        let played = play(&loaded.tests[0], &book, &Bot::new()).await.expect("in memory");
        played.failure.map(|failure| failure.render(Lang::En))
    }

    #[tokio::test]
    async fn a_line_answers_a_request_of_the_message_before_or_behind_it() {
        let url = "~ GET https://api.example.com/w?q=北京&k=${KEY}";
        for script in [
            format!("甲: 天气 北京\n{url} -> 200 {{\"now\": {{\"temp\": 3}}}}\n> 北京 3°C"),
            format!("{url} -> 200 {{\"now\": {{\"temp\": 3}}}}\n甲: 天气 北京\n> 北京 3°C"),
            format!("甲: 天气 北京\n{url} -> time-out\n> 查不到"),
            format!("甲: 天气 北京\n> 查不到\n{url} -> 500\n"),
            format!(
                "甲: 天气 北京\n{url} -> fail\n> 查不到\n乙: 天气 北京\n> 北京 4°C\n{url} -> 200 {{\"now\": {{\"temp\": 4}}}}"
            ),
            "甲: 别的\n> -".to_owned(),
        ] {
            assert_eq!(play_script(&script).await, None, "{script}");
        }
    }

    #[tokio::test]
    async fn a_request_without_a_line_and_a_line_without_a_request_fail() {
        let failure = play_script("甲: 天气 北京\n> 查不到").await.expect("a failure");
        let asked = "~ GET https://api.example.com/w?q=%E5%8C%97%E4%BA%AC&k=${KEY}";
        assert!(failure.contains(&format!("got       {asked}\n")), "{failure}");
        assert!(failure.contains(&format!("{asked} -> 200 {{…}}")), "{failure}");
        let other =
            "甲: 天气 北京\n~ GET https://api.example.com/w?q=x&k=${KEY} -> 200 {}\n> 北京 °C";
        let failure = play_script(other).await.expect("a failure");
        assert!(failure.contains("expected  ~ GET https://api.example.com/w?q=x"), "{failure}");
        let unused = "甲: 别的\n> -\n~ GET https://api.example.com/ -> 200 {}";
        let failure = play_script(unused).await.expect("a failure");
        assert!(failure.contains("test failed at \"~ GET https://api.example.com/"), "{failure}");
    }
}
