//! `POST webwxbatchgetcontact` (section 6.4 of the protocol reference): groups with their members, and people by name.

use serde::{Deserialize, Serialize};

use crate::wire::{BaseRequest, Contact, lenient};
use crate::{Call, CallError, Client, ids};

/// The most names in one call.
pub const BATCH: usize = 50;

/// A contact to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    user_name: String,
    group: String,
}

impl Wanted {
    /// A group or a person.
    #[must_use]
    pub fn contact(user_name: impl Into<String>) -> Self {
        Self { user_name: user_name.into(), group: String::new() }
    }

    /// A member of a group.
    #[must_use]
    pub fn member(user_name: impl Into<String>, group: impl Into<String>) -> Self {
        Self { user_name: user_name.into(), group: group.into() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    base_request: BaseRequest,
    count: usize,
    list: Vec<Item<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item<'a> {
    user_name: &'a str,
    encry_chat_room_id: &'a str,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Answer {
    #[serde(deserialize_with = "lenient::list")]
    contact_list: Vec<Contact>,
}

impl Client {
    /// Groups with all their members, or people, in the order of the request. Unknown contacts may be missing.
    ///
    /// Makes one call for every [`BATCH`] names. The service answers too many calls with
    /// [`is_too_frequent`](CallError::is_too_frequent).
    ///
    /// # Errors
    ///
    /// [`CallError`] of the first failed call.
    pub async fn batch_contacts(&self, wanted: &[Wanted]) -> Result<Vec<Contact>, CallError> {
        let mut contacts = Vec::with_capacity(wanted.len());
        for batch in wanted.chunks(BATCH) {
            let list = batch
                .iter()
                .map(|one| Item { user_name: &one.user_name, encry_chat_room_id: &one.group })
                .collect();
            let request = self
                .session_request(Call::BatchGetContact)
                .query("type", "ex")
                .query("r", ids::now_millis().to_string())
                .json(&Body { base_request: self.base_request(), count: batch.len(), list });
            let answer: Answer = self.granted(request).await?;
            contacts.extend(answer.contact_list.into_iter().take(batch.len()));
        }
        Ok(contacts)
    }
}
