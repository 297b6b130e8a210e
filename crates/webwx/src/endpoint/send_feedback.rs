//! `POST webwxsendfeedback` (section 6.9 of the protocol reference): feedback to the makers of the service.

use serde::Serialize;
use serde::de::IgnoredAny;

use crate::wire::BaseRequest;
use crate::{Call, CallError, Client};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    base_request: BaseRequest,
    msg_type: u8,
    content: &'a str,
}

impl Client {
    /// Sends feedback.
    ///
    /// # Errors
    ///
    /// [`CallError`] if the call fails.
    pub async fn send_feedback(&self, text: &str) -> Result<(), CallError> {
        let body = Body { base_request: self.base_request(), msg_type: 1, content: text };
        let _: IgnoredAny =
            self.granted(self.session_request(Call::SendFeedback).json(&body)).await?;
        Ok(())
    }
}
