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

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::{any, get},
};

pub(crate) use download::picture_of;
pub(crate) use send::seconds;

use crate::{
    accounts::Shared,
    answer::{self, not_found},
    hosts,
    request::ServiceRequest,
    wire::answers::Uploaded,
};

/// The path of all calls except four.
pub(crate) const BASE: &str = "/cgi-bin/mmwebwx-bin/";

/// Every call accepts GET and POST: clients differ, and the service accepts both.
pub(crate) fn router() -> Router {
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
    let protocol = Router::new()
        .route("/", get(page))
        .route("/jslogin", any(login::new_code))
        .route("/qrcode/{uuid}", any(login::picture))
        .route("/l/{uuid}", any(login::scanned_page))
        .nest(BASE.trim_end_matches('/'), calls);
    protocol.layer(middleware::from_fn(preflight))
}

/// Answers CORS preflight requests with permission and, as the service does, with the body of an upload without a
/// file. Neither `OPTIONS` nor `HEAD` has an effect.
async fn preflight(request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let asks = request.method() == Method::OPTIONS;
    let headers = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let mut response = match *request.method() {
        Method::OPTIONS => answer::json(&Uploaded::default()),
        // `HEAD` must not have a side effect.
        Method::HEAD => StatusCode::OK.into_response(),
        _ => next.run(request).await,
    };
    let Some(origin) = origin.filter(|origin| hosts::is_own_page(origin.as_bytes())) else {
        return response;
    };
    let given = response.headers_mut();
    given.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    given.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    if asks {
        let methods = HeaderValue::from_static("GET, POST, OPTIONS");
        given.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        given.extend(headers.map(|headers| (header::ACCESS_CONTROL_ALLOW_HEADERS, headers)));
    }
    response
}

/// The page of the web client. It shows whether the cookies are a valid login (section 3).
async fn page(hub: Shared, request: ServiceRequest) -> Html<String> {
    let login = if hub.read(|state| state.check(&request).is_ok()) { "1" } else { "" };
    Html(format!(
        "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>WeChat sandbox</title>\n\
         <script>window.MMCgi = {{ isLogin: !!\"{login}\" }};</script></head>\n\
         <body>This is a sandbox for bots, not WeChat.</body></html>\n"
    ))
}

/// Every other path.
pub(crate) async fn unknown() -> Response {
    not_found()
}
