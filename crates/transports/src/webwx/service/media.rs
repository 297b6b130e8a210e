//! Pictures, videos, files and stickers: up to the service, and down from it.

use std::fs::File;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use mynah_core::{MediaError, MediaRef, MediaSource, Outgoing, SendError};
use mynah_webwx::{
    self as webwx, DownloadError, FileWanted, ImageSize, OutgoingFile, OutgoingMedia,
    OutgoingSticker, Sticker, Upload, UploadKind,
};

use super::super::earlier::UploadedPart;
use super::super::media::Reference;
use super::verdict::{Failed, unreadable};
use super::{WebWxService, client_msg_id};

/// A piece of media on its way to a chat.
pub(super) struct Sending<'a> {
    pub(super) outgoing: &'a Outgoing,
    /// Which part of the action it is.
    pub(super) part: u32,
    pub(super) kind: UploadKind,
    pub(super) media: &'a MediaRef,
    pub(super) to: String,
}

impl WebWxService {
    /// Uploads a piece of media, unless an earlier try has, and hands it over. Returns the id of the message.
    pub(super) async fn send_media(&self, sending: Sending<'_>) -> Result<String, Failed> {
        let UploadedPart { name, uploaded } = self.uploaded(&sending).await?;
        let Sending { outgoing, part, kind, to, .. } = sending;
        let id = client_msg_id(&outgoing.id, part, outgoing.queued);
        let client = &self.shared.client;
        let media_id = uploaded.media_id.clone();
        let sent = match kind {
            UploadKind::Picture => client.send_image(&OutgoingMedia { to, media_id, id }).await,
            UploadKind::Video => client.send_video(&OutgoingMedia { to, media_id, id }).await,
            UploadKind::Sticker => {
                client
                    .send_sticker(&OutgoingSticker { to, sticker: Sticker::Uploaded(media_id), id })
                    .await
            }
            UploadKind::File => {
                client.send_file(&OutgoingFile { to, name, file: uploaded, id }).await
            }
        };
        self.taken(sent.map(|sent| sent.msg_id))
    }

    async fn uploaded(&self, sending: &Sending<'_>) -> Result<UploadedPart, Failed> {
        let Sending { outgoing, part, kind, media, to } = sending;
        if let Some(earlier) = self.shared.uploaded(&outgoing.id, *part) {
            return Ok(earlier);
        }
        let content = self.content(media, *kind).await?;
        let name = name(media, &content);
        let upload = Upload { to: to.clone(), name: name.clone(), kind: *kind, content };
        let mut progress = |progress: webwx::Progress| {
            tracing::debug!(done = progress.done, total = progress.total, "uploading");
        };
        let uploaded = self.shared.client.upload(&upload, &mut progress).await;
        let uploaded = uploaded.map_err(|error| Failed::upload(error, &name))?;
        let uploaded = UploadedPart { name, uploaded };
        self.shared.remember_uploaded(&outgoing.id, *part, uploaded.clone());
        Ok(uploaded)
    }

    /// The bytes, or the file. Media on the servers of the service are fetched first: it does not accept its own
    /// references.
    async fn content(
        &self,
        media: &MediaRef,
        kind: UploadKind,
    ) -> Result<webwx::Content, SendError> {
        match &media.source {
            MediaSource::File(_) | MediaSource::FileInside { .. } => match open(media).await {
                Ok(file) => Ok(webwx::Content::File(Arc::new(file))),
                Err(error) => Err(unreadable(media.name.as_deref().unwrap_or("the file"), &error)),
            },
            MediaSource::Service(_) => match self.download(media, kind.limit()).await {
                Ok(bytes) => Ok(webwx::Content::Bytes(bytes)),
                Err(MediaError::Failed(source)) => {
                    Err(SendError::NotSent { retry_after: None, source })
                }
                Err(error) => Err(SendError::Refused { reason: error.to_string() }),
            },
            MediaSource::Bytes(bytes) => Ok(webwx::Content::Bytes(bytes.0.clone())),
            MediaSource::Url(_) => {
                Err(SendError::Refused { reason: MediaError::Unavailable.to_string() })
            }
        }
    }

    /// Fetches media from the service, or from a file of this machine.
    pub(super) async fn download(&self, media: &MediaRef, limit: u64) -> Result<Bytes, MediaError> {
        let text = match &media.source {
            MediaSource::File(_) | MediaSource::FileInside { .. } => {
                return read_file(media, limit).await;
            }
            MediaSource::Bytes(bytes) => return Ok(bytes.0.clone()),
            MediaSource::Url(_) => return Err(MediaError::Unavailable),
            MediaSource::Service(text) => text,
        };
        let client = &self.shared.client;
        let fetched = match Reference::parse(text).ok_or(MediaError::Unavailable)? {
            Reference::Image(id) => client.image(&id, ImageSize::Full, limit).await,
            Reference::Sticker(id) => client.image(&id, ImageSize::Big, limit).await,
            Reference::Voice(id) => client.voice(&id, limit).await,
            Reference::Video(id) => client.video(&id, limit).await,
            Reference::File(file) => {
                let wanted =
                    FileWanted { sender: file.sender, media_id: file.media, name: file.name };
                client.file(&wanted, limit).await
            }
        };
        fetched.map_err(|error| self.not_downloaded(error))
    }

    fn not_downloaded(&self, error: DownloadError) -> MediaError {
        match error {
            DownloadError::Gone => MediaError::Gone,
            DownloadError::TooLarge { limit } => MediaError::TooLarge { limit },
            DownloadError::Call(error) => {
                if error.is_session_over() {
                    self.shared.doubt_session();
                }
                MediaError::Failed(Box::new(error))
            }
            other => MediaError::Failed(Box::new(other)),
        }
    }
}

/// Opens a file of this machine, as its source demands.
async fn open(media: &MediaRef) -> io::Result<File> {
    let source = media.source.clone();
    let open = move || match &source {
        MediaSource::Service(_) | MediaSource::Url(_) | MediaSource::Bytes(_) => {
            Err(io::ErrorKind::Unsupported.into())
        }
        MediaSource::File(path) => mynah_files::open(path),
        MediaSource::FileInside { folder, path } => mynah_files::open_inside(folder, path),
    };
    tokio::task::spawn_blocking(open).await?
}

async fn read_file(media: &MediaRef, limit: u64) -> Result<Bytes, MediaError> {
    let read = async {
        let file = open(media).await?;
        tokio::task::spawn_blocking(move || mynah_files::read(file, limit)).await?
    };
    read.await.map(Bytes::from).map_err(|error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => MediaError::Gone,
        io::ErrorKind::FileTooLarge => MediaError::TooLarge { limit },
        _ => MediaError::Failed(Box::new(error)),
    })
}

/// The name that the receiver sees, with a suffix for the type.
fn name(media: &MediaRef, content: &webwx::Content) -> String {
    let given = media.name.clone().filter(|name| !name.is_empty());
    let of_path = || Some(media.source.path()?.file_name()?.to_string_lossy().into_owned());
    given.or_else(of_path).unwrap_or_else(|| match content {
        webwx::Content::Bytes(bytes) => format!("file.{}", extension(bytes)),
        webwx::Content::File(_) => "file".to_owned(),
    })
}

/// The end of a name for bytes without one.
fn extension(bytes: &[u8]) -> &'static str {
    let signatures: [(&[u8], &str); 4] =
        [(b"\x89PNG", "png"), (b"GIF8", "gif"), (b"\xff\xd8\xff", "jpg"), (b"BM", "bmp")];
    let known = signatures.iter().find(|(signature, _)| bytes.starts_with(signature));
    let is_video = bytes.get(4..8) == Some(b"ftyp");
    known.map_or(if is_video { "mp4" } else { "bin" }, |(_, extension)| extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_get_a_name_that_tells_their_type() {
        let media =
            MediaRef { source: MediaSource::Service("image:1".to_owned()), name: None, size: None };
        for (bytes, expected) in [
            (&b"\x89PNG\r\n"[..], "file.png"),
            (b"GIF89a", "file.gif"),
            (b"\xff\xd8\xff\xe0", "file.jpg"),
            (b"\0\0\0\x18ftypmp42", "file.mp4"),
            (b"", "file.bin"),
        ] {
            assert_eq!(name(&media, &webwx::Content::Bytes(Bytes::from_static(bytes))), expected);
        }
        let bytes = webwx::Content::Bytes(Bytes::new());
        let file = MediaRef::file("/tmp/报表.xlsx");
        assert_eq!(name(&file, &bytes), "报表.xlsx");
        let stored = MediaRef { name: None, ..file };
        assert_eq!(name(&stored, &bytes), "报表.xlsx");
    }
}
