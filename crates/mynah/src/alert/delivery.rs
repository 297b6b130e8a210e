//! Brings alerts to the webhook and the command.

use std::error::Error;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use thiserror::Error;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Alert;
use crate::config::{AlertConfig, Secret};
use crate::tls;

/// How long one delivery may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The waits between tries of the webhook: a restart of its server is bridged, an hour of it is not.
const WAITS: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(120),
];

/// Where alerts go.
pub(super) struct Delivery {
    webhook: Option<Webhook>,
    command: Option<Vec<String>>,
    waits: Vec<Duration>,
}

struct Webhook {
    client: reqwest::Client,
    url: Secret,
}

#[derive(Debug, Error)]
enum DeliveryError {
    #[error("the webhook could not be reached")]
    // Without its address, which may be a secret.
    Webhook(#[source] reqwest::Error),
    #[error("the webhook answered {0}")]
    Refused(reqwest::StatusCode),
    #[error("the command could not be run")]
    Command(#[source] std::io::Error),
    #[error("the command ended with {0}")]
    Failed(std::process::ExitStatus),
    #[error("it took longer than {} seconds", TIMEOUT.as_secs())]
    Slow,
}

impl Delivery {
    /// The delivery that is configured, if any is.
    pub(super) fn of(config: &AlertConfig) -> Option<Self> {
        let webhook = config.webhook.as_ref().and_then(Webhook::to);
        let command = config.command.clone();
        if let Some(program) = command.as_ref().and_then(|command| command.first())
            && !is_there(program, std::env::var_os("PATH").as_deref())
        {
            tracing::error!(
                program,
                "the program of [alert] command was not found, so no alert will arrive by it: name one on PATH, or its full path"
            );
        }
        (webhook.is_some() || command.is_some()).then(|| Self {
            webhook,
            command,
            waits: WAITS.into(),
        })
    }

    /// Delivers alerts until the channel closes, or is closed by this.
    pub(super) async fn run(self, mut waiting: mpsc::Receiver<Alert>, close: CancellationToken) {
        while let Some(alert) = next(&mut waiting, &close).await {
            let body = serde_json::to_string(&alert).expect("texts only");
            // Side by side: a webhook that is down must not keep the command waiting.
            tokio::join!(self.by_webhook(&body), self.by_command(&body));
        }
    }

    async fn by_webhook(&self, body: &str) {
        if let Some(webhook) = &self.webhook {
            report("webhook", self.post(webhook, body).await);
        }
    }

    async fn by_command(&self, body: &str) {
        if let Some(command) = &self.command {
            let run = tokio::time::timeout(TIMEOUT, execute(command, body));
            report("command", run.await.unwrap_or(Err(DeliveryError::Slow)));
        }
    }

    async fn post(&self, webhook: &Webhook, body: &str) -> Result<(), DeliveryError> {
        for wait in &self.waits {
            match webhook.post(body).await {
                Ok(()) => return Ok(()),
                Err(error) => tracing::warn!(
                    error = &error as &dyn Error,
                    again_in = ?wait,
                    "an alert could not be delivered by webhook"
                ),
            }
            tokio::time::sleep(*wait).await;
        }
        webhook.post(body).await
    }
}

impl Webhook {
    fn to(url: &Secret) -> Option<Self> {
        tls::provide();
        let mut builder = reqwest::Client::builder().timeout(TIMEOUT);
        if url.reveal().starts_with("http:") {
            // No certificate will be looked at: a machine without any can use a local webhook.
            builder = builder.tls_certs_only([]).no_proxy();
        }
        let client = builder.build().map_err(|error| {
            tracing::error!(error = &error as &dyn Error, "no alert will be sent by webhook");
        });
        Some(Self { client: client.ok()?, url: url.clone() })
    }

    async fn post(&self, body: &str) -> Result<(), DeliveryError> {
        let request =
            self.client.post(self.url.reveal()).header("content-type", "application/json");
        let answer = request
            .body(body.to_owned())
            .send()
            .await
            .map_err(|error| DeliveryError::Webhook(error.without_url()))?;
        if answer.status().is_success() {
            Ok(())
        } else {
            Err(DeliveryError::Refused(answer.status()))
        }
    }
}

/// The next alert. Those that wait when the channel is closed are the last.
async fn next(waiting: &mut mpsc::Receiver<Alert>, close: &CancellationToken) -> Option<Alert> {
    if let Some(alert) = close.run_until_cancelled(waiting.recv()).await {
        return alert;
    }
    waiting.close();
    waiting.recv().await
}

/// Whether a program can be found as it will be when it is run. Found out at the start, not at the first alert.
fn is_there(program: &str, path: Option<&OsStr>) -> bool {
    let program = Path::new(program);
    if program.components().count() > 1 {
        return program.is_file();
    }
    let names = [program.to_owned(), program.with_extension(std::env::consts::EXE_EXTENSION)];
    let mut folders = path.into_iter().flat_map(std::env::split_paths);
    folders.any(|folder| names.iter().any(|name| folder.join(name).is_file()))
}

async fn execute(command: &[String], body: &str) -> Result<(), DeliveryError> {
    let (program, arguments) = command.split_first().expect("checked when it was read");
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(DeliveryError::Command)?;
    if let Some(mut input) = child.stdin.take() {
        // A program that does not read its input has its reasons.
        let _ = input.write_all(body.as_bytes()).await;
    }
    let status = child.wait().await.map_err(DeliveryError::Command)?;
    if status.success() { Ok(()) } else { Err(DeliveryError::Failed(status)) }
}

fn report(way: &str, result: Result<(), DeliveryError>) {
    match result {
        Ok(()) => tracing::info!(way, "an alert was delivered"),
        Err(error) => {
            tracing::error!(way, error = &error as &dyn Error, "an alert could not be delivered");
        }
    }
}

#[cfg(test)]
mod tests {
    use mynah_core::Timestamp;
    use tokio::io::{AsyncReadExt, BufReader};
    use tokio::net::TcpListener;

    use super::*;
    use crate::alert::AlertKind;

    fn alert() -> Alert {
        Alert::new(AlertKind::LoggedOut, "main", "logged out on the phone", Timestamp::from_secs(0))
    }

    async fn deliver(config: AlertConfig) {
        let delivery =
            Delivery { waits: vec![Duration::ZERO; 2], ..Delivery::of(&config).unwrap() };
        let (queue, waiting) = mpsc::channel(1);
        queue.send(alert()).await.unwrap();
        drop(queue);
        delivery.run(waiting, CancellationToken::new()).await;
    }

    /// Answers the first request with 503 and the second with 200; returns the body of the second.
    async fn serve(listener: TcpListener) -> String {
        let mut body = String::new();
        for status in ["503 Service Unavailable", "200 OK"] {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            let mut read = Vec::new();
            while !read.ends_with(b"}") {
                read.push(stream.read_u8().await.unwrap());
            }
            body = String::from_utf8(read).unwrap();
            let answer =
                format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.get_mut().write_all(answer.as_bytes()).await.unwrap();
        }
        body.split("\r\n\r\n").nth(1).unwrap().to_owned()
    }

    #[tokio::test]
    async fn a_webhook_that_fails_is_tried_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let webhook = Some(Secret::new(url));
        let (body, ()) =
            tokio::join!(serve(listener), deliver(AlertConfig { webhook, command: None }));
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "kind": "logged_out", "account": "main", "text": "logged out on the phone",
                "time": "1970-01-01T00:00:00Z",
            })
        );
    }

    #[test]
    fn a_program_that_is_not_there_is_known_before_the_first_alert() {
        let folder = tempfile::tempdir().unwrap();
        let alarm = folder.path().join("alarm");
        std::fs::write(&alarm, "").unwrap();
        let path = Some(folder.path().as_os_str());
        assert!(is_there("alarm", path));
        assert!(is_there(alarm.to_str().unwrap(), None));
        assert!(!is_there("other", path));
        assert!(!is_there("alarm", None));
        assert!(!is_there("./nowhere/alarm", path));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_command_gets_the_alert_on_its_input() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("alert.json");
        let script = format!("cat > '{}'", file.display());
        let command = Some(vec!["sh".to_owned(), "-c".to_owned(), script]);
        deliver(AlertConfig { webhook: None, command }).await;
        let body: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        assert_eq!(body["kind"], "logged_out");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_webhook_that_is_down_does_not_keep_the_command_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        drop(listener);
        let script = format!("cat > '{}'", pipe.display());
        let command = Some(vec!["sh".to_owned(), "-c".to_owned(), script]);
        let config = AlertConfig { webhook: Some(Secret::new(url)), command };
        let waits = vec![Duration::from_secs(86_400)];
        let delivery = Delivery { waits, ..Delivery::of(&config).unwrap() };
        let (queue, waiting) = mpsc::channel(1);
        queue.send(alert()).await.unwrap();
        tokio::select! {
            () = delivery.run(waiting, CancellationToken::new()) => panic!("the webhook is down"),
            told = tokio::fs::read_to_string(pipe) => assert!(told.unwrap().contains("logged_out")),
        }
    }

    #[test]
    fn the_address_of_the_webhook_is_no_part_of_errors() {
        let shown = format!(
            "{:?}",
            AlertConfig {
                webhook: Some(Secret::new("https://x.example/secret".into())),
                command: None,
            }
        );
        assert!(!shown.contains("secret"));
    }
}
