//! Login by QR code: sections 5.1 to 5.4 of the protocol reference.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

use super::BASE;
use crate::accounts::Shared;
use crate::{
    answer::{self, bytes, not_found, script},
    cookies::session_cookies,
    hub::Hub,
    login::{PollAnswer, Stage},
    request::ServiceRequest,
    wire::{
        text::{escape, percent_encode},
        xml,
    },
    world::{World, samples},
};

/// `GET /jslogin`: a new code.
pub(super) async fn new_code(hub: Shared, _: ServiceRequest) -> Response {
    let stage = if hub.options.confirms_itself() { Stage::Confirmed } else { Stage::Waiting };
    let uuid = hub.change(|state| state.logins.issue(&mut state.world.draw, stage));
    hub.publish_login("waiting", Some(&uuid));
    script(format!("window.QRLogin.code = 200; window.QRLogin.uuid = \"{uuid}\";"))
}

/// `GET /qrcode/{uuid}`: the code as a picture. The service sends JPEG; every viewer also reads PNG.
pub(super) async fn picture(Path(uuid): Path<String>) -> Response {
    match qr_picture(&format!("https://login.weixin.qq.com/l/{uuid}")) {
        Some(picture) => bytes("image/png", picture),
        None => not_found(),
    }
}

fn qr_picture(text: &str) -> Option<bytes::Bytes> {
    let code = qrcode::QrCode::new(text).ok()?;
    const SCALE: usize = 8;
    const QUIET: usize = 4;
    let modules = code.width() + 2 * QUIET;
    let side = modules * SCALE;
    let colours = code.to_colors();
    let dark = |x: usize, y: usize| {
        let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < code.width());
        match (inside(x / SCALE), inside(y / SCALE)) {
            (Some(x), Some(y)) => colours[y * code.width() + x] == qrcode::Color::Dark,
            _ => false,
        }
    };
    let pixels: Vec<u8> =
        (0..side * side).map(|at| if dark(at % side, at / side) { 0 } else { 255 }).collect();
    Some(samples::png(u32::try_from(side).ok()?, png::ColorType::Grayscale, &pixels))
}

/// `GET /l/{uuid}`: the page for a browser that opens the link inside the code.
pub(super) async fn scanned_page(Path(uuid): Path<String>) -> Html<String> {
    Html(format!(
        "<!DOCTYPE html>\n<p>Scan this code with the sandbox's phone: {}</p>\n",
        escape(&uuid)
    ))
}

/// Marks the poll as ended, even if its client disconnects.
struct Polling<'a> {
    hub: &'a Hub,
    uuid: &'a str,
}

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        self.hub.change(|state| state.logins.poll_ends(self.uuid));
    }
}

/// `GET /cgi-bin/mmwebwx-bin/login`: a poll, held until the phone scans or confirms.
pub(super) async fn poll(hub: Shared, request: ServiceRequest) -> Response {
    let uuid = request.query("uuid").unwrap_or("").to_owned();
    let tip = request.query("tip") == Some("1");
    let already_reported = hub.change(|state| {
        state.logins.poll_begins(&uuid);
        state.logins.knows_of_scan(&uuid)
    });
    let _polling = Polling { hub: &hub, uuid: &uuid };
    // A client that always asks for the scan gets the same answer again and again; a short pause keeps it from
    // spinning.
    let repeats = already_reported && tip;
    let answer = if repeats {
        wait(&hub, Duration::from_secs(1), &uuid, false).await
    } else {
        PollAnswer::Wait
    };
    let answer = match answer {
        PollAnswer::Wait => wait(&hub, hub.options.hold, &uuid, tip).await,
        answer => answer,
    };
    script(match answer {
        PollAnswer::Wait => "window.code=408;".to_owned(),
        PollAnswer::Scanned => {
            format!("window.code=201;window.userAvatar = 'data:img/jpg;base64,{}';", avatar())
        }
        PollAnswer::Confirmed { ticket } => {
            let uri = redirect_uri(&hub, &request, &uuid, &ticket);
            format!("window.code=200;\nwindow.redirect_uri=\"{uri}\";")
        }
        PollAnswer::Cancelled => "window.code=202;".to_owned(),
        PollAnswer::Expired => "window.code=400;".to_owned(),
    })
}

async fn wait(hub: &Arc<Hub>, time: Duration, uuid: &str, tip: bool) -> PollAnswer {
    let answer = hub.wait_for(time, |state| {
        Some(state.logins.answer(uuid, tip)).filter(|answer| *answer != PollAnswer::Wait)
    });
    answer.await.unwrap_or(PollAnswer::Wait)
}

fn avatar() -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(samples::picture(32, [90, 170, 90]))
}

/// The address at which the login continues. No parameter may contain a slash: some clients cut the address at its
/// last slash.
fn redirect_uri(hub: &Hub, request: &ServiceRequest, uuid: &str, ticket: &str) -> String {
    // HTTP/1.0 needs no `Host` header: the client then used the listen address.
    let own = hub.address.to_string();
    let host = if request.host.is_empty() { &own } else { &request.host };
    let base =
        hub.options.redirect_base.clone().unwrap_or_else(|| crate::hosts::redirect_base(host));
    let (lang, scan) = hub.read(|state| (state.world.language.code(), state.world.seconds()));
    let home = &hub.home;
    format!(
        "{base}{home}{BASE}webwxnewloginpage?ticket={ticket}@qrticket_0&uuid={uuid}&lang={lang}&scan={scan}"
    )
}

/// `GET {redirect_uri}`: exchanges the ticket for a session. The body is XML with the root `error` even on success;
/// without `fun` and `version` the service answers a redirect without a target.
pub(super) async fn new_login_page(hub: Shared, request: ServiceRequest) -> Response {
    let refused =
        |message: &str| page_answer(&request, &xml::login_refused(answer::ret::REFUSED, message));
    if let Some(message) = &hub.options.refuse_login {
        return refused(message);
    }
    if hub.options.desktop_only && request.header("extspam").is_none_or(str::is_empty) {
        return refused(
            "为了你的帐号安全，此微信号不能登录网页微信。你可以使用Windows微信或Mac微信在电脑端登录。",
        );
    }
    let uuid = request.query("uuid").unwrap_or("");
    let ticket = request.query("ticket").unwrap_or("").split('@').next().unwrap_or("");
    let login = hub.change(|state| {
        state.logins.redeem(uuid, ticket).then(|| {
            state.world.begin_session();
            let device = state.world.draw.hex(32);
            state.world.devices.push(device.clone());
            (login_xml(&state.world), session_cookies(&state.world, &request.host, Some(&device)))
        })
    });
    let Some((body, cookies)) = login else { return refused("check ticket failed") };
    hub.publish_login("online", Some(uuid));
    let mut response = page_answer(&request, &body);
    for cookie in cookies.iter().filter_map(|cookie| HeaderValue::from_str(cookie).ok()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

fn page_answer(request: &ServiceRequest, body: &str) -> Response {
    let known_client = request.query("fun").is_some() || request.query("version").is_some();
    let status = if known_client { StatusCode::OK } else { StatusCode::MOVED_PERMANENTLY };
    (status, [(header::CONTENT_TYPE, "text/plain")], body.to_owned()).into_response()
}

fn login_xml(world: &World) -> String {
    world.session().map_or_else(String::new, |session| {
        let pass_ticket = percent_encode(&session.pass_ticket);
        xml::login(&session.skey, &session.sid, world.me().uin, &pass_ticket)
    })
}
