//! `GET login.W/jslogin` (section 5.1 of the protocol reference): a uuid for a login attempt.

use crate::hosts::Role;
use crate::percent::encode;
use crate::session::can_be_key;
use crate::{Call, CallError, Client, LoginId, ids, script};

/// The app id under which the phone shows "Web WeChat".
const APP_ID: &str = "wx782c26e4c19acffb";

impl Client {
    /// Starts a login: returns the id for the QR code.
    ///
    /// # Errors
    ///
    /// [`CallError`]. An answer without a uuid may mean that the service has blocked this address for a while.
    pub async fn request_login(&self) -> Result<LoginId, CallError> {
        let mut redirect = format!("{}{}", self.hosts().base(Role::Web), Call::NewLoginPage.path());
        if self.options.desktop.is_some() {
            redirect.push_str("?mod=desktop");
        }
        let request = self
            .request(Call::JsLogin)
            .query("appid", APP_ID)
            .query("redirect_uri", redirect)
            .query("fun", "new")
            .query("lang", &self.options.language)
            .query("_", ids::now_millis().to_string());
        let answer = self.send(request).await?.ok()?;
        let text = answer.text();
        match (script::number(&text, "QRLogin.code"), script::value(&text, "QRLogin.uuid")) {
            (Some(200), Some(uuid)) if !uuid.is_empty() && can_be_key(uuid) => {
                Ok(LoginId(uuid.to_owned()))
            }
            (Some(code), _) if code != 200 => Err(CallError::refused(Call::JsLogin, code, "")),
            _ => Err(answer.unreadable("the answer has no login uuid")),
        }
    }

    /// The text of the QR code (section 5.2).
    #[must_use]
    pub fn qr_text(&self, login: &LoginId) -> String {
        // The uuid is base64url with `=`. Scanners expect a plain `=`.
        let uuid = encode(login.as_str()).replace("%3D", "=");
        format!("{}/l/{uuid}", self.hosts().base(Role::Qr))
    }
}
