//! The identifiers of the client (section 4.1 of the protocol reference).

use std::fmt::{self, Write as _};
use std::hash::{BuildHasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// The uuid of a login attempt. Anyone who knows it can show its QR code, so it stays out of logs.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginId(pub(crate) String);

impl LoginId {
    /// A login id from another source.
    #[must_use]
    pub fn new(uuid: impl Into<String>) -> Self {
        Self(uuid.into())
    }

    /// The uuid.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for LoginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginId(…)")
    }
}

/// The client's own id of a message. A retry uses the same, so that the service can drop a duplicate.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientMsgId(String);

impl ClientMsgId {
    /// An id in the genuine format: 13 digits of milliseconds, and 4 digits that distinguish ids of the same moment.
    #[must_use]
    pub fn new(millis: u64, number: u16) -> Self {
        let mut id = String::with_capacity(17);
        write!(id, "{:013}{:04}", millis % 10_000_000_000_000, number % 10_000)
            .expect("a string takes any text");
        Self(id)
    }

    /// An id with the present time.
    #[must_use]
    pub fn fresh() -> Self {
        Self::new(now_millis(), u16::try_from(random() % 1000).unwrap_or_default())
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientMsgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The token of a desktop client (the `extspam` header of section 5.4). The project ships none; it is configured.
#[derive(Clone, PartialEq, Eq)]
pub struct DesktopToken(String);

impl DesktopToken {
    /// The token as configured.
    #[must_use]
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into().trim().to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DesktopToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DesktopToken(…)")
    }
}

/// A device id, new for each request like in the genuine client: with a constant one, the service is slow to end the
/// previous long poll.
pub(crate) fn device_id() -> String {
    let mut id = String::with_capacity(16);
    write!(id, "e{:015}", random() % 1_000_000_000_000_000).expect("a string takes any text");
    id
}

/// Milliseconds since 1970.
pub(crate) fn now_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// `~now` as JavaScript computes it: folded to 32 bits, then inverted (section 4.2).
pub(crate) fn inverted_now(millis: u64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "the fold to 32 bits is the point")]
    let folded = millis as i32;
    !folded
}

/// An unpredictable number: the keys of a `RandomState` come from the random source of the system.
fn random() -> u64 {
    RandomState::new().hash_one(now_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_genuine_form() {
        assert_eq!(ClientMsgId::new(1_513_925_104_690, 833).as_str(), "15139251046900833");
        assert_eq!(ClientMsgId::fresh().as_str().len(), 17);
        let device = device_id();
        assert_eq!(device.len(), 16);
        assert!(device.starts_with('e') && device[1..].bytes().all(|b| b.is_ascii_digit()));
        assert_ne!(device, device_id());
    }

    #[test]
    fn the_time_is_folded_as_in_javascript() {
        assert_eq!(inverted_now(0), -1);
        assert_eq!(inverted_now(1_513_922_271_000), -2_093_782_809);
        assert_eq!(inverted_now(u64::from(u32::MAX)), 0);
    }
}
