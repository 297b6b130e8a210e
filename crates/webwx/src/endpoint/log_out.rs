//! `POST webwxlogout` (section 6.7 of the protocol reference): ends the session.

use crate::percent::encode;
use crate::{Call, CallError, Client};

impl Client {
    /// Ends the session, here in any case. What a push login needs stays.
    ///
    /// # Errors
    ///
    /// [`CallError`] if the service could not be told.
    pub async fn log_out(&self) -> Result<(), CallError> {
        let (uin, sid, skey) =
            self.look(|session| (session.uin, session.sid.clone(), session.skey.clone()));
        let request = self
            .session_request(Call::LogOut)
            .query("redirect", "1")
            .query("type", "0")
            .query("skey", skey)
            .body("application/x-www-form-urlencoded", format!("sid={}&uin={uin}", encode(&sid)));
        let answer = self.send(request).await;
        self.forget_login();
        let answer = answer?;
        // A redirect to the start page is the usual answer; what a body says is nobody's business any more.
        if answer.status < 400 { Ok(()) } else { Err(answer.bad_status()) }
    }
}
