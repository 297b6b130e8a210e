//! Pictures, videos and files at addresses that a rule file or a handler names.

use std::io;
use std::time::Duration;

use mynah_core::FetchFailure;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Response, Url};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::FetchClient;
use crate::client::failure;
use crate::hops::{self, Arrived, Hop};

/// The largest picture, video or file.
pub const LARGEST_MEDIA: u64 = 20 << 20;

/// The longest time for all of it, redirects included.
const LONGEST: Duration = Duration::from_secs(60);

/// So many bytes show the type of a picture.
const SIGNATURE: usize = 12;

/// The use of the media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    /// A picture or a sticker: it must be one by its first bytes, too.
    Image,
    /// A video.
    Video,
    /// A file of any type. A web page is not one, unless its name ends with `.html`: it is usually an error page.
    File,
}

/// Fetched media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedMedia {
    /// The size in bytes.
    pub size: u64,
    /// The name for the receiver: the end of the path in the address, with the suffix of the type if it is a picture. Safe as
    /// the name of a file.
    pub name: String,
}

/// The reason why media was not fetched. Its text holds no query of the address.
#[derive(Debug, thiserror::Error)]
pub enum MediaFailure {
    /// The request failed, or an address is refused.
    #[error(transparent)]
    Fetch(#[from] FetchFailure),
    /// It is larger than [`LARGEST_MEDIA`].
    #[error("it is larger than 20 MB")]
    TooLarge,
    /// There are no bytes.
    #[error("it is empty")]
    Empty,
    /// The content type or the bytes are those of something else.
    #[error("it is not {expected} but {found}")]
    WrongType {
        /// The expected type, for people.
        expected: &'static str,
        /// The content type.
        found: String,
    },
    /// It cannot be written.
    #[error("it cannot be written: {0}")]
    Write(#[from] io::Error),
}

impl FetchClient {
    /// Fetches media from a public address, or from a host that the operator listed as private, and writes it. There is no
    /// list of hosts: the address is fixed, and the request carries nothing else.
    ///
    /// # Errors
    ///
    /// The reason why there is no such media. A part of it may have been written.
    pub async fn media(
        &self,
        url: &str,
        kind: MediaKind,
        into: &mut (impl AsyncWrite + Unpin + Send),
    ) -> Result<FetchedMedia, MediaFailure> {
        let url = Url::parse(url)
            .map_err(|_| FetchFailure::Address("the address is not valid".to_owned()))?;
        let fetched = timeout(LONGEST, self.fetch_media(url, kind, into)).await;
        fetched.unwrap_or(Err(FetchFailure::TimedOut.into()))
    }

    async fn fetch_media(
        &self,
        url: Url,
        kind: MediaKind,
        into: &mut (impl AsyncWrite + Unpin + Send),
    ) -> Result<FetchedMedia, MediaFailure> {
        let name = name_of(&url);
        let headers =
            HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))]);
        let (method, secret_headers) = (Method::GET, Vec::new());
        let hop = Hop { method, url, headers, secret_headers, body: None, secret_in_body: None };
        let mut arrived = hops::follow(self, hop, |_| Ok(()), |_| false).await?;
        let status = arrived.response.status();
        if !status.is_success() {
            return Err(FetchFailure::Status(status.as_u16()).into());
        }
        check_headers(&arrived.response, kind, &name)?;
        let (size, extension) = write(&mut arrived, kind, into).await?;
        Ok(FetchedMedia { size, name: with_extension(name, extension) })
    }
}

fn check_headers(response: &Response, kind: MediaKind, name: &str) -> Result<(), MediaFailure> {
    let is_packed = response.headers().get_all(CONTENT_ENCODING).iter().any(|it| it != "identity");
    if is_packed {
        let text = "it is compressed, which was not asked for".to_owned();
        return Err(FetchFailure::Damaged(text).into());
    }
    let found = content_type(response);
    // Stores of files often know no type.
    let is_unknown =
        ["", "application/octet-stream", "binary/octet-stream"].contains(&found.as_str());
    let is_page = ["text/html", "application/xhtml+xml"].contains(&found.as_str());
    let is_good = match kind {
        MediaKind::Image => is_unknown || found.starts_with("image/"),
        MediaKind::Video => is_unknown || found.starts_with("video/"),
        MediaKind::File => {
            let name = name.to_ascii_lowercase();
            !is_page || [".html", ".htm", ".xhtml"].iter().any(|end| name.ends_with(end))
        }
    };
    if is_good { Ok(()) } else { Err(wrong_type(kind, found)) }
}

/// Writes the body and checks its first bytes before any is written. Returns its size and the suffix of a picture.
async fn write(
    Arrived { response, target }: &mut Arrived,
    kind: MediaKind,
    into: &mut (impl AsyncWrite + Unpin + Send),
) -> Result<(u64, Option<&'static str>), MediaFailure> {
    if response.content_length().is_some_and(|length| length > LARGEST_MEDIA) {
        return Err(MediaFailure::TooLarge);
    }
    let (mut size, mut head, mut extension) = (0_u64, Vec::new(), None);
    let mut is_checked = kind != MediaKind::Image;
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(error, target))? {
        size += chunk.len() as u64;
        if size > LARGEST_MEDIA {
            return Err(MediaFailure::TooLarge);
        }
        if is_checked {
            into.write_all(&chunk).await?;
            continue;
        }
        head.extend_from_slice(&chunk);
        if head.len() >= SIGNATURE {
            let Some(found) = extension_of(&head) else { break };
            (extension, is_checked) = (Some(found), true);
            into.write_all(&head).await?;
            head = Vec::new();
        }
    }
    if size == 0 {
        return Err(MediaFailure::Empty);
    }
    if !is_checked {
        let found = content_type(response);
        let found = if found.is_empty() { "of no type" } else { found.as_str() };
        let found = format!("{found} with other bytes");
        return Err(wrong_type(kind, found));
    }
    into.flush().await?;
    Ok((size, extension))
}

fn wrong_type(kind: MediaKind, found: String) -> MediaFailure {
    let expected = match kind {
        MediaKind::Image => "a picture (PNG, JPEG, GIF, WebP or BMP)",
        MediaKind::Video => "a video",
        MediaKind::File => "a file",
    };
    MediaFailure::WrongType { expected, found }
}

/// The content type without its parameters; only plain characters, as it is shown.
fn content_type(response: &Response) -> String {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || "/.+-".contains(*c);
    kind.chars().filter(is_plain).take(60).collect::<String>().to_ascii_lowercase()
}

/// The suffix of a picture by its first bytes.
fn extension_of(bytes: &[u8]) -> Option<&'static str> {
    let signatures: [(&[u8], &str); 5] = [
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"\xff\xd8\xff", "jpg"),
        (b"GIF87a", "gif"),
        (b"GIF89a", "gif"),
        (b"BM", "bmp"),
    ];
    let known = signatures.iter().find(|(signature, _)| bytes.starts_with(signature));
    let is_webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    known.map(|(_, extension)| *extension).or(is_webp.then_some("webp"))
}

/// The end of the path, decoded, without characters that some system refuses in the name of a file.
fn name_of(url: &Url) -> String {
    let end = url.path_segments().and_then(Iterator::last).unwrap_or_default();
    let decoded = percent_decoded(end);
    let is_plain = |c: &char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ');
    let name: String = decoded.chars().filter(is_plain).collect();
    // The end has the suffix. Names of files are bounded by bytes, and a character has up to four.
    let skipped = name.chars().count().saturating_sub(50);
    let name: String = name.chars().skip(skipped).collect();
    name.trim_matches(['.', ' ']).to_owned()
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let decoded = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match decoded.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The name with the suffix of its type, unless it has it.
fn with_extension(name: String, extension: Option<&'static str>) -> String {
    let name = if name.is_empty() { "file".to_owned() } else { name };
    let Some(extension) = extension else { return name };
    let lower = name.to_ascii_lowercase();
    let has_it = lower.ends_with(&format!(".{extension}"))
        || (extension == "jpg" && lower.ends_with(".jpeg"));
    if has_it { name } else { format!("{name}.{extension}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_media_is_safe_as_the_name_of_a_file() {
        for (url, extension, expected) in [
            ("https://a.test/pics/cat.png?x=/y.exe", Some("png"), "cat.png"),
            ("https://a.test/pics/cat.PNG", Some("png"), "cat.PNG"),
            ("https://a.test/cat.jpeg", Some("jpg"), "cat.jpeg"),
            ("https://a.test/cat", Some("webp"), "cat.webp"),
            ("https://a.test/cat.exe", Some("gif"), "cat.exe.gif"),
            ("https://a.test/", Some("png"), "file.png"),
            ("https://a.test", None, "file"),
            ("https://a.test/%E4%BB%B7%E7%9B%AE.pdf", None, "价目.pdf"),
            ("https://a.test/..%2F..%2Fetc%2Fpasswd", None, "etcpasswd"),
            ("https://a.test/%00%0a.%5c..%5cx", None, "x"),
            ("https://a.test/a%", None, "a"),
        ] {
            let name = with_extension(name_of(&url.parse().unwrap()), extension);
            assert_eq!(name, expected, "{url}");
        }
        let long = format!("https://a.test/{}.png", "x".repeat(300));
        assert_eq!(name_of(&long.parse().unwrap()).len(), 50);
    }
}
