//! `GET webwxgetmsgimg` (section 9 of the protocol reference): the picture or sticker of a message.

use bytes::Bytes;

use crate::{Call, Client, DownloadError};

/// The form of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageSize {
    /// The original picture.
    Full,
    /// A small preview.
    Thumbnail,
    /// The large form, required for stickers.
    Big,
}

impl Client {
    /// The picture of a message, up to `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`DownloadError`]. Stickers of the sticker shop are [`Gone`](DownloadError::Gone).
    pub async fn image(
        &self,
        msg_id: &str,
        size: ImageSize,
        limit: u64,
    ) -> Result<Bytes, DownloadError> {
        let skey = self.look(|session| session.skey.clone());
        let mut request =
            self.session_request(Call::GetImage).query("MsgID", msg_id).query("skey", skey);
        match size {
            ImageSize::Full => {}
            ImageSize::Thumbnail => request = request.query("type", "slave"),
            ImageSize::Big => request = request.query("type", "big"),
        }
        self.download(request, limit).await
    }
}
