//! The parts that all downloads share (section 9 of the protocol reference).

use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE};

use crate::answer::Answer;
use crate::error::Failure;
use crate::http::Request;
use crate::wire::decode;
use crate::{CallError, Client, DownloadError};

/// The largest answer that may be a refusal. Larger ones are media.
const LARGEST_REFUSAL: usize = 4096;

/// The most portions of one download: more than a server needs for any video.
const MOST_PORTIONS: usize = 10_000;

impl Client {
    /// Downloads the body, up to the limit.
    pub(crate) async fn download(
        &self,
        request: Request,
        limit: u64,
    ) -> Result<Bytes, DownloadError> {
        let answer =
            self.send(request.limit(limit)).await.map_err(|error| too_large(error, limit))?;
        media(answer).map(|answer| answer.body)
    }

    /// Downloads by ranges. The service decides the number of portions.
    pub(crate) async fn download_ranges(
        &self,
        request: impl Fn() -> Request,
        limit: u64,
    ) -> Result<Bytes, DownloadError> {
        let mut whole = BytesMut::new();
        for _ in 0..MOST_PORTIONS {
            let left = limit.saturating_sub(whole.len() as u64);
            let asked = request().header("range", &format!("bytes={}-", whole.len())).limit(left);
            let answer = media(self.send(asked).await.map_err(|error| too_large(error, limit))?)?;
            if answer.status != 206 {
                // The server ignored the range and sent the whole body.
                return Ok(answer.body);
            }
            whole.extend_from_slice(&answer.body);
            match total(&answer) {
                Some(total) if total > limit => return Err(DownloadError::TooLarge { limit }),
                Some(total) if total > whole.len() as u64 => {}
                _ => break,
            }
        }
        Ok(whole.freeze())
    }
}

fn too_large(error: CallError, limit: u64) -> DownloadError {
    match error.failure {
        Failure::TooLarge { .. } => DownloadError::TooLarge { limit },
        _ => DownloadError::Call(error),
    }
}

/// Fails unless an answer contains media. The service refuses in several ways, and an expired file is empty.
fn media(answer: Answer) -> Result<Answer, DownloadError> {
    if matches!(answer.status, 404 | 410 | 416) {
        return Err(DownloadError::Gone);
    }
    let answer = answer.ok()?;
    if answer.body.is_empty() {
        return Err(DownloadError::Gone);
    }
    if let Some((ret, words)) = refusal(&answer) {
        return Err(CallError::refused(answer.call, ret, &words).into());
    }
    Ok(answer)
}

/// The refusal, if the answer is a short JSON text instead of media.
fn refusal(answer: &Answer) -> Option<(i64, String)> {
    let kind = answer
        .headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or("text/plain");
    let text = kind.starts_with("text/") || kind.contains("json");
    if !text || answer.body.len() > LARGEST_REFUSAL || !answer.body.starts_with(b"{") {
        return None;
    }
    let base = decode::base_response(&answer.body).ok()??;
    base.ret.filter(|ret| *ret != 0).map(|ret| (ret, base.err_msg))
}

/// The total length in `Content-Range: bytes 0-99/1234`.
fn total(answer: &Answer) -> Option<u64> {
    let range = answer.headers.get(CONTENT_RANGE)?.to_str().ok()?;
    range.rsplit_once('/')?.1.trim().parse().ok()
}
