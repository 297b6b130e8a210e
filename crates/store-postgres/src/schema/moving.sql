-- Moving the data of an account between kinds of stores. The mover holds the lease; each function begins with the fence.

CREATE FUNCTION mynah.move_mark_1(p_account integer, p_holder uuid, p_epoch bigint)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM mynah.fence_1(p_account, p_holder, p_epoch, false);
    RETURN (SELECT m.mark FROM mynah.moving m WHERE m.account = p_account);
END $$;

-- Sets the mark, or removes it if it is null; with `p_clears` also deletes all data.
CREATE FUNCTION mynah.move_set_mark_1(p_account integer, p_holder uuid, p_epoch bigint, p_mark text, p_moved boolean,
    p_clears boolean)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM mynah.fence_1(p_account, p_holder, p_epoch, true);
    PERFORM set_config('synchronous_commit', 'on', true);
    IF p_clears THEN
        DELETE FROM mynah.outbox WHERE account = p_account;
        DELETE FROM mynah.outcome WHERE account = p_account;
        DELETE FROM mynah.action WHERE account = p_account;
        DELETE FROM mynah.inbox WHERE account = p_account;
        DELETE FROM mynah.decision WHERE account = p_account;
        DELETE FROM mynah.event WHERE account = p_account;
        DELETE FROM mynah.seen WHERE account = p_account;
        DELETE FROM mynah.state WHERE account = p_account;
        DELETE FROM mynah.timer WHERE account = p_account;
        DELETE FROM mynah.record WHERE account = p_account;
        DELETE FROM mynah.hit WHERE account = p_account;
    END IF;
    DELETE FROM mynah.moving WHERE account = p_account;
    IF p_mark IS NOT NULL THEN
        INSERT INTO mynah.moving (account, moved, mark) VALUES (p_account, p_moved, p_mark);
    END IF;
END $$;

CREATE FUNCTION mynah.move_is_empty_1(p_account integer, p_holder uuid, p_epoch bigint)
RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM mynah.fence_1(p_account, p_holder, p_epoch, false);
    RETURN NOT (EXISTS (SELECT 1 FROM mynah.event WHERE account = p_account)
        OR EXISTS (SELECT 1 FROM mynah.seen WHERE account = p_account)
        OR EXISTS (SELECT 1 FROM mynah.state WHERE account = p_account)
        OR EXISTS (SELECT 1 FROM mynah.timer WHERE account = p_account)
        OR EXISTS (SELECT 1 FROM mynah.record WHERE account = p_account)
        OR EXISTS (SELECT 1 FROM mynah.hit WHERE account = p_account));
END $$;

-- ------------------------------------------------------------------------------------------------ reading

CREATE FUNCTION mynah.move_events_1(p_account integer, p_holder uuid, p_epoch bigint, p_after bigint, p_most bigint)
RETURNS SETOF text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM mynah.fence_1(p_account, p_holder, p_epoch, false);
    RETURN QUERY SELECT json_build_object('seq', e.seq, 'id', e.id, 'lane', e.lane, 'time', e.time,
            'accepted', e.accepted, 'private', e.private, 'message', e.message, 'person', e.person, 'body', e.body,
            'attempts', coalesce(b.attempts, 0), 'begun', coalesce(b.begun, false), 'handled', d.handled,
            'decided', d.decided, 'first_action', a.first, 'actions', coalesce(a.actions, '[]'))::text
        FROM mynah.event e
        LEFT JOIN mynah.inbox b ON b.account = e.account AND b.lane = e.lane AND b.seq = e.seq
        LEFT JOIN mynah.decision d ON d.account = e.account AND d.seq = e.seq
        LEFT JOIN LATERAL (
            SELECT min(t.seq - t.n) AS first, json_agg(json_build_object('n', t.n, 'chat', t.chat,
                    'turn_order', t.turn_order, 'queued', t.queued, 'body', t.body,
                    'not_before', coalesce(o.not_before, 0), 'expires', o.expires,
                    'attempts', coalesce(o.attempts, c.attempts, 0), 'doubts', coalesce(o.doubts, 0),
                    'claimed', o.claimed, 'last_claim', coalesce(o.last_claim, c.last_claim), 'until', o.until,
                    'settled', c.settled, 'outcome', c.outcome, 'reason', coalesce(c.reason, o.reason),
                    'message', c.message) ORDER BY t.n) AS actions
                FROM mynah.action t
                LEFT JOIN mynah.outbox o ON o.account = t.account AND o.chat = t.chat AND o.turn_order = t.turn_order
                    AND o.seq = t.seq
                LEFT JOIN mynah.outcome c ON c.account = t.account AND c.event = t.event AND c.n = t.n
                WHERE t.account = e.account AND t.event = e.seq) a ON true
        WHERE e.account = p_account AND e.seq > p_after ORDER BY e.seq LIMIT p_most;
END $$;

-- The ids of events that are not in the log any more.
CREATE FUNCTION mynah.move_ids_1(p_account integer, p_holder uuid, p_epoch bigint, p_accepted bigint, p_id text,
    p_most bigint)
RETURNS SETOF text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM mynah.fence_1(p_account, p_holder, p_epoch, false);
    RETURN QUERY SELECT json_build_object('id', s.id, 'accepted', s.accepted)::text FROM mynah.seen s
        WHERE s.account = p_account AND (s.accepted, s.id) > (p_accepted, p_id)
            AND NOT EXISTS (SELECT 1 FROM mynah.event e WHERE e.account = s.account AND e.seq = s.seq)
        ORDER BY s.accepted, s.id LIMIT p_most;
END $$;

CREATE FUNCTION mynah.move_values_1(p_account integer, p_holder uuid, p_epoch bigint, p_scope smallint, p_chat text,
    p_person text, p_key text, p_most bigint)
RETURNS SETOF text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM mynah.fence_1(p_account, p_holder, p_epoch, false);
    RETURN QUERY SELECT json_build_object('scope', s.scope, 'chat', s.chat, 'person', s.person, 'key', s.key,
            'value', s.value, 'version', s.version, 'expires', s.expires, 'name', s.name)::text FROM mynah.state s
        WHERE s.account = p_account AND (s.scope, s.chat, s.person, s.key) > (p_scope, p_chat, p_person, p_key)
        ORDER BY s.scope, s.chat, s.person, s.key LIMIT p_most;
END $$;

CREATE FUNCTION mynah.move_timers_1(p_account integer, p_holder uuid, p_epoch bigint, p_chat text, p_key text,
    p_most bigint)
RETURNS SETOF text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM mynah.fence_1(p_account, p_holder, p_epoch, false);
    RETURN QUERY SELECT json_build_object('chat', t.chat, 'key', t.key, 'at', t.at, 'body', t.body)::text
        FROM mynah.timer t WHERE t.account = p_account AND (t.chat, t.key) > (p_chat, p_key)
        ORDER BY t.chat, t.key LIMIT p_most;
END $$;

CREATE FUNCTION mynah.move_records_1(p_account integer, p_holder uuid, p_epoch bigint, p_key text, p_most bigint)
RETURNS SETOF text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM mynah.fence_1(p_account, p_holder, p_epoch, false);
    RETURN QUERY SELECT json_build_object('key', r.key, 'value', r.value)::text FROM mynah.record r
        WHERE r.account = p_account AND r.key > p_key ORDER BY r.key LIMIT p_most;
END $$;

CREATE FUNCTION mynah.move_hits_1(p_account integer, p_holder uuid, p_epoch bigint, p_day bigint, p_rule text,
    p_most bigint)
RETURNS SETOF text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM mynah.fence_1(p_account, p_holder, p_epoch, false);
    RETURN QUERY SELECT json_build_object('day', h.day, 'rule', h.rule, 'times', h.times, 'last', h.last)::text
        FROM mynah.hit h WHERE h.account = p_account AND (h.day, h.rule) > (p_day, p_rule)
        ORDER BY h.day, h.rule LIMIT p_most;
END $$;

-- ------------------------------------------------------------------------------------------------ writing

-- Lets a sequence go on above a number. The first statement changes nothing and locks the sequence until the commit, so
-- that it is never set back.
CREATE FUNCTION mynah.raise_sequence_1(p_name text, p_above bigint)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_last bigint;
BEGIN
    EXECUTE format('SELECT last_value FROM mynah.%I', p_name) INTO v_last;
    IF p_above IS NULL OR v_last > p_above THEN
        RETURN;
    END IF;
    EXECUTE format('ALTER SEQUENCE mynah.%I OWNED BY NONE', p_name);
    EXECUTE format('SELECT last_value FROM mynah.%I', p_name) INTO v_last;
    -- Not once for each page of rows.
    EXECUTE format('ALTER SEQUENCE mynah.%I RESTART WITH %s', p_name, greatest(v_last, p_above) + 100000);
END $$;

-- Adds rows and replaces the mark `p_before`. Returns false, and does nothing, if the mark is another one. If it is
-- `p_mark` already, a call whose answer was lost has added the rows.
CREATE FUNCTION mynah.move_put_1(p_account integer, p_holder uuid, p_epoch bigint, p_before text, p_mark text,
    p_rows text)
RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_rows json := p_rows;
    v_mark text;
BEGIN
    PERFORM mynah.fence_1(p_account, p_holder, p_epoch, true);
    PERFORM set_config('synchronous_commit', 'on', true);
    SELECT m.mark INTO v_mark FROM mynah.moving m WHERE m.account = p_account;
    IF v_mark = p_mark THEN
        PERFORM pg_logical_emit_message(true, 'mynah', '');
        RETURN true;
    ELSIF v_mark IS DISTINCT FROM p_before THEN
        RETURN false;
    END IF;
    INSERT INTO mynah.event (account, seq, id, lane, time, accepted, private, message, person, body)
        SELECT p_account, e.* FROM json_to_recordset(v_rows -> 'events') AS e (seq bigint, id text, lane text,
            time bigint, accepted bigint, private boolean, message text, person text, body text);
    INSERT INTO mynah.seen (account, id, seq, accepted)
        SELECT p_account, e.* FROM json_to_recordset(v_rows -> 'events') AS e (id text, seq bigint, accepted bigint);
    INSERT INTO mynah.inbox (account, lane, seq, attempts, begun, due)
        SELECT p_account, e.lane, e.seq, e.attempts, e.begun, starts_with(e.id, 'due:')
        FROM json_to_recordset(v_rows -> 'events') AS e (id text, lane text, seq bigint, attempts integer, begun boolean,
            handled bigint) WHERE e.handled IS NULL;
    INSERT INTO mynah.decision (account, seq, handled, decided)
        SELECT p_account, e.* FROM json_to_recordset(v_rows -> 'events') AS e (seq bigint, handled bigint, decided text)
        WHERE e.handled IS NOT NULL;
    INSERT INTO mynah.action (account, event, n, seq, chat, turn_order, queued, body)
        SELECT p_account, a.* FROM json_to_recordset(v_rows -> 'actions') AS a (event bigint, n integer, seq bigint,
            chat text, turn_order bigint, queued bigint, body text);
    INSERT INTO mynah.outbox (account, chat, turn_order, seq, event, n, queued, not_before, expires, attempts, doubts,
            saves, claimed, last_claim, until, reason)
        SELECT p_account, a.chat, a.turn_order, a.seq, a.event, a.n, a.queued, a.not_before, a.expires, a.attempts,
            a.doubts, a.saves, a.claimed, a.last_claim, a.until, a.reason
        FROM json_to_recordset(v_rows -> 'actions') AS a (event bigint, n integer, seq bigint, chat text,
            turn_order bigint, queued bigint, not_before bigint, expires bigint, attempts integer, doubts integer,
            saves boolean, claimed bigint, last_claim bigint, until bigint, reason text, settled bigint)
        WHERE a.settled IS NULL;
    INSERT INTO mynah.outcome (account, event, n, chat, settled, outcome, reason, message, attempts, last_claim)
        SELECT p_account, a.* FROM json_to_recordset(v_rows -> 'actions') AS a (event bigint, n integer, chat text,
            settled bigint, outcome text, reason text, message text, attempts integer, last_claim bigint)
        WHERE a.settled IS NOT NULL;
    -- No event has the number 0.
    INSERT INTO mynah.seen (account, id, seq, accepted)
        SELECT p_account, i.id, 0, i.accepted FROM json_to_recordset(v_rows -> 'ids') AS i (id text, accepted bigint);
    INSERT INTO mynah.state (account, scope, chat, person, key, version, expires, name, value)
        SELECT p_account, s.* FROM json_to_recordset(v_rows -> 'values') AS s (scope smallint, chat text, person text,
            key text, version bigint, expires bigint, name text, value text);
    INSERT INTO mynah.timer (account, chat, key, at, person, lane, event_id, event_body, body)
        SELECT p_account, t.* FROM json_to_recordset(v_rows -> 'timers') AS t (chat text, key text, at bigint, person text,
            lane text, event_id text, event_body text, body text);
    INSERT INTO mynah.record (account, key, value)
        SELECT p_account, r.* FROM json_to_recordset(v_rows -> 'records') AS r (key text, value text);
    INSERT INTO mynah.hit (account, day, rule, times, last)
        SELECT p_account, h.* FROM json_to_recordset(v_rows -> 'hits') AS h (day integer, rule text, times bigint,
            last bigint);
    PERFORM mynah.raise_sequence_1('seq', greatest(
        (SELECT max(e.seq) FROM json_to_recordset(v_rows -> 'events') AS e (seq bigint)),
        (SELECT max(a.seq) FROM json_to_recordset(v_rows -> 'actions') AS a (seq bigint))));
    PERFORM mynah.raise_sequence_1('version', (SELECT max(s.version)
        FROM json_to_recordset(v_rows -> 'values') AS s (version bigint)));
    DELETE FROM mynah.moving WHERE account = p_account;
    INSERT INTO mynah.moving (account, moved, mark) VALUES (p_account, false, p_mark);
    RETURN true;
END $$;
