//! Error codes of the service (section 15 of the protocol reference).

use std::fmt;

/// An error code in an answer: any but 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// -1: an internal failure, which may pass.
    System,
    /// -2: the request is contradictory.
    Logic,
    /// 1: a parameter is wrong, or the account is restricted.
    Parameter,
    /// 3: passes by itself. The answer is empty.
    Transient,
    /// 1100: the session does not exist, e.g. after a logout on the phone.
    NoSession,
    /// 1101: the session is no longer valid, e.g. because another login replaced it.
    SessionInvalid,
    /// 1102: the cookies are no longer valid, e.g. because the service ended the session.
    CookieInvalid,
    /// 1200: the request was not understood.
    NotUnderstood,
    /// 1203: this account may not log in here.
    LoginRefused,
    /// 1204: the receiver is not a friend.
    NotFriend,
    /// 1205: too frequent.
    TooFrequent,
    /// Any other code.
    Unknown(i64),
}

const CODES: [(i64, Code, &str); 11] = [
    (-1, Code::System, "system error"),
    (-2, Code::Logic, "logic error"),
    (1, Code::Parameter, "wrong parameter"),
    (3, Code::Transient, "temporary error"),
    (1100, Code::NoSession, "no such session, logged out on the phone"),
    (1101, Code::SessionInvalid, "session replaced by another login or ended by the service"),
    (1102, Code::CookieInvalid, "session expired or ended by the service"),
    (1200, Code::NotUnderstood, "request not understood"),
    (1203, Code::LoginRefused, "login refused for this account"),
    (1204, Code::NotFriend, "the receiver is not a friend"),
    (1205, Code::TooFrequent, "too frequent"),
];

impl Code {
    /// The number on the wire.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Self::Unknown(number) => number,
            known => CODES.iter().find(|(_, code, _)| *code == known).map_or(0, |row| row.0),
        }
    }

    /// Whether the session has ended.
    #[must_use]
    pub fn is_session_over(self) -> bool {
        matches!(self, Self::NoSession | Self::SessionInvalid | Self::CookieInvalid)
    }

    /// Whether the service may grant the same request later.
    #[must_use]
    pub fn may_pass(self) -> bool {
        matches!(self, Self::System | Self::Transient | Self::TooFrequent)
    }
}

impl From<i64> for Code {
    fn from(number: i64) -> Self {
        CODES.iter().find(|row| row.0 == number).map_or(Self::Unknown(number), |row| row.1)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = CODES.iter().find(|row| row.1 == *self).map_or("unknown code", |row| row.2);
        write!(f, "{} ({words})", self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_a_round_trip() {
        for number in [-14, -2, -1, 1, 3, 1100, 1101, 1102, 1104, 1200, 1203, 1204, 1205, i64::MAX]
        {
            assert_eq!(Code::from(number).number(), number);
        }
        assert_eq!(
            Code::from(1101).to_string(),
            "1101 (session replaced by another login or ended by the service)"
        );
        assert_eq!(Code::from(77).to_string(), "77 (unknown code)");
    }
}
