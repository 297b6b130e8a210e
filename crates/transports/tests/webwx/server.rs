//! A scripted service for tests: just enough of WeChat Web over HTTP on loopback, with faults on request.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// How long a poll is held when nothing happens.
const HOLD: Duration = Duration::from_millis(300);

/// An answer that replaces the true one of a call.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// This HTTP status with a page.
    Status(u16),
    /// This body with status 200.
    Body(String),
    /// This code in the answer.
    Ret(i64),
    /// The call takes effect, but the connection is cut before the answer.
    Lost,
}

/// The knowledge of the service and the calls it received.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// The answers to login polls, in order; then every login is confirmed.
    pub(crate) logins: VecDeque<&'static str>,
    /// The error of the login page, if the login fails.
    pub(crate) refusal: Option<String>,
    /// The account's own name of this login.
    pub(crate) me: String,
    pub(crate) contacts: Vec<Value>,
    pub(crate) recent: Vec<Value>,
    /// The contacts that webwxbatchgetcontact knows, by name.
    pub(crate) known: HashMap<String, Value>,
    /// The answers of webwxsync; the sync key is the number of those already sent.
    pub(crate) log: Vec<Value>,
    /// Whether a call with an old key gets the later answers once more.
    pub(crate) faults: HashMap<String, VecDeque<Fault>>,
    pub(crate) sent: Vec<Value>,
    pub(crate) calls: Vec<String>,
    pub(crate) uuids: u32,
    /// Whether a login without a scan is offered.
    pub(crate) push_login: bool,
    pub(crate) system_time: i64,
}

/// The running service.
#[derive(Debug)]
pub(crate) struct Server {
    world: Arc<Mutex<World>>,
    news: Arc<Notify>,
    url: String,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), World::default())
    }

    fn on(listener: TcpListener, mut world: World) -> Self {
        if world.me.is_empty() {
            world.me = "@me".to_owned();
        }
        let url = format!("http://{}", listener.local_addr().unwrap());
        let world = Arc::new(Mutex::new(world));
        let news = Arc::new(Notify::new());
        let task = tokio::spawn(serve(listener, Arc::clone(&world), Arc::clone(&news)));
        Self { world, news, url, task }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// Adds an answer of webwxsync and wakes the poll.
    pub(crate) fn deliver(&self, answer: Value) {
        self.world().log.push(answer);
        self.news.notify_waiters();
    }

    /// Delivers messages.
    pub(crate) fn say(&self, messages: &[Value]) {
        self.deliver(json!({"AddMsgList": messages, "AddMsgCount": messages.len()}));
    }

    pub(crate) fn fault(&self, call: &str, fault: Fault) {
        self.world().faults.entry(call.to_owned()).or_default().push_back(fault);
    }

    pub(crate) fn calls_of(&self, call: &str) -> usize {
        self.world().calls.iter().filter(|made| *made == call).count()
    }
}

/// A text message.
pub(crate) fn message(id: u64, from: &str, content: &str) -> Value {
    json!({
        "MsgId": id.to_string(), "NewMsgId": id, "FromUserName": from, "ToUserName": "@me", "MsgType": 1,
        "Content": content, "CreateTime": 1_700_000_000_i64,
    })
}

/// A message of another type.
pub(crate) fn typed(id: u64, kind: i64, from: &str, content: &str) -> Value {
    let mut message = message(id, from, content);
    message["MsgType"] = kind.into();
    message
}

/// A friend.
pub(crate) fn friend(user_name: &str, nick: &str, remark: &str) -> Value {
    json!({"UserName": user_name, "NickName": nick, "RemarkName": remark, "ContactFlag": 3, "VerifyFlag": 0})
}

/// A group with members of (name, nickname, display name).
pub(crate) fn group(user_name: &str, title: &str, members: &[(&str, &str, &str)]) -> Value {
    let list: Vec<Value> = members
        .iter()
        .map(|(name, nick, display)| json!({"UserName": name, "NickName": nick, "DisplayName": display}))
        .collect();
    json!({"UserName": user_name, "NickName": title, "MemberCount": list.len(), "MemberList": list})
}

async fn serve(listener: TcpListener, world: Arc<Mutex<World>>, news: Arc<Notify>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        connections.spawn(connection(stream, Arc::clone(&world), Arc::clone(&news)));
    }
}

struct Request {
    call: String,
    query: String,
    body: Value,
}

async fn connection(mut stream: TcpStream, world: Arc<Mutex<World>>, news: Arc<Notify>) {
    let mut buffer = Vec::new();
    while let Some(request) = read(&mut stream, &mut buffer).await {
        world.lock().unwrap().calls.push(request.call.clone());
        if request.call == "synccheck" {
            let heard = news.notified();
            tokio::pin!(heard);
            heard.as_mut().enable();
            if !world.lock().unwrap().has_news(&request) {
                let _ = tokio::time::timeout(HOLD, heard).await;
            }
        }
        let answer = world.lock().unwrap().answer(&request);
        let Some((status, headers, body)) = answer else { return };
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nContent-Type: text/plain\r\n{headers}\r\n",
            body.len()
        );
        if stream.write_all(head.as_bytes()).await.is_err()
            || stream.write_all(body.as_bytes()).await.is_err()
        {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Request> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length:")
                        .map(|n| n.trim().parse().unwrap())
                })
                .unwrap_or(0);
            if buffer.len() >= end + 4 + length {
                let body = buffer[end + 4..end + 4 + length].to_vec();
                buffer.drain(..end + 4 + length);
                return Some(request(&head, &body));
            }
        }
        let mut chunk = vec![0; 16_384];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(length) => buffer.extend_from_slice(&chunk[..length]),
        }
    }
}

fn request(head: &str, body: &[u8]) -> Request {
    let target = head.split_whitespace().nth(1).unwrap_or("/");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let call = path.rsplit('/').next().unwrap_or_default().to_owned();
    Request {
        call,
        query: query.to_owned(),
        body: serde_json::from_slice(body).unwrap_or_default(),
    }
}

type Answer = Option<(u16, String, String)>;

impl World {
    fn has_news(&self, request: &Request) -> bool {
        let key =
            request.query.split("1_").nth(1).and_then(|rest| rest.split(['%', '|', '&']).next());
        let read: usize = key.and_then(|key| key.parse().ok()).unwrap_or(0);
        read < self.log.len()
            || self.faults.get("synccheck").is_some_and(|faults| !faults.is_empty())
    }

    fn answer(&mut self, request: &Request) -> Answer {
        let fault = self.faults.get_mut(&request.call).and_then(VecDeque::pop_front);
        match fault {
            Some(Fault::Status(status)) => {
                Some((status, String::new(), "<html>trouble</html>".to_owned()))
            }
            Some(Fault::Body(body)) => Some((200, String::new(), body)),
            Some(Fault::Ret(ret)) if request.call == "synccheck" => Some((
                200,
                String::new(),
                format!("window.synccheck={{retcode:\"{ret}\",selector:\"0\"}}"),
            )),
            Some(Fault::Ret(ret)) => ok(&json!({"BaseResponse": {"Ret": ret, "ErrMsg": ""}})),
            Some(Fault::Lost) => {
                let _ = self.truth(request);
                None
            }
            None => self.truth(request),
        }
    }

    fn truth(&mut self, request: &Request) -> Answer {
        match request.call.as_str() {
            "jslogin" => {
                self.uuids += 1;
                script(format!("window.QRLogin.code = 200; window.QRLogin.uuid = \"uuid{}==\";", self.uuids))
            }
            "webwxpushloginurl" => match self.push_login {
                true => ok(&json!({"ret": "0", "msg": "all ok", "uuid": "pushed=="})),
                false => ok(&json!({"ret": "1", "msg": "no"})),
            },
            "login" => script(match self.logins.pop_front() {
                Some(state) => state.to_owned(),
                None => "window.code=200;\nwindow.redirect_uri=\"/cgi-bin/mmwebwx-bin/webwxnewloginpage?ticket=T\";".to_owned(),
            }),
            "webwxnewloginpage" => Some((200, cookies(), self.login_page())),
            "webwxinit" => ok(&json!({
                "BaseResponse": {"Ret": 0}, "User": {"Uin": 42, "UserName": self.me, "NickName": "小助手"},
                "SyncKey": key(self.log.len()), "SKey": "@crypt_1", "ContactList": self.recent,
                "ChatSet": "", "SystemTime": self.system_time,
            })),
            "webwxgetcontact" => ok(&json!({"BaseResponse": {"Ret": 0}, "MemberList": self.contacts, "Seq": 0})),
            "webwxbatchgetcontact" => self.batch(request),
            "synccheck" => {
                let selector = if self.has_news(request) { 2 } else { 0 };
                script(format!("window.synccheck={{retcode:\"0\",selector:\"{selector}\"}}"))
            }
            "webwxsync" => self.sync(request),
            "webwxsendmsg" => {
                self.sent.push(request.body["Msg"].clone());
                ok(&json!({"BaseResponse": {"Ret": 0}, "MsgID": (900 + self.sent.len()).to_string(), "LocalID": "1"}))
            }
            "webwxuploadmedia" => ok(&json!({"BaseResponse": {"Ret": 0}, "MediaId": "@media1"})),
            "webwxrevokemsg" | "webwxverifyuser" => {
                self.sent.push(request.body.clone());
                ok(&json!({"BaseResponse": {"Ret": 0}}))
            }
            _ => ok(&json!({"BaseResponse": {"Ret": 0}, "MsgID": "1"})),
        }
    }

    fn login_page(&self) -> String {
        match &self.refusal {
            Some(words) => format!("<error><ret>1203</ret><message>{words}</message></error>"),
            None => "<error><ret>0</ret><message></message><skey>@crypt_0</skey><wxsid>sid</wxsid><wxuin>42</wxuin><pass_ticket>pt</pass_ticket><isgrayscale>1</isgrayscale></error>".to_owned(),
        }
    }

    fn batch(&self, request: &Request) -> Answer {
        let list = request.body["List"].as_array().cloned().unwrap_or_default();
        let names = list.iter().filter_map(|item| item["UserName"].as_str());
        let found: Vec<Value> = names.filter_map(|name| self.known.get(name).cloned()).collect();
        ok(&json!({"BaseResponse": {"Ret": 0}, "Count": found.len(), "ContactList": found}))
    }

    fn sync(&self, request: &Request) -> Answer {
        let read = usize::try_from(request.body["SyncKey"]["List"][0]["Val"].as_u64().unwrap_or(0))
            .unwrap_or(0);
        let mut answer = self.log.get(read).cloned().unwrap_or_else(|| json!({}));
        let now = (read + 1).min(self.log.len());
        answer["BaseResponse"] = json!({"Ret": 0});
        answer["SyncKey"] = key(now);
        answer["ContinueFlag"] = json!(i32::from(now < self.log.len()));
        ok(&answer)
    }
}

fn key(read: usize) -> Value {
    json!({"Count": 1, "List": [{"Key": 1, "Val": read}]})
}

fn ok(body: &Value) -> Answer {
    Some((200, String::new(), body.to_string()))
}

fn script(body: String) -> Answer {
    Some((200, String::new(), body))
}

fn cookies() -> String {
    ["wxuin=42", "wxsid=sid", "webwx_data_ticket=dt", "webwxuvid=uv", "webwx_auth_ticket=at"]
        .map(|cookie| {
            format!("Set-Cookie: {cookie}; Path=/; Expires=Mon, 12-Dec-2039 21:33:22 GMT;\r\n")
        })
        .concat()
}
