//! A handler behind an HTTP service on this machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mynah_programs::{Service, Source};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::stage::{Running, spec, within_time};

/// A service that gives these answers, one for each connection; `{id}` is the id of the request.
async fn serve(answers: Vec<&'static str>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/weather", listener.local_addr().expect("an address"));
    let asked = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&asked);
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut request = Vec::new();
            let mut chunk = [0; 4096];
            while !request.ends_with(b"}\n") {
                let read = stream.read(&mut chunk).await.expect("a request");
                request.extend_from_slice(&chunk[..read]);
            }
            counted.fetch_add(1, Ordering::Relaxed);
            let request = String::from_utf8(request).expect("text");
            assert!(request.starts_with("POST /weather ") && request.contains("Bearer s3cret"));
            assert!(request.to_lowercase().contains("content-type: application/json"));
            let id = request.split("\"id\":\"").nth(1).and_then(|rest| rest.split('"').next());
            let answer = answer.replace("{id}", id.expect("an id"));
            stream.write_all(answer.as_bytes()).await.expect("it is read");
        }
    });
    (url, asked)
}

fn service(url: String) -> Running {
    let mut spec = spec(&[]);
    spec.source = Source::Service(Service { url, key: Some("s3cret".to_owned()), dir: ".".into() });
    spec.timeout = Duration::from_secs(20);
    assert!(!format!("{spec:?}").contains("s3cret"));
    install_tls();
    Running::start(spec)
}

/// The bot does it at its start.
fn install_tls() {
    let _ = mynah::prelude::Bot::new();
}

const OK: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn a_service_answers_with_the_same_objects() {
    within_time(async {
        let good =
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"id\": \"{id}\", \"reply\": \"sun\"}";
        let no_id = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"reply\": \"rain\"}";
        let other_id =
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"id\": \"x\", \"reply\": \"rain\"}";
        let moved =
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\nconnection: close\r\n\r\n";
        let failed = "HTTP/1.1 500 Oops\r\nconnection: close\r\n\r\n";
        let rubbish = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n<html>";
        let (url, asked) = serve(vec![good, no_id, other_id, moved, failed, rubbish, OK]).await;
        let it = service(url);
        assert_eq!(it.ask("1", "x").await.as_deref(), Ok("sun"));
        assert_eq!(it.ask("2", "x").await.as_deref(), Ok("rain"));
        for expected in ["not that of the request", "302", "500", "not a JSON object", "not a JSON"]
        {
            let error = it.ask("3", "x").await.expect_err(expected);
            assert!(error.contains(expected), "{error}");
        }
        assert_eq!(asked.load(Ordering::Relaxed), 7);
        // The service is gone.
        let error = it.ask("4", "x").await.expect_err("nobody listens");
        assert!(error.contains("the service failed") && !error.contains("127.0.0.1"), "{error}");
    })
    .await;
}
