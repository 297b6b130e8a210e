//! Why a connection or an action failed, as a word that the page has a sentence for.
//!
//! The log keeps reasons as text, those of earlier versions too, so the word is found in the text.

/// A part of an error text, and the word for its cause. The first match wins: codes are more precise than the sentences
/// around them.
const CAUSES: [(&str, &str); 18] = [
    ("1100 (", "cause-logged-out"),
    ("1101 (", "cause-replaced"),
    ("1102 (", "cause-session-over"),
    ("1203 (", "cause-login-refused"),
    ("1205 (", "cause-too-frequent"),
    ("too frequent", "cause-too-frequent"),
    ("not a friend", "cause-not-friend"),
    ("could not be reached", "cause-unreachable"),
    ("no answer in time", "cause-timeout"),
    ("connection broke", "cause-interrupted"),
    ("HTTP status 5", "cause-server"),
    ("HTTP status", "cause-refused"),
    ("refused with", "cause-refused"),
    ("not logged in", "cause-offline"),
    ("file could not be read", "cause-file"),
    ("cannot do this", "cause-unsupported"),
    ("login timed out", "cause-nobody"),
    ("dry run", "cause-dry-run"),
];

/// The word for a reason; `None` for one that has none.
pub(in crate::view) fn cause_of(reason: &str) -> Option<&'static str> {
    if reason == "stopped" {
        return Some("cause-stopped");
    }
    CAUSES.iter().find(|(part, _)| reason.contains(part)).map(|(_, word)| *word)
}

#[cfg(test)]
mod tests {
    use mynah_core::{SendError, with_causes};
    use mynah_webwx::{Call, CallError, Code, Failure};

    use super::*;

    fn call(failure: Failure) -> String {
        with_causes(&CallError { call: Call::SyncCheck, failure })
    }

    fn refused(code: i64) -> String {
        call(Failure::Refused { code: Code::from(code), words: String::new() })
    }

    #[test]
    fn errors_of_the_connection_have_a_sentence() {
        let status = |status| call(Failure::Status { status, body: "<html>".to_owned() });
        for (reason, expected) in [
            (call(Failure::Unreachable("dns".into())), "cause-unreachable"),
            (call(Failure::TimedOut), "cause-timeout"),
            (call(Failure::Interrupted("reset".into())), "cause-interrupted"),
            (status(502), "cause-server"),
            (status(404), "cause-refused"),
            (refused(1100), "cause-logged-out"),
            (refused(1101), "cause-replaced"),
            (refused(1102), "cause-session-over"),
            (refused(1204), "cause-not-friend"),
            (refused(1205), "cause-too-frequent"),
            (refused(-1), "cause-refused"),
            (with_causes(&SendError::NotLoggedIn), "cause-offline"),
            ("stopped".to_owned(), "cause-stopped"),
        ] {
            assert_eq!(cause_of(&reason), Some(expected), "{reason}");
        }
        assert_eq!(cause_of("something new"), None);
    }
}
