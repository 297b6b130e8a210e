//! `GET webwxgetcontact` (section 6.3 of the protocol reference): the contacts of the account, page by page.

use crate::wire::{Contact, ContactPage};
use crate::{Call, CallError, Client, ids};

/// The most pages: the limit of the genuine client.
const MOST_PAGES: usize = 17;

/// The most contacts: more than an account can have. No further page is read.
const MOST_CONTACTS: usize = 20_000;

impl Client {
    /// One page of contacts. The first has number 0; each page contains the number of the next. A caller that keeps a few
    /// fields of each contact names a type made from them.
    ///
    /// # Errors
    ///
    /// [`CallError`] if the call fails.
    pub async fn contact_page<C: From<Contact>>(
        &self,
        seq: u64,
    ) -> Result<ContactPage<C>, CallError> {
        let skey = self.look(|session| session.skey.clone());
        let request = self
            .session_request(Call::GetContact)
            .query("r", ids::now_millis().to_string())
            .query("seq", seq.to_string())
            .query("skey", skey);
        self.granted(request).await
    }

    /// All contacts: friends, official and special accounts, and the groups saved to the address book.
    ///
    /// Makes one call for each page.
    ///
    /// # Errors
    ///
    /// [`CallError`] of the first failed call.
    pub async fn contacts(&self) -> Result<Vec<Contact>, CallError> {
        let mut contacts = Vec::new();
        let mut seq = 0;
        for _ in 0..MOST_PAGES {
            let page = self.contact_page::<Contact>(seq).await?;
            contacts.extend(page.member_list);
            if page.seq == 0 || page.seq == seq || contacts.len() >= MOST_CONTACTS {
                break;
            }
            seq = page.seq;
        }
        Ok(contacts)
    }
}
