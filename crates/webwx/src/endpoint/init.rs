//! `POST webwxinit` (section 6.1 of the protocol reference): the account itself and the start of its log.

use serde::Serialize;

use crate::wire::{BaseRequest, Init};
use crate::{Call, CallError, Client, ids};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    base_request: BaseRequest,
}

impl Client {
    /// Initialises the session. Repeating it is harmless: a resumed session keeps its read position.
    ///
    /// # Errors
    ///
    /// [`CallError`] if the call fails, or the session is over.
    pub async fn init(&self) -> Result<Init, CallError> {
        let request = self
            .session_request(Call::Init)
            .query("r", ids::inverted_now(ids::now_millis()).to_string())
            .json(&Body { base_request: self.base_request() });
        let init: Init = self.granted(request).await?;
        if init.user.user_name.is_empty() {
            return Err(CallError::unreadable(
                Call::Init,
                "the answer does not contain the account",
                "",
            ));
        }
        self.change(|session| {
            session.take_skey(&init.skey);
            init.user.user_name.clone_into(&mut session.user_name);
            if init.user.uin != 0 {
                session.uin = init.user.uin;
            }
            if session.sync_key.is_empty() {
                session.take_keys(&init.sync_key, &init.sync_key);
            }
        });
        Ok(init)
    }
}
