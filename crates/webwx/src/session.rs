//! The result of a login, which every call needs: stored with every batch, and resumed without a scan.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::cookies::CookieJar;
use crate::ids;
use crate::wire::{BaseRequest, SyncKey};

/// The longest key, ticket or login id of the service. The genuine ones have less than 200 bytes. Each goes into the
/// address of a request, and a longer address than 64 KB cannot be sent.
const LONGEST_KEY: usize = 2048;

/// Whether a text can be a key, a ticket or a login id of the service.
pub(crate) fn can_be_key(text: &str) -> bool {
    text.len() <= LONGEST_KEY
}

/// A login session: cookies, keys and the read position in the log (section 16.1 of the protocol reference).
///
/// Serialise it to resume later with [`Client::resume`](crate::Client::resume). It contains secrets: with it, anyone
/// can act as the account. Its `Debug` output contains none of them.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Session {
    /// The web host of the account, or the address of the server that replaces it.
    pub(crate) home: String,
    pub(crate) cookies: CookieJar,
    pub(crate) uin: u64,
    pub(crate) sid: String,
    pub(crate) skey: String,
    /// As in the login answer: percent-encoded once.
    pub(crate) pass_ticket: String,
    pub(crate) user_name: String,
    pub(crate) sync_key: SyncKey,
    pub(crate) sync_check_key: SyncKey,
}

impl Session {
    /// Whether there was a login that was not given up. Only the service knows whether it is still valid.
    #[must_use]
    pub fn is_logged_in(&self) -> bool {
        self.uin != 0 && !self.sid.is_empty()
    }

    /// The configured server that replaces the hosts of the service, if any.
    #[must_use]
    pub fn server(&self) -> Option<&str> {
        // The hosts of the service are stored by name.
        self.home.contains("://").then_some(&*self.home)
    }

    /// Whether the phone can confirm a login without a scan: the service remembers the device from an earlier login.
    #[must_use]
    pub fn can_push_login(&self) -> bool {
        let remembered = |name| self.cookies.value(name).is_some_and(|value| !value.is_empty());
        self.uin != 0 && (remembered("webwx_auth_ticket") || remembered("webwxuvid"))
    }

    /// The number of the account: the only permanent id. 0 before the first login.
    #[must_use]
    pub fn uin(&self) -> u64 {
        self.uin
    }

    /// The id of the account during this login. Empty before webwxinit.
    #[must_use]
    pub fn user_name(&self) -> &str {
        &self.user_name
    }

    /// The read position in the log.
    #[must_use]
    pub fn sync_key(&self) -> &SyncKey {
        &self.sync_key
    }

    /// Takes the read position out of the session, to store it apart: it changes with every answer of webwxsync, and
    /// the rest hardly ever.
    pub fn take_position(&mut self) -> Position {
        Position {
            sync_key: std::mem::take(&mut self.sync_key),
            sync_check_key: std::mem::take(&mut self.sync_check_key),
        }
    }

    /// Continues at this position.
    pub fn resume_at(&mut self, position: Position) {
        self.sync_key = position.sync_key;
        self.sync_check_key = position.sync_check_key;
    }

    /// Whether this session is that one, apart from the read position.
    pub(crate) fn is_same_login(&self, other: &Self) -> bool {
        let Self {
            home,
            cookies,
            uin,
            sid,
            skey,
            pass_ticket,
            user_name,
            sync_key: _,
            sync_check_key: _,
        } = self;
        *uin == other.uin
            && *home == other.home
            && *sid == other.sid
            && *skey == other.skey
            && *pass_ticket == other.pass_ticket
            && *user_name == other.user_name
            && *cookies == other.cookies
    }

    /// The identity of the client in a request.
    pub(crate) fn base_request(&self) -> BaseRequest<&str> {
        let Self { uin, sid, skey, .. } = self;
        BaseRequest { uin: *uin, sid, skey, device_id: ids::device_id() }
    }

    /// The key for synccheck: a separate one if the service sent it.
    pub(crate) fn check_key(&self) -> &SyncKey {
        if self.sync_check_key.is_empty() { &self.sync_key } else { &self.sync_check_key }
    }

    /// The ticket that uploads and file downloads require in addition to the cookies.
    pub(crate) fn data_ticket(&self) -> String {
        self.cookies.value("webwx_data_ticket").unwrap_or_default().to_owned()
    }

    /// Stores keys that are not empty: answers to failed calls contain empty keys. Returns whether the sync key moves.
    pub(crate) fn take_keys(&mut self, sync: &SyncKey, check: &SyncKey) -> bool {
        let moves = !sync.is_empty() && self.sync_key.follow(sync);
        if !check.is_empty() {
            self.sync_check_key.follow(check);
        } else if !sync.is_empty() {
            // With a check key older than the sync key, synccheck would report the same news for ever.
            self.sync_check_key.clear();
        }
        moves
    }

    /// Stores a newer skey unless it is empty or too long.
    pub(crate) fn take_skey(&mut self, skey: &str) {
        if !skey.is_empty() && can_be_key(skey) {
            skey.clone_into(&mut self.skey);
        }
    }

    /// Gives up the login. The account and the device stay known, for a push login.
    pub(crate) fn forget_login(&mut self) {
        for cookie in ["wxsid", "wxloadtime", "webwx_data_ticket"] {
            self.cookies.remove(cookie);
        }
        let kept = Self {
            home: std::mem::take(&mut self.home),
            cookies: std::mem::take(&mut self.cookies),
            uin: self.uin,
            ..Self::default()
        };
        *self = kept;
    }
}

/// The read position in the log of the account: the part of a [`Session`] that changes with every answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Position {
    pub(crate) sync_key: SyncKey,
    pub(crate) sync_check_key: SyncKey,
}

impl Position {
    /// Whether there is none, as before a login.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sync_key.is_empty() && self.sync_check_key.is_empty()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            home,
            cookies,
            uin,
            sid,
            skey,
            pass_ticket,
            user_name,
            sync_key,
            sync_check_key,
        } = self;
        let given = |secret: &str| if secret.is_empty() { "none" } else { "…" };
        f.debug_struct("Session")
            .field("home", home)
            .field("cookies", cookies)
            .field("uin", uin)
            .field("sid", &given(sid))
            .field("skey", &given(skey))
            .field("pass_ticket", &given(pass_ticket))
            .field("user_name", user_name)
            .field("sync_key", sync_key)
            .field("sync_check_key", sync_check_key)
            .finish()
    }
}
