//! `GET webwxgeticon` and `GET webwxgetheadimg` (section 9 of the protocol reference): pictures of people and groups.

use bytes::Bytes;

use crate::hosts::Role;
use crate::wire::is_group;
use crate::{Call, CallError, Client, DownloadError};

/// The avatar to download.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AvatarWanted {
    /// The person or group.
    pub user_name: String,
    /// For a member of a group: the group's `encry_chat_room_id`.
    pub group: String,
    /// For a stranger in a friend request or on a card: the id of that message.
    pub msg_id: String,
}

impl Client {
    /// The avatar of a person or group, up to `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`DownloadError`]. After an empty answer, [`Gone`](DownloadError::Gone), the next attempt may succeed.
    pub async fn avatar(&self, wanted: &AvatarWanted, limit: u64) -> Result<Bytes, DownloadError> {
        let skey = self.look(|session| session.skey.clone());
        let call = if is_group(&wanted.user_name) { Call::GetHeadImage } else { Call::GetIcon };
        let mut request = self
            .session_request(call)
            .query("seq", "0")
            .query("username", &wanted.user_name)
            .query("skey", skey)
            .query("type", "big");
        for (name, value) in [("chatroomid", &wanted.group), ("msgid", &wanted.msg_id)] {
            if !value.is_empty() {
                request = request.query(name, value);
            }
        }
        self.download(request, limit).await
    }

    /// The picture at the `head_img_url` of a contact, up to `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`DownloadError`], as [`avatar`](Self::avatar).
    pub async fn avatar_at(&self, head_img_url: &str, limit: u64) -> Result<Bytes, DownloadError> {
        let call = if head_img_url.contains("webwxgetheadimg") {
            Call::GetHeadImage
        } else {
            Call::GetIcon
        };
        // Only a path is accepted, so that a contact list cannot direct the session's cookies to another host.
        if !head_img_url.starts_with('/') || head_img_url.starts_with("//") {
            return Err(CallError::unreadable(
                call,
                "the address of the picture is not a path",
                head_img_url,
            )
            .into());
        }
        let url = format!("{}{head_img_url}", self.hosts().base(Role::Web));
        self.download(self.request_to(call, url), limit).await
    }
}
