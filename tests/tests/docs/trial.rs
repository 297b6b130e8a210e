//! The trial of `docs/operating.md` without an account: the sandbox in one terminal, the bot in another.

use std::process::Stdio;

use mynah_tests::story;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use super::root;

/// The address in the commands of the page; a test may not count on its port.
const ADDRESS: &str = "127.0.0.1:8086";

/// The command of the page that begins so, with its address and data folder replaced.
fn documented(beginning: &str, address: &str, data: &str) -> Vec<String> {
    let page = super::pages::page("docs/operating.md").text;
    let line = page.lines().find(|line| line.starts_with(beginning)).expect(beginning);
    assert!(line.contains(ADDRESS), "{line}");
    let line = line.replace(ADDRESS, address).replace("--data data", &format!("--data {data}"));
    line.split(' ').skip(1).map(str::to_owned).collect()
}

/// A command in a terminal of its own, in the folder of the repository.
fn terminal(arguments: &[String]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stock_bot"));
    command
        .env("LC_ALL", "C")
        .args(arguments)
        .current_dir(root())
        .kill_on_drop(true)
        .stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
}

/// Waits for a line with these words.
async fn line(of: &mut (impl AsyncBufRead + Unpin), words: &str) -> String {
    let mut lines = of.lines();
    loop {
        let line = lines.next_line().await.expect("text");
        let line = line.unwrap_or_else(|| panic!("ended without: {words}"));
        if line.contains(words) {
            return line;
        }
    }
}

/// Asks the sandbox, as its page does. The answer follows.
async fn ask(address: &str, method_and_path: &str, body: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let head = format!(
        "{method_and_path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).await.expect("it is read");
    let mut answer = BufReader::new(stream);
    line(&mut answer, "200 OK").await;
    answer
}

#[tokio::test]
async fn the_faq_bot_answers_in_the_documented_trial() {
    story(async {
        let data = tempfile::tempdir().expect("a temporary folder");
        let data = data.path().to_str().expect("a plain name");
        let mut service = terminal(&documented("mynah sandbox --listen", "127.0.0.1:0", data));
        let mut printed = BufReader::new(service.stdout.take().expect("piped"));
        let first = line(&mut printed, "listening on http://").await;
        let address = first.split("http://").nth(1).and_then(|rest| rest.split(['/', ' ']).next());
        let address = address.expect("an address");

        let mut events = ask(address, "GET /sandbox/events", "").await;
        let _bot = terminal(&documented("mynah run bots/faq", address, data));
        line(&mut events, "\"online\"").await;
        let said = r#"{"from":"Ann","group":"Customers","text":"请问多少钱"}"#;
        ask(address, "POST /sandbox/messages", said).await;
        let sent = line(&mut events, "https://example.com/price").await;
        assert!(sent.contains("Customers") && sent.contains("价目表"), "{sent}");
    })
    .await;
}
