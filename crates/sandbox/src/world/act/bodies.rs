//! Converts actions to message bodies.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;

use super::{ActError, Deed, QuoteForm};
use crate::world::{
    World,
    message::{Body, Media},
    people::Relation,
    samples,
};

impl World {
    /// The message of an action; `None` for actions that do not send a message.
    pub(super) fn body(&mut self, deed: Deed) -> Result<Option<Body>, ActError> {
        Ok(Some(match deed {
            Deed::Say { text, .. } => Body::Text(text),
            Deed::Picture { data, name } => {
                Body::Image(media(data.as_deref(), name.as_deref(), "picture.png", || {
                    samples::picture(64, [220, 60, 50])
                })?)
            }
            Deed::Voice { data, seconds } => Body::Voice {
                media: media(data.as_deref(), None, "voice.mp3", samples::voice)?,
                milliseconds: milliseconds(seconds.unwrap_or(2.0)),
            },
            Deed::Video { data, seconds } => Body::Video {
                media: media(data.as_deref(), None, "video.mp4", samples::video)?,
                seconds: seconds.unwrap_or(3),
            },
            Deed::File { data, name } => {
                Body::File(media(data.as_deref(), name.as_deref(), "文件.txt", || {
                    Bytes::from_static("你好\n".as_bytes())
                })?)
            }
            Deed::Sticker { data } => {
                Body::Sticker(media(data.as_deref(), None, "sticker.gif", samples::sticker)?)
            }
            Deed::Card { person } => {
                Body::Card(self.person_or_new(&person, None, Relation::Stranger))
            }
            Deed::Link { title, description, url } => Body::Link { title, description, url },
            Deed::Location { label, latitude, longitude } => {
                Body::Location { label, latitude, longitude }
            }
            Deed::Quote { text, of, form } => self.quote(text, &of, form)?,
            Deed::MiniProgram { title } => Body::MiniProgram { title },
            Deed::ChatHistory { title } => Body::ChatHistory { title },
            Deed::RedPacket => Body::System(self.language.red_packet().to_owned()),
            Deed::Transfer { amount } => Body::Transfer { amount },
            Deed::Call => Body::Call,
            Deed::Raw { msg_type, app_msg_type, content } => {
                Body::Raw { kind: msg_type, app_kind: app_msg_type, content }
            }
            _ => return Ok(None),
        }))
    }

    fn quote(&self, text: String, of: &str, form: QuoteForm) -> Result<Body, ActError> {
        let quoted = of.parse().ok().and_then(|of| self.message(of)).ok_or(ActError::NoMessage)?;
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
) -> Result<Media, ActError> {
    let bytes = match data {
        Some(data) => STANDARD.decode(data.trim()).map_err(|_| ActError::Data)?.into(),
        None => sample(),
    };
    Ok(Media::new(name.unwrap_or(default), bytes))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
fn milliseconds(seconds: f64) -> u32 {
    (seconds * 1000.0).clamp(0.0, 60_000.0) as u32
}
