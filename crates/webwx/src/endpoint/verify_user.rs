//! `POST webwxverifyuser` (section 10 of the protocol reference): sends and accepts friend requests.

use serde::Serialize;
use serde::de::IgnoredAny;

use crate::wire::BaseRequest;
use crate::{Call, CallError, Client, ids};

/// The code for requests from the web page.
const SCENE_WEB: u8 = 33;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    base_request: BaseRequest,
    opcode: u8,
    verify_user_list_size: u8,
    verify_user_list: [Item<'a>; 1],
    verify_content: &'a str,
    scene_list_count: u8,
    scene_list: [u8; 1],
    #[serde(rename = "skey")]
    skey: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item<'a> {
    value: &'a str,
    verify_user_ticket: &'a str,
}

impl Client {
    /// Sends a friend request.
    ///
    /// # Errors
    ///
    /// [`CallError`]. The service grants a few per hour, then refuses for a while.
    pub async fn add_friend(&self, user_name: &str, greeting: &str) -> Result<(), CallError> {
        self.verify(2, Item { value: user_name, verify_user_ticket: "" }, greeting).await
    }

    /// Accepts a friend request, by the id and the ticket in its message.
    ///
    /// # Errors
    ///
    /// [`CallError`] if the call fails.
    pub async fn accept_friend(&self, user_name: &str, ticket: &str) -> Result<(), CallError> {
        self.verify(3, Item { value: user_name, verify_user_ticket: ticket }, "").await
    }

    async fn verify(
        &self,
        opcode: u8,
        item: Item<'_>,
        verify_content: &str,
    ) -> Result<(), CallError> {
        let body = Body {
            base_request: self.base_request(),
            opcode,
            verify_user_list_size: 1,
            verify_user_list: [item],
            verify_content,
            scene_list_count: 1,
            scene_list: [SCENE_WEB],
            skey: self.look(|session| session.skey.clone()),
        };
        let request =
            self.session_request(Call::VerifyUser).query("r", ids::now_millis().to_string());
        let _: IgnoredAny = self.granted(request.json(&body)).await?;
        Ok(())
    }
}
