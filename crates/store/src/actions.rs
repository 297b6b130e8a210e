//! The outbox and the history of sent actions: table `action`.
//!
//! The order of a chat is fixed when an action is queued: first by the earliest time to send it, then by the order of
//! commits. A retry does not move an action, so the actions after it wait.

use std::collections::BTreeSet;

use mynah_core::{
    Action, ActionId, ChatId, Claim, ClaimRequest, EventId, Outcome, Outgoing, Planned, Timestamp,
    Turn,
};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use crate::database::Database;
use crate::events::to_json;
use crate::queues::{Claimed, Known, Place};
use crate::tokens::Made;

/// The numbers of a turn's actions, which are consecutive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    first: Option<i64>,
    count: i64,
}

impl Numbers {
    /// The number of the first action; `None` if there is no action.
    pub(crate) fn first(self) -> Option<i64> {
        self.first
    }

    /// The number of actions.
    pub(crate) fn count(self) -> i64 {
        self.count
    }
}

/// Puts the actions of a turn into the outboxes of their chats. Claims the first one for its chat at once, if the request
/// is for it and no other action of the chat waits: that saves reading and changing the row.
pub(crate) fn insert<'a>(
    database: &mut Database,
    turn: &Turn,
    all: impl Iterator<Item = &'a Planned>,
    claim: Option<&ClaimRequest>,
    now: Timestamp,
) -> Result<(Numbers, Option<Outgoing>)> {
    let (mut numbers, mut claimed) = (Numbers::default(), None);
    for planned in all {
        let seq = numbers.first.map(|first| first + numbers.count);
        let row = NewRow::new(database, turn, numbers.count, planned, now)?;
        let request = match claim {
            Some(request) if row.is_free_for(request, database)? => Some(request),
            _ => None,
        };
        let (inserted, outgoing) = row.insert(database, seq, request)?;
        numbers.first.get_or_insert(inserted);
        numbers.count += 1;
        claimed = claimed.or(outgoing);
    }
    Ok((numbers, claimed))
}

/// An action to be inserted.
struct NewRow<'a> {
    event: &'a EventId,
    /// Its number within the turn.
    n: i64,
    planned: &'a Planned,
    now: Timestamp,
    queued: Timestamp,
    expires: Option<Timestamp>,
}

impl<'a> NewRow<'a> {
    fn new(
        Database { connection, queues, .. }: &mut Database,
        turn: &'a Turn,
        n: i64,
        planned: &'a Planned,
        now: Timestamp,
    ) -> Result<Self> {
        // If the clock went back, this action still comes after the actions that were queued before it, and the next one
        // after this.
        let last = queues.known(connection)?.last_queued(&planned.chat);
        let queued = last.map_or(now, |last| last.max(now));
        let ages = planned.is_reply && !matches!(planned.action, Action::Save { .. });
        let expires = turn.reply_max_age.filter(|_| ages).map(|age| now + planned.delay + age);
        Ok(Self { event: &turn.event.id, n, planned, now, queued, expires })
    }

    /// Whether the request would claim this action, and nothing else needs a look at the tables.
    fn is_free_for(
        &self,
        ClaimRequest { chat, token, .. }: &ClaimRequest,
        Database { connection, queues, tokens, .. }: &mut Database,
    ) -> Result<bool> {
        Ok(*chat == self.planned.chat
            && self.planned.delay.is_zero()
            && !matches!(self.planned.action, Action::Save { .. })
            && self.expires.is_none_or(|expires| expires > self.now)
            && tokens.get(*token).is_none()
            && !queues.known(connection)?.has_open(chat))
    }

    /// Inserts the row with this number, or with the next one; claimed, if there is a request. Returns its number.
    fn insert(
        self,
        Database { connection, queues, tokens, .. }: &mut Database,
        seq: Option<i64>,
        claim: Option<&ClaimRequest>,
    ) -> Result<(i64, Option<Outgoing>)> {
        let Self { event, n, planned, now, queued, expires } = self;
        let order = queued + planned.delay;
        let not_before =
            if planned.delay.is_zero() { Timestamp::default() } else { now + planned.delay };
        let attempts = u32::from(claim.is_some());
        let seq = connection
            .prepare_cached(
                "INSERT INTO action (seq, event, n, chat, body, queued, turn_order, not_before, expires,
                                     attempts, claimed, last_claim, until)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, ?12)",
            )?
            .insert(params![
                seq,
                event.as_str(),
                n,
                planned.chat.as_str(),
                to_json(&planned.action)?,
                queued.as_millis(),
                order.as_millis(),
                not_before.as_millis(),
                expires.map(Timestamp::as_millis),
                attempts,
                claim.map(|_| now.as_millis()),
                claim.map(|claim| claim.until.as_millis()),
            ])?;
        let place = Place { chat: planned.chat.clone(), order: order.as_millis(), seq };
        let queues = queues.known(connection)?;
        queues.note_action(&place, queued);
        let Some(claim) = claim else { return Ok((seq, None)) };
        let id = ActionId { event: event.clone(), n: u32::try_from(n).unwrap_or(u32::MAX) };
        queues.claim(id.clone(), Claimed { place, doubts: 0 });
        tokens.note(claim.token, Made::Claim { seq, attempt: attempts });
        let (chat, action) = (planned.chat.clone(), planned.action.clone());
        Ok((seq, Some(Outgoing { id, chat, action, queued, attempt: attempts })))
    }
}

/// The first action of a queue.
struct Head {
    place: Place,
    outgoing: Option<Outgoing>,
    not_before: Timestamp,
    expires: Option<Timestamp>,
    doubts: u32,
    claimed: bool,
}

impl Head {
    /// Whether the action saves a row. A row never expires, and a row with an unknown outcome is written once.
    fn is_save(&self) -> bool {
        matches!(&self.outgoing, Some(Outgoing { action: Action::Save { .. }, .. }))
    }

    /// Whether this is a row that could not be saved and waits for a retry.
    fn waits(&self, now: Timestamp) -> bool {
        self.is_save() && self.not_before > now
    }
}

/// The next action of a chat. A row that could not be saved and waits for a retry does not delay other actions.
fn next(
    connection: &Connection,
    queues: &Known,
    chat: &ChatId,
    now: Timestamp,
) -> Result<Option<Head>> {
    let Some(oldest) = queues.next(chat, None) else { return Ok(None) };
    let oldest = head(connection, oldest)?;
    if oldest.waits(now) {
        let mut place = oldest.place.clone();
        while let Some(behind) = queues.next(chat, Some(&place)) {
            let head = head(connection, behind)?;
            if !head.waits(now) {
                return Ok(Some(head));
            }
            place = head.place;
        }
    } else if oldest.is_save() && !oldest.claimed && queues.has_claim(chat) {
        // While the row waited, another action may have overtaken it and may still be in flight.
        return Ok(None);
    }
    Ok(Some(oldest))
}

/// SQL condition for an action that saves a row in a file.
const SAVES: &str = "coalesce(body, '{}') ->> '$.do' = 'save'";

/// Claims the oldest unsettled action of a chat, or returns the claim that this token made before.
pub(crate) fn claim(
    database: &mut Database,
    ClaimRequest { chat, token, until }: &ClaimRequest,
    now: Timestamp,
) -> Result<Claim> {
    let token = *token;
    let Database { connection, tokens, queues, .. } = database;
    if let Some(claim) = made_before(connection, tokens.get(token))? {
        return Ok(claim);
    }
    let queues = queues.known(connection)?;
    loop {
        let Some(head) = next(connection, queues, chat, now)? else { return Ok(Claim::Empty) };
        if head.claimed {
            return Ok(Claim::Empty);
        }
        let is_save = head.is_save();
        let Head { place, outgoing, not_before, expires, doubts, claimed: _ } = head;
        let seq = place.seq;
        let Some(outgoing) = outgoing else {
            let reason = "the action in the store cannot be read";
            close(connection, seq, "refused", Some(reason), now)?;
            queues.close_action(&place);
            continue;
        };
        if expires.is_some_and(|expires| expires <= now) && !is_save {
            expire(connection, seq, now)?;
            queues.close_action(&place);
            tokens.note(token, Made::Expired { seq });
            return Ok(Claim::Expired(outgoing));
        }
        if not_before > now {
            return Ok(Claim::Wait(not_before));
        }
        mark(connection, seq, *until, now)?;
        queues.claim(outgoing.id.clone(), Claimed { place, doubts });
        let attempt = outgoing.attempt + 1;
        tokens.note(token, Made::Claim { seq, attempt });
        return Ok(Claim::Send(Outgoing { attempt, ..outgoing }));
    }
}

/// The claim that this token made, for a caller that did not get the answer.
fn made_before(connection: &Connection, made: Option<Made>) -> Result<Option<Claim>> {
    // The row decides: the claim may have been settled since then, or undone with its transaction.
    let (seq, condition) = match made {
        None => return Ok(None),
        Some(Made::Claim { seq, .. }) => (seq, "settled IS NULL AND claimed IS NOT NULL"),
        Some(Made::Expired { seq }) => (seq, "outcome = 'expired'"),
    };
    let found = connection
        .prepare_cached(&format!(
            "SELECT event, n, chat, coalesce(body, ''), queued, attempts
             FROM action WHERE seq = ?1 AND {condition}"
        ))?
        .query_row([seq], |row| outgoing(row, 0))
        .optional()?
        .flatten();
    Ok(found.and_then(|outgoing| match made? {
        Made::Claim { attempt, .. } if attempt != outgoing.attempt => None,
        Made::Claim { .. } => Some(Claim::Send(outgoing)),
        Made::Expired { .. } => Some(Claim::Expired(outgoing)),
    }))
}

/// Reads an action from the columns from here: event, number, chat, body, queued, attempts. `None` if unreadable.
fn outgoing(row: &Row<'_>, from: usize) -> Result<Option<Outgoing>> {
    let id = ActionId { event: EventId::new(row.get::<_, String>(from)?), n: row.get(from + 1)? };
    let chat = ChatId::new(row.get::<_, String>(from + 2)?);
    let action = serde_json::from_str::<Action>(&row.get::<_, String>(from + 3)?).ok();
    let (queued, attempt) = (Timestamp::from_millis(row.get(from + 4)?), row.get(from + 5)?);
    Ok(action.map(|action| Outgoing { id, chat, action, queued, attempt }))
}

fn head(connection: &Connection, place: Place) -> Result<Head> {
    connection
        .prepare_cached(
            "SELECT event, n, chat, coalesce(body, ''), queued, attempts, not_before, expires, doubts,
                    claimed IS NOT NULL
             FROM action WHERE seq = ?1",
        )?
        .query_row([place.seq], |row| {
            Ok(Head {
                outgoing: outgoing(row, 0)?,
                not_before: Timestamp::from_millis(row.get(6)?),
                expires: row.get::<_, Option<i64>>(7)?.map(Timestamp::from_millis),
                doubts: row.get(8)?,
                claimed: row.get(9)?,
                place,
            })
        })
}

fn mark(connection: &Connection, seq: i64, until: Timestamp, now: Timestamp) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE action SET claimed = ?2, last_claim = ?2, attempts = attempts + 1, until = ?3
             WHERE seq = ?1",
        )?
        .execute(params![seq, now.as_millis(), until.as_millis()])?;
    Ok(())
}

/// Resets the claims of rows after the store is opened. A row is never in doubt, since the next try looks for it in its
/// file and writes it if it is missing.
pub(crate) fn reopen(connection: &Connection) -> Result<()> {
    connection.execute(
        &format!(
            "UPDATE action SET claimed = NULL
             WHERE seq IN (SELECT seq FROM open_action WHERE claimed IS NOT NULL AND {SAVES})"
        ),
        [],
    )?;
    Ok(())
}

/// Stores the outcome of a claimed action. Returns whether its chat has more to send.
pub(crate) fn settle(
    Database { connection, queues, .. }: &mut Database,
    id: &ActionId,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<bool> {
    let queues = queues.known(connection)?;
    let Some(Claimed { place, doubts }) = queues.claimed(id).cloned() else {
        return more_beside(connection, queues, id);
    };
    let seq = place.seq;
    queues.put_back(id);
    match outcome {
        Outcome::NotSent { retry_at, reason } => {
            again(connection, seq, *retry_at, reason, doubts)?;
            return Ok(true);
        }
        Outcome::Unknown { reason, again_at: Some(at) } if doubts == 0 => {
            again(connection, seq, *at, reason, 1)?;
            return Ok(true);
        }
        Outcome::Delivered(message) => {
            connection
                .prepare_cached(
                    "UPDATE action SET settled = ?2, outcome = 'delivered', reason = NULL, message = ?3
                     WHERE seq = ?1",
                )?
                .execute(params![seq, now.as_millis(), message.as_str()])?;
        }
        Outcome::Accepted => close(connection, seq, "accepted", None, now)?,
        Outcome::Expired => expire(connection, seq, now)?,
        Outcome::Refused { reason } => close(connection, seq, "refused", Some(reason), now)?,
        Outcome::Unknown { reason, .. } => close(connection, seq, "unknown", Some(reason), now)?,
    }
    queues.close_action(&place);
    Ok(queues.has_open(&place.chat))
}

/// Puts an action back into the outbox, at its old place.
fn again(
    connection: &Connection,
    seq: i64,
    not_before: Timestamp,
    reason: &str,
    doubts: u32,
) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE action SET claimed = NULL, not_before = ?2, reason = ?3, doubts = ?4
             WHERE seq = ?1",
        )?
        .execute(params![seq, not_before.as_millis(), reason, doubts])?;
    Ok(())
}

fn close(
    connection: &Connection,
    seq: i64,
    outcome: &str,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    connection
        .prepare_cached("UPDATE action SET settled = ?2, outcome = ?3, reason = ?4 WHERE seq = ?1")?
        .execute(params![seq, now.as_millis(), outcome, reason])?;
    Ok(())
}

/// Keeps the error of the last try: it explains why the action expired, or that it may have been sent.
fn expire(connection: &Connection, seq: i64, now: Timestamp) -> Result<()> {
    connection
        .prepare_cached("UPDATE action SET settled = ?2, outcome = 'expired' WHERE seq = ?1")?
        .execute(params![seq, now.as_millis()])?;
    Ok(())
}

/// Whether the chat of an action has more actions to send; true for an action that was deleted, whose chat is unknown.
fn more_beside(connection: &Connection, queues: &Known, id: &ActionId) -> Result<bool> {
    let event = queues.find(connection, &id.event)?;
    let chat: Option<String> = connection
        .prepare_cached(
            "SELECT chat FROM action WHERE seq = (SELECT first_action + ?3 FROM event WHERE seq = ?1)
             AND event = ?2 AND n = ?3",
        )?
        .query_row(params![event, id.event.as_str(), id.n], |row| row.get(0))
        .optional()?;
    Ok(chat.is_none_or(|chat| queues.has_open(&ChatId::new(chat))))
}

/// The chats with unsettled actions of an event's turn.
pub(crate) fn chats_of(
    connection: &Connection,
    queues: &Known,
    event: &EventId,
) -> Result<Vec<ChatId>> {
    let seq = queues.find(connection, event)?;
    connection
        .prepare_cached(
            "SELECT DISTINCT chat FROM action WHERE event = ?1 AND settled IS NULL
             AND seq >= (SELECT first_action FROM event WHERE seq = ?2)
             AND seq < (SELECT first_action + actions FROM event WHERE seq = ?2) ORDER BY chat",
        )?
        .query_map(params![event.as_str(), seq], |row| Ok(ChatId::new(row.get::<_, String>(0)?)))?
        .collect()
}

/// Chats with unsettled actions, the longest waiting first.
pub(crate) fn open_chats(connection: &Connection) -> Result<Vec<ChatId>> {
    connection
        .prepare("SELECT chat FROM open_action GROUP BY chat ORDER BY min(seq)")?
        .query_map([], |row| Ok(ChatId::new(row.get::<_, String>(0)?)))?
        .collect()
}

/// Chats with unsettled actions that expire.
pub(crate) fn replying_chats(connection: &Connection) -> Result<BTreeSet<ChatId>> {
    connection
        .prepare("SELECT chat FROM open_action WHERE expires IS NOT NULL")?
        .query_map([], |row| Ok(ChatId::new(row.get::<_, String>(0)?)))?
        .collect()
}

/// Actions that are claimed and not settled.
pub(crate) fn in_doubt(connection: &Connection) -> Result<Vec<ActionId>> {
    connection
        .prepare("SELECT event, n FROM open_action WHERE claimed IS NOT NULL ORDER BY seq")?
        .query_map([], |row| {
            Ok(ActionId { event: EventId::new(row.get::<_, String>(0)?), n: row.get(1)? })
        })?
        .collect()
}

/// The claims since then, newest first.
pub(crate) fn recent_claims(
    connection: &Connection,
    since: Timestamp,
    limit: usize,
) -> Result<Vec<(ChatId, Timestamp)>> {
    connection
        .prepare_cached(
            "SELECT chat, last_claim FROM action WHERE last_claim >= ?1
             ORDER BY last_claim DESC LIMIT ?2",
        )?
        .query_map(params![since.as_millis(), limit], |row| {
            let chat = ChatId::new(row.get::<_, String>(0)?);
            Ok((chat, Timestamp::from_millis(row.get(1)?)))
        })?
        .collect()
}
