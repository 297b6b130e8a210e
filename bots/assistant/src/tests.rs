//! Tests of the bot with a fake model on 127.0.0.1.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use mynah::testing::Conversation;
use mynah::{Bot, Ended};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::model::{Model, PATIENCE};

const FOLDER: &str = env!("CARGO_MANIFEST_DIR");
const SORRY: &str = "@张三 我现在答不上来，请稍后再问，或者找群里的同事。";

/// A fake model that repeats the last line, unless the test plans another answer. It records the questions.
#[derive(Default)]
struct Fake {
    planned: Mutex<Option<(StatusCode, String)>>,
    asked: Mutex<Vec<Value>>,
    keys: Mutex<Vec<String>>,
}

impl Fake {
    async fn serve(self: &Arc<Self>) -> String {
        let fake = Arc::clone(self);
        let answer =
            move |headers: HeaderMap, body: String| async move { fake.answer(&headers, &body) };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let routes = Router::new().route("/v1/chat/completions", post(answer));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        address
    }

    fn answer(&self, headers: &HeaderMap, body: &str) -> (StatusCode, String) {
        let question: Value = serde_json::from_str(body).unwrap();
        let last = question["messages"].as_array().unwrap().last().unwrap()["content"].clone();
        self.asked.lock().unwrap().push(question);
        let key = headers.get("authorization").map(|key| key.to_str().unwrap().to_owned());
        self.keys.lock().unwrap().extend(key);
        let echo =
            json!({"role": "assistant", "content": format!(" 你说“{}” ", last.as_str().unwrap())});
        let usual =
            json!({"id": "x", "choices": [{"index": 0, "message": echo, "finish_reason": "stop"}]});
        self.planned.lock().unwrap().take().unwrap_or((StatusCode::OK, usual.to_string()))
    }

    fn will_answer(&self, status: StatusCode, body: &str) {
        *self.planned.lock().unwrap() = Some((status, body.to_owned()));
    }

    /// The lines of the last question, with their roles.
    fn last_question(&self) -> Vec<(String, String)> {
        let asked = self.asked.lock().unwrap();
        let messages = asked.last().unwrap()["messages"].as_array().unwrap().clone();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        messages.iter().map(|line| (text(&line["role"]), text(&line["content"]))).collect()
    }

    fn times_asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn bot(server: &str) -> Bot {
    crate::answer(Bot::new(), Model::new(server, "small".to_owned(), None, PATIENCE).unwrap())
}

async fn talk(fake: &Arc<Fake>) -> Conversation {
    Conversation::new(bot(&fake.serve().await), FOLDER).await.unwrap()
}

#[tokio::test]
async fn the_rule_file_is_right_and_passes_its_own_tests() {
    let bot = bot(&Arc::new(Fake::default()).serve().await);
    for command in ["check", "test"] {
        let ended = bot.clone().run(["assistant-bot", command, FOLDER]).await.unwrap();
        assert_eq!(ended, Ended::Fine, "{command}");
    }
}

#[tokio::test]
async fn the_model_answers_unmatched_messages_that_call_the_bot() {
    let fake = Arc::new(Fake::default());
    let mut talk = talk(&fake).await;
    assert_eq!(talk.say("客户群/张三", "@小八 你好").await.unwrap(), ["@张三 你说“你好”"]);
    assert_eq!(talk.say("张三", "在吗").await.unwrap(), ["你说“在吗”"]);
    let price = talk.say("客户群/张三", "@小八 多少钱").await.unwrap();
    assert_eq!(price, ["价目表：https://example.com/price"]);
    for (who, text) in
        [("客户群/张三", "你好"), ("家人群/张三", "@小八 你好"), ("客户群/群发助手", "@小八 你好")]
    {
        assert!(talk.say(who, text).await.unwrap().is_empty(), "{who}: {text}");
    }
    assert_eq!(fake.times_asked(), 2);
}

#[tokio::test]
async fn the_model_gets_the_earlier_lines_of_this_person_in_this_chat() {
    let fake = Arc::new(Fake::default());
    let mut talk = talk(&fake).await;
    talk.say("客户群/张三", "@小八 一").await.unwrap();
    talk.say("客户群/李四", "@小八 别人").await.unwrap();
    talk.say("客户群/张三", "@小八 二").await.unwrap();
    let told = |lines: &[(&str, &str)]| -> Vec<(String, String)> {
        lines.iter().map(|(role, text)| ((*role).to_owned(), (*text).to_owned())).collect()
    };
    let question = fake.last_question();
    assert_eq!(question[0].0, "system");
    assert_eq!(question[1..], told(&[("user", "一"), ("assistant", "你说“一”"), ("user", "二")]));

    talk.say("客户群/张三", "重新开始").await.unwrap();
    talk.say("客户群/张三", "@小八 三").await.unwrap();
    assert_eq!(fake.last_question()[1..], told(&[("user", "三")]));

    talk.advance(Duration::from_secs(31 * 60)).await.unwrap();
    talk.say("客户群/张三", "@小八 四").await.unwrap();
    assert_eq!(fake.last_question()[1..], told(&[("user", "四")]), "half an hour of silence");
}

#[tokio::test]
async fn any_failure_of_the_model_gives_a_polite_answer_and_is_not_stored() {
    let fake = Arc::new(Fake::default());
    let mut talk = talk(&fake).await;
    let failures = [
        (StatusCode::INTERNAL_SERVER_ERROR, "{}".to_owned()),
        (StatusCode::UNAUTHORIZED, "no".to_owned()),
        (StatusCode::OK, "<html>".to_owned()),
        (StatusCode::OK, r#"{"choices": []}"#.to_owned()),
        (StatusCode::OK, r#"{"choices": [{"message": {"content": "  "}}]}"#.to_owned()),
        (StatusCode::OK, r#"{"choices": [{"message": {"content": null}}]}"#.to_owned()),
        (StatusCode::OK, "x".repeat(1 << 20)),
    ];
    for (status, body) in failures {
        fake.will_answer(status, &body);
        let said = talk.say("客户群/张三", "@小八 在吗").await.unwrap();
        assert_eq!(said, [SORRY], "{status} {body:.40}");
    }
    talk.say("客户群/张三", "@小八 好了吗").await.unwrap();
    assert_eq!(fake.last_question().len(), 2, "the model's instructions and the question");
}

#[tokio::test]
async fn a_silent_or_unreachable_model_gives_a_polite_answer() {
    // The system accepts connections, and no one answers them.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addresses = [&silent, &gone].map(|it| format!("http://{}", it.local_addr().unwrap()));
    drop(gone);
    for address in addresses {
        let hasty = Duration::from_millis(50);
        let bot = Bot::new();
        let model = Model::new(&address, "small".to_owned(), None, hasty).unwrap();
        let mut talk = Conversation::new(crate::answer(bot, model), FOLDER).await.unwrap();
        assert_eq!(talk.say("客户群/张三", "@小八 在吗").await.unwrap(), [SORRY]);
    }
}

#[tokio::test]
async fn the_key_is_sent_and_never_shown() {
    let fake = Arc::new(Fake::default());
    let server = fake.serve().await;
    let key = Some("sk-secret".to_owned());
    let bot = Bot::new();
    let model = Model::new(&server, "small".to_owned(), key, PATIENCE).unwrap();
    let mut talk = Conversation::new(crate::answer(bot, model), FOLDER).await.unwrap();
    talk.say("张三", "你好").await.unwrap();
    assert_eq!(*fake.keys.lock().unwrap(), ["Bearer sk-secret"]);
    let refused = Model::new(&server, "small".to_owned(), Some("sk\nsecret".to_owned()), PATIENCE);
    assert!(!refused.err().unwrap().to_string().contains("secret"));
}
