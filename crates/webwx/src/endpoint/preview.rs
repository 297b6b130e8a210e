//! `GET webwxpreview` (section 6.9 of the protocol reference): an uploaded picture that was not sent yet.

use bytes::Bytes;

use crate::{Call, Client, DownloadError};

impl Client {
    /// An uploaded picture, up to `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`DownloadError`].
    pub async fn preview(&self, media_id: &str, limit: u64) -> Result<Bytes, DownloadError> {
        let request =
            self.session_request(Call::Preview).query("fun", "preview").query("mediaid", media_id);
        self.download(request, limit).await
    }
}
