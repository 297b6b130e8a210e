//! `POST https://file.W/cgi-bin/mmwebwx-bin/webwxuploadmedia` (section 8.1 of the protocol reference): uploads a file
//! in chunks, one after the other.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::check_upload::Checked;
use crate::multipart::Form;
use crate::upload::{Opened, Upload};
use crate::wire::{BaseRequest, lenient};
use crate::{Call, CallError, Client, UploadError, date, ids, percent};

/// The size of a chunk in the genuine client.
pub(crate) const CHUNK: usize = 524_288;

/// For larger files, the client first asks the service whether it has the file.
const CHECKED_ABOVE: u64 = 25 * 1024 * 1024;

/// All uploads have this type here.
const ATTACHMENT: u8 = 4;

/// An uploaded file.
#[derive(Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// The media id for the sending call.
    pub media_id: String,
    /// Its size in bytes.
    pub size: u64,
    pub(crate) signature: String,
}

impl fmt::Debug for Uploaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { media_id: _, size, signature: _ } = self;
        f.debug_struct("Uploaded").field("size", size).finish_non_exhaustive()
    }
}

/// The progress of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The bytes that were uploaded.
    pub done: u64,
    /// The bytes of the whole file.
    pub total: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MediaRequest<'a> {
    upload_type: u8,
    base_request: BaseRequest,
    client_media_id: u64,
    total_len: u64,
    start_pos: u64,
    data_len: u64,
    media_type: u8,
    from_user_name: &'a str,
    to_user_name: &'a str,
    file_md5: &'a str,
    #[serde(rename = "AESKey", skip_serializing_if = "str::is_empty")]
    aes_key: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    signature: &'a str,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Answer {
    #[serde(deserialize_with = "lenient::text")]
    media_id: String,
}

/// The parts that all chunks of a file share.
struct Plan<'a> {
    upload: &'a Upload,
    size: u64,
    chunks: u64,
    /// The same for each chunk.
    media_request: String,
    number: u64,
}

impl Client {
    /// Uploads a file and reports the progress after each chunk. Makes one call for every 512 KiB.
    ///
    /// # Errors
    ///
    /// [`UploadError`]. A retry is safe: an upload sends no message.
    pub async fn upload(
        &self,
        upload: &Upload,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Uploaded, UploadError> {
        let mut file = Opened::open(upload).await?;
        let size = file.size();
        let checked = self.checked(upload, &file).await?;
        let signature = checked.signature.clone();
        if !checked.media_id.is_empty() {
            progress(Progress { done: size, total: size });
            return Ok(Uploaded { media_id: checked.media_id, size, signature });
        }
        let plan = self.plan(upload, &file, &checked);
        let mut media_id = String::new();
        for chunk in 0..plan.chunks {
            let bytes = file.next(CHUNK).await?;
            media_id = self.upload_chunk(&plan, chunk, &bytes).await?;
            progress(Progress {
                done: (chunk * CHUNK as u64 + bytes.len() as u64).min(size),
                total: size,
            });
        }
        if media_id.is_empty() {
            return Err(UploadError::NoMedia);
        }
        Ok(Uploaded { media_id, size, signature })
    }

    async fn checked(&self, upload: &Upload, file: &Opened<'_>) -> Result<Checked, CallError> {
        if file.size() <= CHECKED_ABOVE {
            return Ok(Checked::default());
        }
        self.check_upload(&upload.to, &upload.name, file.md5(), file.size()).await
    }

    fn plan<'a>(&self, upload: &'a Upload, file: &Opened<'_>, checked: &Checked) -> Plan<'a> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let size = file.size();
        let media_request = serde_json::to_string(&MediaRequest {
            upload_type: 2,
            base_request: self.base_request(),
            client_media_id: ids::now_millis(),
            total_len: size,
            start_pos: 0,
            data_len: size,
            media_type: ATTACHMENT,
            from_user_name: &self.user_name(),
            to_user_name: &upload.to,
            file_md5: file.md5(),
            aes_key: &checked.aes_key,
            signature: &checked.signature,
        });
        let media_request = media_request.expect("requests have string keys and plain values only");
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Plan { upload, size, chunks: size.div_ceil(CHUNK as u64), media_request, number }
    }

    async fn upload_chunk(
        &self,
        plan: &Plan<'_>,
        chunk: u64,
        bytes: &[u8],
    ) -> Result<String, CallError> {
        let Plan { upload, size, chunks, media_request, number } = plan;
        let (ticket, pass_ticket) =
            self.look(|session| (session.data_ticket(), percent::decode(&session.pass_ticket)));
        let mime = upload.mime();
        let mut form = Form::new()
            .text("id", &format!("WU_FILE_{number}"))
            .text("name", &upload.name)
            .text("type", mime)
            .text("lastModifiedDate", &date::of_browser(ids::now_millis() / 1000))
            .text("size", &size.to_string());
        if *chunks > 1 {
            form = form.text("chunks", &chunks.to_string()).text("chunk", &chunk.to_string());
        }
        let (content_type, body) = form
            .text("mediatype", upload.kind.word())
            .text("uploadmediarequest", media_request)
            .text("webwx_data_ticket", &ticket)
            .text("pass_ticket", &pass_ticket)
            .file("filename", &upload.name, mime, bytes)
            .finish();
        let request = self.request(Call::UploadMedia).query("f", "json").body(&content_type, body);
        let answer: Answer = self.granted(request).await?;
        Ok(answer.media_id)
    }
}
