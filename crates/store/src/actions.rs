//! The outbox and the history of sent actions: table `action`.
//!
//! The order of a chat is fixed when an action is queued: first by the earliest time to send it, then by the order of
//! commits. A retry does not move an action, so the actions after it wait.

use mynah_core::{
    Action, ActionId, ChatId, Claim, ClaimToken, EventId, Outcome, Outgoing, Planned, Timestamp,
    Turn,
};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use crate::events::to_json;

/// Puts an action of a turn into the outbox of its chat.
pub(crate) fn insert(
    connection: &Connection,
    turn: &Turn,
    n: usize,
    planned: &Planned,
    now: Timestamp,
) -> Result<()> {
    let from = now + planned.delay;
    let ages = planned.is_reply && !matches!(planned.action, Action::Save { .. });
    let expires = turn.reply_max_age.filter(|_| ages).map(|age| from + age);
    // If the clock went back, this action still comes after the actions that were queued before it.
    let order =
        last_queued(connection, &planned.chat)?.map_or(now, |last| last.max(now)) + planned.delay;
    let not_before = if planned.delay.is_zero() { Timestamp::default() } else { from };
    connection
        .prepare_cached(
            "INSERT INTO action (event, n, chat, body, queued, turn_order, not_before, expires)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (event, n) DO NOTHING",
        )?
        .execute(params![
            turn.event.id.as_str(),
            n,
            planned.chat.as_str(),
            to_json(&planned.action)?,
            now.as_millis(),
            order.as_millis(),
            not_before.as_millis(),
            expires.map(Timestamp::as_millis),
        ])?;
    Ok(())
}

fn last_queued(connection: &Connection, chat: &ChatId) -> Result<Option<Timestamp>> {
    let last: Option<i64> = connection
        .prepare_cached("SELECT max(queued) FROM action WHERE chat = ?1 AND settled IS NULL")?
        .query_row([chat.as_str()], |row| row.get(0))?;
    Ok(last.map(Timestamp::from_millis))
}

struct Head {
    seq: i64,
    outgoing: Option<Outgoing>,
    not_before: Timestamp,
    expires: Option<Timestamp>,
    claimed: bool,
}

impl Head {
    /// Whether the action saves a row. A row never expires, and a row with an unknown outcome is written once.
    fn is_save(&self) -> bool {
        matches!(&self.outgoing, Some(Outgoing { action: Action::Save { .. }, .. }))
    }
}

/// The next action of a chat. A row that could not be saved and waits for a retry does not delay other actions.
fn next(connection: &Connection, chat: &ChatId, now: Timestamp) -> Result<Option<Head>> {
    let oldest = head(connection, chat, "")?;
    match &oldest {
        Some(save) if save.is_save() && save.not_before > now => {
            let waits = format!("AND NOT ({SAVES} AND not_before > {})", now.as_millis());
            Ok(head(connection, chat, &waits)?.or(oldest))
        }
        // While the row waited, another action may have overtaken it and may still be in flight.
        Some(save) if save.is_save() && !save.claimed && has_claim(connection, chat)? => Ok(None),
        _ => Ok(oldest),
    }
}

fn has_claim(connection: &Connection, chat: &ChatId) -> Result<bool> {
    connection
        .prepare_cached(
            "SELECT 1 FROM action WHERE chat = ?1 AND settled IS NULL AND claimed IS NOT NULL LIMIT 1",
        )?
        .exists([chat.as_str()])
}

/// SQL condition for an action that saves a row in a file.
const SAVES: &str = "coalesce(body, '{}') ->> '$.do' = 'save'";

/// Claims the oldest unsettled action of a chat, or returns the claim that this token made before.
pub(crate) fn claim(
    connection: &Connection,
    chat: &ChatId,
    token: ClaimToken,
    now: Timestamp,
) -> Result<Claim> {
    if let Some(claim) = made_before(connection, token)? {
        return Ok(claim);
    }
    loop {
        let Some(head) = next(connection, chat, now)? else { return Ok(Claim::Empty) };
        if head.claimed {
            return Ok(Claim::Empty);
        }
        let is_save = head.is_save();
        let Some(outgoing) = head.outgoing else {
            close(
                connection,
                head.seq,
                "refused",
                Some("the action in the store cannot be read"),
                now,
            )?;
            continue;
        };
        let expired = head.expires.is_some_and(|expires| expires <= now) && !is_save;
        if expired {
            expire(connection, head.seq, Some(token), now)?;
            return Ok(Claim::Expired(outgoing));
        }
        if head.not_before > now {
            return Ok(Claim::Wait(head.not_before));
        }
        mark(connection, head.seq, token, now)?;
        return Ok(Claim::Send(Outgoing { attempt: outgoing.attempt + 1, ..outgoing }));
    }
}

/// The claim that this token made, for a caller that did not get the answer.
fn made_before(connection: &Connection, token: ClaimToken) -> Result<Option<Claim>> {
    let found: Option<(Option<Outgoing>, bool)> = connection
        .prepare_cached(
            "SELECT event, n, chat, coalesce(body, ''), queued, attempts, settled IS NOT NULL
             FROM action WHERE token = ?1",
        )?
        .query_row([token.0.cast_signed()], |row| Ok((outgoing(row, 0)?, row.get(6)?)))
        .optional()?;
    Ok(match found {
        Some((Some(outgoing), true)) => Some(Claim::Expired(outgoing)),
        Some((Some(outgoing), false)) => Some(Claim::Send(outgoing)),
        Some((None, _)) | None => None,
    })
}

/// Reads an action from the columns from here: event, number, chat, body, queued, attempts. `None` if unreadable.
fn outgoing(row: &Row<'_>, from: usize) -> Result<Option<Outgoing>> {
    let id = ActionId { event: EventId::new(row.get::<_, String>(from)?), n: row.get(from + 1)? };
    let chat = ChatId::new(row.get::<_, String>(from + 2)?);
    let action = serde_json::from_str::<Action>(&row.get::<_, String>(from + 3)?).ok();
    let (queued, attempt) = (Timestamp::from_millis(row.get(from + 4)?), row.get(from + 5)?);
    Ok(action.map(|action| Outgoing { id, chat, action, queued, attempt }))
}

fn head(connection: &Connection, chat: &ChatId, but: &str) -> Result<Option<Head>> {
    connection
        .prepare_cached(&format!(
            "SELECT seq, event, n, chat, coalesce(body, ''), queued, attempts, not_before, expires,
                    claimed IS NOT NULL
             FROM action WHERE chat = ?1 AND settled IS NULL {but}
             ORDER BY turn_order, seq LIMIT 1"
        ))?
        .query_row([chat.as_str()], |row| {
            Ok(Head {
                seq: row.get(0)?,
                outgoing: outgoing(row, 1)?,
                not_before: Timestamp::from_millis(row.get(7)?),
                expires: row.get::<_, Option<i64>>(8)?.map(Timestamp::from_millis),
                claimed: row.get(9)?,
            })
        })
        .optional()
}

fn mark(connection: &Connection, seq: i64, token: ClaimToken, now: Timestamp) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE action SET claimed = ?2, last_claim = ?2, attempts = attempts + 1, token = ?3
             WHERE seq = ?1",
        )?
        .execute(params![seq, now.as_millis(), token.0.cast_signed()])?;
    Ok(())
}

/// Resets claims after the store is opened: a token is valid until then. A row is never in doubt, since the next try
/// looks for it in its file and writes it if it is missing.
pub(crate) fn reopen(connection: &Connection) -> Result<()> {
    connection.execute(
        &format!("UPDATE action SET claimed = NULL WHERE claimed IS NOT NULL AND settled IS NULL AND {SAVES}"),
        [],
    )?;
    connection.execute("UPDATE action SET token = NULL WHERE token IS NOT NULL", [])?;
    Ok(())
}

/// Stores the outcome of a claimed action. Returns whether its chat has more to send.
pub(crate) fn settle(
    connection: &Connection,
    id: &ActionId,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<bool> {
    let Some((seq, doubts)) = claimed(connection, id)? else { return more_beside(connection, id) };
    match outcome {
        Outcome::Delivered(message) => {
            close(connection, seq, "delivered", None, now)?;
            connection
                .prepare_cached("UPDATE action SET message = ?2 WHERE seq = ?1")?
                .execute(params![seq, message.as_str()])?;
        }
        Outcome::Accepted => close(connection, seq, "accepted", None, now)?,
        Outcome::Expired => expire(connection, seq, None, now)?,
        Outcome::Refused { reason } => close(connection, seq, "refused", Some(reason), now)?,
        Outcome::NotSent { retry_at, reason } => again(connection, seq, *retry_at, reason, doubts)?,
        Outcome::Unknown { reason, again_at: Some(at) } if doubts == 0 => {
            again(connection, seq, *at, reason, 1)?;
        }
        Outcome::Unknown { reason, .. } => close(connection, seq, "unknown", Some(reason), now)?,
    }
    more_beside(connection, id)
}

fn claimed(connection: &Connection, id: &ActionId) -> Result<Option<(i64, u32)>> {
    connection
        .prepare_cached(
            "SELECT seq, doubts FROM action
             WHERE event = ?1 AND n = ?2 AND claimed IS NOT NULL AND settled IS NULL",
        )?
        .query_row(params![id.event.as_str(), id.n], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
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
            "UPDATE action SET claimed = NULL, token = NULL, not_before = ?2, reason = ?3, doubts = ?4
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
        .prepare_cached(
            "UPDATE action SET settled = ?2, outcome = ?3, reason = ?4, token = NULL WHERE seq = ?1",
        )?
        .execute(params![seq, now.as_millis(), outcome, reason])?;
    Ok(())
}

/// Keeps the error of the last try: it explains why the action expired, or that it may have been sent.
fn expire(
    connection: &Connection,
    seq: i64,
    token: Option<ClaimToken>,
    now: Timestamp,
) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE action SET settled = ?2, outcome = 'expired', token = ?3 WHERE seq = ?1",
        )?
        .execute(params![seq, now.as_millis(), token.map(|token| token.0.cast_signed())])?;
    Ok(())
}

/// Whether the chat of an action has more actions to send.
fn more_beside(connection: &Connection, id: &ActionId) -> Result<bool> {
    connection
        .prepare_cached(
            "SELECT 1 FROM action WHERE settled IS NULL
             AND chat = (SELECT chat FROM action WHERE event = ?1 AND n = ?2) LIMIT 1",
        )?
        .exists(params![id.event.as_str(), id.n])
}

/// The chats with unsettled actions of an event's turn.
pub(crate) fn chats_of(connection: &Connection, event: &EventId) -> Result<Vec<ChatId>> {
    connection
        .prepare_cached(
            "SELECT DISTINCT chat FROM action WHERE event = ?1 AND settled IS NULL ORDER BY chat",
        )?
        .query_map([event.as_str()], |row| Ok(ChatId::new(row.get::<_, String>(0)?)))?
        .collect()
}

/// Chats with unsettled actions, the longest waiting first.
pub(crate) fn open_chats(connection: &Connection) -> Result<Vec<ChatId>> {
    connection
        .prepare("SELECT chat FROM action WHERE settled IS NULL GROUP BY chat ORDER BY min(seq)")?
        .query_map([], |row| Ok(ChatId::new(row.get::<_, String>(0)?)))?
        .collect()
}

/// Actions that are claimed and not settled.
pub(crate) fn in_doubt(connection: &Connection) -> Result<Vec<ActionId>> {
    connection
        .prepare(
            "SELECT event, n FROM action WHERE claimed IS NOT NULL AND settled IS NULL ORDER BY seq",
        )?
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
