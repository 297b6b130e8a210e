//! A bare loop of tokio and reqwest over the requests of a bot: poll, sync, send. With a file, each message is written
//! and synced there before its answer is sent.

use std::fs::File;
use std::io::{Seek, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use mynah_webwx::{Client, LoginState, Notify, Options, Tip};
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue, REFERER};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Result, counters};

/// The size of the file, written in advance: a sync then writes no new size. Its start is used again after its end.
const ROOM: usize = 1 << 22;

const PAGE: usize = 4096;

/// Runs the loop against the server of the first argument, with the file of the second.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    counters::report_on_request();
    let server = arguments.first().ok_or("floor SERVER [FILE]")?;
    let mut journal = arguments.get(1).map(|file| Journal::create(file)).transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut floor = Floor::log_in(server).await?;
        loop {
            floor.turn(&mut journal).await?;
        }
    })
}

/// A file that is synced after each message.
struct Journal {
    file: File,
    used: usize,
}

impl Journal {
    fn create(path: &str) -> Result<Self> {
        let mut file = File::create(path)?;
        // Page by page: the kernel writes a part of a large write as a whole.
        for _ in 0..ROOM / PAGE {
            file.write_all(&[0; PAGE])?;
        }
        file.sync_all()?;
        file.rewind()?;
        Ok(Self { file, used: 0 })
    }

    fn write(&mut self, message: &Message) -> Result<()> {
        let line = serde_json::to_vec(message)?;
        if self.used + line.len() > ROOM {
            self.file.rewind()?;
            self.used = 0;
        }
        self.file.write_all(&line)?;
        self.used += line.len();
        Ok(self.file.sync_data()?)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Synced {
    add_msg_list: Vec<Message>,
    sync_key: SyncKey,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    msg_id: String,
    from_user_name: String,
    content: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SyncKey {
    count: i64,
    list: Vec<Pair>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pair {
    key: i64,
    val: i64,
}

/// A session, with the fixed parts of its requests.
struct Floor {
    http: reqwest::Client,
    headers: HeaderMap,
    poll: String,
    sync: Url,
    send: Url,
    /// The credentials of each body.
    base: Value,
    own: String,
    key: SyncKey,
    sent: u64,
}

impl Floor {
    async fn log_in(server: &str) -> Result<Self> {
        let session = session(server).await?;
        let text = |name: &str| session[name].as_str().unwrap_or_default();
        let calls = format!("{server}/cgi-bin/mmwebwx-bin");
        let common = [("lang", "zh_CN"), ("pass_ticket", text("pass_ticket"))];
        let keys = [("sid", text("sid")), ("skey", text("skey"))];
        let address = |call: &str, fields: &[(&str, &str)]| {
            Url::parse_with_params(&format!("{calls}/{call}"), common.iter().chain(fields))
        };
        let uin = session["uin"].to_string();
        let device = "e123456789012345";
        let mut poll = keys.to_vec();
        poll.extend([("uin", uin.as_str()), ("deviceid", device)]);
        Ok(Self {
            http: reqwest::Client::builder().no_proxy().tls_certs_only([]).build()?,
            headers: headers(server, &session)?,
            poll: address("synccheck", &poll)?.to_string(),
            sync: address("webwxsync", &keys)?,
            send: address("webwxsendmsg", &[])?,
            base: json!({
                "Uin": session["uin"], "Sid": session["sid"], "Skey": session["skey"], "DeviceID": device,
            }),
            own: text("user_name").to_owned(),
            key: sync_key(&session["sync_key"])?,
            sent: 0,
        })
    }

    /// Waits for news, fetches it, and answers each question.
    async fn turn(&mut self, journal: &mut Option<Journal>) -> Result<()> {
        let pairs: Vec<String> =
            self.key.list.iter().map(|it| format!("{}_{}", it.key, it.val)).collect();
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
        let poll = format!("{}&r={now}&synckey={}&_={now}", self.poll, pairs.join("%7C"));
        let answer = self.http.get(poll).headers(self.headers.clone()).send().await?;
        if !answer.text().await?.contains("retcode:\"0\"") {
            return Err("the session ended".into());
        }
        let body = json!({ "BaseRequest": self.base, "SyncKey": self.key, "rr": 1 });
        let synced: Synced = serde_json::from_slice(&self.post(self.sync.clone(), &body).await?)?;
        for message in &synced.add_msg_list {
            let Some((_, n)) = message.content.rsplit_once("问题 ") else { continue };
            if let Some(journal) = journal {
                journal.write(message)?;
            }
            self.answer(&message.from_user_name, n).await?;
        }
        self.key = synced.sync_key;
        Ok(())
    }

    async fn answer(&mut self, to: &str, n: &str) -> Result<()> {
        self.sent += 1;
        let id = format!("17000000000{:06}", self.sent);
        let body = json!({
            "BaseRequest": self.base,
            "Msg": {
                "Type": 1, "Content": format!("答案 {n}"), "FromUserName": self.own, "ToUserName": to,
                "LocalID": id, "ClientMsgId": id,
            },
            "Scene": 0,
        });
        let answer: Value = serde_json::from_slice(&self.post(self.send.clone(), &body).await?)?;
        if answer["BaseResponse"]["Ret"] == 0 { Ok(()) } else { Err("a send was refused".into()) }
    }

    async fn post(&self, url: Url, body: &Value) -> Result<bytes::Bytes> {
        let request = self.http.post(url).headers(self.headers.clone());
        let request = request
            .header(CONTENT_TYPE, "application/json; charset=UTF-8")
            .body(serde_json::to_vec(body)?);
        Ok(request.send().await?.bytes().await?)
    }
}

/// Logs in with the client of the bot, whose requests are not measured. Returns the record of the session.
async fn session(server: &str) -> Result<Value> {
    let options = Options { server: Some(server.to_owned()), ..Options::default() };
    let client = Client::new(options)?;
    let login = client.request_login().await?;
    let mut tip = Tip::Scan;
    loop {
        match client.poll_login(&login, tip).await? {
            LoginState::Waiting => {}
            LoginState::Scanned { .. } => tip = Tip::Confirmation,
            LoginState::Confirmed(confirmed) => break client.log_in(&confirmed).await?,
            other => return Err(format!("no login: {other:?}").into()),
        }
    }
    client.init().await?;
    client.notify(&Notify::Ready).await?;
    Ok(serde_json::to_value(client.session())?)
}

fn headers(server: &str, session: &Value) -> Result<HeaderMap> {
    let jar = session["cookies"].as_array().map_or(&[][..], Vec::as_slice);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let pair = |cookie: &Value| format!("{}={}", text(&cookie["name"]), text(&cookie["value"]));
    let cookies: Vec<String> = jar.iter().map(pair).collect();
    let mut headers = HeaderMap::new();
    headers.insert(COOKIE, HeaderValue::from_str(&cookies.join("; "))?);
    headers.insert(REFERER, HeaderValue::from_str(&format!("{server}/"))?);
    headers.insert("accept", HeaderValue::from_static("application/json, text/plain, */*"));
    headers.insert("user-agent", HeaderValue::from_str(&Options::default().user_agent)?);
    Ok(headers)
}

/// The read position in the record of a session.
fn sync_key(record: &Value) -> Result<SyncKey> {
    Ok(SyncKey::deserialize(record)?)
}
