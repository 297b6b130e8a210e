//! `POST webwxlogout` (section 6.7 of the protocol reference): ends the session.

use crate::percent::encode;
use crate::{Call, CallError, Client};

impl Client {
    /// Ends the session, here even if the call fails. A push login stays possible.
    ///
    /// # Errors
    ///
    /// [`CallError`] if the call fails.
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
        // The usual answer is a redirect to the start page. The body has no meaning.
        if answer.status < 400 { Ok(()) } else { Err(answer.bad_status()) }
    }
}
