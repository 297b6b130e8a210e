//! Media at addresses of the web, and media in memory: put into files when a message is sent, so that every service gets a file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use mynah_core::{
    Action, ActionId, Called, Capabilities, Chat, ChatId, Content, MediaBytes, MediaError,
    MediaRef, MediaSource, Outgoing, Receipt, Records, Segment, SendError, Service, Source,
    Transport,
};
use mynah_fetch::{FetchClient, MediaFailure, MediaKind, Target};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// Is in the reason of a refusal, before the failure.
pub(crate) const NOT_FETCHED: &str = " was not fetched: ";

/// The folder for fetched media, in the data folder of an account.
const FETCHED: &str = "fetched";

/// How long a file is there for a reader in another process.
const AVAILABLE: Duration = Duration::from_secs(24 * 3600);

/// The most bytes of all files; the oldest are removed first.
const MOST_BYTES: u64 = 256 << 20;

/// The most actions of an account that fetch at once. Further ones are tried again later, so that slow servers do not take
/// the places of other chats.
const MOST_AT_ONCE: usize = 8;

/// The wait for one of those places.
const BUSY: Duration = Duration::from_secs(2);

/// A transport whose service gets media at addresses of the web as files. They are in the data folder of the account.
pub(crate) fn fetching(
    transport: Box<dyn Transport>,
    client: &FetchClient,
    data: &Path,
) -> Box<dyn Transport> {
    Box::new(FetchingTransport {
        inner: transport,
        media: UrlMedia {
            client: client.clone(),
            folder: data.join(FETCHED),
            permits: Semaphore::new(MOST_AT_ONCE),
        },
    })
}

struct FetchingTransport {
    inner: Box<dyn Transport>,
    media: UrlMedia,
}

impl Transport for FetchingTransport {
    fn open(self: Box<Self>, records: Records) -> (Box<dyn Source>, Arc<dyn Service>) {
        let (source, inner) = self.inner.open(records);
        (source, Arc::new(FetchingService { inner, media: self.media }))
    }
}

struct FetchingService {
    inner: Arc<dyn Service>,
    media: UrlMedia,
}

#[async_trait]
impl Service for FetchingService {
    fn capabilities(&self) -> Arc<Capabilities> {
        self.inner.capabilities()
    }

    fn chats(&self) -> Arc<[Chat]> {
        self.inner.chats()
    }

    fn members(&self, group: &ChatId) -> Vec<String> {
        self.inner.members(group)
    }

    fn person_called(&self, name: &str) -> Called {
        self.inner.person_called(name)
    }

    async fn perform(&self, outgoing: &Outgoing) -> Result<Receipt, SendError> {
        let Action::Send { content } = &outgoing.action else {
            return self.inner.perform(outgoing).await;
        };
        if !content.0.iter().filter_map(Segment::media).any(is_no_file) {
            return self.inner.perform(outgoing).await;
        }
        let content = self.media.as_files(&outgoing.id, content).await?;
        let action = Action::Send { content };
        self.inner.perform(&Outgoing { action, ..outgoing.clone() }).await
    }

    async fn media(&self, media: &MediaRef, limit: u64) -> Result<Bytes, MediaError> {
        self.inner.media(media, limit).await
    }
}

fn is_at_address(media: &MediaRef) -> bool {
    matches!(media.source, MediaSource::Url(_))
}

fn is_no_file(media: &MediaRef) -> bool {
    matches!(media.source, MediaSource::Url(_) | MediaSource::Bytes(_))
}

/// Every place of the account is taken by media of other actions.
#[derive(Debug, thiserror::Error)]
#[error("other pictures and files are being fetched")]
struct Busy;

/// The fetched media of an account.
struct UrlMedia {
    client: FetchClient,
    folder: PathBuf,
    permits: Semaphore,
}

impl UrlMedia {
    /// The content with files in place of addresses.
    async fn as_files(&self, id: &ActionId, content: &Content) -> Result<Content, SendError> {
        let Ok(_permit) = self.permits.try_acquire() else {
            return Err(SendError::NotSent { retry_after: Some(BUSY), source: Box::new(Busy) });
        };
        let mut content = content.clone();
        for (n, segment) in content.0.iter_mut().enumerate() {
            if let Some(media) = segment.media_mut() {
                self.kept(media, (id, n)).await.map_err(|error| SendError::Refused {
                    reason: format!("a file for the message cannot be written: {error}"),
                })?;
            }
            let Some((kind, media)) = at_address(segment) else { continue };
            let MediaSource::Url(url) = media.source.clone() else { continue };
            *media = self.fetched(&url, kind, (id, n)).await.map_err(|failure| {
                let host = url.parse::<Target>().map(|target| target.host().to_string());
                let host = host.unwrap_or_else(|_| "an address that is not valid".to_owned());
                let what = if kind == MediaKind::Image { "picture" } else { "file" };
                let reason = format!("the {what} at {host}{NOT_FETCHED}{failure}");
                SendError::Refused { reason }
            })?;
        }
        Ok(content)
    }

    /// Puts media in memory into a file.
    async fn kept(&self, media: &mut MediaRef, (id, n): (&ActionId, usize)) -> io::Result<()> {
        let MediaSource::Bytes(MediaBytes(bytes)) = &media.source else { return Ok(()) };
        let (folder, bytes, id) = (self.folder.clone(), bytes.clone(), id.to_string());
        let name = media.name.clone().unwrap_or_default();
        let keep = move || {
            prepare(&folder)?;
            mynah_files::keep(&folder, (&id, n), &name, &bytes)
        };
        media.source = MediaSource::File(spawn_blocking(keep).await??);
        Ok(())
    }

    /// Fetches one into a file, which has the same name on every try.
    async fn fetched(
        &self,
        url: &str,
        kind: MediaKind,
        (id, n): (&ActionId, usize),
    ) -> Result<MediaRef, MediaFailure> {
        let folder = self.folder.clone();
        on_disk(move || prepare(&folder)).await?;
        let hash = id.to_string().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let part = self.folder.join(format!("{hash:016x}-{n}.part"));
        let mut file = tokio::fs::File::create(&part).await?;
        let media = self.client.media(url, kind, &mut file).await;
        drop(file);
        match media {
            Ok(media) => {
                let path = self.folder.join(format!("{hash:016x}-{n}-{}", media.name));
                let to = path.clone();
                on_disk(move || fs::rename(part, to)).await?;
                let (name, size) = (Some(media.name), Some(media.size));
                Ok(MediaRef { source: MediaSource::File(path), name, size })
            }
            Err(failure) => {
                on_disk(move || fs::remove_file(part)).await?;
                Err(failure)
            }
        }
    }
}

/// The media of a segment, if it is at an address, with its use.
fn at_address(segment: &mut Segment) -> Option<(MediaKind, &mut MediaRef)> {
    let (kind, media) = match segment {
        Segment::Image(media) | Segment::Sticker(media) => (MediaKind::Image, media),
        Segment::Video(media) => (MediaKind::Video, media),
        Segment::File(media) | Segment::Voice(media) => (MediaKind::File, media),
        Segment::Text { .. }
        | Segment::Mention { .. }
        | Segment::Quote { .. }
        | Segment::Link { .. }
        | Segment::Card { .. }
        | Segment::Location { .. }
        | Segment::Raw { .. } => return None,
    };
    is_at_address(media).then_some((kind, media))
}

async fn on_disk(work: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
    // In a box, so that the task is compiled once.
    let work: Box<dyn FnOnce() -> io::Result<()> + Send> = Box::new(work);
    spawn_blocking(work).await?
}

/// Makes the folder, which other users of the machine cannot read, and removes files to make room.
fn prepare(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    let (now, mut files) = (SystemTime::now(), Vec::new());
    for entry in fs::read_dir(folder)?.flatten() {
        let Ok(found) = entry.metadata() else { continue };
        files.push((found.modified().unwrap_or(now), found.len(), entry.path()));
    }
    files.sort();
    let mut total: u64 = files.iter().map(|(_, size, _)| size).sum();
    for (modified, size, path) in files {
        let is_old = now.duration_since(modified).is_ok_and(|age| age > AVAILABLE);
        if !is_old && total <= MOST_BYTES {
            break;
        }
        // Another try may have removed it.
        let _ = fs::remove_file(path);
        total -= size;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
