//! `POST webwxrevokemsg` (section 7.1 of the protocol reference): revokes a message of the account.

use serde::Serialize;
use serde::de::IgnoredAny;

use crate::wire::BaseRequest;
use crate::{Call, CallError, Client, ClientMsgId};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    base_request: BaseRequest,
    svr_msg_id: &'a str,
    to_user_name: &'a str,
    client_msg_id: &'a str,
}

impl Client {
    /// Revokes a message to `to`, by the id in [`Sent`](crate::wire::Sent), within two minutes.
    ///
    /// # Errors
    ///
    /// [`CallError`] with the text of the service if it is too late.
    pub async fn revoke(&self, to: &str, msg_id: &str) -> Result<(), CallError> {
        let id = ClientMsgId::fresh();
        let base_request = self.base_request();
        let body =
            Body { base_request, svr_msg_id: msg_id, to_user_name: to, client_msg_id: id.as_str() };
        let _: IgnoredAny = self.granted(self.session_request(Call::Revoke).json(&body)).await?;
        Ok(())
    }
}
