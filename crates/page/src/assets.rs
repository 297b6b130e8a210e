//! The files of the web application, carried inside the binary.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";
const SCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! files {
    ($($name:literal: $kind:expr),* $(,)?) => {
        /// Name, type and text of every file.
        const FILES: &[(&str, &str, &str)] = &[$(($name, $kind, include_str!(concat!("../assets/", $name)))),*];
    };
}

files! {
    "index.html": HTML,
    "style.css": CSS,
    "icon.svg": SVG,
    "main.js": SCRIPT,
    "api.js": SCRIPT,
    "chats.js": SCRIPT,
    "console.js": SCRIPT,
    "dom.js": SCRIPT,
    "editor.js": SCRIPT,
    "help.js": SCRIPT,
    "i18n.js": SCRIPT,
    "log.js": SCRIPT,
    "login.js": SCRIPT,
    "pacing.js": SCRIPT,
    "say.js": SCRIPT,
    "state.js": SCRIPT,
    "talk.js": SCRIPT,
    "tests.js": SCRIPT,
    "tools.js": SCRIPT,
    "widgets.js": SCRIPT,
    "why.js": SCRIPT,
}

pub(crate) fn routes() -> Router {
    Router::new()
        .route("/", get(|| async { file("index.html") }))
        .route("/assets/{name}", get(|Path(name): Path<String>| async move { file(&name) }))
}

fn file(name: &str) -> Response {
    match FILES.iter().find(|(known, ..)| *known == name) {
        Some((_, kind, text)) => ([(CONTENT_TYPE, *kind)], *text).into_response(),
        None => (StatusCode::NOT_FOUND, "no such file").into_response(),
    }
}
