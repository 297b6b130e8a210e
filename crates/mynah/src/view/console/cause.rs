//! Why a connection or an action failed, as a word that the page has a sentence for.
//!
//! The log keeps reasons as text, those of earlier versions too, so the word is found in the text.

use mynah_transports::{Cause, Connector};

use crate::url_media;

/// The texts of the program itself, and their words. The first match wins.
const OWN: [(&str, &str); 5] = [
    ("too frequent", "cause-too-frequent"),
    ("not logged in", "cause-offline"),
    ("cannot do this", "cause-unsupported"),
    ("login timed out", "cause-nobody"),
    ("dry run", "cause-dry-run"),
];

/// The word for a reason of an account of this service; `None` for one that has none.
pub(in crate::view) fn cause_of(reason: &str, connector: &dyn Connector) -> Option<&'static str> {
    if reason == "stopped" {
        return Some("cause-stopped");
    }
    // It is followed by the words of another server.
    if reason.contains(url_media::NOT_FETCHED) {
        return Some("cause-media");
    }
    let own = || OWN.iter().find(|(part, _)| reason.contains(part)).map(|(_, word)| *word);
    connector.cause(reason).and_then(word).or_else(own)
}

/// The word for a cause; `None` for one that this version does not know.
fn word(cause: Cause) -> Option<&'static str> {
    Some(match cause {
        Cause::LoggedOut => "cause-logged-out",
        Cause::Replaced => "cause-replaced",
        Cause::SessionOver => "cause-session-over",
        Cause::LoginRefused => "cause-login-refused",
        Cause::TooFrequent => "cause-too-frequent",
        Cause::NotFriend => "cause-not-friend",
        Cause::NotOwner => "cause-not-owner",
        Cause::Unreachable => "cause-unreachable",
        Cause::NoDescriptors => "cause-descriptors",
        Cause::TimedOut => "cause-timeout",
        Cause::Interrupted => "cause-interrupted",
        Cause::ServiceFailed => "cause-server",
        Cause::Refused => "cause-refused",
        Cause::File => "cause-file",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use mynah_core::{SendError, with_causes};
    use mynah_transports::CONNECTORS;

    use super::*;

    #[test]
    fn the_errors_of_every_service_have_a_sentence() {
        let too_frequent = with_causes(&SendError::TooFrequent { retry_after: None });
        for connector in CONNECTORS {
            for (reason, expected) in [
                (too_frequent.clone(), "cause-too-frequent"),
                (with_causes(&SendError::NotLoggedIn), "cause-offline"),
                ("stopped".to_owned(), "cause-stopped"),
                (
                    "refused: the picture at a.test was not fetched: HTTP status 500".to_owned(),
                    "cause-media",
                ),
            ] {
                assert_eq!(cause_of(&reason, *connector), Some(expected), "{reason}");
            }
            assert_eq!(cause_of("something new", *connector), None);
        }
    }
}
