//! `GET webwxgetpubliclinkimg` (section 6.9 of the protocol reference): the map of a location message.

use bytes::Bytes;

use crate::{Call, Client, DownloadError};

impl Client {
    /// The map of a location message, up to `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`DownloadError`].
    pub async fn location_image(&self, msg_id: &str, limit: u64) -> Result<Bytes, DownloadError> {
        let request = self
            .session_request(Call::PublicLinkImage)
            .query("url", "xxx")
            .query("msgid", msg_id)
            .query("pictype", "location");
        self.download(request, limit).await
    }
}
