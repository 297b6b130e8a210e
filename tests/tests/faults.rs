//! The behaviour of the bot when the service misbehaves, as stories over HTTP.
//!
//! In every story, messages with numbers are sent in two groups. Each number must be answered once, in its group and in
//! order. The stories also count the bot's calls of the service: it may neither hammer the service nor stop polling.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use mynah_sandbox::{Fault, FaultKind, Options, SandboxEvent, World};
use mynah_tests::{Stage, story};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const GROUP: &str = "客户一群";
const OTHER: &str = "客户二群";

/// The most calls: more than a fault needs, far fewer than a loop without waits would make.
const MOST_CALLS: usize = 12;

fn bot() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bots/stories")
}

async fn stage(options: Options) -> Counting {
    let stage = Stage::with(env!("CARGO_BIN_EXE_story_bot"), &bot(), options).await;
    Counting { stage, said: 0 }
}

async fn started() -> Counting {
    let mut t = stage(Options { auto_confirm: true, ..Options::default() }).await;
    t.stage.start().await;
    t
}

/// A bot that answers numbers.
struct Counting {
    stage: Stage,
    said: u32,
}

impl Counting {
    fn say(&mut self) {
        self.said += 1;
        let text = format!("数到 {}", self.said);
        self.stage.sandbox.say("张三", Some(GROUP), &text);
        self.stage.sandbox.say("李四", Some(OTHER), &text);
    }

    /// The next two messages are the answers to the last number, one in each group.
    async fn is_answered(&mut self) {
        let mut answers = [self.stage.said().await, self.stage.said().await];
        answers.sort();
        let text = format!("数到 {}", self.said);
        assert_eq!(answers, [GROUP, OTHER].map(|group| (group.to_owned(), text.clone())));
    }

    async fn count(&mut self) {
        self.say();
        self.is_answered().await;
    }

    /// The faults that no call has met yet.
    async fn faults_left(&self) -> Value {
        let address = self.stage.sandbox.url().trim_start_matches("http://");
        let ask =
            format!("GET /sandbox/faults HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        let mut line = TcpStream::connect(address).await.expect("the sandbox listens");
        line.write_all(ask.as_bytes()).await.expect("it hears");
        let mut answer = String::new();
        line.read_to_string(&mut answer).await.expect("it answers");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a whole answer");
        serde_json::from_str::<Value>(body).expect("JSON")["faults"].take()
    }

    async fn all_faults_were_met(&self, fault: &Fault) {
        assert_eq!(self.faults_left().await, json!([]), "{fault:?} was not met");
    }

    /// Sends two numbers under a fault, and one after it: a late duplicate would be taken for the answer to the next
    /// number.
    #[expect(clippy::print_stderr, reason = "a story that fails tells which fault it had met")]
    async fn survives(&mut self, fault: &Fault) {
        eprintln!("-- {fault:?}");
        let before = self.stage.calls(&fault.path);
        self.stage.sandbox.fault(fault.clone());
        self.count().await;
        self.count().await;
        self.all_faults_were_met(fault).await;
        self.count().await;
        let calls = self.stage.calls(&fault.path) - before;
        assert!(calls <= MOST_CALLS, "{calls} calls under {fault:?}");
    }
}

fn fault(path: &str, kind: FaultKind, value: Value) -> Fault {
    Fault::new(path, kind).value(value)
}

/// The faults on the wire that any call can meet.
fn wire_faults(path: &str) -> Vec<Fault> {
    use FaultKind as Kind;
    // Only numbers change their types: a text that became a number could not be answered correctly.
    let numbers = json!([
        "Ret",
        "AddMsgCount",
        "MsgType",
        "CreateTime",
        "ContinueFlag",
        "Key",
        "Val",
        "Count"
    ]);
    let table = [
        (Kind::Delay, json!("300ms")),
        (Kind::Slow, json!("1ms")),
        (Kind::Status, json!(502)),
        (Kind::Status, json!(503)),
        (Kind::Reset, json!(null)),
        (Kind::Reset, json!("body")),
        (Kind::Lost, json!(null)),
        (Kind::Cut, json!(null)),
        (Kind::Garbage, json!(null)),
        (Kind::Html, json!(null)),
        (Kind::Empty, json!(null)),
        (Kind::Types, numbers),
        (Kind::Missing, json!(null)),
        (Kind::Null, json!(null)),
        (Kind::Duplicate, json!(null)),
    ];
    table.into_iter().map(|(kind, value)| fault(path, kind, value)).collect()
}

async fn survives_all(faults: &[Fault]) {
    let mut t = started().await;
    t.count().await;
    for fault in faults {
        t.survives(fault).await;
    }
    assert_eq!(t.stage.calls("jslogin"), 1, "no fault on the wire ends a session");
}

#[tokio::test]
async fn reading_survives_every_fault_on_the_wire() {
    story(async {
        let more = [
            fault("webwxsync", FaultKind::Redeliver, json!(null)),
            fault("webwxsync", FaultKind::StaleKey, json!(null)),
            fault("webwxsync", FaultKind::Retcode, json!(-1)),
            fault("webwxsync", FaultKind::Retcode, json!(3)),
        ];
        survives_all(&[wire_faults("webwxsync"), more.into()].concat()).await;
    })
    .await;
}

#[tokio::test]
async fn polling_survives_every_fault_on_the_wire() {
    story(async {
        let more = [
            fault("synccheck", FaultKind::Selector, json!(7)),
            fault("synccheck", FaultKind::Selector, json!(0)),
            fault("synccheck", FaultKind::Retcode, json!(-1)),
        ];
        survives_all(&[wire_faults("synccheck"), more.into()].concat()).await;
    })
    .await;
}

#[tokio::test]
async fn after_a_failed_poll_no_answer_waits_until_the_next_poll_returns() {
    story(async {
        let mut t = started().await;
        t.count().await;
        t.stage.sandbox.fault(fault("synccheck", FaultKind::Status, json!(502)));
        let began = Instant::now();
        t.count().await;
        t.count().await;
        // A poll takes 25 s; the failed one costs a second.
        assert!(began.elapsed() < Duration::from_secs(12), "waited {:?}", began.elapsed());
    })
    .await;
}

#[tokio::test]
async fn messages_arrive_although_every_poll_fails_and_polls_become_rare() {
    story(async {
        let mut t = started().await;
        t.count().await;
        let before = t.stage.calls("synccheck");
        t.stage.sandbox.fault(Fault::new("synccheck", FaultKind::Status).always());
        for _ in 0..4 {
            t.count().await;
        }
        let polls = t.stage.calls("synccheck") - before;
        assert!(polls <= 6, "{polls} polls");
    })
    .await;
}

#[tokio::test]
async fn messages_sent_under_faults_on_the_wire_arrive_once() {
    story(survives_all(&wire_faults("webwxsendmsg"))).await;
}

#[tokio::test]
async fn a_send_whose_answer_is_lost_is_repeated_and_arrives_once() {
    story(async {
        let mut t = started().await;
        t.stage.sandbox.fault(Fault::new("webwxsendmsg", FaultKind::Lost).times(2));
        t.count().await;
        // Duplicates would leave before the next answer to the same chat.
        t.count().await;
        assert_eq!(t.stage.sandbox.sent().len(), 4);
        assert_eq!(t.stage.calls("webwxsendmsg"), 6, "two sends were repeated");
    })
    .await;
}

/// After any call that reports an ended session, the bot resumes or replaces it. Messages are answered once.
#[tokio::test]
async fn codes_that_end_a_session_lose_no_message() {
    story(async {
        let paths = ["synccheck", "webwxsync", "webwxsendmsg"];
        let cases = paths.iter().flat_map(|path| [1100, 1101, 1102].map(|code| (*path, code)));
        join_all(cases.map(|(path, code)| async move {
            let mut t = started().await;
            t.count().await;
            t.survives(&fault(path, FaultKind::Retcode, json!(code))).await;
            let logins = t.stage.calls("webwxnewloginpage");
            assert_eq!(logins, 1, "{path} {code}: one refusal is no reason for a new login");
        }))
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_session_that_the_service_ended_is_followed_by_one_new_login() {
    story(async {
        join_all([1100, 1101, 1102].map(|code| async move {
            let mut t = started().await;
            t.count().await;
            t.stage.sandbox.end_session(code);
            t.say();
            t.is_answered().await;
            t.count().await;
            assert_eq!(t.stage.calls("webwxnewloginpage"), 2, "{code}");
            assert!(t.stage.calls("webwxinit") <= 4, "{code}");
        }))
        .await;
    })
    .await;
}

#[tokio::test]
async fn after_too_frequent_the_bot_waits() {
    story(async {
        join_all(["synccheck", "webwxsync", "webwxsendmsg"].map(|path| async move {
            let mut t = started().await;
            t.count().await;
            let began = Instant::now();
            t.survives(&fault(path, FaultKind::Retcode, json!(1205))).await;
            let waited = began.elapsed();
            assert!(waited >= Duration::from_secs(14), "{path}: asked again after {waited:?}");
        }))
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_send_that_is_refused_for_good_is_given_up_and_delays_no_chat() {
    story(async {
        let mut t = started().await;
        t.count().await;
        t.stage.sandbox.fault(fault("webwxsendmsg", FaultKind::Retcode, json!(1204)));
        t.stage.sandbox.say("张三", Some(GROUP), "数到 99");
        t.stage.logged("not a friend").await;
        t.count().await;
        let sent = t.stage.sandbox.sent();
        assert!(sent.iter().all(|sent| sent.text != "数到 99"), "refused means not said: {sent:?}");
        assert_eq!(t.stage.calls("webwxsendmsg"), 5, "it was tried once");
    })
    .await;
}

/// Only a call that reads can end a session. A send that reports an ended session twice counts as refused, and the bot
/// continues.
#[tokio::test]
async fn a_send_that_alone_reports_an_ended_session_is_given_up_and_the_session_continues() {
    story(async {
        let mut t = started().await;
        t.count().await;
        t.stage.sandbox.fault(fault("webwxsendmsg", FaultKind::Retcode, json!(1101)).times(2));
        t.stage.sandbox.say("张三", Some(GROUP), "数到 99");
        t.stage.logged("refused although the session goes on").await;
        t.count().await;
        let sent = t.stage.sandbox.sent();
        assert!(sent.iter().all(|sent| sent.text != "数到 99"), "refused means not said: {sent:?}");
        assert_eq!(t.stage.calls("webwxsendmsg"), 6, "it was tried twice");
        for login in ["jslogin", "webwxnewloginpage", "webwxinit"] {
            assert_eq!(t.stage.calls(login), 1, "{login}");
        }
    })
    .await;
}

/// A refused send is not a network error: later messages in the chat leave soon.
#[tokio::test]
async fn a_send_that_is_declined_three_times_is_given_up_and_delays_no_chat() {
    story(async {
        let mut t = started().await;
        t.count().await;
        t.stage.sandbox.fault(fault("webwxsendmsg", FaultKind::Retcode, json!(-1)).times(3));
        t.stage.sandbox.say("张三", Some(GROUP), "数到 99");
        t.stage.logged("given up after 3 refusals").await;
        t.count().await;
        let sent = t.stage.sandbox.sent();
        assert!(sent.iter().all(|sent| sent.text != "数到 99"), "refused means not said: {sent:?}");
        assert_eq!(t.stage.calls("webwxsendmsg"), 7, "it was tried three times");
    })
    .await;
}

#[tokio::test]
async fn a_login_survives_one_fault_at_every_step() {
    use FaultKind as Kind;
    const STEPS: [&str; 6] = [
        "jslogin",
        "login",
        "webwxnewloginpage",
        "webwxinit",
        "webwxstatusnotify",
        "webwxgetcontact",
    ];
    story(async {
        let kinds = [
            Kind::Delay,
            Kind::Status,
            Kind::Reset,
            Kind::Lost,
            Kind::Cut,
            Kind::Garbage,
            Kind::Html,
            Kind::Empty,
            Kind::Duplicate,
        ];
        join_all(kinds.map(|kind| async move {
            let faults = STEPS.map(|step| Fault::new(step, kind)).into();
            let mut t = stage(Options { auto_confirm: true, faults, ..Options::default() }).await;
            t.stage.start().await;
            t.count().await;
            t.count().await;
            for step in STEPS {
                let calls = t.stage.calls(step);
                assert!(calls <= 8, "{calls} calls of {step} under {kind:?}");
            }
        }))
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_refused_account_reports_the_reason_and_the_remedy() {
    const WORDS: &str = "你的帐号不允许登录网页微信";
    story(async {
        let refuse_login = Some(WORDS.to_owned());
        let mut t = stage(Options { auto_confirm: true, refuse_login, ..Options::default() }).await;
        t.stage.spawn();
        let line = t.stage.logged("1203").await;
        for part in [WORDS, "not a fault", "MYNAH_DESKTOP_TOKEN", "another account"] {
            assert!(line.contains(part), "{part}: {line}");
        }
        assert_eq!(t.stage.ended().await, 4);
        assert_eq!(t.stage.calls("webwxnewloginpage"), 1, "no storm of retries");
        assert_eq!(t.stage.calls("jslogin"), 1);
    })
    .await;
}

#[tokio::test]
async fn the_desktop_token_is_taken_from_a_file_of_the_data_folder() {
    story(async {
        let options = Options { auto_confirm: true, desktop_only: true, ..Options::default() };
        let mut t = stage(options).await;
        let token = t.stage.data.path().join("desktop-token");
        std::fs::write(token, "an-opaque-token\n").expect("the folder is there");
        t.stage.start().await;
        t.count().await;
    })
    .await;
}

/// Waits until the server issues a login code.
async fn code_is_shown(t: &mut Stage) {
    t.until(|event| {
        matches!(event, SandboxEvent::Login { state, .. } if state == "waiting").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_code_that_expired_or_was_cancelled_is_followed_by_another() {
    story(async {
        let mut t = stage(Options::default()).await;
        t.stage.spawn();
        code_is_shown(&mut t.stage).await;
        t.stage.sandbox.login_expire();
        code_is_shown(&mut t.stage).await;
        t.stage.sandbox.login_scan().await;
        assert!(t.stage.sandbox.login_cancel(), "a login was open");
        code_is_shown(&mut t.stage).await;
        t.stage.sandbox.login_confirm().await;
        t.stage.online().await;
        t.count().await;
        assert_eq!(t.stage.calls("jslogin"), 3);
    })
    .await;
}

#[tokio::test]
async fn a_server_killed_and_back_on_its_port_finds_the_same_session() {
    story(async {
        let mut t = started().await;
        t.count().await;
        let (options, world) = t.stage.kill_server().await;
        t.stage.logged("offline").await;
        t.stage.serve(Options { world, ..options }).await;
        t.count().await;
        t.count().await;
        assert_eq!(t.stage.calls("webwxnewloginpage"), 0, "the session was still good");
    })
    .await;
}

#[tokio::test]
async fn after_a_server_lost_its_memory_the_bot_logs_in_again() {
    story(async {
        let mut t = started().await;
        t.count().await;
        let (options, _) = t.stage.kill_server().await;
        t.stage.logged("offline").await;
        t.stage.serve(Options { world: World::default(), ..options }).await;
        t.stage.online().await;
        t.count().await;
        t.count().await;
        assert_eq!(t.stage.calls("webwxnewloginpage"), 1);
    })
    .await;
}

#[tokio::test]
async fn a_bot_polls_a_server_that_is_down_less_often_and_finds_it_when_it_is_back() {
    story(async {
        let mut t = started().await;
        t.count().await;
        t.stage.sandbox.fault(Fault::new("*", FaultKind::Status).value(502).always());
        t.say();
        let began = failed_call(&mut t.stage).await;
        for _ in 0..3 {
            failed_call(&mut t.stage).await;
        }
        // 1 s, 2 s, 4 s.
        let waited = began.elapsed();
        assert!(waited >= Duration::from_secs(6), "four calls within {waited:?}");
        assert!(waited <= Duration::from_secs(30), "asleep for {waited:?}");
        t.stage.sandbox.clear_faults();
        t.is_answered().await;
        t.count().await;
        assert_eq!(t.stage.calls("jslogin"), 1);
    })
    .await;
}

/// Waits until a call for news fails. Other calls have separate pauses.
async fn failed_call(t: &mut Stage) -> Instant {
    t.until(|event| {
        let SandboxEvent::Call(call) = event else { return None };
        let asks_for_news = ["synccheck", "webwxsync"].iter().any(|end| call.path.ends_with(end));
        (asks_for_news && call.status == 502).then(Instant::now)
    })
    .await
}
