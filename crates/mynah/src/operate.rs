//! The requests of an operator to an account that runs in another process: `mynah status`, `send`, `mute`, `reload`,
//! `logout`, `unbind`, `forget`.
//!
//! The running process listens on a socket in the data folder, which only its owner can reach. A request is one line of
//! JSON, its answer another. If no process listens, none runs, and the command works on the data itself.

mod account_args;
mod account_data;
mod api;
mod socket;

use std::path::Path;

use mynah_core::Chat;
use mynah_page::Condition;
use mynah_page::view::{HandlerRow, NameRow};
use serde::{Deserialize, Serialize};

pub(crate) use self::account_args::AccountArgs;
#[cfg(feature = "postgres")]
pub(crate) use self::account_args::data_places;
pub(crate) use self::account_data::{AccountData, keep_service};
pub(crate) use self::api::{
    OperatorApi, OperatorCommands, all_chats, deleted, freed, is_mute, muted, muting, new_id,
};
pub(crate) use self::socket::serve;
use crate::Report;

/// The requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// How is the account?
    Status,
    /// Say something in a chat.
    Send {
        /// The chat's name or id.
        chat: String,
        /// The text.
        text: String,
    },
    /// End the session and stop the account.
    Logout,
    /// End the binding of a name of the rule file.
    Unbind {
        /// The name.
        name: String,
    },
    /// Mute a chat.
    Mute {
        /// The chat's name or id.
        chat: String,
        /// How long; 0 ends the mute.
        seconds: u64,
    },
    /// Read the rules again.
    Reload,
    /// Start the account again, of a fleet only.
    Restart,
    /// Delete a person's data.
    Forget {
        /// The person's id.
        person: String,
    },
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// Whether it was done.
    pub(crate) ok: bool,
    /// The result, or the reason of the failure.
    pub(crate) text: String,
    /// The answer to [`Request::Status`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<AccountStatus>,
    /// Whether the process works with another account, so that nothing was done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_of_another: bool,
    /// Whether it was not done because there is nothing to do.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_nothing: bool,
}

/// The status of a running account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccountStatus {
    /// The state of its connection.
    pub(crate) condition: Condition,
    /// Whom the names of the rule file mean.
    pub(crate) names: Vec<NameRow>,
    /// The rule file that was saved meanwhile and could not be used, in one line.
    pub(crate) rules: Option<String>,
    /// The same of the settings.
    #[serde(default)]
    pub(crate) settings: Option<String>,
    /// The handlers in other processes and the language models.
    #[serde(default)]
    pub(crate) handlers: Vec<HandlerRow>,
}

impl AccountStatus {
    /// Nothing is known but the state of the connection.
    pub(crate) fn of(condition: Condition) -> Self {
        let (names, handlers) = (Vec::new(), Vec::new());
        Self { condition, names, rules: None, settings: None, handlers }
    }
}

impl Answer {
    pub(crate) fn done(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { ok: true, text, status: None, is_of_another: false, is_nothing: false }
    }

    pub(crate) fn refused(text: impl Into<String>) -> Self {
        Self { ok: false, ..Self::done(text) }
    }

    /// There is nothing to do.
    pub(crate) fn nothing(text: impl Into<String>) -> Self {
        Self { is_nothing: true, ..Self::refused(text) }
    }

    /// The answer of a process that works with another account.
    fn of_another() -> Self {
        Self { is_of_another: true, ..Self::refused("this process works with another account") }
    }
}

/// A request with the name of its account, for a folder whose process may work with another account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Asked {
    /// For the account of this name.
    Of { account: String, request: Request },
    /// For the only account of the folder.
    Only(Request),
}

/// Asks the process that works with this folder; `None` if there is none, or if it works with another account than the
/// one that is named.
async fn ask(
    data: &Path,
    account: Option<&str>,
    request: &Request,
) -> Result<Option<Answer>, Report> {
    let request = request.clone();
    let asked = match account {
        Some(account) => Asked::Of { account: account.to_owned(), request },
        None => Asked::Only(request),
    };
    let answer = socket::ask(data, &asked).await?;
    Ok(answer.filter(|answer| !answer.is_of_another))
}

/// The one chat of that name or id. `is_complete` says whether the service lists all chats.
pub(crate) fn find_chat<'c>(
    chats: &'c [Chat],
    wanted: &str,
    is_complete: bool,
) -> Result<&'c Chat, String> {
    if let Some(chat) = chats.iter().find(|chat| chat.id.as_str() == wanted) {
        return Ok(chat);
    }
    let mut named = chats.iter().filter(|chat| chat.name == wanted);
    match (named.next(), named.count()) {
        (Some(chat), 0) => Ok(chat),
        (Some(_), others) => {
            let ids: Vec<&str> = chats
                .iter()
                .filter(|chat| chat.name == wanted)
                .map(|chat| chat.id.as_str())
                .collect();
            Err(format!(
                "{} chats are called {wanted}; give one of their ids: {}",
                others + 1,
                ids.join(", ")
            ))
        }
        (None, _) if is_complete => Err(format!("no chat is called {wanted}")),
        (None, _) => Err(format!(
            "no chat is called {wanted}; one that the service does not list is known once a message of it has arrived"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_is_found_by_name_or_id_but_never_guessed() {
        let chats =
            [Chat::group("g1", "客户一群"), Chat::group("g2", "家人"), Chat::private("p1", "家人")];
        assert_eq!(find_chat(&chats, "客户一群", true).unwrap().id.as_str(), "g1");
        assert_eq!(find_chat(&chats, "p1", true).unwrap().id.as_str(), "p1");
        assert!(find_chat(&chats, "家人", true).unwrap_err().contains("g2, p1"));
        for (is_complete, hint) in [(true, false), (false, true)] {
            let error = find_chat(&chats, "nobody", is_complete).unwrap_err();
            assert_eq!(error.contains("has arrived"), hint, "{error}");
        }
    }

    #[test]
    fn the_status_of_an_account_passes_the_socket_whatever_its_condition() {
        let reason = "no network".to_owned();
        for condition in [
            Condition::Starting,
            Condition::Waiting { what: "a code".to_owned() },
            Condition::Online,
            Condition::Offline { reason: reason.clone() },
            Condition::Ended { reason: reason.clone() },
            Condition::NotStarted { reason: reason.clone() },
        ] {
            let status = AccountStatus::of(condition);
            let answer = Answer { status: Some(status), ..Answer::done("") };
            let line = serde_json::to_string(&answer).unwrap();
            assert_eq!(serde_json::from_str::<Answer>(&line).unwrap(), answer, "{line}");
        }
    }

    #[test]
    fn requests_have_a_fixed_form() {
        let json = |request| serde_json::to_string(&request).unwrap();
        assert_eq!(json(Request::Status), r#""status""#);
        let (chat, text) = ("c".to_owned(), "t".to_owned());
        let name = "老王".to_owned();
        assert_eq!(json(Request::Unbind { name }), r#"{"unbind":{"name":"老王"}}"#);
        let send = Request::Send { chat, text };
        assert_eq!(json(send.clone()), r#"{"send":{"chat":"c","text":"t"}}"#);
        let of = Asked::Of { account: "faq".to_owned(), request: send.clone() };
        for asked in [of, Asked::Only(send), Asked::Only(Request::Status)] {
            let line = serde_json::to_string(&asked).unwrap();
            assert_eq!(serde_json::from_str::<Asked>(&line).unwrap(), asked, "{line}");
        }
    }
}
