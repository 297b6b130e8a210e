//! `POST webwxsync` (section 6.6 of the protocol reference): messages and changes since the last sync key.

use serde::Serialize;

use crate::wire::{BaseRequest, SyncKey, Synced};
use crate::{Call, CallError, Client, ids};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    base_request: BaseRequest<&'a str>,
    sync_key: &'a SyncKey,
    #[serde(rename = "rr")]
    rr: i32,
}

impl Client {
    /// Fetches the news since the last [`advance`](Self::advance). Without `advance`, the next call returns the same.
    ///
    /// # Errors
    ///
    /// [`CallError`], with [`is_session_over`](CallError::is_session_over) if the session has ended.
    pub async fn sync(&self) -> Result<Synced, CallError> {
        let rr = ids::inverted_now(ids::now_millis());
        let request = self.session_request(Call::Sync);
        let request = self.look(|session| {
            request.query("sid", &session.sid).query("skey", &session.skey).json(&Body {
                base_request: session.base_request(),
                sync_key: &session.sync_key,
                rr,
            })
        });
        let synced: Synced = self.granted(request).await?;
        self.take_skey(&synced.skey);
        Ok(synced)
    }
}
