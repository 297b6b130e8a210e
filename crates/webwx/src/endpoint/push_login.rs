//! `GET webwxpushloginurl` (section 5.5 of the protocol reference): a login that is confirmed on the phone, without a
//! scan.

use serde::Deserialize;

use crate::session::can_be_key;
use crate::wire::lenient;
use crate::{Call, CallError, Client, LoginId};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    #[serde(deserialize_with = "lenient::maybe_number")]
    ret: Option<i64>,
    #[serde(deserialize_with = "lenient::text")]
    msg: String,
    #[serde(deserialize_with = "lenient::text")]
    uuid: String,
}

impl Client {
    /// Asks the phone to confirm a login, if [`can_push_login`](crate::Session::can_push_login). Poll the returned
    /// login like any other.
    ///
    /// # Errors
    ///
    /// [`CallError`] if the service does not offer a push login. Use a QR code then.
    pub async fn push_login(&self) -> Result<LoginId, CallError> {
        let uin = self.look(|session| session.uin).to_string();
        if uin == "0" {
            let failure = crate::Failure::Impossible("no account has logged in before");
            return Err(CallError::new(Call::PushLogin, failure));
        }
        let mut request = self.request(Call::PushLogin).query("uin", &uin);
        if self.options.desktop.is_some() {
            request = request.query("mod", "desktop");
        }
        // The genuine page sets these cookies itself, and offers a push login from the second visit on.
        for (name, value) in [
            ("login_frequency", "2"),
            ("last_wxuin", &uin),
            ("MM_WX_NOTIFY_STATE", "1"),
            ("MM_WX_SOUND_STATE", "1"),
        ] {
            request = request.cookie(name, value);
        }
        let answer = self.send(request).await?.ok()?;
        let said: Answer = answer.json()?;
        match said.ret {
            Some(0) if !said.uuid.is_empty() && can_be_key(&said.uuid) => Ok(LoginId(said.uuid)),
            Some(ret) if ret != 0 => Err(CallError::refused(Call::PushLogin, ret, &said.msg)),
            _ => Err(answer.unreadable("the answer has no login uuid")),
        }
    }
}
