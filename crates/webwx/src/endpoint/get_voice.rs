//! `GET webwxgetvoice` (section 9 of the protocol reference): the audio of a voice message, as MP3.

use bytes::Bytes;

use crate::{Call, Client, DownloadError};

impl Client {
    /// The audio of a voice message, up to `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`DownloadError`].
    pub async fn voice(&self, msg_id: &str, limit: u64) -> Result<Bytes, DownloadError> {
        let skey = self.look(|session| session.skey.clone());
        let request =
            || self.session_request(Call::GetVoice).query("msgid", msg_id).query("skey", &skey);
        self.download_ranges(request, limit).await
    }
}
