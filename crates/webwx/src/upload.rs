//! Files to upload: their kind, their limits, and their bytes from memory or disk.

use std::io::{self, SeekFrom};
use std::sync::Arc;

use bytes::Bytes;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::UploadError;
use crate::endpoint::CHUNK;

/// The largest picture or video that the genuine client accepts.
pub const MAX_PICTURE: u64 = 20 * 1024 * 1024;

/// The largest file that the genuine client accepts.
pub const MAX_FILE: u64 = 50 * 1024 * 1024;

/// A file to upload.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The id of the receiving person or group.
    pub to: String,
    /// Its name.
    pub name: String,
    /// The kind of message that will contain it.
    pub kind: UploadKind,
    /// Its bytes.
    pub content: Content,
}

/// The kind of message that will contain an uploaded file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadKind {
    /// A picture.
    Picture,
    /// A video.
    Video,
    /// A sticker.
    Sticker,
    /// A file.
    File,
}

/// Where the bytes of a file are.
#[derive(Debug, Clone)]
pub enum Content {
    /// In memory.
    Bytes(Bytes),
    /// In an open file, read chunk by chunk. The caller decides how a path is opened.
    File(Arc<std::fs::File>),
}

impl UploadKind {
    /// The service's name for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Picture => "pic",
            Self::Video => "video",
            Self::Sticker | Self::File => "doc",
        }
    }

    /// The most bytes of a file of this kind.
    #[must_use]
    pub fn limit(self) -> u64 {
        match self {
            Self::Picture | Self::Video | Self::Sticker => MAX_PICTURE,
            Self::File => MAX_FILE,
        }
    }
}

/// Media types by file extension, for common files.
const TYPES: [(&str, &str); 22] = [
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("gif", "image/gif"),
    ("bmp", "image/bmp"),
    ("webp", "image/webp"),
    ("mp4", "video/mp4"),
    ("mp3", "audio/mpeg"),
    ("wav", "audio/x-wav"),
    ("txt", "text/plain"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("pdf", "application/pdf"),
    ("json", "application/json"),
    ("zip", "application/zip"),
    ("rar", "application/x-rar-compressed"),
    ("doc", "application/msword"),
    ("xls", "application/vnd.ms-excel"),
    ("ppt", "application/vnd.ms-powerpoint"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
];

impl Upload {
    /// Its media type, by its extension.
    pub(crate) fn mime(&self) -> &'static str {
        let end = self.name.rsplit_once('.').map_or("", |(_, end)| end);
        let known = TYPES.iter().find(|(extension, _)| extension.eq_ignore_ascii_case(end));
        known.map_or("application/octet-stream", |(_, mime)| mime)
    }
}

/// A file of known size and md5, at its first byte.
pub(crate) struct Opened<'a> {
    reader: Reader<'a>,
    size: u64,
    md5: String,
    /// The bytes that were read after that.
    again: md5::Context,
}

enum Reader<'a> {
    Bytes(&'a Bytes, usize),
    File(File),
}

impl<'a> Opened<'a> {
    /// Opens the file and reads it once. Fails unless the service accepts its size.
    pub(crate) async fn open(upload: &'a Upload) -> Result<Self, UploadError> {
        let (mut reader, size) = match &upload.content {
            Content::Bytes(bytes) => (Reader::Bytes(bytes, 0), bytes.len() as u64),
            Content::File(file) => {
                let mut file = File::from_std(file.try_clone().map_err(UploadError::Read)?);
                file.rewind().await.map_err(UploadError::Read)?;
                let size = file.metadata().await.map_err(UploadError::Read)?.len();
                (Reader::File(file), size)
            }
        };
        let limit = upload.kind.limit();
        match size {
            0 => return Err(UploadError::Empty),
            size if size > limit => return Err(UploadError::TooLarge { size, limit }),
            _ => {}
        }
        let mut md5 = md5::Context::new();
        let mut left = size;
        while left > 0 {
            let chunk = reader.next(left.min(CHUNK as u64)).await?;
            left -= chunk.len() as u64;
            md5.consume(&chunk);
        }
        reader.rewind().await?;
        Ok(Self { reader, size, md5: hex(md5), again: md5::Context::new() })
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn md5(&self) -> &str {
        &self.md5
    }

    /// The next chunk of the file. The last one comes only if the file is the same as at the beginning: a mixture of two
    /// versions must not be sent.
    pub(crate) async fn next(&mut self, chunk: usize) -> Result<Bytes, UploadError> {
        let at = self.reader.position().await?;
        let length = self.size.saturating_sub(at).min(chunk as u64);
        let bytes = self.reader.next(length).await?;
        self.again.consume(&bytes);
        let is_last = at + length == self.size;
        if is_last && !self.is_unchanged().await? {
            return Err(UploadError::Changed);
        }
        Ok(bytes)
    }

    async fn is_unchanged(&self) -> Result<bool, UploadError> {
        Ok(hex(self.again.clone()) == self.md5 && self.reader.size().await? == self.size)
    }
}

fn hex(md5: md5::Context) -> String {
    format!("{:x}", md5.finalize())
}

impl Reader<'_> {
    /// Reads exactly that many bytes. Fails if the file became shorter meanwhile.
    async fn next(&mut self, length: u64) -> Result<Bytes, UploadError> {
        let length = usize::try_from(length)
            .map_err(|_| UploadError::Read(io::ErrorKind::OutOfMemory.into()))?;
        match self {
            Self::Bytes(bytes, at) => {
                let next = bytes.slice(*at..(*at + length).min(bytes.len()));
                *at += next.len();
                Ok(next)
            }
            Self::File(file) => {
                let mut chunk = vec![0; length];
                file.read_exact(&mut chunk).await.map_err(|error| match error.kind() {
                    io::ErrorKind::UnexpectedEof => UploadError::Changed,
                    _ => UploadError::Read(error),
                })?;
                Ok(chunk.into())
            }
        }
    }

    async fn size(&self) -> Result<u64, UploadError> {
        match self {
            Self::Bytes(bytes, _) => Ok(bytes.len() as u64),
            Self::File(file) => Ok(file.metadata().await.map_err(UploadError::Read)?.len()),
        }
    }

    async fn position(&mut self) -> Result<u64, UploadError> {
        match self {
            Self::Bytes(_, at) => Ok(*at as u64),
            Self::File(file) => file.stream_position().await.map_err(UploadError::Read),
        }
    }

    async fn rewind(&mut self) -> Result<(), UploadError> {
        match self {
            Self::Bytes(_, at) => *at = 0,
            Self::File(file) => {
                file.seek(SeekFrom::Start(0)).await.map_err(UploadError::Read)?;
            }
        }
        Ok(())
    }
}
