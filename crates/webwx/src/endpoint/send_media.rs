//! `POST webwxsendmsgimg`, `webwxsendvideomsg`, `webwxsendemoticon` (section 7 of the protocol reference): sends
//! uploaded media.

use serde::Serialize;

use super::send_msg::{Envelope, Msg};
use crate::wire::Sent;
use crate::{Call, CallError, Client, ClientMsgId};

/// An uploaded picture or video to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingMedia {
    /// The id of the person or group.
    pub to: String,
    /// The media id of the upload.
    pub media_id: String,
    /// The client's id of the message. Use the same for a retry.
    pub id: ClientMsgId,
}

/// A sticker to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingSticker {
    /// The id of the person or group.
    pub to: String,
    /// The sticker.
    pub sticker: Sticker,
    /// The client's id of the message. Use the same for a retry.
    pub id: ClientMsgId,
}

/// A sticker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sticker {
    /// An uploaded GIF, by the media id of the upload.
    Uploaded(String),
    /// A sticker of the service, by its md5.
    Known(String),
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MediaMsg<'a> {
    #[serde(flatten)]
    msg: Msg<'a>,
    media_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StickerMsg<'a> {
    #[serde(flatten)]
    msg: Msg<'a>,
    /// 2 means an animated picture.
    emoji_flag: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_id: Option<&'a str>,
    #[serde(rename = "EMoticonMd5", skip_serializing_if = "Option::is_none")]
    md5: Option<&'a str>,
}

impl Client {
    /// Sends a picture.
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text).
    pub async fn send_image(&self, image: &OutgoingMedia) -> Result<Sent, CallError> {
        self.send_media(Call::SendImage, 3, image).await
    }

    /// Sends a video.
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text).
    pub async fn send_video(&self, video: &OutgoingMedia) -> Result<Sent, CallError> {
        self.send_media(Call::SendVideo, 43, video).await
    }

    /// Sends a sticker.
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text).
    pub async fn send_sticker(&self, sticker: &OutgoingSticker) -> Result<Sent, CallError> {
        let own = self.user_name();
        let (media_id, md5) = match &sticker.sticker {
            Sticker::Uploaded(media_id) => (Some(media_id.as_str()), None),
            Sticker::Known(md5) => (None, Some(md5.as_str())),
        };
        let msg = StickerMsg {
            msg: Msg::new(47, "", &own, &sticker.to, &sticker.id),
            emoji_flag: 2,
            media_id,
            md5,
        };
        let envelope = Envelope { base_request: self.base_request(), msg, scene: 0 };
        self.granted(self.session_request(Call::SendEmoticon).query("fun", "sys").json(&envelope))
            .await
    }

    async fn send_media(
        &self,
        call: Call,
        kind: u8,
        media: &OutgoingMedia,
    ) -> Result<Sent, CallError> {
        let own = self.user_name();
        let msg = MediaMsg {
            msg: Msg::new(kind, "", &own, &media.to, &media.id),
            media_id: &media.media_id,
        };
        let envelope = Envelope { base_request: self.base_request(), msg, scene: 0 };
        self.granted(
            self.session_request(call).query("fun", "async").query("f", "json").json(&envelope),
        )
        .await
    }
}
