//! How a command ended: the exit status and the meaning of each number.

use std::process::ExitCode;

/// How a command ended. Its number is the exit status of the process and never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ended {
    /// 0: all went well.
    Fine,
    /// 1: the answer is no: a failed test, a bad rule file, nothing found.
    No,
    /// 2: the command line was wrong.
    Usage,
    /// 3: the account was logged out, and only a person can log it in again.
    LoggedOut,
    /// 4: the service refuses the account.
    Blocked,
    /// 5: the data could not be read or written.
    Storage,
    /// 6: the QR code was not scanned, or the login was not confirmed.
    NobodyLoggedIn,
    /// 7: the service answers in a way that no retry will mend.
    Unusable,
    /// 130: the second Ctrl-C.
    Interrupted,
}

impl Ended {
    /// Every end there is, in the order of its numbers.
    pub const ALL: [Self; 9] = [
        Self::Fine,
        Self::No,
        Self::Usage,
        Self::LoggedOut,
        Self::Blocked,
        Self::Storage,
        Self::NobodyLoggedIn,
        Self::Unusable,
        Self::Interrupted,
    ];

    /// The exit status.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::No => 1,
            Self::Usage => 2,
            Self::LoggedOut => 3,
            Self::Blocked => 4,
            Self::Storage => 5,
            Self::NobodyLoggedIn => 6,
            Self::Unusable => 7,
            Self::Interrupted => 130,
        }
    }

    /// Its meaning, in a few words.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Fine => "all went well",
            Self::No => "the answer is no: a failed test, a bad rule file, nothing found",
            Self::Usage => "wrong usage",
            Self::LoggedOut => "the account was logged out",
            Self::Blocked => "the service refuses the account",
            Self::Storage => "the data could not be read or written",
            Self::NobodyLoggedIn => "the QR code was not scanned, or the login was not confirmed",
            Self::Unusable => "the service could not be used",
            Self::Interrupted => "stopped at once by a second Ctrl-C",
        }
    }

    /// The end of several accounts together: the first that was not fine.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self == Self::Fine { other } else { self }
    }
}

impl From<Ended> for ExitCode {
    fn from(ended: Ended) -> Self {
        Self::from(ended.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_ascending() {
        let codes: Vec<u8> = Ended::ALL.iter().map(|ended| ended.code()).collect();
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]), "{codes:?}");
    }

    #[test]
    fn the_first_trouble_counts() {
        assert_eq!(Ended::Fine.and(Ended::Blocked), Ended::Blocked);
        assert_eq!(Ended::LoggedOut.and(Ended::Blocked), Ended::LoggedOut);
        assert_eq!(Ended::LoggedOut.and(Ended::Fine), Ended::LoggedOut);
    }
}
