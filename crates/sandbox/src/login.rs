//! The login codes: what the phone does to them and what a poll is told (sections 5.1 to 5.5).

use std::time::{Duration, Instant};

use crate::world::draw::Draw;

/// A code is good for about four and a half minutes.
const GOOD_FOR: Duration = Duration::from_secs(270);

/// A code that nobody has polled for so long was left by a client that is gone.
const ABANDONED: Duration = Duration::from_secs(2);

/// Codes of the past that are remembered.
const MOST: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Waiting,
    Scanned,
    Confirmed,
    /// The ticket has been exchanged for a session.
    Used,
    Cancelled,
    Expired,
}

#[derive(Debug)]
pub(crate) struct Login {
    pub(crate) uuid: String,
    pub(crate) stage: Stage,
    pub(crate) ticket: String,
    /// The client has been told of the scan.
    told: bool,
    issued: Instant,
    polls: usize,
    last_poll: Option<Instant>,
}

impl Login {
    fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Waiting | Stage::Scanned) && self.issued.elapsed() < GOOD_FOR
    }

    fn is_abandoned(&self) -> bool {
        self.polls == 0 && self.last_poll.is_some_and(|last| last.elapsed() > ABANDONED)
    }
}

/// What a poll is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Nothing yet.
    Wait,
    Scanned,
    Confirmed {
        ticket: String,
    },
    Cancelled,
    Expired,
}

/// All login codes, the newest last.
#[derive(Debug, Default)]
pub(crate) struct Logins(Vec<Login>);

impl Logins {
    pub(crate) fn issue(&mut self, draw: &mut Draw, stage: Stage) -> String {
        let uuid = draw.url_safe(7);
        self.0.push(Login {
            uuid: uuid.clone(),
            stage,
            ticket: draw.url_safe(18),
            told: false,
            issued: Instant::now(),
            polls: 0,
            last_poll: None,
        });
        if self.0.len() > MOST {
            self.0.remove(0);
        }
        uuid
    }

    /// The scan is no news to this client any more.
    pub(crate) fn was_told(&mut self, uuid: &str) -> bool {
        self.find(uuid).is_some_and(|login| login.told)
    }

    pub(crate) fn find(&mut self, uuid: &str) -> Option<&mut Login> {
        self.0.iter_mut().find(|login| login.uuid == uuid)
    }

    /// The code that the phone would scan: the newest that is open. With `lively` set, a code whose client seems to be
    /// gone does not count.
    pub(crate) fn open(&mut self, lively: bool) -> Option<&mut Login> {
        self.0.iter_mut().rev().find(|login| login.is_open() && !(lively && login.is_abandoned()))
    }

    /// The phone scans or confirms the newest code. One that is confirmed already and not yet used stays so.
    pub(crate) fn press(&mut self, stage: Stage, lively: bool) -> Option<String> {
        let confirmed = |login: &&mut Login| {
            login.stage == Stage::Confirmed && !(lively && login.is_abandoned())
        };
        if let Some(login) = self.0.last_mut().filter(|login| confirmed(login)) {
            return Some(login.uuid.clone());
        }
        let login = self.open(lively)?;
        login.stage = stage;
        Some(login.uuid.clone())
    }

    pub(crate) fn newest(&self) -> Option<&Login> {
        self.0.last()
    }

    pub(crate) fn expire(&mut self) {
        for login in self.0.iter_mut().filter(|login| login.stage != Stage::Used) {
            login.stage = Stage::Expired;
        }
    }

    /// What a poll with this `tip` is told now. With `tip=1` the scan is news until it was told once; with `tip=0`
    /// only the confirmation is.
    pub(crate) fn tell(&mut self, uuid: &str, tip: bool) -> Told {
        let Some(login) = self.find(uuid) else { return Told::Expired };
        let expired = login.issued.elapsed() >= GOOD_FOR;
        match login.stage {
            Stage::Cancelled => Told::Cancelled,
            Stage::Expired | Stage::Used => Told::Expired,
            _ if expired => Told::Expired,
            Stage::Scanned if tip => {
                login.told = true;
                Told::Scanned
            }
            Stage::Confirmed if tip && !login.told => {
                login.told = true;
                Told::Scanned
            }
            Stage::Confirmed => Told::Confirmed { ticket: login.ticket.clone() },
            Stage::Waiting | Stage::Scanned => Told::Wait,
        }
    }

    pub(crate) fn poll_begins(&mut self, uuid: &str) {
        if let Some(login) = self.find(uuid) {
            login.polls += 1;
            login.last_poll = Some(Instant::now());
        }
    }

    pub(crate) fn poll_ends(&mut self, uuid: &str) {
        if let Some(login) = self.find(uuid) {
            login.polls = login.polls.saturating_sub(1);
            login.last_poll = Some(Instant::now());
        }
    }

    /// Exchanges a ticket, once.
    pub(crate) fn redeem(&mut self, uuid: &str, ticket: &str) -> bool {
        let login = self.find(uuid).filter(|login| login.stage == Stage::Confirmed);
        let Some(login) = login.filter(|login| ticket == login.ticket) else { return false };
        login.stage = Stage::Used;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issued() -> (Logins, String) {
        let mut logins = Logins::default();
        let uuid = logins.issue(&mut Draw::new(1), Stage::Waiting);
        (logins, uuid)
    }

    #[test]
    fn a_poll_learns_of_scan_and_confirmation_in_this_order() {
        let (mut logins, uuid) = issued();
        assert_eq!(logins.tell(&uuid, true), Told::Wait);
        logins.open(true).unwrap().stage = Stage::Scanned;
        assert_eq!(logins.tell(&uuid, false), Told::Wait);
        assert_eq!(logins.tell(&uuid, true), Told::Scanned);
        assert_eq!(logins.tell(&uuid, true), Told::Scanned, "again, as the service does");
        logins.open(true).unwrap().stage = Stage::Confirmed;
        assert!(matches!(logins.tell(&uuid, true), Told::Confirmed { .. }));
    }

    #[test]
    fn a_confirmation_implies_the_scan() {
        for (tip, first) in
            [(true, Told::Scanned), (false, Told::Confirmed { ticket: String::new() })]
        {
            let (mut logins, uuid) = issued();
            let login = logins.open(true).unwrap();
            login.stage = Stage::Confirmed;
            login.ticket.clear();
            assert_eq!(logins.tell(&uuid, tip), first);
            assert_eq!(logins.tell(&uuid, tip), Told::Confirmed { ticket: String::new() });
        }
    }

    #[test]
    fn a_ticket_is_good_once() {
        let (mut logins, uuid) = issued();
        let login = logins.open(true).unwrap();
        login.stage = Stage::Confirmed;
        let ticket = login.ticket.clone();
        assert!(!logins.redeem(&uuid, "other"));
        assert!(logins.redeem(&uuid, &ticket));
        assert!(!logins.redeem(&uuid, &ticket));
        assert_eq!(logins.tell(&uuid, false), Told::Expired);
    }

    #[test]
    fn pressing_twice_is_pressing_once() {
        let (mut logins, uuid) = issued();
        for stage in [Stage::Scanned, Stage::Confirmed, Stage::Confirmed, Stage::Scanned] {
            assert_eq!(logins.press(stage, true), Some(uuid.clone()));
        }
        let ticket = logins.find(&uuid).unwrap().ticket.clone();
        assert!(logins.redeem(&uuid, &ticket));
        assert_eq!(logins.press(Stage::Confirmed, true), None, "used: the next code is waited for");
    }

    #[test]
    fn codes_contain_no_slash() {
        let mut draw = Draw::new(3);
        let mut logins = Logins::default();
        for _ in 0..500 {
            let uuid = logins.issue(&mut draw, Stage::Waiting);
            assert!(
                uuid.len() == 12 && uuid.ends_with("==") && !uuid.contains(['/', '+']),
                "{uuid}"
            );
        }
    }
}
