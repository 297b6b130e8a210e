//! Answers of servers from public reports, replayed through the sandbox: the files of `tests/cases`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use futures_util::future::join_all;
use mynah_sandbox::{Fault, Options, RawMessage, SandboxEvent, World};
use mynah_tests::{Stage, story};
use serde::Deserialize;
use tempfile::TempDir;

const WORLD: &str = r#"
[me]
name = "小助手"

[[person]]
name = "小明"

[[person]]
name = "小红"

[[person]]
name = "老王"

[[group]]
name = "客户一群"
members = ["小明", "小红", "老王", "小刚", "Ann", "Bob"]
"#;

/// The first rule of every case: its answer shows that the bot sent no other message before.
const MARKER: &str = "[[rule]]\nregex = '^mark (?<n>\\d+)$'\nreply = \"mark {n}\"\n";

const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "right")]
    _right: String,
    rules: Vec<String>,
    #[serde(default)]
    faults: Vec<Fault>,
    steps: Vec<Step>,
    #[serde(default)]
    calls: BTreeMap<String, usize>,
    #[serde(default)]
    never_logged: Vec<String>,
    #[serde(default)]
    never_sent_to: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    deliver: Vec<RawMessage>,
    /// The expected chats and texts, in order. Without it the messages of the bot are not checked.
    #[serde(default)]
    says: Option<Vec<(String, String)>>,
    /// The expected calls.
    #[serde(default)]
    calls: Vec<String>,
    #[serde(default)]
    logged: Vec<String>,
}

/// A case in progress.
struct Play {
    stage: Stage,
    log: Vec<String>,
    marks: u32,
    _bot: TempDir,
}

impl Play {
    async fn begin(case: &Case) -> Self {
        let bot = tempfile::tempdir().expect("a temporary folder");
        let rules = format!("{MARKER}\n{}\n", case.rules.join("\n"));
        std::fs::write(bot.path().join("bot.toml"), rules).expect("the rules are written");
        std::fs::write(bot.path().join("pic.png"), PICTURE).expect("the picture is written");
        let world = World::from_toml(WORLD).expect("a world");
        let faults = case.faults.clone();
        let options = Options { auto_confirm: true, world, faults, ..Options::default() };
        let mut stage = Stage::with(env!("CARGO_BIN_EXE_story_bot"), bot.path(), options).await;
        stage.start().await;
        let mut play = Self { stage, log: Vec::new(), marks: 0, _bot: bot };
        // From now on, the members of the group are known.
        play.mark(&RawMessage::new(1, "").from("小刚").group("客户一群")).await;
        play
    }

    async fn step(&mut self, step: Step) {
        let last = step.deliver.last().expect("something is delivered").clone();
        for raw in step.deliver {
            self.stage.sandbox.raw(raw).expect("it can be delivered");
        }
        for call in &step.calls {
            self.called(call).await;
        }
        if let Some(says) = step.says {
            for (chat, text) in says {
                self.stage.expect(&chat, &text).await;
            }
            self.mark(&last).await;
        }
        for words in &step.logged {
            self.logged(words).await;
        }
    }

    /// The next message of the bot in this chat must be the answer to a mark.
    async fn mark(&mut self, last: &RawMessage) {
        self.marks += 1;
        let text = format!("mark {}", self.marks);
        let from = last.from.as_deref().unwrap_or("小刚");
        let group = last.group.as_deref();
        self.stage.sandbox.say(from, group, &text);
        self.stage.expect(group.unwrap_or(from), &text).await;
    }

    async fn called(&mut self, endpoint: &str) {
        self.stage
            .until(|event| match event {
                SandboxEvent::Call(call) => call.path.ends_with(endpoint).then_some(()),
                _ => None,
            })
            .await;
    }

    async fn logged(&mut self, words: &str) {
        let log = &mut self.log;
        self.stage.logged_beside(words, |line| log.push(line)).await;
    }

    fn end(mut self, case: &Case, name: &str) {
        let Self { stage, log, .. } = &mut self;
        log.extend(stage.log_so_far());
        for (endpoint, times) in &case.calls {
            assert_eq!(stage.calls(endpoint), *times, "{name}: calls of {endpoint}");
        }
        for words in &case.never_logged {
            assert!(
                !log.iter().any(|line| line.contains(words)),
                "{name} logged {words}: {log:#?}"
            );
        }
        let sent = stage.sandbox.sent();
        for receiver in &case.never_sent_to {
            assert!(sent.iter().all(|sent| sent.to_name != *receiver), "{name}: {sent:#?}");
        }
    }
}

#[expect(clippy::print_stderr, reason = "a story that fails tells which case it was")]
async fn play(path: PathBuf) {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    eprintln!("-- {name}");
    let text = std::fs::read_to_string(&path).expect("the case can be read");
    let mut case: Case =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut play = Play::begin(&case).await;
    for step in std::mem::take(&mut case.steps) {
        play.step(step).await;
    }
    play.end(&case, &name);
    eprintln!("-- {name} is right");
}

#[tokio::test]
async fn every_case_of_a_public_report_has_the_right_outcome() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let files = std::fs::read_dir(folder).expect("the cases are there");
    let files = files.map(|file| file.expect("a file").path());
    let mut cases: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    cases.sort();
    assert!(!cases.is_empty());
    story(async {
        join_all(cases.into_iter().map(play)).await;
    })
    .await;
}
