//! `GET webpush.W/cgi-bin/mmwebwx-bin/synccheck` (section 6.5 of the protocol reference): the long poll for news.

use crate::{Call, CallError, Client, ids, script};

/// Whether there is news to fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum News {
    /// No news during the poll.
    None,
    /// There is news of any kind; call [`Client::sync`] next.
    Some {
        /// The kind, as a number of the service: 2 messages, 4 and 6 contacts, 7 activity on the phone.
        selector: i64,
    },
}

impl News {
    /// Whether there is news to fetch.
    #[must_use]
    pub fn is_some(self) -> bool {
        matches!(self, Self::Some { .. })
    }
}

impl Client {
    /// Waits for news, up to half a minute.
    ///
    /// # Errors
    ///
    /// [`CallError`], with [`is_session_over`](CallError::is_session_over) if the session has ended. A poll that times
    /// out or breaks off is normal on the internet: poll again.
    pub async fn sync_check(&self) -> Result<News, CallError> {
        let now = ids::now_millis().to_string();
        let request = self.session_request(Call::SyncCheck).query("r", &now);
        let request = self.look(|session| {
            request
                .query("skey", &session.skey)
                .query("sid", &session.sid)
                .query("uin", session.uin.to_string())
                .query("deviceid", ids::device_id())
                .query("synckey", session.check_key().to_text())
        });
        let request = request.query("_", &now);
        let answer = self.send(request).await?.ok()?;
        let text = answer.text();
        match (script::number(&text, "retcode"), script::number(&text, "selector")) {
            (Some(0), Some(0)) => Ok(News::None),
            (Some(0), Some(selector)) => Ok(News::Some { selector }),
            (Some(retcode), _) if retcode != 0 => {
                Err(CallError::refused(Call::SyncCheck, retcode, ""))
            }
            _ => Err(answer.unreadable("the answer has no retcode and selector")),
        }
    }
}
