//! A handler over a pipe: each kind of failure.

use std::time::Duration;

use mynah_core::{
    Change, Chat, Due, Event, EventBody, EventId, Person, Scope, TimerChange, Timestamp,
};
use mynah_tests::processes::{runs, until_ended};
use serde_json::{Value, json};

use crate::stage::{CHILD, Running, WAITS, message, spec, within_time};

#[tokio::test]
async fn a_good_answer_becomes_effects() {
    within_time(async {
        let it = Running::start(spec(&[CHILD]));
        assert_eq!(it.ask("1", "hello").await.as_deref(), Ok("hello"));
        let answer = json!({
            "reply": "one", "actions": [{"send": {"text": "two", "to": "Shop"}}, {"send": {"text": " "}}],
            "set": {"user.city": "Rome"}, "add": {"chat.n": 2},
            "later": [{"after": "10m", "data": {"n": 1}}],
        });
        let effects =
            it.effects(&message("2", &format!("answer {answer}"))).await.expect("effects");
        assert_eq!(effects.steps.len(), 2);
        assert_eq!(effects.writes.len(), 2);
        assert_eq!(effects.writes[0].change, Change::Set("Rome".to_owned()));
        assert_eq!((effects.writes[1].scope, &*effects.writes[1].key), (Scope::Chat, "n"));
        let [TimerChange::Set(timer)] = effects.timers.as_slice() else { panic!("one timer") };
        assert_eq!((&*timer.name, &*timer.data), ("helper", "{\"n\":1}"));
        assert_eq!(timer.at, Timestamp::from_millis(0) + Duration::from_secs(600));
        it.program.stop().await;
        let counts = it.program.counts();
        assert_eq!((counts.answered, counts.starts, counts.running), (2, 1, false));
    })
    .await;
}

#[tokio::test]
async fn a_request_is_the_same_on_every_try_and_fits_its_schema() {
    within_time(async {
        let it = Running::start(spec(&[CHILD]));
        let request = it.ask("7", "request").await.expect("it answers");
        assert_eq!(it.ask("7", "request").await.as_deref(), Ok(&*request));
        let request: Value = serde_json::from_str(&request).expect("JSON");
        assert_eq!(request["id"], "main/7#0");
        assert_eq!(request["event"]["kind"], "message");
        assert_eq!(request["event"]["sender"]["is_admin"], false);
        assert_eq!(request["event"]["segments"], json!([{"is": "text", "text": "request"}]));
        it.program.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_later_call_comes_back_as_due_with_its_data() {
    within_time(async {
        let it = Running::start(spec(&[
            "sh",
            "-c",
            "read -r line; id=${line#*\\\"id\\\":\\\"}; id=${id%%\\\"*}; \
            case $line in *'\"kind\":\"due\"'*'\"data\":{\"n\":1}'*) say=yes;; *) say=no;; esac; \
            printf '{\"id\":\"%s\",\"reply\":\"%s\"}\\n' \"$id\" \"$say\"; cat >/dev/null",
        ]));
        let due = Due {
            key: "k".to_owned(),
            at: Timestamp::from_millis(0),
            chat: Some(Chat::private("ann", "Ann")),
            person: Some(Person::friend("ann", "Ann")),
            name: "helper".to_owned(),
            data: "{\"n\":1}".to_owned(),
        };
        let event = Event { id: EventId::new("due"), time: due.at, body: EventBody::Due(due) };
        let effects = it.effects(&event).await.expect("effects");
        assert_eq!(crate::stage::said(&effects), "yes");
        it.program.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_failure_of_one_request_is_no_failure_of_the_next() {
    within_time(async {
        let it = Running::start(spec(&[CHILD]));
        for (text, expected) in [
            ("error no such city", "no such city"),
            ("answer {\"replay\": \"x\"}", "replay: unknown field"),
            (
                "answer {\"actions\": [{\"send\": {\"text\": \"x\", \"to\": \"Nowhere\"}}]}",
                "Nowhere",
            ),
            ("answer {\"actions\": [{\"send\": {\"image\": \"../x.png\"}}]}", "is not in"),
            ("answer {\"actions\": [{\"accept\": true}]}", "not a friend request"),
        ] {
            let error = it.ask("1", text).await.expect_err(text);
            assert!(error.contains(expected), "{error}");
            assert_eq!(it.ask("2", "hello").await.as_deref(), Ok("hello"));
        }
        assert_eq!(it.ask("3", "twice").await.as_deref(), Ok("twice"));
        assert_eq!(it.ask("4", "unknown").await.as_deref(), Ok("unknown"));
        assert_eq!(it.ask("5", "complain").await.as_deref(), Ok("complain"));
        assert_eq!(it.ask("6", "hello").await.as_deref(), Ok("hello"));
        assert_eq!(it.program.counts().starts, 1, "all by one process");
        it.program.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_process_that_ends_or_writes_rubbish_is_replaced_and_its_request_asked_once_more() {
    within_time(async {
        let it = Running::start(spec(&[CHILD]));
        let bad = [
            "exit",
            "half",
            "rubbish",
            "binary",
            "surrogate",
            "deep",
            "number",
            "long",
            "flood",
            "fork-and-exit",
        ];
        for text in bad {
            let starts = it.program.counts().starts;
            let error = it.ask("1", text).await.expect_err(text);
            assert!(error.contains("ended twice"), "{text}: {error}");
            assert_eq!(it.ask("2", "hello").await.as_deref(), Ok("hello"), "{text}");
            assert_eq!(it.program.counts().starts - starts, 2 + u64::from(starts == 0), "{text}");
        }
        let error = it.ask("1", "exit").await.expect_err("it ends");
        assert!(error.contains("exit status: 4") && error.contains("has started"), "{error}");
        assert_eq!(it.ask("3", "answer-and-exit").await.as_deref(), Ok("answer-and-exit"));
        assert_eq!(it.ask("4", "hello").await.as_deref(), Ok("hello"));
        it.program.stop().await;
    })
    .await;
}

#[tokio::test]
async fn three_timeouts_in_a_row_replace_the_process() {
    within_time(async {
        let mut spec = spec(&[CHILD]);
        spec.timeout = Duration::from_millis(200);
        let it = Running::start(spec);
        assert_eq!(it.ask("0", "hello").await.as_deref(), Ok("hello"));
        for id in ["1", "2"] {
            let error = it.ask(id, "silent").await.expect_err("no answer");
            assert!(error.contains("no answer within 200ms"), "{error}");
        }
        assert_eq!(it.program.counts().starts, 1);
        // An answer in time starts the count anew.
        assert_eq!(it.ask("3", "hello").await.as_deref(), Ok("hello"));
        for id in ["4", "5", "6"] {
            it.ask(id, "hang").await.expect_err("no answer");
        }
        assert_eq!(it.ask("7", "hello").await.as_deref(), Ok("hello"));
        assert_eq!(it.program.counts().starts, 2);
        assert_eq!(it.program.counts().failed.get("timeout"), Some(&5));
        it.program.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_time_out_before_the_first_answer_names_the_whole_wait() {
    within_time(async {
        let mut spec = spec(&[CHILD]);
        spec.timeout = Duration::from_millis(100);
        let first = Duration::from_millis(150);
        let it = Running::waiting(spec, mynah_programs::Waits { first, ..WAITS });
        let error = it.ask("1", "silent").await.expect_err("no answer");
        assert!(error.contains("no answer within 250ms"), "{error}");
        it.program.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_answer_behind_a_byte_order_mark_is_read() {
    within_time(async {
        let it = Running::start(spec(&[
            "sh",
            "-c",
            "read -r line; id=${line#*\\\"id\\\":\\\"}; id=${id%%\\\"*}; \
            printf '\\357\\273\\277{\"id\":\"%s\",\"reply\":\"yes\"}\\n' \"$id\"; cat >/dev/null",
        ]));
        assert_eq!(it.ask("1", "hello").await.as_deref(), Ok("yes"));
        it.program.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_late_answer_goes_to_nobody() {
    within_time(async {
        let mut spec = spec(&[CHILD]);
        spec.timeout = Duration::from_millis(150);
        let it = Running::start(spec);
        assert_eq!(it.ask("0", "hello").await.as_deref(), Ok("hello"));
        it.ask("1", "late 250").await.expect_err("too late");
        // The late answer comes while this one is open.
        assert_eq!(it.ask("2", "hello").await.as_deref(), Ok("hello"));
        it.program.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_program_that_cannot_run_fails_its_requests_with_the_reason() {
    within_time(async {
        let it = Running::start(spec(&["./no-such-program"]));
        let error = it.ask("1", "hello").await.expect_err("it does not run");
        assert!(error.contains("not running") && error.contains("no-such-program"), "{error}");
        let it = Running::start(spec(&[CHILD, "--crash-at-start"]));
        let error = it.ask("1", "hello").await.expect_err("it ends");
        assert!(error.contains("no module named weather"), "{error}");
        it.program.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_program_that_does_not_read_holds_no_request_for_ever() {
    within_time(async {
        let mut spec = spec(&[CHILD, "--not-reading"]);
        spec.timeout = Duration::from_millis(100);
        let it = Running::waiting(spec, mynah_programs::Waits { first: Duration::ZERO, ..WAITS });
        let long = "x".repeat(1 << 20);
        let error = it.ask("1", &long).await.expect_err("it is not read");
        assert!(error.contains("no answer within"), "{error}");
        let error = it.ask("2", &"x".repeat(5 << 20)).await.expect_err("too long");
        assert!(error.contains("4 MiB"), "{error}");
        it.program.stop().await;
    })
    .await;
}

#[tokio::test]
async fn requests_overlap_up_to_the_limit_and_are_answered_in_any_order() {
    within_time(async {
        let script = "while read -r line; do id=${line#*\\\"id\\\":\\\"}; id=${id%%\\\"*}; \
            case $line in *wait*) held=$id;; *) printf '{\"id\":\"%s\",\"reply\":\"go\"}\\n' \"$id\"; \
            printf '{\"id\":\"%s\",\"reply\":\"waited\"}\\n' \"$held\";; esac; done";
        let mut spec = spec(&["sh", "-c", script]);
        spec.at_once = 2;
        let it = Running::start(spec);
        // The first is answered only after the second was asked.
        let (first, second) = tokio::join!(it.ask("1", "wait"), it.ask("2", "go"));
        assert_eq!((first.as_deref(), second.as_deref()), (Ok("waited"), Ok("go")));
        it.program.stop().await;
    })
    .await;
}

#[tokio::test]
async fn no_process_of_the_group_is_left_however_stubborn_it_is() {
    within_time(async {
        let stubborn = "trap '' TERM; exec \"$0\" --deaf";
        for command in [&[CHILD][..], &[CHILD, "--deaf"], &["sh", "-c", stubborn, CHILD]] {
            let it = Running::start(spec(command));
            let child = it.ask("1", "pid").await.expect("it answers");
            let grandchild = it.ask("2", "fork").await.expect("it answers");
            assert!(runs(&child) && runs(&grandchild));
            it.program.stop().await;
            until_ended(&child).await;
            until_ended(&grandchild).await;
            let error = it.ask("3", "hello").await.expect_err("it is stopped");
            assert!(error.contains("stopped"), "{error}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_child_gets_only_the_environment_that_it_is_given() {
    within_time(async {
        let mut spec = spec(&["sh", "-c", "read -r line; id=${line#*\\\"id\\\":\\\"}; id=${id%%\\\"*}; \
            printf '{\"id\":\"%s\",\"reply\":\"%s\"}\\n' \"$id\" \"$(env | cut -d= -f1 | sort | tr '\\n' ' ')$KEY\""]);
        if let mynah_programs::Source::Command(command) = &mut spec.source {
            command.env.insert("KEY".to_owned(), "s3cret".to_owned());
        }
        assert!(!format!("{spec:?}").contains("s3cret"));
        let it = Running::start(spec);
        let names = it.ask("1", "hello").await.expect("it answers");
        assert!(names.contains("KEY") && names.contains("PATH") && names.ends_with("s3cret"));
        assert!(!names.contains("CARGO"), "{names}");
        it.program.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_bytes_of_an_answer_are_kept_until_they_are_sent() {
    within_time(async {
        let it = Running::start(spec(&[CHILD]));
        let answer = json!({"actions": [{"send": {"file": {"base64": "aGk=", "name": "a.txt"}}}]});
        let effects =
            it.effects(&message("1", &format!("answer {answer}"))).await.expect("effects");
        let shown = format!("{:?}", effects.steps);
        assert!(shown.contains("a.txt"), "{shown}");
        let kept = std::fs::read_dir(it.folder.path().join("out")).expect("the folder");
        let kept: Vec<_> = kept.map(|file| std::fs::read(file.expect("a file").path())).collect();
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].as_deref().expect("bytes"), b"hi");
        it.program.stop().await;
    })
    .await;
}
