//! Tests of the client against a small server on 127.0.0.1.
#![expect(clippy::unwrap_used, reason = "these are tests, also where the function is a helper")]

mod faults;
mod login;
mod media;
mod operations;
mod responder;
mod session;

use mynah_webwx::{Client, Confirmed, LoginState, Options, Tip};
use responder::{Asked, Reply, Responder, ok};

/// A login page with its cookies.
pub(crate) fn login_page() -> Reply {
    let cookies = [
        "wxuin=3000000001; Domain=wx.qq.com; Path=/; Expires=Mon, 12-Dec-2050 21:33:22 GMT; Secure",
        "wxsid=sidsid+/sidsid==; Path=/",
        "webwx_data_ticket=ticketticket; Domain=.qq.com; Path=/",
        "webwx_auth_ticket=authauth; Path=/",
    ];
    Reply::Whole {
        status: 301,
        headers: cookies.iter().map(|cookie| ("Set-Cookie", (*cookie).to_owned())).collect(),
        body: include_bytes!("../../fixtures/login_page.xml").to_vec(),
    }
}

/// Answers every call with success.
pub(crate) fn well(asked: &Asked) -> Reply {
    let moved = "window.code=200;\nwindow.redirect_uri=\"https://wx2.qq.com/cgi-bin/mmwebwx-bin/webwxnewloginpage?ticket=T@qrticket_0&uuid=4a914KmLzA==&lang=zh_CN&scan=1513922270\";";
    match asked.call() {
        "jslogin" => ok(r#"window.QRLogin.code = 200; window.QRLogin.uuid = "4a914KmLzA==";"#),
        "login" => ok(moved),
        "webwxnewloginpage" => login_page(),
        "webwxinit" => ok(include_bytes!("../../fixtures/init.json")),
        "synccheck" => ok(r#"window.synccheck={retcode:"0",selector:"2"}"#),
        "webwxsync" => ok(include_bytes!("../../fixtures/sync.json")),
        "webwxgetcontact" => ok(include_bytes!("../../fixtures/contacts.json")),
        "webwxbatchgetcontact" => ok(include_bytes!("../../fixtures/batch.json")),
        "webwxsendmsg" => ok(include_bytes!("../../fixtures/sent.json")),
        _ => ok(r#"{"BaseResponse":{"Ret":0,"ErrMsg":""}}"#),
    }
}

pub(crate) fn client(server: &Responder) -> Client {
    Client::new(Options { server: Some(server.address.clone()), ..Options::default() }).unwrap()
}

pub(crate) async fn confirmed(client: &Client) -> Confirmed {
    let login = client.request_login().await.unwrap();
    match client.poll_login(&login, Tip::Scan).await.unwrap() {
        LoginState::Confirmed(confirmed) => confirmed,
        other => panic!("{other:?}"),
    }
}

/// A client after login and webwxinit.
pub(crate) async fn logged_in(server: &Responder) -> Client {
    let client = client(server);
    client.log_in(&confirmed(&client).await).await.unwrap();
    client.init().await.unwrap();
    client
}
