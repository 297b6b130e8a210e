//! `POST webwxstatusnotify` (section 6.2 of the protocol reference): reports the state of this session to the phone.

use serde::Serialize;
use serde::de::IgnoredAny;

use crate::wire::BaseRequest;
use crate::{Call, CallError, Client, ids};

/// A report to the phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notify {
    /// The session is ready. The service then lists the recent conversations in a message of type 51.
    Ready,
    /// The conversation with this id was read.
    Read(String),
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    base_request: BaseRequest,
    code: u8,
    from_user_name: &'a str,
    to_user_name: &'a str,
    client_msg_id: u64,
}

impl Client {
    /// Reports to the phone. A failure is worth only a warning.
    ///
    /// # Errors
    ///
    /// [`CallError`] if the call fails.
    pub async fn notify(&self, what: &Notify) -> Result<(), CallError> {
        let own = self.user_name();
        let (code, to_user_name) = match what {
            Notify::Ready => (3, own.as_str()),
            Notify::Read(peer) => (1, peer.as_str()),
        };
        let request = self.session_request(Call::StatusNotify).json(&Body {
            base_request: self.base_request(),
            code,
            from_user_name: &own,
            to_user_name,
            client_msg_id: ids::now_millis(),
        });
        let _: IgnoredAny = self.granted(request).await?;
        Ok(())
    }
}
