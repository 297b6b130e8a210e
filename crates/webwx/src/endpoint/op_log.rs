//! `POST webwxoplog` (section 10 of the protocol reference): remark names, and pinned chats.

use serde::Serialize;
use serde::de::IgnoredAny;

use crate::wire::BaseRequest;
use crate::{Call, CallError, Client};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    base_request: BaseRequest,
    cmd_id: u8,
    #[serde(rename = "OP", skip_serializing_if = "Option::is_none")]
    op: Option<u8>,
    remark_name: &'a str,
    user_name: &'a str,
}

impl Client {
    /// Sets the remark name of a contact, which only this account sees. The genuine client allows 18 characters.
    ///
    /// # Errors
    ///
    /// [`CallError`]. [`is_too_frequent`](CallError::is_too_frequent) comes early here.
    pub async fn set_remark(&self, user_name: &str, remark_name: &str) -> Result<(), CallError> {
        self.op_log(2, None, user_name, remark_name).await
    }

    /// Pins or unpins a chat. Pass the present remark name, or the service deletes it.
    ///
    /// # Errors
    ///
    /// [`CallError`] if the call fails.
    pub async fn pin(
        &self,
        user_name: &str,
        remark_name: &str,
        on_top: bool,
    ) -> Result<(), CallError> {
        self.op_log(3, Some(on_top.into()), user_name, remark_name).await
    }

    async fn op_log(
        &self,
        cmd_id: u8,
        op: Option<u8>,
        user_name: &str,
        remark_name: &str,
    ) -> Result<(), CallError> {
        let body = Body { base_request: self.base_request(), cmd_id, op, remark_name, user_name };
        let _: IgnoredAny = self.granted(self.session_request(Call::OpLog).json(&body)).await?;
        Ok(())
    }
}
