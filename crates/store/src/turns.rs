//! The commit of a turn: all of it or nothing.

use mynah_core::{
    ChatId, Claim, ClaimRequest, Committed, Planned, Recovered, Step, Timestamp, Turn,
};
use rusqlite::Result;

use crate::database::Database;
use crate::{actions, events, state, timers};

/// Applies all effects of a turn, if the values that it read have not changed. Claims an action after that, if requested.
pub(crate) fn commit(
    database: &mut Database,
    turn: &Turn,
    claim: Option<&ClaimRequest>,
    now: Timestamp,
) -> Result<Committed> {
    let Database { connection, queues, .. } = database;
    let queues = queues.known(connection)?;
    let Some(seq) = events::open(connection, queues, &turn.event.id)? else {
        let chats = actions::chats_of(connection, queues, &turn.event.id)?;
        let claim = claim.map(|request| actions::claim(database, request, now)).transpose()?;
        return done(database, turn, chats, claim);
    };
    let untouched = database.is_untouched_since_loaded(&turn.event.id, now);
    if !untouched && !state::still_holds(&database.connection, &turn.event, &turn.reads, now)? {
        return Ok(Committed::Conflict);
    }
    for write in &turn.effects.writes {
        state::apply(database, &turn.event, write, now)?;
    }
    let (numbers, claimed) = actions::insert(database, turn, planned(turn), claim, now)?;
    for change in &turn.effects.timers {
        timers::apply(&database.connection, change)?;
        database.next_timer = None;
    }
    events::close(database, seq, turn, numbers, now)?;
    database.hits.note(&turn.decided, now);
    let mut chats: Vec<ChatId> = planned(turn).map(|planned| planned.chat.clone()).collect();
    chats.sort_unstable();
    chats.dedup();
    let claim = match (claimed, claim) {
        (Some(outgoing), _) => Some(Claim::Send(outgoing)),
        (None, Some(request)) => Some(actions::claim(database, request, now)?),
        (None, None) => None,
    };
    done(database, turn, chats, claim)
}

/// The actions of a turn. The handlers that were called between them have already run.
fn planned(turn: &Turn) -> impl Iterator<Item = &Planned> {
    turn.effects.steps.iter().filter_map(|step| match step {
        Step::Act(planned) => Some(planned),
        Step::Run(_) => None,
    })
}

/// The answer, with the chats that have unsettled actions of the turn.
fn done(
    database: &mut Database,
    turn: &Turn,
    chats: Vec<ChatId>,
    claim: Option<Claim>,
) -> Result<Committed> {
    let next_timer = match database.next_timer {
        Some(next) => next,
        None => timers::next(&database.connection)?,
    };
    database.next_timer = Some(next_timer);
    let Database { connection, queues, .. } = database;
    Ok(Committed::Done {
        more: queues.known(connection)?.has_more(&turn.event.lane()),
        chats,
        next_timer,
        claim: claim.map(Box::new),
    })
}

/// Finds the work that a crash may have interrupted, and all waiting work. Counts attempts once per opening.
pub(crate) fn recover(database: &mut Database, now: Timestamp) -> Result<Recovered> {
    let set_aside = match database.setting_aside.as_ref().or(database.set_aside.as_ref()) {
        Some(set_aside) => set_aside.clone(),
        None => {
            actions::reopen(&database.connection)?;
            events::set_aside(database, now)?
        }
    };
    database.setting_aside = Some(set_aside.clone());
    let connection = &database.connection;
    Ok(Recovered {
        lanes: events::open_lanes(connection)?,
        suspects: events::suspect_lanes(connection, 1)?,
        last_chance: events::suspect_lanes(connection, events::ATTEMPTS - 1)?,
        chats: actions::open_chats(connection)?,
        replying: actions::replying_chats(connection)?,
        in_doubt: actions::in_doubt(connection)?,
        set_aside,
    })
}
