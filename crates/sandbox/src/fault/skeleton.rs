//! The answers of all endpoints to a call that fails with a code.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use crate::{
    answer::{json, script},
    wire::{
        answers::{
            BatchContacts, Checked, Contacts, Created, Envelope, Found, Init, Notified, Plain,
            SentAnswer, Synced, Updated, Uploaded,
        },
        xml,
    },
};

/// The answer of the endpoint `name` with this code and otherwise empty fields.
pub(super) fn skeleton(name: &str, code: i32) -> Response {
    match name {
        "jslogin" => script(format!("window.QRLogin.code = {code}; window.QRLogin.uuid = \"\";")),
        "login" => script(format!("window.code={code};")),
        "synccheck" => script(format!("window.synccheck={{retcode:\"{code}\",selector:\"0\"}}")),
        "webwxnewloginpage" => {
            (StatusCode::OK, xml::login_refused(code, "当前登录环境异常")).into_response()
        }
        "webwxinit" => json(&Init::failed(code)),
        "webwxstatusnotify" => json(&Notified::failed(code)),
        "webwxgetcontact" => json(&Contacts::failed(code)),
        "webwxbatchgetcontact" => json(&BatchContacts::failed(code)),
        "webwxsearchcontact" => json(&Found::failed(code)),
        "webwxsync" => json(&Synced::failed(code)),
        "webwxsendmsg" | "webwxsendmsgimg" | "webwxsendvideomsg" | "webwxsendappmsg"
        | "webwxsendemoticon" => json(&SentAnswer::failed(code)),
        "webwxuploadmedia" => json(&Uploaded::failed(code)),
        "webwxcheckupload" => json(&Checked::failed(code)),
        "webwxcreatechatroom" => json(&Created::failed(code)),
        "webwxupdatechatroom" => json(&Updated::failed(code)),
        _ => json(&Plain::failed(code)),
    }
}
