use std::io::{self, Cursor};
use std::sync::Mutex;

use mynah_core::{
    Action, ActionId, Batch, Called, Content, Event, EventBody, EventKind, Incoming, MessageKind,
    NoticeKind, Outgoing, Person, Receipt, ReceiveError, Records, SendError, Service, Source,
    Status, Timestamp,
};
use serde_json::{Value, json};

use super::*;

/// An output that the test can read.
#[derive(Debug, Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An output whose reader has gone away.
struct Gone;

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn options() -> Options {
    let friends = BTreeMap::from([("老王".to_owned(), "u-1".to_owned())]);
    let names = CalledBy::new(["小助手".to_owned()]);
    Options { me: Some("八哥".to_owned()), friends, names, ..Options::default() }
}

/// Everything that comes of an input: events and records, until the end.
async fn read(input: &str, records: &Records) -> (Vec<Event>, Records) {
    let stdio = Stdio::over(options(), Cursor::new(input.to_owned()), Output::default());
    let (mut source, _service) = Box::new(stdio).open(records.clone());
    let (mut events, mut records) = (Vec::new(), records.clone());
    loop {
        match source.receive().await.unwrap() {
            Incoming::Status(status) => {
                assert_eq!(status, Status::Online { name: "八哥".to_owned() });
            }
            Incoming::Batch(Batch { events: more, records: changed, .. }) => {
                events.extend(more);
                records.extend(changed);
            }
            Incoming::End => return (events, records),
        }
    }
}

async fn events(input: &str) -> Vec<Event> {
    read(input, &Records::new()).await.0
}

fn outgoing(text: &str) -> Outgoing {
    Outgoing {
        id: ActionId { event: "m".into(), n: 0 },
        chat: "group:g".into(),
        action: Action::Send { content: Content::text(text) },
        queued: Timestamp::default(),
        attempt: 1,
    }
}

#[tokio::test]
async fn the_forms_of_replay_and_ids_are_read() {
    let all = events(concat!(
        "{\"text\":\"a\",\"id\":1}\n\n",
        "{\"text\":\"@小助手 b\",\"group\":\"g\",\"from\":\"x\",\"time\":\"1970-01-01T00:00:09Z\",\"id\":\"q\"}\n",
        "{\"text\":\"@小助手 c\",\"group\":\"g\",\"from\":\"x\",\"at_me\":false}\n",
        "{\"text\":\"d\",\"chat\":{\"id\":\"c-9\",\"name\":\"G\",\"group\":true},\"from\":{\"id\":\"u-1\",\"name\":\"W\"}}\n",
        "{\"text\":\"@八哥 e\",\"chat\":{\"id\":7},\"from\":{\"id\":8,\"name\":\"P\"}}",
    ))
    .await;
    let seen: Vec<_> = all
        .iter()
        .map(|event| {
            let message = event.message().unwrap();
            let chat = (message.chat.id.as_str(), message.chat.name.as_str());
            (chat, message.sender.id.as_str(), message.text.as_str(), message.called)
        })
        .collect();
    assert_eq!(
        seen,
        [
            (("private:somebody", "somebody"), "somebody", "a", true),
            (("group:g", "g"), "x", "b", true),
            (("group:g", "g"), "x", "@小助手 c", false),
            (("c-9", "G"), "u-1", "d", false),
            (("7", "P"), "8", "e", true),
        ]
    );
    assert_eq!((all[0].id.as_str(), all[1].id.as_str()), ("1", "q"));
    assert_eq!(all[1].time.as_millis(), 9_000);
}

#[tokio::test]
async fn only_the_settings_say_who_is_a_friend() {
    let all = events(concat!(
        "{\"text\":\"a\",\"from\":{\"id\":\"u-1\",\"name\":\"W\"}}\n",
        "{\"text\":\"a\",\"from\":{\"id\":\"u-2\",\"name\":\"老王\"}}\n",
        "{\"text\":\"a\",\"from\":\"老王\"}\n",
    ))
    .await;
    let certain = |event: &Event| event.message().unwrap().sender.is_certainly("老王");
    assert_eq!(all.iter().map(certain).collect::<Vec<_>>(), [true, false, false]);
    let stdio = Stdio::over(options(), io::empty(), Output::default());
    let (_, service) = Box::new(stdio).open(Records::new());
    assert_eq!(service.person_called("老王"), Called::Certain("u-1".into()));
    assert_eq!(service.person_called("W"), Called::Nobody);
}

#[tokio::test]
async fn every_event_word_and_every_type_is_read() {
    for kind in EventKind::ALL {
        let line = format!("{{\"event\":\"{}\",\"text\":\"t\",\"group\":\"g\"}}", kind.word());
        let all = events(&line).await;
        let EventBody::Notice(notice) = &all[0].body else { panic!("{line}") };
        assert_eq!(notice.kind.event_kind(), Some(*kind));
    }
    for (kind, word) in MessageKind::ALL {
        let all = events(&format!("{{\"type\":\"{word}\",\"text\":\"t\"}}")).await;
        assert_eq!(all[0].message().unwrap().kind(), kind, "{word}");
    }
    let all = events("{\"event\":\"recall\",\"message\":\"m-1\"}").await;
    let EventBody::Notice(notice) = &all[0].body else { panic!("a notice") };
    assert!(
        matches!(&notice.kind, NoticeKind::Recall { message, .. } if message.as_str() == "m-1")
    );
}

#[tokio::test]
async fn a_wrong_line_is_skipped_and_the_next_is_read() {
    let all = events(concat!(
        "hello\n{}\n[]\n{\"text\":1}\n{\"event\":\"party\"}\n{\"type\":\"picture\"}\n{\"text\":\"a\",\"time\":\"noon\"}\n",
        "{\"text\":\"a\",\"group\":\"g\",\"chat\":{\"id\":\"c\"}}\n{\"outcome\":\"delivered\"}\n{\"text\":\"good\"}\n",
    ))
    .await;
    let texts: Vec<_> = all.iter().map(|event| event.message().unwrap().text.as_str()).collect();
    assert_eq!(texts, ["good"]);
    assert_eq!(all[0].id.as_str(), "stdio:1:10", "its line is counted");
}

/// The number of the line alone would repeat after a restart, and the event be dropped as seen.
#[tokio::test]
async fn a_line_without_an_id_gets_one_that_no_earlier_run_used() {
    let (first, records) = read("{\"text\":\"a\"}\n", &Records::new()).await;
    let (second, _) = read("{\"text\":\"a\"}\n", &records).await;
    assert_ne!(first[0].id, second[0].id);
}

#[tokio::test]
async fn a_chat_that_was_seen_is_known_after_a_restart() {
    let (_, records) = read("{\"text\":\"a\",\"group\":\"g\"}\n", &Records::new()).await;
    let stdio = Stdio::over(options(), io::empty(), Output::default());
    let (_, service) = Box::new(stdio).open(records);
    let ids: Vec<_> = service.chats().iter().map(|chat| chat.id.as_str().to_owned()).collect();
    assert_eq!(ids, ["group:g", "private:u-1"]);
}

#[tokio::test]
async fn an_action_is_one_object_with_its_id_its_chat_and_the_action() {
    let output = Output::default();
    let (_, service) =
        Box::new(Stdio::over(options(), io::empty(), output.clone())).open(Records::new());
    assert_eq!(service.perform(&outgoing("a\nb")).await.unwrap(), Receipt::default());
    let action = json!({"do": "send", "text": "a\nb", "content": [{"is": "text", "text": "a\nb"}]});
    assert_eq!(output.lines(), [json!({"id": "m#0", "chat": "group:g", "action": action})]);
}

#[tokio::test]
async fn a_reader_that_went_away_ends_the_account() {
    // An input that stays open, as that of a bridge does.
    let (input, _writer) = io::pipe().unwrap();
    let (mut source, service) = Box::new(Stdio::over(options(), input, Gone)).open(Records::new());
    assert!(matches!(source.receive().await, Ok(Incoming::Status(Status::Online { .. }))));
    let sent = service.perform(&outgoing("a")).await;
    assert!(matches!(sent, Err(SendError::NotSent { .. })), "it waits for the next start");
    assert!(matches!(source.receive().await, Err(ReceiveError::Unusable(_))));
}

/// A source and its service that wait for outcomes, and the writer to the source.
fn bridged() -> (Box<dyn Source>, Arc<dyn Service>, io::PipeWriter) {
    let (input, writer) = io::pipe().unwrap();
    let options = Options { outcomes: Some(Duration::from_secs(600)), ..options() };
    let (source, service) =
        Box::new(Stdio::over(options, input, Output::default())).open(Records::new());
    (source, service, writer)
}

/// Performs an action while the source reads.
async fn performed(
    source: &mut Box<dyn Source>,
    service: &Arc<dyn Service>,
) -> Result<Receipt, SendError> {
    let reading = async { while !matches!(source.receive().await, Ok(Incoming::End) | Err(_)) {} };
    let action = outgoing("a");
    tokio::select! {
        biased;
        sent = service.perform(&action) => sent,
        () = reading => service.perform(&action).await,
    }
}

#[tokio::test]
async fn the_outcome_of_an_action_comes_back_as_a_line() {
    let told = async |line: &str| {
        let (mut source, service, mut writer) = bridged();
        assert!(source.receive().await.is_ok(), "online");
        writer.write_all(format!("{line}\n").as_bytes()).unwrap();
        performed(&mut source, &service).await
    };
    let delivered = told("{\"id\":\"m#0\",\"outcome\":\"delivered\",\"message\":\"n-1\"}").await;
    assert_eq!(delivered.unwrap().message.unwrap().as_str(), "n-1");
    let refused =
        told("{\"id\":\"m#0\",\"outcome\":\"refused\",\"reason\":\"no such chat\"}").await;
    assert!(matches!(refused, Err(SendError::Refused { reason }) if reason == "no such chat"));
    let again = told("{\"id\":\"m#0\",\"outcome\":\"not_sent\",\"retry_after\":2.5}").await;
    let wait = Some(Duration::from_millis(2_500));
    assert!(matches!(again, Err(SendError::NotSent { retry_after, .. }) if retry_after == wait));
    let slower = told("{\"id\":\"m#0\",\"outcome\":\"too_frequent\"}").await;
    assert!(matches!(slower, Err(SendError::TooFrequent { retry_after: None })));
    let unknown = told("{\"id\":\"m#0\",\"outcome\":\"unknown\"}").await;
    assert!(matches!(unknown, Err(SendError::Unknown { .. })));
}

#[tokio::test]
async fn once_the_input_has_ended_no_action_waits_for_its_outcome() {
    let (mut source, service, writer) = bridged();
    assert!(source.receive().await.is_ok(), "online");
    drop(writer);
    assert_eq!(performed(&mut source, &service).await.unwrap(), Receipt::default());
}

/// The words of a property of the committed schema.
fn words(schema: &Value, pointer: &str) -> Vec<String> {
    let words = schema.pointer(pointer).and_then(Value::as_array).expect(pointer);
    words.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect()
}

#[test]
fn the_committed_schema_has_every_word() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/stdio.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let events: Vec<&str> =
        ["message"].into_iter().chain(EventKind::WORDS.iter().copied()).collect();
    assert_eq!(words(&schema, "/$defs/event/properties/event/enum"), events);
    let kinds: Vec<&str> = MessageKind::ALL.iter().map(|(_, word)| *word).collect();
    assert_eq!(words(&schema, "/$defs/event/properties/type/enum"), kinds);
    let outcomes = ["delivered", "not_sent", "too_frequent", "refused", "unknown"];
    assert_eq!(words(&schema, "/$defs/outcome/properties/outcome/enum"), outcomes);
    for action in [
        Action::Send { content: Content::text("a") },
        Action::Recall { message: "m".into(), sender: None },
        Action::Recall { message: "m".into(), sender: Some(Person::stranger("u-1", "Ann")) },
        Action::Kick { person: Person::stranger("u-1", "Ann") },
        Action::Invite { person: Person::stranger("u-1", "Ann") },
        Action::AcceptFriend { ticket: "t".to_owned() },
    ] {
        let line = written::line(&Outgoing { action, ..outgoing("a") }).unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        let word = line["action"]["do"].as_str().unwrap().to_owned();
        let known = &schema["$defs"]["action"]["properties"];
        assert!(
            words(&schema, "/$defs/action/properties/action/properties/do/enum").contains(&word)
        );
        let top: Vec<&String> = line.as_object().unwrap().keys().collect();
        assert!(top.iter().all(|key| known.get(key.as_str()).is_some()), "{top:?}");
        let fields = line["action"].as_object().unwrap();
        let known = &known["action"]["properties"];
        assert!(fields.keys().all(|key| known.get(key).is_some()), "{fields:?}");
    }
}

#[tokio::test]
async fn members_are_known_once_they_speak() {
    let said = |id: &str, name: &str| {
        let from = json!({"id": id, "name": name});
        format!("{}\n", json!({"text": "hi", "group": "G", "from": from}))
    };
    let input = [said("u-2", "Ann"), said("u-3", "Bob"), said("u-2", "Anna")];
    let stdio = Stdio::over(options(), Cursor::new(input.concat()), Output::default());
    let (mut source, service) = Box::new(stdio).open(Records::new());
    let mut chat = None;
    loop {
        match source.receive().await.unwrap() {
            Incoming::Status(_) => {}
            Incoming::Batch(batch) => {
                chat = chat.or_else(|| Some(batch.events.first()?.chat()?.id.clone()));
            }
            Incoming::End => break,
        }
    }
    assert_eq!(service.members(&chat.expect("a group")), ["Anna", "Bob"]);
    assert!(service.members(&"other".into()).is_empty());
}
