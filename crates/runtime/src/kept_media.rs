//! Media that handlers made in memory: kept in files until they are sent, so that the store holds references only.

use std::io;
use std::path::Path;

use mynah_core::{Action, Context, MediaBytes, MediaRef, MediaSource, Segment, Step};
use tokio::task::spawn_blocking;

/// Puts the media in memory that a turn sends into files of this data folder. A file that cannot be written leaves its media
/// in memory: the store keeps it then.
pub(crate) async fn keep(ctx: &mut Context, data: &Path) {
    let is_in_memory = |media: &MediaRef| matches!(media.source, MediaSource::Bytes(_));
    let sends = |step: &Step| sent(step).iter().filter_map(Segment::media).any(is_in_memory);
    if !ctx.effects().steps.iter().any(sends) {
        return;
    }
    let folder = data.join(mynah_files::OUTGOING);
    let mut effects = ctx.effects().clone();
    for (n, step) in effects.steps.iter_mut().enumerate() {
        let Step::Act(planned) = step else { continue };
        let Action::Send { content } = &mut planned.action else { continue };
        for (part, segment) in content.0.iter_mut().enumerate() {
            let Some(media) = segment.media_mut() else { continue };
            let MediaSource::Bytes(bytes) = &media.source else { continue };
            let id = format!("{}#{n}", ctx.event_id());
            let name = media.name.clone().unwrap_or_default();
            match kept(&folder, (id, part), name, bytes.clone()).await {
                Ok(source) => media.source = source,
                Err(error) => {
                    tracing::warn!(%error, folder = %folder.display(), "media is kept in the store, as the folder cannot be written");
                }
            }
        }
    }
    ctx.restore(effects);
}

/// Removes the files that are kept for too long from this data folder.
pub(crate) async fn remove_old(data: &Path) {
    let folder = data.join(mynah_files::OUTGOING);
    // A panic there is reported by itself; the next piece of housekeeping tries again.
    let _ = spawn_blocking(move || mynah_files::remove_old(&folder)).await;
}

fn sent(step: &Step) -> &[Segment] {
    match step {
        Step::Act(planned) => match &planned.action {
            Action::Send { content } => &content.0,
            _ => &[],
        },
        Step::Run(_) => &[],
    }
}

async fn kept(
    folder: &Path,
    (id, part): (String, usize),
    name: String,
    MediaBytes(bytes): MediaBytes,
) -> io::Result<MediaSource> {
    let (to, folder) = (folder.to_owned(), folder.to_owned());
    let keep = move || mynah_files::keep(&to, (&id, part), &name, &bytes);
    let path = spawn_blocking(keep).await??;
    Ok(MediaSource::FileInside { folder, path })
}
