//! `GET https://file.W/cgi-bin/mmwebwx-bin/webwxgetmedia` (section 9 of the protocol reference): a file from a message.

use bytes::Bytes;

use crate::wire::Message;
use crate::{Call, Client, DownloadError};

/// The file to download.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileWanted {
    /// The sender of the message.
    pub sender: String,
    /// `media_id` of the message.
    pub media_id: String,
    /// `encry_file_name` of the message, or the plain name if there is none.
    pub name: String,
}

impl FileWanted {
    /// The file of a message.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        let encrypted = !message.encry_file_name.is_empty();
        let name = if encrypted { &message.encry_file_name } else { &message.file_name };
        Self {
            sender: message.from_user_name.clone(),
            media_id: message.media_id.clone(),
            name: name.clone(),
        }
    }
}

impl Client {
    /// A file, up to `limit` bytes. The service keeps files for a few days.
    ///
    /// # Errors
    ///
    /// [`DownloadError`].
    pub async fn file(&self, wanted: &FileWanted, limit: u64) -> Result<Bytes, DownloadError> {
        let (uin, ticket) = self.look(|session| (session.uin, session.data_ticket()));
        let request = self
            .session_request(Call::GetMedia)
            .query("sender", &wanted.sender)
            .query("mediaid", &wanted.media_id)
            .query("encryfilename", &wanted.name)
            .query("fromuser", uin.to_string())
            .query("webwx_data_ticket", ticket);
        self.download(request, limit).await
    }
}
