//! The outbox and the history of what was sent: table `action`.
//!
//! The order of a chat is fixed when an action is queued: by the moment from which it may leave, then by the order of
//! commits. A retry does not move an action, so what follows it waits.

use mynah_core::planted::{self, Mistake};
use mynah_core::{
    Action, ActionId, ChatId, Claim, EventId, Outcome, Outgoing, Planned, Timestamp, Turn,
};
use rusqlite::{Connection, OptionalExtension, Result, params};

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
    // Where the clock went back, what is queued now still comes after what was queued before.
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
    /// Whether it saves a row. A row never expires, and is written once whatever is unknown of its last try.
    fn is_save(&self) -> bool {
        matches!(&self.outgoing, Some(Outgoing { action: Action::Save { .. }, .. }))
    }
}

/// The next of a chat. A row that could not be saved and waits for another try holds up nobody.
fn next(connection: &Connection, chat: &ChatId, now: Timestamp) -> Result<Option<Head>> {
    let oldest = head(connection, chat, "")?;
    match &oldest {
        Some(save) if save.is_save() && save.not_before > now => {
            let waits = format!("AND NOT ({SAVES} AND not_before > {})", now.as_millis());
            Ok(head(connection, chat, &waits)?.or(oldest))
        }
        // While it waited, another may have gone ahead of it, and be under way still.
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

/// Whether a row of the table is to save a row in a file.
const SAVES: &str = "coalesce(body, '{}') ->> '$.do' = 'save'";

/// Claims the oldest unsettled action of a chat.
pub(crate) fn claim(connection: &Connection, chat: &ChatId, now: Timestamp) -> Result<Claim> {
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
        if expired && !planted::is(Mistake::ExpiryIgnored) {
            expire(connection, head.seq, now)?;
            return Ok(Claim::Expired(outgoing));
        }
        if head.not_before > now {
            return Ok(Claim::Wait(head.not_before));
        }
        if !planted::is(Mistake::SentWithoutClaim) {
            mark(connection, head.seq, now)?;
        }
        return Ok(Claim::Send(Outgoing { attempt: outgoing.attempt + 1, ..outgoing }));
    }
}

fn head(connection: &Connection, chat: &ChatId, but: &str) -> Result<Option<Head>> {
    let only = if planted::is(Mistake::TwoUnderWay) { "AND claimed IS NULL" } else { "" };
    connection
        .prepare_cached(&format!(
            "SELECT seq, event, n, coalesce(body, ''), queued, attempts, not_before, expires,
                    claimed IS NOT NULL
             FROM action WHERE chat = ?1 AND settled IS NULL {only} {but}
             ORDER BY turn_order, seq LIMIT 1"
        ))?
        .query_row([chat.as_str()], |row| {
            let id = ActionId { event: EventId::new(row.get::<_, String>(1)?), n: row.get(2)? };
            let action = serde_json::from_str::<Action>(&row.get::<_, String>(3)?).ok();
            let queued = Timestamp::from_millis(row.get(4)?);
            let attempt = row.get(5)?;
            let chat = chat.clone();
            Ok(Head {
                seq: row.get(0)?,
                outgoing: action.map(|action| Outgoing { id, chat, action, queued, attempt }),
                not_before: Timestamp::from_millis(row.get(6)?),
                expires: row.get::<_, Option<i64>>(7)?.map(Timestamp::from_millis),
                claimed: row.get(8)?,
            })
        })
        .optional()
}

fn mark(connection: &Connection, seq: i64, now: Timestamp) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE action SET claimed = ?2, last_claim = ?2, attempts = attempts + 1 WHERE seq = ?1",
        )?
        .execute(params![seq, now.as_millis()])?;
    Ok(())
}

/// Writes down what became of a claimed action. Returns whether its chat has more to send.
pub(crate) fn settle(
    connection: &Connection,
    id: &ActionId,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<bool> {
    if planted::is(Mistake::SentWithoutClaim) {
        connection.execute(
            "UPDATE action SET claimed = ?3, last_claim = ?3, attempts = attempts + 1
             WHERE event = ?1 AND n = ?2",
            params![id.event.as_str(), id.n, now.as_millis()],
        )?;
    }
    let Some((seq, chat, doubts)) = claimed(connection, id)? else { return Ok(false) };
    match outcome {
        Outcome::Delivered(message) => {
            close(connection, seq, "delivered", None, now)?;
            connection
                .prepare_cached("UPDATE action SET message = ?2 WHERE seq = ?1")?
                .execute(params![seq, message.as_str()])?;
        }
        Outcome::Accepted => close(connection, seq, "accepted", None, now)?,
        Outcome::Expired => expire(connection, seq, now)?,
        Outcome::Refused { reason } => close(connection, seq, "refused", Some(reason), now)?,
        Outcome::NotSent { retry_at, reason } => again(connection, seq, *retry_at, reason, doubts)?,
        Outcome::Unknown { reason, again_at: Some(at) }
            if doubts == 0 || planted::is(Mistake::DoubtNeverEnds) =>
        {
            again(connection, seq, *at, reason, 1)?;
        }
        Outcome::Unknown { reason, .. } => close(connection, seq, "unknown", Some(reason), now)?,
    }
    has_more(connection, &chat)
}

fn claimed(connection: &Connection, id: &ActionId) -> Result<Option<(i64, ChatId, u32)>> {
    connection
        .prepare_cached(
            "SELECT seq, chat, doubts FROM action
             WHERE event = ?1 AND n = ?2 AND claimed IS NOT NULL AND settled IS NULL",
        )?
        .query_row(params![id.event.as_str(), id.n], |row| {
            Ok((row.get(0)?, ChatId::new(row.get::<_, String>(1)?), row.get(2)?))
        })
        .optional()
}

/// Back into the outbox, at its old place.
fn again(
    connection: &Connection,
    seq: i64,
    not_before: Timestamp,
    reason: &str,
    doubts: u32,
) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE action SET claimed = NULL, not_before = ?2, reason = ?3, doubts = ?4 WHERE seq = ?1",
        )?
        .execute(params![seq, not_before.as_millis(), reason, doubts])?;
    if planted::is(Mistake::RetryMovesBack) {
        connection
            .execute("UPDATE action SET turn_order = not_before + 1 WHERE seq = ?1", [seq])?;
    }
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

/// What the last try failed on stays: it is why the action could not leave in time, or that it may have left.
fn expire(connection: &Connection, seq: i64, now: Timestamp) -> Result<()> {
    connection
        .prepare_cached("UPDATE action SET settled = ?2, outcome = 'expired' WHERE seq = ?1")?
        .execute(params![seq, now.as_millis()])?;
    Ok(())
}

fn has_more(connection: &Connection, chat: &ChatId) -> Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM action WHERE chat = ?1 AND settled IS NULL LIMIT 1")?
        .exists([chat.as_str()])
}

/// Chats with unsettled actions, those that wait longest first.
pub(crate) fn open_chats(connection: &Connection) -> Result<Vec<ChatId>> {
    connection
        .prepare("SELECT chat FROM action WHERE settled IS NULL GROUP BY chat ORDER BY min(seq)")?
        .query_map([], |row| Ok(ChatId::new(row.get::<_, String>(0)?)))?
        .collect()
}

/// Actions that are claimed and not settled. Of a row there is no doubt: it is looked for in its file, and written if it
/// is not there.
pub(crate) fn in_doubt(connection: &Connection) -> Result<Vec<ActionId>> {
    connection.execute(
        &format!("UPDATE action SET claimed = NULL WHERE claimed IS NOT NULL AND settled IS NULL AND {SAVES}"),
        [],
    )?;
    if planted::is(Mistake::DoubtForgotten) {
        connection.execute("UPDATE action SET claimed = NULL WHERE settled IS NULL", [])?;
    }
    connection
        .prepare(
            "SELECT event, n FROM action WHERE claimed IS NOT NULL AND settled IS NULL ORDER BY seq",
        )?
        .query_map([], |row| {
            Ok(ActionId { event: EventId::new(row.get::<_, String>(0)?), n: row.get(1)? })
        })?
        .collect()
}

/// The last claims since then, newest first.
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
