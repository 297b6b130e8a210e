//! `GET webwxgetvideo` (section 9 of the protocol reference): the video of a message, as MP4. Requires a range.

use bytes::Bytes;

use crate::{Call, Client, DownloadError};

impl Client {
    /// The video of a message, up to `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`DownloadError`].
    pub async fn video(&self, msg_id: &str, limit: u64) -> Result<Bytes, DownloadError> {
        let skey = self.look(|session| session.skey.clone());
        let request =
            || self.session_request(Call::GetVideo).query("msgid", msg_id).query("skey", &skey);
        self.download_ranges(request, limit).await
    }
}
