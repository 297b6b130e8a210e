//! `GET login.W/cgi-bin/mmwebwx-bin/login` (section 5.3 of the protocol reference): a long poll for the phone's part of
//! the login.

use std::fmt;

use crate::{Call, CallError, Client, LoginId, ids, script};

/// The event that a login poll waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tip {
    /// The scan of the QR code.
    Scan,
    /// The confirmation after the scan.
    Confirmation,
}

/// The state of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginState {
    /// 408: nothing happened; poll again.
    Waiting,
    /// 201: scanned; poll again, for the confirmation.
    Scanned {
        /// The avatar of the person as a data URL, if they have one.
        avatar: Option<String>,
    },
    /// 200: confirmed; [`Client::log_in`] is next.
    Confirmed(Confirmed),
    /// 202: cancelled on the phone; start again.
    Cancelled,
    /// 400 or 0: the uuid has expired or is unknown; start again.
    Expired,
    /// 500: an error of the server; start again.
    ServerTrouble,
    /// An undocumented code; start again.
    Unknown(i64),
}

/// A confirmed login, valid for one [`Client::log_in`]. It is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Confirmed {
    pub(crate) redirect: String,
}

impl fmt::Debug for Confirmed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Confirmed(…)")
    }
}

impl fmt::Display for LoginState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting => f.write_str("waiting"),
            Self::Scanned { .. } => f.write_str("scanned"),
            Self::Confirmed(_) => f.write_str("confirmed"),
            Self::Cancelled => f.write_str("cancelled on the phone"),
            Self::Expired => f.write_str("the code has expired"),
            Self::ServerTrouble => f.write_str("an error of the server"),
            Self::Unknown(code) => write!(f, "the server answers with the unknown code {code}"),
        }
    }
}

impl LoginState {
    /// Whether this login may still succeed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Waiting | Self::Scanned { .. } | Self::Confirmed(_))
    }

    /// Reads the answer of a poll. `None` if it cannot be read.
    fn read(script: &str) -> Option<Self> {
        Some(match script::number(script, "window.code")? {
            408 => Self::Waiting,
            201 => Self::Scanned {
                avatar: script::value(script, "window.userAvatar").map(str::to_owned),
            },
            200 => {
                let redirect =
                    script::value(script, "window.redirect_uri").filter(|uri| !uri.is_empty())?;
                Self::Confirmed(Confirmed { redirect: redirect.to_owned() })
            }
            202 => Self::Cancelled,
            400 | 0 => Self::Expired,
            500 => Self::ServerTrouble,
            other => Self::Unknown(other),
        })
    }
}

impl Client {
    /// Waits up to half a minute for the phone. Poll for the scan first, then for the confirmation.
    ///
    /// # Errors
    ///
    /// [`CallError`] if the call fails. Poll again if the error is retryable.
    pub async fn poll_login(&self, login: &LoginId, tip: Tip) -> Result<LoginState, CallError> {
        let now = ids::now_millis();
        let request = self
            .request(Call::Login)
            .query("loginicon", "true")
            .query("uuid", login.as_str())
            .query("tip", if tip == Tip::Scan { "1" } else { "0" })
            .query("r", ids::inverted_now(now).to_string())
            .query("_", now.to_string());
        let answer = self.send(request).await?.ok()?;
        let state = LoginState::read(&answer.text());
        state.ok_or_else(|| answer.unreadable("the answer has no login code"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_code_has_its_state() {
        let confirmed =
            |redirect: &str| LoginState::Confirmed(Confirmed { redirect: redirect.to_owned() });
        for (script, expected) in [
            ("window.code=408;", Some(LoginState::Waiting)),
            ("window.code=201;", Some(LoginState::Scanned { avatar: None })),
            (
                "window.code=201;window.userAvatar = 'data:img/jpg;base64,A=';",
                Some(LoginState::Scanned { avatar: Some("data:img/jpg;base64,A=".to_owned()) }),
            ),
            (
                "window.code=200;\nwindow.redirect_uri=\"https://w/x\";",
                Some(confirmed("https://w/x")),
            ),
            (
                "window.code=200; window.redirect_uri = 'https://w/x'",
                Some(confirmed("https://w/x")),
            ),
            ("window.code=200;", None),
            ("window.code=202;", Some(LoginState::Cancelled)),
            ("window.code=400;", Some(LoginState::Expired)),
            ("window.code=0;", Some(LoginState::Expired)),
            ("window.code=500;", Some(LoginState::ServerTrouble)),
            ("window.code=999;", Some(LoginState::Unknown(999))),
            ("window.code = 408 ;", Some(LoginState::Waiting)),
            ("<html>", None),
            ("", None),
        ] {
            assert_eq!(LoginState::read(script), expected, "{script}");
        }
    }

    #[test]
    fn debug_keeps_the_ticket() {
        let state =
            LoginState::read("window.code=200;window.redirect_uri=\"https://w/x?ticket=SECRET\";")
                .unwrap();
        assert!(!format!("{state:?}").contains("SECRET"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn any_answer_is_read_without_panic(script in "(window|\\.code|\\.redirect_uri|=|[0-9]|\"|;|.){0,10}") {
            LoginState::read(&script);
        }
    }
}
