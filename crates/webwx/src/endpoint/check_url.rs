//! `GET webwxcheckurl` (section 6.9 of the protocol reference): the target of a link from a chat, as the service sees
//! it.

use crate::{Call, CallError, Client, ids};

impl Client {
    /// The address to open for a link: the link itself, or a warning page. `None` if the answer is a page itself.
    ///
    /// # Errors
    ///
    /// [`CallError`] if the call fails.
    pub async fn check_url(&self, link: &str) -> Result<Option<String>, CallError> {
        let (own, skey) = self.look(|session| (session.user_name.clone(), session.skey.clone()));
        let request = self
            .session_request(Call::CheckUrl)
            .query("requrl", link)
            .query("skey", skey)
            .query("deviceid", ids::device_id())
            .query("opcode", "2")
            .query("scene", "1")
            .query("username", own);
        let answer = self.send(request).await?;
        match answer.location() {
            Some(target) => Ok(Some(target.to_owned())),
            None => answer.ok().map(|_| None),
        }
    }
}
