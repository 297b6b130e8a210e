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
    extract::Request,
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::{MethodRouter, any, get},
};
use futures_util::future::BoxFuture;

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
        .route("/login", call(login::poll))
        .route("/webwxnewloginpage", call(login::new_login_page))
        .route("/webwxpushloginurl", call(push::push_login))
        .route("/webwxinit", call(session::init))
        .route("/webwxstatusnotify", call(session::status_notify))
        .route("/webwxlogout", call(session::log_out))
        .route("/webwxstatreport", call(session::report))
        .route("/webwxcheckurl", call(session::check_url))
        .route("/webwxsendfeedback", call(session::report))
        .route("/webwxgetcontact", call(contacts::get))
        .route("/webwxbatchgetcontact", call(contacts::batch))
        .route("/webwxsearchcontact", call(contacts::search))
        .route("/webwxoplog", call(contacts::operate))
        .route("/webwxverifyuser", call(contacts::verify))
        .route("/synccheck", call(sync::check))
        .route("/webwxsync", call(sync::sync))
        .route("/webwxsendmsg", call(send::text))
        .route("/webwxsendmsgimg", call(send::image))
        .route("/webwxsendvideomsg", call(send::video))
        .route("/webwxsendappmsg", call(send::app))
        .route("/webwxsendemoticon", call(send::sticker))
        .route("/webwxrevokemsg", call(send::revoke))
        .route("/webwxuploadmedia", call(upload::upload))
        .route("/webwxcheckupload", call(upload::check))
        .route("/webwxgetmsgimg", call(download::image))
        .route("/webwxgetvoice", call(download::voice))
        .route("/webwxgetvideo", call(download::video))
        .route("/webwxgetmedia", call(download::file))
        .route("/webwxpreview", call(download::preview))
        .route("/webwxgetpubliclinkimg", call(download::place))
        .route("/webwxgeticon", call(download::icon))
        .route("/webwxgetheadimg", call(download::icon))
        .route("/webwxcreatechatroom", call(groups::create))
        .route("/webwxupdatechatroom", call(groups::update));
    let protocol = Router::new()
        .route("/", get(page))
        .route("/jslogin", call(login::new_code))
        .route("/qrcode/{uuid}", any(login::picture))
        .route("/l/{uuid}", any(login::scanned_page))
        .nest(BASE.trim_end_matches('/'), calls);
    protocol.layer(middleware::from_fn(preflight))
}

/// A call of the service. Boxed, because axum compiles a handler for each type of function, and these are of one kind.
type Call = Arc<dyn Fn(Shared, ServiceRequest) -> BoxFuture<'static, Response> + Send + Sync>;

fn call<F: Future<Output = Response> + Send + 'static>(
    call: fn(Shared, ServiceRequest) -> F,
) -> MethodRouter {
    boxed(Arc::new(move |hub, request| Box::pin(call(hub, request))))
}

fn boxed(call: Call) -> MethodRouter {
    any(move |hub: Shared, request: ServiceRequest| call(hub, request))
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
