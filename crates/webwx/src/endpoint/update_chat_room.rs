//! `POST webwxupdatechatroom` (section 10 of the protocol reference): changes the members or the title of a group.

use serde::Serialize;
use serde::de::IgnoredAny;

use crate::wire::BaseRequest;
use crate::{Call, CallError, Client};

/// A change of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupChange {
    /// Add friends: while the group is smaller than `invite_start_count` of [`Init`](crate::wire::Init).
    Add(Vec<String>),
    /// Invite friends, who have to accept: in larger groups.
    Invite(Vec<String>),
    /// Remove members: only the owner may.
    Remove(Vec<String>),
    /// Change the title of the group.
    Rename(String),
    /// Leave the group.
    Quit,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    base_request: BaseRequest,
    chat_room_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    add_member_list: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invite_member_list: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    del_member_list: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_topic: Option<String>,
}

impl Client {
    /// Changes a group.
    ///
    /// # Errors
    ///
    /// [`CallError`]. [`is_too_frequent`](CallError::is_too_frequent) comes early here.
    pub async fn update_group(&self, group: &str, change: &GroupChange) -> Result<(), CallError> {
        let mut body = Body {
            base_request: self.base_request(),
            chat_room_name: group,
            add_member_list: None,
            invite_member_list: None,
            del_member_list: None,
            new_topic: None,
        };
        let fun = match change {
            GroupChange::Add(people) => {
                body.add_member_list = Some(people.join(","));
                "addmember"
            }
            GroupChange::Invite(people) => {
                body.invite_member_list = Some(people.join(","));
                "invitemember"
            }
            GroupChange::Remove(people) => {
                body.del_member_list = Some(people.join(","));
                "delmember"
            }
            GroupChange::Rename(topic) => {
                body.new_topic = Some(topic.clone());
                "modtopic"
            }
            GroupChange::Quit => "quitchatroom",
        };
        let request = self.session_request(Call::UpdateChatRoom).query("fun", fun).json(&body);
        let _: IgnoredAny = self.granted(request).await?;
        Ok(())
    }
}
