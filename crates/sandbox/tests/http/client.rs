//! A client written by hand for these tests: one connection per call, no types shared with another crate.

use std::{collections::BTreeMap, io};

use mynah_sandbox::Account;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// An answer of the sandbox.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn cookies(&self) -> Vec<&str> {
        let set = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case("set-cookie"));
        set.map(|(_, value)| value.as_str()).collect()
    }
}

/// Sends one request to `address` and reads the whole answer.
pub(crate) async fn request(
    address: &str,
    head: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(address).await?;
    let mut text =
        format!("{head} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    if !headers.iter().any(|(name, _)| *name == "Host") {
        text += &format!("Host: {address}\r\n");
    }
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    stream.write_all((text + "\r\n").as_bytes()).await?;
    stream.write_all(body).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> io::Result<Answer> {
    let broken = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(broken)?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let status =
        lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).ok_or_else(broken)?;
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut answer = Answer { status, headers, body: bytes[end + 4..].to_vec() };
    if answer.header("transfer-encoding") == Some("chunked") {
        answer.body = unchunk(&answer.body).ok_or_else(broken)?;
    }
    match answer.header("content-length").and_then(|length| length.parse::<usize>().ok()) {
        Some(length) if length != answer.body.len() => Err(broken()),
        _ => Ok(answer),
    }
}

fn unchunk(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        let line = bytes.windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..line]).ok()?, 16).ok()?;
        let start = line + 2;
        if size == 0 {
            return Some(out);
        }
        out.extend_from_slice(bytes.get(start..start + size)?);
        bytes = bytes.get(start + size + 2..)?;
    }
}

/// A client with its cookies and keys.
#[derive(Debug, Default, Clone)]
pub(crate) struct Client {
    pub(crate) address: String,
    /// The path of its account.
    pub(crate) home: String,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) sid: String,
    pub(crate) uin: String,
    pub(crate) skey: String,
    pub(crate) me: String,
    pub(crate) key: Value,
}

impl Client {
    pub(crate) fn of(account: &Account) -> Self {
        let base = account.url().trim_start_matches("http://");
        let (address, home) = base.split_at(base.find('/').unwrap_or(base.len()));
        Self { address: address.to_owned(), home: home.to_owned(), ..Self::default() }
    }

    /// A client after login and `webwxinit`.
    pub(crate) async fn online(account: &Account) -> Self {
        let mut client = Self::of(account);
        client.log_in().await;
        client.init().await;
        client
    }

    pub(crate) async fn try_get(&self, path: &str) -> io::Result<Answer> {
        let cookie = self.cookie_header();
        request(&self.address, &format!("GET {}{path}", self.home), &[("Cookie", &cookie)], b"")
            .await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.try_get(path).await.expect("an answer")
    }

    /// A call under the usual path without a content type, like itchat.
    pub(crate) async fn try_post(&self, call: &str, body: &Value) -> io::Result<Answer> {
        let cookie = self.cookie_header();
        let head = format!("POST {}/cgi-bin/mmwebwx-bin/{call}", self.home);
        request(&self.address, &head, &[("Cookie", &cookie)], body.to_string().as_bytes()).await
    }

    pub(crate) async fn post(&self, call: &str, body: &Value) -> Value {
        self.try_post(call, body).await.expect("an answer").json()
    }

    /// A call of the control API.
    pub(crate) async fn control(&self, path: &str, body: &Value) -> Value {
        let head = format!("POST {}/sandbox/{path}", self.home);
        request(&self.address, &head, &[], body.to_string().as_bytes())
            .await
            .expect("an answer")
            .json()
    }

    fn cookie_header(&self) -> String {
        self.cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("; ")
    }

    pub(crate) fn keep_cookies(&mut self, answer: &Answer) {
        for cookie in answer.cookies() {
            let pair = cookie.split(';').next().and_then(|pair| pair.split_once('='));
            let (name, value) = pair.expect("a cookie");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    pub(crate) async fn new_code(&self) -> String {
        let text = self.get("/jslogin?appid=wx782c26e4c19acffb&fun=new&lang=zh_CN").await.text();
        let uuid = text.strip_prefix("window.QRLogin.code = 200; window.QRLogin.uuid = \"");
        uuid.and_then(|rest| rest.strip_suffix("\";")).expect("exactly this form").to_owned()
    }

    pub(crate) async fn poll(&self, uuid: &str, tip: u8) -> String {
        self.get(&format!(
            "/cgi-bin/mmwebwx-bin/login?loginicon=true&uuid={uuid}&tip={tip}&r=1&_=2"
        ))
        .await
        .text()
    }

    /// From the code to the session; the phone has to confirm.
    pub(crate) async fn log_in(&mut self) {
        let uuid = self.new_code().await;
        let polled = loop {
            let polled = self.poll(&uuid, 0).await;
            if !polled.starts_with("window.code=408") {
                break polled;
            }
        };
        self.follow(&polled).await;
    }

    /// Exchanges the ticket of a 200 answer.
    pub(crate) async fn follow(&mut self, polled: &str) {
        let path = redirect_path(polled);
        let answer = self.get(&format!("{path}&fun=new&version=v2")).await;
        assert_eq!(answer.status, 200);
        self.keep_cookies(&answer);
        let page = answer.text();
        self.sid = element(&page, "wxsid");
        self.uin = element(&page, "wxuin");
        self.skey = element(&page, "skey");
    }

    pub(crate) async fn init(&mut self) -> Value {
        let answer = self.post("webwxinit?r=1", &self.body(json!({}))).await;
        assert_eq!(answer["BaseResponse"]["Ret"], 0);
        self.key = answer["SyncKey"].clone();
        answer["User"]["UserName"].as_str().expect("a name").clone_into(&mut self.me);
        answer
    }

    /// A body with `BaseRequest`.
    pub(crate) fn body(&self, mut fields: Value) -> Value {
        fields["BaseRequest"] = json!({ "Uin": self.uin, "Sid": self.sid, "Skey": self.skey, "DeviceID": "e123456789012345" });
        fields
    }

    pub(crate) async fn check(&self) -> String {
        self.get(&format!("/cgi-bin/mmwebwx-bin/synccheck?synckey={}", self.key_text()))
            .await
            .text()
    }

    pub(crate) fn key_text(&self) -> String {
        let parts = self.key["List"].as_array().expect("a list").iter();
        parts.map(|part| format!("{}_{}", part["Key"], part["Val"])).collect::<Vec<_>>().join("%7C")
    }

    /// One `webwxsync`; advances the key.
    pub(crate) async fn sync(&mut self) -> Value {
        let answer =
            self.post("webwxsync", &self.body(json!({ "SyncKey": self.key, "rr": -1 }))).await;
        if answer["SyncKey"]["Count"] != 0 {
            self.key = answer["SyncKey"].clone();
        }
        answer
    }

    /// Syncs until nothing is left; returns all chat messages.
    pub(crate) async fn messages(&mut self) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let answer = self.sync().await;
            let list = answer["AddMsgList"].as_array().expect("a list").clone();
            all.extend(list.into_iter().filter(|message| message["MsgType"] != 51));
            if answer["ContinueFlag"] == 0 {
                return all;
            }
        }
    }

    pub(crate) async fn send(&self, to: &str, text: &str, id: u64) -> Value {
        let message = json!({ "Type": 1, "Content": text, "FromUserName": self.me, "ToUserName": to,
            "LocalID": id, "ClientMsgId": id });
        self.post("webwxsendmsg", &self.body(json!({ "Msg": message, "Scene": 0 }))).await
    }

    /// The `UserName` of a person in the address book or the first conversations.
    pub(crate) async fn name_of(&self, nickname: &str) -> String {
        let book = self.get("/cgi-bin/mmwebwx-bin/webwxgetcontact?seq=0").await.json();
        let init = self.post("webwxinit", &self.body(json!({}))).await;
        let all = [&book["MemberList"], &init["ContactList"]]
            .map(|list| list.as_array().cloned().unwrap_or_default());
        let found = all.concat().into_iter().find(|contact| contact["NickName"] == nickname);
        found.unwrap_or_else(|| panic!("{nickname} is known"))["UserName"]
            .as_str()
            .expect("a name")
            .to_owned()
    }
}

/// The path of the address in a 200 answer.
pub(crate) fn redirect_path(polled: &str) -> String {
    let (_, rest) = polled
        .split_once("window.redirect_uri=\"")
        .unwrap_or_else(|| panic!("no redirect in {polled}"));
    let address = rest.strip_suffix("\";").expect("nothing behind");
    let at = address.find("/cgi-bin").expect("a path");
    address[at..].to_owned()
}

pub(crate) fn element(page: &str, name: &str) -> String {
    let (_, rest) =
        page.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split_once("</").expect("an end").0.to_owned()
}
