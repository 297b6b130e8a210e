//! Tests of the bot with a fake service on 127.0.0.1.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use mynah::testing::Conversation;
use mynah::{Bot, Ended};
use tokio::net::TcpListener;

use super::weather::Patience;

/// Long enough for a service in the same process, without waits between attempts.
const SHORT: Patience = Patience { one_try: Duration::from_secs(30), waits: [Duration::ZERO; 2] };

fn bot(service: &str) -> Bot {
    super::bot(service, SHORT).unwrap()
}

const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

/// A fake service. It gives the planned answers, the last one first, then a line of weather. It records the requested
/// paths.
#[derive(Default)]
struct Service {
    answers: Mutex<Vec<(StatusCode, String)>>,
    asked: Mutex<Vec<String>>,
}

impl Service {
    /// Serves, and returns the address.
    async fn serve(self: &Arc<Self>) -> String {
        let service = Arc::clone(self);
        let answer = move |axum::extract::Path(city): axum::extract::Path<String>| async move {
            service.asked.lock().unwrap().push(city.clone());
            let planned = service.answers.lock().unwrap().pop();
            planned.unwrap_or((StatusCode::OK, format!("{city}: 🌦 +11°C\n"))).into_response()
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().route("/{city}", get(answer));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        address
    }

    fn will_answer(&self, status: StatusCode, body: &str) {
        self.answers.lock().unwrap().push((status, body.to_owned()));
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

async fn talk(service: &Arc<Service>) -> Conversation {
    let bot = bot(&service.serve().await);
    Conversation::new(bot, FOLDER).await.unwrap()
}

#[tokio::test]
async fn the_rule_file_is_right_and_passes_its_own_tests() {
    let bot = bot(&Arc::new(Service::default()).serve().await);
    for command in ["check", "test"] {
        let ended = bot.clone().run(["weather-bot", command, FOLDER]).await.unwrap();
        assert_eq!(ended, Ended::Fine, "{command}");
    }
}

#[tokio::test]
async fn the_city_is_asked_for_as_it_was_typed_and_never_as_part_of_the_address() {
    let service = Arc::new(Service::default());
    let mut talk = talk(&service).await;
    assert_eq!(talk.say("Ann", "weather in New York").await.unwrap(), ["New York: 🌦 +11°C"]);
    talk.say("Bob", "天气 ../admin?key=1#x").await.unwrap();
    assert_eq!(service.asked(), ["New York", "../admin?key=1#x"]);
}

#[tokio::test]
async fn a_failed_request_is_repeated() {
    let service = Arc::new(Service::default());
    service.will_answer(StatusCode::TOO_MANY_REQUESTS, "");
    service.will_answer(StatusCode::BAD_GATEWAY, "");
    let mut talk = talk(&service).await;
    assert_eq!(talk.say("Ann", "天气 上海").await.unwrap(), ["上海: 🌦 +11°C"]);
    assert_eq!(service.asked().len(), 3);
}

#[tokio::test]
async fn an_unknown_place_is_requested_once() {
    let service = Arc::new(Service::default());
    service.will_answer(StatusCode::NOT_FOUND, "");
    let mut talk = talk(&service).await;
    assert_eq!(talk.say("Ann", "天气 Nowhere").await.unwrap(), ["没听说过“Nowhere”。"]);
    assert_eq!(service.asked().len(), 1);
}

#[tokio::test]
async fn a_page_instead_of_a_line_is_not_sent() {
    let service = Arc::new(Service::default());
    service.will_answer(StatusCode::OK, &"<html>".repeat(10_000));
    let mut talk = talk(&service).await;
    let said = talk.say("Ann", "天气 上海").await.unwrap();
    assert_eq!(said, ["现在查不到上海的天气，请过一会儿再试。"]);
}

#[tokio::test]
async fn an_unreachable_service_gives_a_polite_answer() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", taken.local_addr().unwrap());
    drop(taken);
    let mut talk = Conversation::new(bot(&address), FOLDER).await.unwrap();
    let said = talk.say("Ann", "天气 上海").await.unwrap();
    assert_eq!(said, ["现在查不到上海的天气，请过一会儿再试。"]);
}

#[tokio::test]
async fn a_silent_service_runs_into_the_time_out() {
    // The system accepts connections, and no one answers them.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    let hasty = Patience { one_try: Duration::from_millis(50), ..SHORT };
    let mut talk = Conversation::new(super::bot(&address, hasty).unwrap(), FOLDER).await.unwrap();
    let said = talk.say("Ann", "天气 上海").await.unwrap();
    assert_eq!(said, ["现在查不到上海的天气，请过一会儿再试。"]);
}

#[test]
fn an_invalid_address_is_refused_at_the_start() {
    for wrong in ["wttr.in", "mailto:weather"] {
        assert!(super::bot(wrong, SHORT).is_err(), "{wrong}");
    }
}
