//! `POST webwxcreatechatroom` (section 10 of the protocol reference): creates a group.

use serde::{Deserialize, Serialize};

use crate::wire::{BaseRequest, Member, lenient};
use crate::{Call, CallError, Client, ids};

/// A new group.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct CreatedGroup {
    /// Its id.
    #[serde(rename = "ChatRoomName", deserialize_with = "lenient::text")]
    pub user_name: String,
    /// Its title.
    #[serde(deserialize_with = "lenient::text")]
    pub topic: String,
    /// Its members.
    #[serde(deserialize_with = "lenient::list")]
    pub member_list: Vec<Member>,
    /// People who do not allow others to add them to groups.
    #[serde(deserialize_with = "lenient::text")]
    pub black_list: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    base_request: BaseRequest,
    member_count: usize,
    member_list: Vec<Item<'a>>,
    topic: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item<'a> {
    user_name: &'a str,
}

impl Client {
    /// Creates a group with these friends, at least two.
    ///
    /// # Errors
    ///
    /// [`CallError`]. The service expects about a minute between two new groups.
    pub async fn create_group(
        &self,
        topic: &str,
        members: &[String],
    ) -> Result<CreatedGroup, CallError> {
        let member_list: Vec<_> = members.iter().map(|user_name| Item { user_name }).collect();
        let body = Body {
            base_request: self.base_request(),
            member_count: member_list.len(),
            member_list,
            topic,
        };
        let request =
            self.session_request(Call::CreateChatRoom).query("r", ids::now_millis().to_string());
        let created: CreatedGroup = self.granted(request.json(&body)).await?;
        if created.user_name.is_empty() {
            return Err(CallError::unreadable(
                Call::CreateChatRoom,
                "the answer does not contain the id of the group",
                "",
            ));
        }
        Ok(created)
    }
}
