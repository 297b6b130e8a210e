//! `POST webwxsearchcontact` (section 6.9 of the protocol reference): searches for people.

use serde::{Deserialize, Serialize};

use crate::wire::BaseRequest;
use crate::wire::lenient::{self, ListItem};
use crate::{Call, CallError, Client};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    base_request: BaseRequest,
    key_word: &'a str,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Answer {
    #[serde(deserialize_with = "lenient::list")]
    list: Vec<Found>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Found {
    #[serde(deserialize_with = "lenient::text")]
    encry_user_name: String,
}

impl ListItem for Found {
    const NAME: &'static str = "people found";
    const MOST: usize = 1_000;
}

impl Client {
    /// The ids of the people that match the word.
    ///
    /// # Errors
    ///
    /// [`CallError`] if the call fails.
    pub async fn search_contact(&self, word: &str) -> Result<Vec<String>, CallError> {
        let body = Body { base_request: self.base_request(), key_word: word };
        let answer: Answer =
            self.granted(self.session_request(Call::SearchContact).json(&body)).await?;
        Ok(answer
            .list
            .into_iter()
            .map(|found| found.encry_user_name)
            .filter(|name| !name.is_empty())
            .collect())
    }
}
