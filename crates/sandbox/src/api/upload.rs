//! `webwxuploadmedia` and `webwxcheckupload`: section 8 of the protocol reference.

use axum::response::Response;
use serde_json::Value;

use crate::accounts::Shared;
use crate::{
    answer::{in_session, json, ret},
    hub::State,
    multipart::{Part, parts},
    request::{ServiceRequest, text_of},
    upload::{Chunk, Progress},
    wire::{
        answers::{Checked, Envelope, Uploaded},
        text::{encry_file_name, percent_decode},
    },
    world::message::Media,
};

/// A received form.
struct Form<'a> {
    request: &'a ServiceRequest,
    parts: Vec<Part>,
}

impl Form<'_> {
    fn part(&self, name: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.name == name)
    }

    fn text(&self, name: &str) -> String {
        let bytes = self.part(name).map(|part| &self.request.bytes[part.bytes.clone()]);
        String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.text(name).trim().parse().ok()
    }

    fn request(&self) -> Value {
        serde_json::from_str(&self.text("uploadmediarequest")).unwrap_or(Value::Null)
    }
}

/// `POST webwxuploadmedia`: one chunk. The answer to the last chunk has the `MediaId`.
pub(super) async fn upload(hub: Shared, request: ServiceRequest) -> Response {
    let form = Form {
        parts: parts(request.header("content-type").unwrap_or(""), &request.bytes),
        request: &request,
    };
    let request = form.request();
    json(&hub.change(|state| {
        authorise(state, &form, &request)
            .and_then(|()| take(state, &form, &request))
            .unwrap_or_else(Uploaded::failed)
    }))
}

/// Some clients upload without cookies: session and ticket are then fields of the form.
fn authorise(state: &State, form: &Form<'_>, request: &Value) -> Result<(), i32> {
    let session = state.world.session().ok_or(ret::NO_SESSION)?;
    let sid = text_of(&request["BaseRequest"]["Sid"]);
    if form.request.cookie("wxsid") != Some(session.sid.as_str()) && sid != session.sid {
        return Err(state.world.ended_with(&sid).unwrap_or(ret::COOKIE));
    }
    let ticket = form.text("webwx_data_ticket");
    if session.has_ticket(&ticket) { Ok(()) } else { Err(ret::PARAMETER) }
}

fn take(state: &mut State, form: &Form<'_>, request: &Value) -> Result<Uploaded, i32> {
    let chunk = chunk(form, request).ok_or(ret::PARAMETER)?;
    let mut answer =
        Uploaded { encry_file_name: encry_file_name(&chunk.name), ..Uploaded::default() };
    match state.uploads.take(&chunk) {
        Progress::More(length) => answer.start_pos = length,
        Progress::Done(media) => {
            answer.start_pos = media.bytes.len();
            if media.mime.starts_with("image/") {
                (answer.thumb_height, answer.thumb_width) = (100, 100);
            }
            answer.media_id.clone_from(&media.id);
            state.world.uploads.insert(media.id.clone(), media);
        }
        Progress::Wrong => return Err(ret::PARAMETER),
    }
    Ok(answer)
}

fn chunk(form: &Form<'_>, request: &Value) -> Option<Chunk> {
    let file = form.part("filename")?;
    let given = form.text("name");
    let name = if given.is_empty() { file.file_name.clone().unwrap_or_default() } else { given };
    // itchat percent-encodes the file name.
    let name = percent_decode(&name);
    let md5 = text_of(&request["FileMd5"]);
    let ids = ["ClientMediaId", "ToUserName", "TotalLen"].map(|field| text_of(&request[field]));
    Some(Chunk {
        key: format!("{} {md5} {name}", ids.join(" ")),
        name,
        index: form.number("chunk").unwrap_or(0),
        count: form.number("chunks").unwrap_or(1).max(1),
        size: usize::try_from(
            form.number("size").or_else(|| text_of(&request["TotalLen"]).parse().ok())?,
        )
        .ok()?,
        md5: Some(md5).filter(|md5| !md5.is_empty()),
        bytes: form.request.bytes.slice(file.bytes.clone()),
    })
}

/// `POST webwxcheckupload`: called before large files; media that the service already has need no upload.
pub(super) async fn check(hub: Shared, request: ServiceRequest) -> Response {
    let (md5, name) = (request.text("FileMd5"), request.text("FileName"));
    in_session(&hub, &request, |state| {
        let same =
            |media: &&Media| crate::world::draw::md5_hex(&media.bytes).eq_ignore_ascii_case(&md5);
        let stored = state.world.uploads.values().find(same).map(|media| media.id.clone());
        Ok(Checked {
            media_id: stored.unwrap_or_default(),
            aes_key: state.world.draw.hex(32),
            signature: state.world.draw.hex(64),
            encry_file_name: encry_file_name(&name),
            ..Checked::default()
        })
    })
}
