//! The login codes: actions of the phone and answers to polls (sections 5.1 to 5.5).

use std::time::{Duration, Instant};

use crate::world::draw::Draw;

/// A code is valid for about four and a half minutes.
const GOOD_FOR: Duration = Duration::from_secs(270);

/// A code without a poll for this long belongs to a client that is gone.
const ABANDONED: Duration = Duration::from_secs(2);

/// The number of past codes that are remembered.
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
    /// The client knows about the scan.
    scan_reported: bool,
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

/// The answer to a poll.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PollAnswer {
    /// No news yet.
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
            scan_reported: false,
            issued: Instant::now(),
            polls: 0,
            last_poll: None,
        });
        if self.0.len() > MOST {
            self.0.remove(0);
        }
        uuid
    }

    /// Marks the scan as reported to the client.
    pub(crate) fn knows_of_scan(&mut self, uuid: &str) -> bool {
        self.find(uuid).is_some_and(|login| login.scan_reported)
    }

    pub(crate) fn find(&mut self, uuid: &str) -> Option<&mut Login> {
        self.0.iter_mut().find(|login| login.uuid == uuid)
    }

    /// The newest open code, which the phone would scan. With `lively`, codes whose client seems to be gone are
    /// skipped.
    pub(crate) fn open(&mut self, lively: bool) -> Option<&mut Login> {
        self.0.iter_mut().rev().find(|login| login.is_open() && !(lively && login.is_abandoned()))
    }

    /// Scans or confirms the newest code. A confirmed but unused code stays confirmed.
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

    /// The answer to a poll with this `tip`. With `tip=1` the scan is reported once; with `tip=0` only the
    /// confirmation is reported.
    pub(crate) fn answer(&mut self, uuid: &str, tip: bool) -> PollAnswer {
        let Some(login) = self.find(uuid) else { return PollAnswer::Expired };
        let expired = login.issued.elapsed() >= GOOD_FOR;
        match login.stage {
            Stage::Cancelled => PollAnswer::Cancelled,
            Stage::Expired | Stage::Used => PollAnswer::Expired,
            _ if expired => PollAnswer::Expired,
            Stage::Scanned if tip => {
                login.scan_reported = true;
                PollAnswer::Scanned
            }
            Stage::Confirmed if tip && !login.scan_reported => {
                login.scan_reported = true;
                PollAnswer::Scanned
            }
            Stage::Confirmed => PollAnswer::Confirmed { ticket: login.ticket.clone() },
            Stage::Waiting | Stage::Scanned => PollAnswer::Wait,
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

    /// Exchanges a ticket; each ticket works once.
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
    fn a_poll_reports_the_scan_before_the_confirmation() {
        let (mut logins, uuid) = issued();
        assert_eq!(logins.answer(&uuid, true), PollAnswer::Wait);
        logins.open(true).unwrap().stage = Stage::Scanned;
        assert_eq!(logins.answer(&uuid, false), PollAnswer::Wait);
        assert_eq!(logins.answer(&uuid, true), PollAnswer::Scanned);
        assert_eq!(logins.answer(&uuid, true), PollAnswer::Scanned, "again, as the service does");
        logins.open(true).unwrap().stage = Stage::Confirmed;
        assert!(matches!(logins.answer(&uuid, true), PollAnswer::Confirmed { .. }));
    }

    #[test]
    fn a_confirmation_implies_the_scan() {
        for (tip, first) in
            [(true, PollAnswer::Scanned), (false, PollAnswer::Confirmed { ticket: String::new() })]
        {
            let (mut logins, uuid) = issued();
            let login = logins.open(true).unwrap();
            login.stage = Stage::Confirmed;
            login.ticket.clear();
            assert_eq!(logins.answer(&uuid, tip), first);
            assert_eq!(logins.answer(&uuid, tip), PollAnswer::Confirmed { ticket: String::new() });
        }
    }

    #[test]
    fn a_ticket_works_once() {
        let (mut logins, uuid) = issued();
        let login = logins.open(true).unwrap();
        login.stage = Stage::Confirmed;
        let ticket = login.ticket.clone();
        assert!(!logins.redeem(&uuid, "other"));
        assert!(logins.redeem(&uuid, &ticket));
        assert!(!logins.redeem(&uuid, &ticket));
        assert_eq!(logins.answer(&uuid, false), PollAnswer::Expired);
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
