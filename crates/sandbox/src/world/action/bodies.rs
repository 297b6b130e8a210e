//! Converts actions to message bodies.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;

use super::{QuoteForm, SandboxActionError, SandboxActionKind};
use crate::world::{
    World,
    message::{Body, Media},
    people::Relation,
    samples,
};

impl World {
    /// The message of an action; `None` for actions that do not send a message.
    pub(super) fn body(
        &mut self,
        kind: SandboxActionKind,
    ) -> Result<Option<Body>, SandboxActionError> {
        Ok(Some(match kind {
            SandboxActionKind::Say { text, .. } => Body::Text(text),
            SandboxActionKind::Picture { data, name } => {
                Body::Image(media(data.as_deref(), name.as_deref(), "picture.png", || {
                    samples::picture(64, [220, 60, 50])
                })?)
            }
            SandboxActionKind::Voice { data, seconds } => Body::Voice {
                media: media(data.as_deref(), None, "voice.mp3", samples::voice)?,
                milliseconds: milliseconds(seconds.unwrap_or(2.0)),
            },
            SandboxActionKind::Video { data, seconds } => Body::Video {
                media: media(data.as_deref(), None, "video.mp4", samples::video)?,
                seconds: seconds.unwrap_or(3),
            },
            SandboxActionKind::File { data, name } => {
                Body::File(media(data.as_deref(), name.as_deref(), "文件.txt", || {
                    Bytes::from_static("你好\n".as_bytes())
                })?)
            }
            SandboxActionKind::Sticker { data } => {
                Body::Sticker(media(data.as_deref(), None, "sticker.gif", samples::sticker)?)
            }
            SandboxActionKind::Card { person } => {
                Body::Card(self.person_or_new(&person, None, Relation::Stranger))
            }
            SandboxActionKind::Link { title, description, url } => {
                Body::Link { title, description, url }
            }
            SandboxActionKind::Location { label, latitude, longitude } => {
                Body::Location { label, latitude, longitude }
            }
            SandboxActionKind::Quote { text, of, form } => self.quote(text, &of, form)?,
            SandboxActionKind::MiniProgram { title } => Body::MiniProgram { title },
            SandboxActionKind::ChatHistory { title } => Body::ChatHistory { title },
            SandboxActionKind::RedPacket => Body::System(self.language.red_packet().to_owned()),
            SandboxActionKind::Transfer { amount } => Body::Transfer { amount },
            SandboxActionKind::Call => Body::Call,
            SandboxActionKind::Raw { msg_type, app_msg_type, content } => {
                Body::Raw { kind: msg_type, app_kind: app_msg_type, content }
            }
            _ => return Ok(None),
        }))
    }

    fn quote(&self, text: String, of: &str, form: QuoteForm) -> Result<Body, SandboxActionError> {
        let quoted =
            of.parse().ok().and_then(|of| self.message(of)).ok_or(SandboxActionError::NoMessage)?;
        if form == QuoteForm::App {
            return Ok(Body::Quote { text, of: quoted.id });
        }
        let by = quoted.from.map_or("", |from| &self.person(from).name);
        let said = match quoted.body.text() {
            "" => format!("[{}]", self.language.thing(quoted.body.kind())),
            said => said.to_owned(),
        };
        Ok(Body::Text(format!("「{by}：{said}」\n{DASHES}\n{text}")))
    }
}

/// The separator between a quoted text and the reply.
const DASHES: &str = "- - - - - - - - - - - - - - -";

fn media(
    data: Option<&str>,
    name: Option<&str>,
    default: &str,
    sample: impl FnOnce() -> Bytes,
) -> Result<Media, SandboxActionError> {
    let bytes = match data {
        Some(data) => STANDARD.decode(data.trim()).map_err(|_| SandboxActionError::Data)?.into(),
        None => sample(),
    };
    Ok(Media::new(name.unwrap_or(default), bytes))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
fn milliseconds(seconds: f64) -> u32 {
    (seconds * 1000.0).clamp(0.0, 60_000.0) as u32
}
