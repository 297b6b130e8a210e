-- What readers ask, so that a process needs no right on any table. Each is one statement and sees one state.

-- The newest format, and the oldest program that works with it. No row if there are no tables.
CREATE FUNCTION mynah.format_1() RETURNS TABLE (o_version integer, o_compatible_from integer) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT version, compatible_from FROM mynah.schema_version ORDER BY version DESC LIMIT 1;
END $$;

CREATE FUNCTION mynah.accounts_1() RETURNS SETOF text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT a.name FROM mynah.account a
        WHERE NOT EXISTS (SELECT 1 FROM mynah.moving m WHERE m.account = a.account AND m.moved) ORDER BY a.name;
END $$;

CREATE FUNCTION mynah.find_account_1(p_name text) RETURNS SETOF integer LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT account FROM mynah.account WHERE name = p_name;
END $$;

-- The bodies of the events that may hold a recalled message, oldest first.
CREATE FUNCTION mynah.originals_1(p_account integer, p_message text) RETURNS SETOF text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT body FROM mynah.event WHERE account = p_account AND body IS NOT NULL AND seq IN (
            SELECT seq FROM mynah.seen WHERE account = p_account AND id IN (p_message, 'm' || p_message)
            UNION ALL SELECT seq FROM mynah.event WHERE account = p_account AND message = p_message)
        ORDER BY seq;
END $$;

CREATE FUNCTION mynah.depths_1(p_account integer, OUT o_events bigint, OUT o_actions bigint) LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT (SELECT count(*) FROM mynah.inbox WHERE account = p_account),
        (SELECT count(*) FROM mynah.outbox WHERE account = p_account) INTO o_events, o_actions;
END $$;

CREATE FUNCTION mynah.status_1(p_account integer, p_since bigint, OUT o_events bigint, OUT o_oldest_event bigint,
    OUT o_actions bigint, OUT o_oldest_action bigint, OUT o_timers bigint, OUT o_next_timer bigint, OUT o_handled bigint,
    OUT o_settled text, OUT o_troubled text) LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT (SELECT count(*) FROM mynah.inbox WHERE account = p_account),
        (SELECT min(e.accepted) FROM mynah.inbox i JOIN mynah.event e USING (account, seq) WHERE i.account = p_account),
        (SELECT count(*) FROM mynah.outbox WHERE account = p_account),
        (SELECT min(queued) FROM mynah.outbox WHERE account = p_account),
        (SELECT count(*) FROM mynah.timer WHERE account = p_account),
        (SELECT min(at) FROM mynah.timer WHERE account = p_account),
        (SELECT count(*) FROM mynah.decision WHERE account = p_account AND handled >= p_since AND seq > coalesce((
            SELECT seq FROM mynah.decision WHERE account = p_account AND handled < p_since ORDER BY seq DESC LIMIT 1), 0)),
        (SELECT coalesce(json_object_agg(s.outcome, s.number), '{}') FROM (
            SELECT outcome, count(*) AS number FROM mynah.outcome WHERE account = p_account AND settled >= p_since
            GROUP BY outcome) s)::text,
        (SELECT coalesce(json_agg(json_build_array(t.id, t.n, t.chat, t.settled, t.outcome, t.reason)), '[]') FROM (
            SELECT e.id, o.n, o.chat, o.settled, o.outcome, o.reason FROM mynah.outcome o
            JOIN mynah.event e ON e.account = o.account AND e.seq = o.event
            WHERE o.account = p_account AND o.outcome IN ('refused', 'expired', 'unknown')
            ORDER BY o.settled DESC, o.event DESC, o.n DESC LIMIT 10) t)::text
        INTO o_events, o_oldest_event, o_actions, o_oldest_action, o_timers, o_next_timer, o_handled, o_settled, o_troubled;
END $$;

CREATE FUNCTION mynah.settled_1(p_account integer, p_since bigint) RETURNS TABLE (o_outcome text, o_number bigint)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT outcome, count(*) FROM mynah.outcome WHERE account = p_account AND settled >= p_since GROUP BY outcome;
END $$;

CREATE FUNCTION mynah.waiting_1(p_account integer, p_most bigint)
RETURNS TABLE (o_chat text, o_number bigint, o_queued bigint, o_expires bigint) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT chat, count(*), min(queued), min(expires) FROM mynah.outbox WHERE account = p_account
        GROUP BY chat ORDER BY min(queued), chat LIMIT p_most;
END $$;

CREATE FUNCTION mynah.values_1(p_account integer, p_scope smallint, p_chat text, p_person text, p_prefix text, p_now bigint)
RETURNS TABLE (o_key text, o_value text, o_expires bigint) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT key, value, expires FROM mynah.state
        WHERE account = p_account AND scope = p_scope AND chat = p_chat AND person = p_person
            AND starts_with(key, p_prefix) AND (expires IS NULL OR expires > p_now);
END $$;

CREATE FUNCTION mynah.chat_values_1(p_account integer, p_key text, p_now bigint)
RETURNS TABLE (o_chat text, o_value text) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT chat, value FROM mynah.state
        WHERE account = p_account AND scope = 1 AND key = p_key AND (expires IS NULL OR expires > p_now);
END $$;

-- The body of the last event of each chat.
CREATE FUNCTION mynah.chats_1(p_account integer) RETURNS SETOF text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT l.body FROM (
        SELECT DISTINCT ON (lane) lane, body FROM mynah.event
            WHERE account = p_account AND lane <> '-' AND body IS NOT NULL ORDER BY lane, seq DESC) l;
END $$;

-- How often each rule fired. The row with an empty rule has the first day that is counted.
CREATE FUNCTION mynah.hits_1(p_account integer) RETURNS TABLE (o_rule text, o_times bigint, o_last bigint, o_day integer)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT rule, sum(times)::bigint, max(last), min(day) FROM mynah.hit WHERE account = p_account GROUP BY rule;
END $$;

CREATE FUNCTION mynah.read_records_1(p_account integer) RETURNS TABLE (o_key text, o_value text) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT key, value FROM mynah.record WHERE account = p_account;
END $$;

CREATE FUNCTION mynah.export_values_1(p_account integer, p_scope smallint, p_chat text, p_person text, p_key text, p_most bigint)
RETURNS TABLE (o_scope smallint, o_chat text, o_person text, o_key text, o_value text, o_expires bigint, o_name text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT scope, chat, person, key, value, expires, name FROM mynah.state
        WHERE account = p_account AND (scope, chat, person, key) > (p_scope, p_chat, p_person, p_key)
        ORDER BY scope, chat, person, key LIMIT p_most;
END $$;

CREATE FUNCTION mynah.export_timers_1(p_account integer, p_chat text, p_key text, p_most bigint)
RETURNS TABLE (o_chat text, o_key text, o_body text) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT chat, key, body FROM mynah.timer WHERE account = p_account AND (chat, key) > (p_chat, p_key)
        ORDER BY chat, key LIMIT p_most;
END $$;

-- The rows that the rules saved under the name of a file, in the order in which they were saved.
CREATE FUNCTION mynah.saved_rows_1(p_account integer, p_file text, p_after bigint, p_most bigint)
RETURNS TABLE (o_seq bigint, o_at bigint, o_cells text[]) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT seq, at, cells FROM mynah.saved_row WHERE account = p_account AND file = p_file AND seq > p_after
        ORDER BY seq LIMIT p_most;
END $$;

CREATE FUNCTION mynah.saved_files_1(p_account integer) RETURNS TABLE (o_file text, o_number bigint) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT file, count(*) FROM mynah.saved_row WHERE account = p_account GROUP BY file ORDER BY file;
END $$;

-- Pages of the log, forward and back. The first three columns are there without an entry, too. `p_rows` entries are looked at,
-- and at most `p_most` returned.
CREATE FUNCTION mynah.log_forward_1(p_account integer, p_after bigint, p_before bigint, p_id text, p_chat text, p_person text,
    p_since bigint, p_until bigint, p_rule text, p_kind text, p_rows bigint, p_most bigint)
RETURNS TABLE (o_number bigint, o_first bigint, o_last bigint, o_seq bigint, o_id text, o_time bigint, o_accepted bigint,
    o_handled bigint, o_body text, o_decided text, o_actions text) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
        WITH chunk AS MATERIALIZED (
            SELECT * FROM mynah.event WHERE account = p_account AND seq > p_after AND seq < p_before
                AND (p_id IS NULL OR seq IN (
                    SELECT seq FROM mynah.seen WHERE account = p_account AND id IN (p_id, 'm' || p_id)
                    UNION ALL SELECT seq FROM mynah.event WHERE account = p_account AND message = p_id))
            ORDER BY seq ASC LIMIT p_rows)
        SELECT s.number, s.first, s.last, e.seq, e.id, e.time, e.accepted, e.handled, e.body, e.decided, (
            SELECT json_agg(json_build_array(a.chat, a.body, c.settled, c.outcome, coalesce(c.reason, o.reason)) ORDER BY a.n)
            FROM mynah.action a
            LEFT JOIN mynah.outcome c ON c.account = a.account AND c.event = a.event AND c.n = a.n
            LEFT JOIN mynah.outbox o ON o.account = a.account AND o.chat = a.chat AND o.turn_order = a.turn_order
                AND o.seq = a.seq
            WHERE a.account = p_account AND a.event = e.seq)::text
        FROM (SELECT count(*) AS number, min(seq) AS first, max(seq) AS last FROM chunk) s
        LEFT JOIN LATERAL (
            SELECT k.*, d.handled, d.decided FROM chunk k
            LEFT JOIN mynah.decision d ON d.account = k.account AND d.seq = k.seq
            WHERE k.body IS NOT NULL AND (p_chat IS NULL OR k.lane = p_chat) AND (p_person IS NULL OR k.person = p_person)
                AND (p_since IS NULL OR k.accepted >= p_since) AND (p_until IS NULL OR k.accepted < p_until)
                AND (p_rule IS NULL OR strpos(d.decided, p_rule) > 0) AND (p_kind IS NULL OR strpos(k.body, p_kind) > 0)
            ORDER BY k.seq ASC LIMIT p_most) e ON true
        ORDER BY e.seq ASC;
END $$;

CREATE FUNCTION mynah.log_back_1(p_account integer, p_after bigint, p_before bigint, p_id text, p_chat text, p_person text,
    p_since bigint, p_until bigint, p_rule text, p_kind text, p_rows bigint, p_most bigint)
RETURNS TABLE (o_number bigint, o_first bigint, o_last bigint, o_seq bigint, o_id text, o_time bigint, o_accepted bigint,
    o_handled bigint, o_body text, o_decided text, o_actions text) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
        WITH chunk AS MATERIALIZED (
            SELECT * FROM mynah.event WHERE account = p_account AND seq > p_after AND seq < p_before
                AND (p_id IS NULL OR seq IN (
                    SELECT seq FROM mynah.seen WHERE account = p_account AND id IN (p_id, 'm' || p_id)
                    UNION ALL SELECT seq FROM mynah.event WHERE account = p_account AND message = p_id))
            ORDER BY seq DESC LIMIT p_rows)
        SELECT s.number, s.first, s.last, e.seq, e.id, e.time, e.accepted, e.handled, e.body, e.decided, (
            SELECT json_agg(json_build_array(a.chat, a.body, c.settled, c.outcome, coalesce(c.reason, o.reason)) ORDER BY a.n)
            FROM mynah.action a
            LEFT JOIN mynah.outcome c ON c.account = a.account AND c.event = a.event AND c.n = a.n
            LEFT JOIN mynah.outbox o ON o.account = a.account AND o.chat = a.chat AND o.turn_order = a.turn_order
                AND o.seq = a.seq
            WHERE a.account = p_account AND a.event = e.seq)::text
        FROM (SELECT count(*) AS number, min(seq) AS first, max(seq) AS last FROM chunk) s
        LEFT JOIN LATERAL (
            SELECT k.*, d.handled, d.decided FROM chunk k
            LEFT JOIN mynah.decision d ON d.account = k.account AND d.seq = k.seq
            WHERE k.body IS NOT NULL AND (p_chat IS NULL OR k.lane = p_chat) AND (p_person IS NULL OR k.person = p_person)
                AND (p_since IS NULL OR k.accepted >= p_since) AND (p_until IS NULL OR k.accepted < p_until)
                AND (p_rule IS NULL OR strpos(d.decided, p_rule) > 0) AND (p_kind IS NULL OR strpos(k.body, p_kind) > 0)
            ORDER BY k.seq DESC LIMIT p_most) e ON true
        ORDER BY e.seq DESC;
END $$;
