//! The actions: outbox and history in one list, in the order of commits.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use mynah_core::{
    Action, ActionId, ChatId, Claim, ClaimRequest, ClaimToken, EventId, LoggedAction, Outcome,
    Outgoing, Step, Timestamp, TroubledAction, Turn, Waiting,
};

use super::inbox::distinct;
use crate::Mistake;

#[derive(Debug, Default)]
pub(super) struct Outbox {
    actions: Vec<Queued>,
}

#[derive(Debug)]
struct Queued {
    outgoing: Outgoing,
    /// Its place in the queue of its chat.
    order: Timestamp,
    not_before: Timestamp,
    expires: Option<Timestamp>,
    doubts: u32,
    claimed: bool,
    last_claim: Option<Timestamp>,
    token: Option<ClaimToken>,
    settled: bool,
    /// When and how it was settled.
    ending: Option<(Timestamp, &'static str, Option<String>)>,
}

impl Outbox {
    /// Queues the actions of a turn.
    pub(super) fn queue(&mut self, turn: &Turn, now: Timestamp, mistake: Option<Mistake>) {
        let actions = turn.effects.steps.iter().filter_map(|step| match step {
            Step::Act(planned) => Some(planned),
            Step::Run(_) => None,
        });
        for (n, planned) in (0..).zip(actions) {
            let from = now + planned.delay;
            let last = self.open_in(&planned.chat).map(|action| action.outgoing.queued).max();
            // If the clock went back, this action still comes after the actions that were queued before it, and the next
            // one after this.
            let queued = last.map_or(now, |last| last.max(now));
            let order = queued + planned.delay;
            let queued = if mistake == Some(Mistake::ClockForgotten) { now } else { queued };
            let not_before = if planned.delay.is_zero() { Timestamp::default() } else { from };
            let is_save = matches!(planned.action, Action::Save { .. });
            let id = ActionId { event: turn.event.id.clone(), n };
            let (chat, action) = (planned.chat.clone(), planned.action.clone());
            self.actions.push(Queued {
                outgoing: Outgoing { id, chat, action, queued, attempt: 0 },
                order,
                not_before,
                expires: turn
                    .reply_max_age
                    .filter(|_| planned.is_reply && !is_save)
                    .map(|age| from + age),
                doubts: 0,
                claimed: false,
                last_claim: None,
                token: None,
                settled: false,
                ending: None,
            });
        }
    }

    fn open_in(&self, chat: &ChatId) -> impl Iterator<Item = &Queued> {
        self.actions.iter().filter(move |one| !one.settled && one.outgoing.chat == *chat)
    }

    /// Claims the oldest unsettled action of a chat, or returns the claim that this token made before.
    pub(super) fn claim(
        &mut self,
        ClaimRequest { chat, token, .. }: &ClaimRequest,
        now: Timestamp,
        mistake: Option<Mistake>,
    ) -> Claim {
        let token = *token;
        let made_before = self.actions.iter().find(|one| one.token == Some(token));
        if let Some(made) = made_before.filter(|_| mistake != Some(Mistake::TokenIgnored)) {
            let outgoing = made.outgoing.clone();
            return if made.settled { Claim::Expired(outgoing) } else { Claim::Send(outgoing) };
        }
        let two = mistake == Some(Mistake::TwoUnderWay);
        let is_open = |one: &Queued| !one.settled && one.outgoing.chat == *chat;
        // A row that waits for a retry does not delay other actions.
        let waits = |one: &Queued| one.is_save() && one.not_before > now;
        let only_rows = self.actions.iter().filter(|one| is_open(one)).all(waits);
        let others_claimed = self.open_in(chat).any(|one| one.claimed);
        let may_lead = |one: &Queued| is_open(one) && (only_rows || !waits(one));
        let open = self.actions.iter_mut().filter(|one| may_lead(one) && !(two && one.claimed));
        // `min_by_key` returns the first of equal items.
        let Some(head) = open.min_by_key(|one| one.order) else { return Claim::Empty };
        // Another action may have overtaken the waiting row and may still be in flight.
        if head.claimed || (head.is_save() && others_claimed) {
            return Claim::Empty;
        }
        let is_late = head.expires.is_some_and(|expires| expires <= now);
        if is_late && mistake != Some(Mistake::ExpiryIgnored) {
            head.settled = true;
            head.ending = Some((now, "expired", None));
            head.token = Some(token);
            return Claim::Expired(head.outgoing.clone());
        }
        if head.not_before > now {
            return Claim::Wait(head.not_before);
        }
        if mistake == Some(Mistake::SentWithoutClaim) {
            let attempt = head.outgoing.attempt + 1;
            return Claim::Send(Outgoing { attempt, ..head.outgoing.clone() });
        }
        head.claim(token, now);
        Claim::Send(head.outgoing.clone())
    }

    /// Claims the first action of a turn in a chat, whatever waits before it: a mistake.
    pub(super) fn claim_of(
        &mut self,
        event: &EventId,
        ClaimRequest { chat, token, .. }: &ClaimRequest,
        now: Timestamp,
    ) -> Option<Claim> {
        let of_turn = |one: &&mut Queued| {
            !one.settled && one.outgoing.chat == *chat && one.outgoing.id.event == *event
        };
        let own = self.actions.iter_mut().find(of_turn)?;
        own.claim(*token, now);
        Some(Claim::Send(own.outgoing.clone()))
    }

    /// Stores the outcome of a claimed action. Returns whether its chat has more to send.
    pub(super) fn settle(
        &mut self,
        id: &ActionId,
        outcome: &Outcome,
        now: Timestamp,
        mistake: Option<Mistake>,
    ) -> bool {
        let Some(action) = self.actions.iter_mut().find(|one| one.outgoing.id == *id) else {
            return true;
        };
        if mistake == Some(Mistake::SentWithoutClaim) {
            action.claim(ClaimToken(0), now);
        }
        if !action.claimed && mistake == Some(Mistake::SettleAnswersOnce) {
            return false;
        }
        if action.claimed {
            action.settle(outcome, now, mistake);
        }
        let chat = action.outgoing.chat.clone();
        self.open_in(&chat).next().is_some()
    }

    /// The unsettled actions.
    pub(super) fn open(&self) -> impl Iterator<Item = &Outgoing> {
        self.actions.iter().filter(|one| !one.settled).map(|one| &one.outgoing)
    }

    /// The actions settled since then, by outcome.
    pub(super) fn settled(&self, since: Timestamp) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for (at, outcome, _) in self.actions.iter().filter_map(|one| one.ending.as_ref()) {
            if *at >= since {
                *counts.entry((*outcome).to_owned()).or_default() += 1;
            }
        }
        counts
    }

    /// The last failed actions, newest first.
    pub(super) fn troubled(&self) -> Vec<TroubledAction> {
        let mut troubled: Vec<TroubledAction> = Vec::new();
        for one in self.actions.iter().rev() {
            let Some((time, outcome, reason)) = &one.ending else { continue };
            if ["refused", "expired", "unknown"].contains(outcome) {
                troubled.push(TroubledAction {
                    id: one.outgoing.id.to_string(),
                    chat: one.outgoing.chat.clone(),
                    time: *time,
                    outcome: (*outcome).to_owned(),
                    reason: reason.clone(),
                });
            }
        }
        troubled.sort_by_key(|one| Reverse(one.time));
        troubled.truncate(10);
        troubled
    }

    /// The unsettled actions of each chat, the longest waiting first.
    pub(super) fn waiting(&self) -> Vec<Waiting> {
        let of = |chat: ChatId| {
            let open = || self.open_in(&chat);
            Waiting {
                actions: open().count() as u64,
                since: open().map(|one| one.outgoing.queued).min().unwrap_or_default(),
                expires: open().filter_map(|one| one.expires).min(),
                chat: chat.clone(),
            }
        };
        let mut waiting: Vec<Waiting> = self.open_chats().into_iter().map(of).collect();
        waiting.sort_by_key(|one| one.since);
        waiting
    }

    /// The actions of an event for the log.
    pub(super) fn logged_of(&self, event: &EventId) -> Vec<LoggedAction> {
        let of_event = self.actions.iter().filter(|one| one.outgoing.id.event == *event);
        let logged = |one: &Queued| LoggedAction {
            chat: one.outgoing.chat.clone(),
            action: Some(one.outgoing.action.clone()),
            settled: one.ending.as_ref().map(|(at, ..)| *at),
            outcome: one.ending.as_ref().map(|(_, outcome, _)| (*outcome).to_owned()),
            reason: one.ending.as_ref().and_then(|(.., reason)| reason.clone()),
        };
        of_event.map(logged).collect()
    }

    /// Deletes actions and returns how many there were.
    pub(super) fn forget(&mut self, which: impl Fn(&Outgoing) -> bool) -> usize {
        let before = self.actions.len();
        self.actions.retain(|one| !which(&one.outgoing));
        before - self.actions.len()
    }

    /// Resets all claims.
    pub(super) fn forget_claims(&mut self) {
        self.actions.iter_mut().for_each(|one| one.claimed = false);
    }

    /// Tokens are invalid after an opening. A row is never in doubt, since the next try looks for it in its file.
    pub(super) fn reopen(&mut self) {
        for action in &mut self.actions {
            action.token = None;
            action.claimed &= !action.is_save();
        }
    }

    /// The chats with unsettled actions, the longest waiting first.
    pub(super) fn open_chats(&self) -> Vec<ChatId> {
        let open = self.actions.iter().filter(|one| !one.settled);
        distinct(open.map(|one| one.outgoing.chat.clone()))
    }

    /// The chats with unsettled actions that expire.
    pub(super) fn replying_chats(&self) -> BTreeSet<ChatId> {
        let open = self.actions.iter().filter(|one| !one.settled && one.expires.is_some());
        open.map(|one| one.outgoing.chat.clone()).collect()
    }

    /// The chats with unsettled actions of an event's turn, by id.
    pub(super) fn open_chats_of(&self, event: &EventId) -> Vec<ChatId> {
        let open = self.actions.iter().filter(|one| !one.settled);
        let of_event = open.filter(|one| one.outgoing.id.event == *event);
        let mut chats = distinct(of_event.map(|one| one.outgoing.chat.clone()));
        chats.sort();
        chats
    }

    pub(super) fn unsettled_of(&self, event: &EventId) -> Vec<ActionId> {
        let open = self.actions.iter().filter(|one| !one.settled);
        let ids = open.map(|one| one.outgoing.id.clone());
        ids.filter(|id| id.event == *event).collect()
    }

    /// The actions that are claimed and not settled.
    pub(super) fn in_doubt(&self) -> Vec<ActionId> {
        let doubt = self.actions.iter().filter(|one| one.claimed && !one.settled);
        doubt.map(|one| one.outgoing.id.clone()).collect()
    }

    /// The claims since then, newest first.
    pub(super) fn recent_claims(&self, since: Timestamp, limit: usize) -> Vec<(ChatId, Timestamp)> {
        let claimed = self.actions.iter().enumerate();
        let mut recent: Vec<_> = claimed
            .filter_map(|(place, one)| Some((one.last_claim?, place, one.outgoing.chat.clone())))
            .filter(|(at, ..)| *at >= since)
            .collect();
        recent.sort_by_key(|(at, place, _)| Reverse((*at, *place)));
        recent.into_iter().take(limit).map(|(at, _, chat)| (chat, at)).collect()
    }
}

impl Queued {
    fn is_save(&self) -> bool {
        matches!(self.outgoing.action, Action::Save { .. })
    }

    fn claim(&mut self, token: ClaimToken, now: Timestamp) {
        self.claimed = true;
        self.last_claim = Some(now);
        self.token = Some(token);
        self.outgoing.attempt += 1;
    }

    fn settle(&mut self, outcome: &Outcome, now: Timestamp, mistake: Option<Mistake>) {
        self.token = None;
        let may_doubt = self.doubts == 0 || mistake == Some(Mistake::DoubtNeverEnds);
        match outcome {
            Outcome::NotSent { retry_at, .. } => self.put_back(*retry_at, mistake),
            Outcome::Unknown { again_at: Some(at), .. } if may_doubt => {
                self.doubts = 1;
                self.put_back(*at, mistake);
            }
            Outcome::Delivered(_)
            | Outcome::Accepted
            | Outcome::Refused { .. }
            | Outcome::Expired
            | Outcome::Unknown { .. } => {
                self.settled = true;
                self.ending = Some((now, word(outcome), reason(outcome)));
            }
        }
    }

    /// Puts the action back into the outbox, at its old place.
    fn put_back(&mut self, not_before: Timestamp, mistake: Option<Mistake>) {
        self.claimed = false;
        self.not_before = not_before;
        if mistake == Some(Mistake::RetryMovesBack) {
            self.order = not_before + std::time::Duration::from_millis(1);
        }
    }
}

/// The word for an outcome in the log.
const fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered(_) => "delivered",
        Outcome::Accepted => "accepted",
        Outcome::NotSent { .. } => "not_sent",
        Outcome::Refused { .. } => "refused",
        Outcome::Expired => "expired",
        Outcome::Unknown { .. } => "unknown",
    }
}

fn reason(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::NotSent { reason, .. }
        | Outcome::Refused { reason }
        | Outcome::Unknown { reason, .. } => Some(reason.clone()),
        Outcome::Delivered(_) | Outcome::Accepted | Outcome::Expired => None,
    }
}
