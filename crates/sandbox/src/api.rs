//! The endpoints of the protocol. All roles (login, API, files, long poll, pictures) share one port and one table.

mod contacts;
mod download;
mod groups;
mod login;
mod push;
mod send;
mod session;
mod sync;
mod upload;

use std::sync::Arc;

use axum::{
    Router,
    response::{Html, Response},
    routing::{any, get},
};

pub(crate) use download::picture_of;
pub(crate) use send::seconds;

use crate::{answer::not_found, ask::Ask, hub::Hub};

/// The path of every call but four.
pub(crate) const BASE: &str = "/cgi-bin/mmwebwx-bin/";

type Shared = axum::extract::State<Arc<Hub>>;

/// Every call takes GET and POST alike: clients differ, and the service accepts both.
pub(crate) fn router() -> Router<Arc<Hub>> {
    let calls = Router::new()
        .route("/login", any(login::poll))
        .route("/webwxnewloginpage", any(login::new_login_page))
        .route("/webwxpushloginurl", any(push::push_login))
        .route("/webwxinit", any(session::init))
        .route("/webwxstatusnotify", any(session::status_notify))
        .route("/webwxlogout", any(session::log_out))
        .route("/webwxstatreport", any(session::report))
        .route("/webwxcheckurl", any(session::check_url))
        .route("/webwxsendfeedback", any(session::report))
        .route("/webwxgetcontact", any(contacts::get))
        .route("/webwxbatchgetcontact", any(contacts::batch))
        .route("/webwxsearchcontact", any(contacts::search))
        .route("/webwxoplog", any(contacts::operate))
        .route("/webwxverifyuser", any(contacts::verify))
        .route("/synccheck", any(sync::check))
        .route("/webwxsync", any(sync::sync))
        .route("/webwxsendmsg", any(send::text))
        .route("/webwxsendmsgimg", any(send::image))
        .route("/webwxsendvideomsg", any(send::video))
        .route("/webwxsendappmsg", any(send::app))
        .route("/webwxsendemoticon", any(send::sticker))
        .route("/webwxrevokemsg", any(send::revoke))
        .route("/webwxuploadmedia", any(upload::upload))
        .route("/webwxcheckupload", any(upload::check))
        .route("/webwxgetmsgimg", any(download::image))
        .route("/webwxgetvoice", any(download::voice))
        .route("/webwxgetvideo", any(download::video))
        .route("/webwxgetmedia", any(download::file))
        .route("/webwxpreview", any(download::preview))
        .route("/webwxgetpubliclinkimg", any(download::place))
        .route("/webwxgeticon", any(download::icon))
        .route("/webwxgetheadimg", any(download::icon))
        .route("/webwxcreatechatroom", any(groups::create))
        .route("/webwxupdatechatroom", any(groups::update));
    Router::new()
        .route("/", get(page))
        .route("/jslogin", any(login::new_code))
        .route("/qrcode/{uuid}", any(login::picture))
        .route("/l/{uuid}", any(login::scanned_page))
        .nest(BASE.trim_end_matches('/'), calls)
}

/// The page of the web client: says whether the cookies are a valid login (section 3).
async fn page(hub: Shared, ask: Ask) -> Html<String> {
    let login = if hub.look(|state| state.check(&ask).is_ok()) { "1" } else { "" };
    Html(format!(
        "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>WeChat sandbox</title>\n\
         <script>window.MMCgi = {{ isLogin: !!\"{login}\" }};</script></head>\n\
         <body>This is a sandbox for bots, not WeChat.</body></html>\n"
    ))
}

/// Whatever else is asked for.
pub(crate) async fn unknown() -> Response {
    not_found()
}
