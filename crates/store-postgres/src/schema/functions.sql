-- The calls of format 1: one function for each. Their names carry the format, so that programs of two versions can work
-- side by side. They are in PL/pgSQL, since the server plans a function in SQL anew at every call.
--
-- Each begins with the fence. A takeover holds the first lock exclusively, so it waits for the calls under way, and a
-- call that comes later sees its result. Lock and look are two statements: one statement would look with a snapshot from
-- before the lock. The lock is held until the commit.
--
-- On the way of a message, one row is looked for by a subquery, not by a join: for some joins, a plan that was made while a
-- table was empty reads all rows of the account. A result that is not needed is assigned to `v_none`: the server evaluates
-- an assignment without running a query, as PERFORM does, for a fifth of the cost.

-- Numbers of the advisory locks: of an account against a takeover, of the writer of an account, of a node.
-- 1298030849 is "Mna" and 1 in ASCII.

CREATE FUNCTION mynah.fence_1(p_account integer, p_holder uuid, p_epoch bigint, p_writes boolean)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_none text;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the calls of a store need the isolation level read committed';
    END IF;
    v_none := pg_advisory_xact_lock_shared(1298030849, p_account);
    IF p_writes THEN
        v_none := pg_advisory_xact_lock(1298030850, p_account);
    END IF;
    PERFORM 1 FROM mynah.holding WHERE account = p_account AND holder = p_holder AND epoch = p_epoch;
    IF FOUND THEN
        RETURN;
    END IF;
    PERFORM 1 FROM mynah.lease WHERE account = p_account AND holder = p_holder AND epoch = p_epoch;
    IF FOUND THEN
        RAISE EXCEPTION 'the server has recovered from a crash' USING ERRCODE = 'MY002';
    END IF;
    RAISE EXCEPTION 'the lease is lost' USING ERRCODE = 'MY001';
END $$;

-- ------------------------------------------------------------------------------------------------ leases

-- Takes the lease of an account, which is made if there is none with that name: if it is free, or if its holder has
-- expired or has ended. `taken` is null if another node holds it; `seen` is then the last sign of that node. `p_try` names
-- the try: a repeated call gets what the first one took. Waits for the calls under way.
CREATE FUNCTION mynah.take_1(p_name text, p_node uuid, p_try bigint, OUT account integer, OUT taken bigint, OUT seen text)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_account integer := mynah.account_1(p_name);
    v_lease mynah.lease;
    v_node mynah.node;
    v_is_ended boolean;
BEGIN
    PERFORM set_config('synchronous_commit', 'on', true);
    account := v_account;
    PERFORM pg_advisory_xact_lock(1298030849, v_account);
    SELECT l.* INTO v_lease FROM mynah.lease l WHERE l.account = v_account;
    IF v_lease.holder = p_node AND v_lease.try = p_try THEN
        taken := v_lease.epoch;
        RETURN;
    END IF;
    IF v_lease.holder IS NOT NULL THEN
        SELECT n.* INTO v_node FROM mynah.node n WHERE n.id = v_lease.holder;
        v_is_ended := FOUND AND mynah.is_ended_1(v_node);
        IF v_node.expires > clock_timestamp() AND NOT v_is_ended THEN
            seen := v_node.beaten::text;
            RETURN;
        END IF;
    END IF;
    SELECT n.* INTO v_node FROM mynah.node n WHERE n.id = p_node;
    -- The epoch is compared, so that of two takers one finds nothing.
    UPDATE mynah.lease l SET holder = p_node, epoch = l.epoch + 1, since = clock_timestamp(), try = p_try, giving = false,
            ended = CASE WHEN v_lease.holder IS NULL THEN l.ended ELSE v_is_ended END,
            silent_epoch = CASE WHEN v_lease.holder IS NULL OR v_is_ended THEN l.silent_epoch ELSE l.epoch END,
            last_node = v_node.name
        WHERE l.account = v_account AND l.epoch = v_lease.epoch RETURNING l.epoch INTO taken;
    IF taken IS NOT NULL THEN
        INSERT INTO mynah.holding AS h (account, holder, epoch) VALUES (v_account, p_node, taken)
            ON CONFLICT ON CONSTRAINT holding_pkey DO UPDATE SET holder = excluded.holder, epoch = excluded.epoch;
    END IF;
END $$;

-- Gives a lease back. Returns whether it was held.
CREATE FUNCTION mynah.give_1(p_account integer, p_holder uuid, p_epoch bigint)
RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'on', true);
    PERFORM pg_advisory_xact_lock(1298030849, p_account);
    PERFORM 1 FROM mynah.lease l WHERE l.account = p_account AND l.holder = p_holder AND l.epoch = p_epoch;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM mynah.holding h WHERE h.account = p_account;
    -- Without that row the server crashed, and no event is to blame for the end.
    UPDATE mynah.lease l SET holder = NULL, giving = false, ended = CASE WHEN FOUND THEN NULL ELSE false END,
        since = clock_timestamp() WHERE l.account = p_account;
    PERFORM pg_notify('mynah', 'free');
    RETURN true;
END $$;

-- Returns when all earlier commits, on any connection, survive a power failure.
CREATE FUNCTION mynah.sync_1(p_account integer, p_holder uuid, p_epoch bigint)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM mynah.fence_1(p_account, p_holder, p_epoch, false);
    PERFORM set_config('synchronous_commit', 'on', true);
    PERFORM pg_logical_emit_message(true, 'mynah', '');
END $$;

-- ------------------------------------------------------------------------------------------------ events

-- The live values of the scopes of an event as JSON: scope, key, value, version, expiry.
CREATE FUNCTION mynah.state_of_1(p_account integer, p_lane text, p_person text, p_now bigint)
RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT coalesce(json_agg(json_build_array(s.scope, s.key, s.value, s.version, s.expires)), '[]')::text FROM (
            SELECT * FROM mynah.state WHERE account = p_account AND scope = 0 AND chat = '' AND person = ''
            UNION ALL
            SELECT * FROM mynah.state WHERE account = p_account AND scope = 1 AND chat = p_lane AND person = '' AND p_lane <> '-'
            UNION ALL
            SELECT * FROM mynah.state WHERE account = p_account AND scope = 2 AND chat = p_lane AND person = p_person
                AND p_lane <> '-'
        ) s WHERE s.expires IS NULL OR s.expires > p_now);
END $$;

-- Puts an event into log and inbox unless its id is known. Returns its number, or null.
CREATE FUNCTION mynah.insert_event_1(p_account integer, p_id text, p_lane text, p_time bigint, p_message text,
    p_person text, p_private boolean, p_body text, p_begun boolean, p_now bigint)
RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_seq bigint := nextval('mynah.seq');
BEGIN
    INSERT INTO mynah.seen (account, id, seq, accepted) VALUES (p_account, p_id, v_seq, p_now) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    INSERT INTO mynah.event (account, seq, id, lane, time, accepted, private, message, person, body)
        VALUES (p_account, v_seq, p_id, p_lane, p_time, p_now, p_private, p_message, p_person, p_body);
    INSERT INTO mynah.inbox (account, lane, seq, begun, due)
        VALUES (p_account, p_lane, v_seq, p_begun, starts_with(p_id, 'due:'));
    RETURN v_seq;
END $$;

-- One row for each event of the batch that waits: its place in the batch, and the state of its scopes if it is begun.
CREATE FUNCTION mynah.accept_1(p_account integer, p_holder uuid, p_epoch bigint, p_ids text[], p_lanes text[],
    p_times bigint[], p_messages text[], p_persons text[], p_privates boolean[], p_bodies text[],
    p_record_keys text[], p_record_values text[], p_begin bigint, p_now bigint)
RETURNS TABLE (o_place integer, o_state text) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_none text;
    v_begun integer[] := '{}';
    v_waits integer[] := '{}';
    v_first boolean;
BEGIN
    v_none := mynah.fence_1(p_account, p_holder, p_epoch, true);
    v_none := set_config('synchronous_commit', 'off', true);
    FOR i IN 1 .. cardinality(p_ids) LOOP
        v_first := cardinality(v_begun) < p_begin
            AND NOT EXISTS (SELECT 1 FROM mynah.inbox WHERE account = p_account AND lane = p_lanes[i]);
        IF mynah.insert_event_1(p_account, p_ids[i], p_lanes[i], p_times[i], p_messages[i], p_persons[i],
            p_privates[i], p_bodies[i], v_first, p_now) IS NULL
        THEN
            PERFORM 1 FROM mynah.inbox b WHERE b.account = p_account AND b.lane = p_lanes[i]
                AND b.seq = (SELECT s.seq FROM mynah.seen s WHERE s.account = p_account AND s.id = p_ids[i]);
            IF FOUND THEN
                v_waits := v_waits || i;
            END IF;
        ELSE
            v_waits := v_waits || i;
            IF v_first THEN
                v_begun := v_begun || i;
            END IF;
        END IF;
    END LOOP;
    FOR i IN 1 .. cardinality(p_record_keys) LOOP
        IF p_record_values[i] = '' THEN
            DELETE FROM mynah.record WHERE account = p_account AND key = p_record_keys[i];
        ELSE
            INSERT INTO mynah.record (account, key, value) VALUES (p_account, p_record_keys[i], p_record_values[i])
                ON CONFLICT (account, key) DO UPDATE SET value = excluded.value;
        END IF;
    END LOOP;
    RETURN QUERY SELECT w.place - 1, CASE WHEN w.place = ANY (v_begun)
            THEN mynah.state_of_1(p_account, p_lanes[w.place], p_persons[w.place], p_now) END
        FROM unnest(v_waits) WITH ORDINALITY AS w (place, n) ORDER BY w.n;
END $$;

CREATE FUNCTION mynah.begin_1(p_account integer, p_holder uuid, p_epoch bigint, p_lane text, p_now bigint)
RETURNS TABLE (o_seq bigint, o_id text, o_time bigint, o_body text, o_state text) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_none text;
    v_seq bigint;
    v_begun boolean;
BEGIN
    v_none := mynah.fence_1(p_account, p_holder, p_epoch, true);
    v_none := set_config('synchronous_commit', 'off', true);
    SELECT seq, begun INTO v_seq, v_begun FROM mynah.inbox WHERE account = p_account AND lane = p_lane
        ORDER BY seq LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF NOT v_begun THEN
        UPDATE mynah.inbox SET begun = true WHERE account = p_account AND lane = p_lane AND seq = v_seq;
    END IF;
    RETURN QUERY SELECT e.seq, e.id, e.time, coalesce(e.body, ''), mynah.state_of_1(p_account, p_lane, e.person, p_now)
        FROM mynah.event e WHERE e.account = p_account AND e.seq = v_seq;
END $$;

-- Closes an event without a turn.
CREATE FUNCTION mynah.pass_over_1(p_account integer, p_holder uuid, p_epoch bigint, p_lane text, p_seq bigint,
    p_decided text, p_now bigint)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM mynah.fence_1(p_account, p_holder, p_epoch, true);
    DELETE FROM mynah.inbox WHERE account = p_account AND lane = p_lane AND seq = p_seq;
    IF FOUND THEN
        INSERT INTO mynah.decision (account, seq, handled, decided) VALUES (p_account, p_seq, p_now, p_decided);
    END IF;
END $$;

-- Turns due timers into events.
CREATE FUNCTION mynah.fire_1(p_account integer, p_holder uuid, p_epoch bigint, p_now bigint,
    OUT o_lanes text[], OUT o_next bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_timer mynah.timer;
BEGIN
    PERFORM mynah.fence_1(p_account, p_holder, p_epoch, true);
    PERFORM set_config('synchronous_commit', 'off', true);
    FOR v_timer IN SELECT * FROM mynah.timer WHERE account = p_account AND at <= p_now ORDER BY at, chat, key LIMIT 500 LOOP
        DELETE FROM mynah.timer WHERE account = p_account AND chat = v_timer.chat AND key = v_timer.key;
        PERFORM mynah.insert_event_1(p_account, v_timer.event_id, v_timer.lane, v_timer.at, NULL, v_timer.person, false,
            v_timer.event_body, false, p_now);
    END LOOP;
    o_lanes := ARRAY(SELECT lane FROM mynah.inbox WHERE account = p_account AND due GROUP BY lane ORDER BY min(seq));
    o_next := (SELECT min(at) FROM mynah.timer WHERE account = p_account);
END $$;

-- ------------------------------------------------------------------------------------------------ claims

-- The claim on the oldest action of a chat, or the one that this token made before. After the fence.
CREATE FUNCTION mynah.claim_head_1(p_account integer, p_epoch bigint, p_chat text, p_token bigint, p_until bigint,
    p_now bigint)
RETURNS mynah.claim_1 LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_none text;
    v_head mynah.outbox;
    v_next mynah.outbox;
    v_late mynah.outcome;
    v_found mynah.claim_1;
    v_claimed mynah.claim_1;
BEGIN
    SELECT * INTO v_head FROM mynah.outbox WHERE account = p_account AND chat = p_chat AND claimed IS NOT NULL
        ORDER BY (token = p_token AND epoch = p_epoch) DESC NULLS LAST LIMIT 1;
    IF FOUND AND v_head.token = p_token AND v_head.epoch = p_epoch THEN
        -- The first call may have ended before a standby had its claim.
        v_none := set_config('synchronous_commit', 'on', true);
        PERFORM pg_logical_emit_message(true, 'mynah', '');
        RETURN mynah.outgoing_1(2::smallint, v_head);
    END IF;
    LOOP
        -- In the loop: the first call of this claim may commit while this one waits for the row.
        SELECT * INTO v_late FROM mynah.outcome WHERE account = p_account AND token = p_token AND epoch = p_epoch;
        IF FOUND THEN
            SELECT 3, NULL, e.id, a.n, coalesce(a.body, ''), a.queued, v_late.attempts INTO v_found
                FROM mynah.action a JOIN mynah.event e ON e.account = a.account AND e.seq = a.event
                WHERE a.account = p_account AND a.event = v_late.event AND a.n = v_late.n;
            RETURN v_found;
        END IF;
        SELECT * INTO v_head FROM mynah.outbox WHERE account = p_account AND chat = p_chat
            ORDER BY turn_order, seq LIMIT 1;
        IF NOT FOUND THEN
            RETURN (0::smallint, NULL, NULL, NULL, NULL, NULL, NULL)::mynah.claim_1;
        END IF;
        -- A row of a table that waits for another try holds up nothing.
        IF v_head.saves AND v_head.not_before > p_now THEN
            SELECT * INTO v_next FROM mynah.outbox WHERE account = p_account AND chat = p_chat
                AND NOT (saves AND not_before > p_now) ORDER BY turn_order, seq LIMIT 1;
            IF FOUND THEN
                v_head := v_next;
            END IF;
        END IF;
        IF v_head.claimed IS NULL AND NOT v_head.saves AND v_head.not_before <= p_now
            AND (v_head.expires IS NULL OR v_head.expires > p_now)
        THEN
            -- As a rule. Nothing is found if the row has changed meanwhile.
            v_claimed := mynah.claim_row_1(v_head, p_epoch, p_token, p_until, p_now);
            IF v_claimed.kind IS NOT NULL THEN
                RETURN v_claimed;
            END IF;
        END IF;
        -- Held until the commit. A row that was deleted meanwhile is gone, and the next one is looked at.
        SELECT * INTO v_head FROM mynah.outbox WHERE account = p_account AND chat = p_chat
            AND turn_order = v_head.turn_order AND seq = v_head.seq FOR UPDATE;
        EXIT WHEN FOUND;
    END LOOP;
    IF v_head.claimed IS NOT NULL AND v_head.token = p_token AND v_head.epoch = p_epoch THEN
        -- Made by the first call while this one waited for the row.
        v_none := set_config('synchronous_commit', 'on', true);
        PERFORM pg_logical_emit_message(true, 'mynah', '');
        RETURN mynah.outgoing_1(2::smallint, v_head);
    END IF;
    IF v_head.claimed IS NOT NULL THEN
        RETURN (0::smallint, NULL, NULL, NULL, NULL, NULL, NULL)::mynah.claim_1;
    END IF;
    -- While a row of a table waited, another action may have overtaken it and may still be under way.
    IF v_head.saves AND EXISTS (
        SELECT 1 FROM mynah.outbox WHERE account = p_account AND chat = p_chat AND claimed IS NOT NULL)
    THEN
        RETURN (0::smallint, NULL, NULL, NULL, NULL, NULL, NULL)::mynah.claim_1;
    END IF;
    IF v_head.expires <= p_now THEN
        DELETE FROM mynah.outbox WHERE account = p_account AND chat = p_chat
            AND turn_order = v_head.turn_order AND seq = v_head.seq;
        INSERT INTO mynah.outcome (account, event, n, chat, settled, outcome, reason, attempts, last_claim, token, epoch)
            VALUES (p_account, v_head.event, v_head.n, p_chat, p_now, 'expired', v_head.reason, v_head.attempts,
                v_head.last_claim, p_token, p_epoch);
        RETURN mynah.outgoing_1(3::smallint, v_head);
    END IF;
    IF v_head.not_before > p_now THEN
        RETURN (1::smallint, v_head.not_before, NULL, NULL, NULL, NULL, NULL)::mynah.claim_1;
    END IF;
    RETURN mynah.claim_row_1(v_head, p_epoch, p_token, p_until, p_now);
END $$;

-- Claims an action; null if it was claimed meanwhile.
CREATE FUNCTION mynah.claim_row_1(p_row mynah.outbox, p_epoch bigint, p_token bigint, p_until bigint, p_now bigint)
RETURNS mynah.claim_1 LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_none text;
    v_row mynah.outbox;
BEGIN
    UPDATE mynah.outbox SET claimed = p_now, last_claim = p_now, attempts = attempts + 1, until = p_until,
            token = p_token, epoch = p_epoch
        WHERE account = p_row.account AND chat = p_row.chat AND turn_order = p_row.turn_order AND seq = p_row.seq
            AND claimed IS NULL
        RETURNING * INTO v_row;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    v_none := set_config('synchronous_commit', 'on', true);
    RETURN mynah.outgoing_1(2::smallint, v_row);
END $$;

CREATE FUNCTION mynah.outgoing_1(p_kind smallint, p_row mynah.outbox)
RETURNS mynah.claim_1 LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_found mynah.claim_1;
BEGIN
    SELECT p_kind, NULL, e.id, a.n, coalesce(a.body, ''), a.queued, p_row.attempts INTO v_found
        FROM mynah.action a JOIN mynah.event e ON e.account = a.account AND e.seq = a.event
        WHERE a.account = p_row.account AND a.event = p_row.event AND a.n = p_row.n;
    RETURN v_found;
END $$;

-- Without the lock of the writer: a claim waits for the disk and must not hold up the other calls of its account.
CREATE FUNCTION mynah.claim_next_1(p_account integer, p_holder uuid, p_epoch bigint, p_chat text, p_token bigint,
    p_until bigint, p_now bigint)
RETURNS SETOF mynah.claim_1 LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_none text;
BEGIN
    v_none := mynah.fence_1(p_account, p_holder, p_epoch, false);
    v_none := set_config('synchronous_commit', 'off', true);
    RETURN NEXT mynah.claim_head_1(p_account, p_epoch, p_chat, p_token, p_until, p_now);
END $$;

-- Stores the outcome of a claimed action. `p_kind`: 0 final with `p_outcome`, 1 not sent, 2 unknown and once more at `p_at`.
-- Returns whether the chat has more to send.
CREATE FUNCTION mynah.settle_1(p_account integer, p_holder uuid, p_epoch bigint, p_event text, p_n integer,
    p_kind smallint, p_outcome text, p_reason text, p_message text, p_at bigint, p_now bigint)
RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_none text;
    v_action mynah.action;
    v_row mynah.outbox;
BEGIN
    v_none := mynah.fence_1(p_account, p_holder, p_epoch, true);
    v_none := set_config('synchronous_commit', 'off', true);
    SELECT a.* INTO v_action FROM mynah.action a WHERE a.account = p_account AND a.n = p_n
        AND a.event = (SELECT s.seq FROM mynah.seen s WHERE s.account = p_account AND s.id = p_event);
    IF NOT FOUND THEN
        RETURN true;
    END IF;
    -- A second unknown outcome is final.
    DELETE FROM mynah.outbox WHERE account = p_account AND chat = v_action.chat AND turn_order = v_action.turn_order
        AND seq = v_action.seq AND claimed IS NOT NULL AND (p_kind = 0 OR (p_kind = 2 AND doubts > 0)) RETURNING * INTO v_row;
    IF FOUND THEN
        -- An expired action keeps the error of its last try.
        INSERT INTO mynah.outcome (account, event, n, chat, settled, outcome, reason, message, attempts, last_claim)
            VALUES (p_account, v_row.event, v_row.n, v_row.chat, p_now, p_outcome,
                CASE WHEN p_outcome = 'expired' THEN v_row.reason ELSE p_reason END, p_message, v_row.attempts,
                v_row.last_claim);
    ELSIF p_kind <> 0 THEN
        -- The request of a former holder that may still be alive is not repeated before that holder has given it up. One
        -- that gave the lease back had ended its requests. The clock of that holder may be ahead by any time.
        UPDATE mynah.outbox SET claimed = NULL, token = NULL, reason = p_reason,
                not_before = CASE WHEN p_kind = 2 AND until > p_at
                        AND epoch <= (SELECT l.silent_epoch FROM mynah.lease l WHERE l.account = p_account)
                    THEN least(until, p_at + until - claimed) ELSE p_at END,
                doubts = CASE WHEN p_kind = 2 THEN 1 ELSE doubts END
            WHERE account = p_account AND chat = v_action.chat AND turn_order = v_action.turn_order
                AND seq = v_action.seq AND claimed IS NOT NULL;
    END IF;
    RETURN EXISTS (SELECT 1 FROM mynah.outbox WHERE account = p_account AND chat = v_action.chat);
END $$;

CREATE FUNCTION mynah.recent_claims_1(p_account integer, p_holder uuid, p_epoch bigint, p_since bigint, p_most bigint)
RETURNS TABLE (o_chat text, o_at bigint) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM mynah.fence_1(p_account, p_holder, p_epoch, false);
    RETURN QUERY
        SELECT c.chat, c.last_claim FROM (
            (SELECT o.chat, o.last_claim FROM mynah.outcome o WHERE o.account = p_account AND o.last_claim >= p_since
                ORDER BY o.last_claim DESC LIMIT p_most)
            UNION ALL
            SELECT o.chat, o.last_claim FROM mynah.outbox o WHERE o.account = p_account AND o.last_claim >= p_since
        ) c ORDER BY c.last_claim DESC LIMIT p_most;
END $$;

-- ------------------------------------------------------------------------------------------------ turns

-- The sum of a stored number and another one, within 64 bits; a text that is not a number counts as 0.
CREATE FUNCTION mynah.sum_1(p_text text, p_by bigint) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_before numeric := 0;
BEGIN
    IF p_text ~ '^\s*[+-]?[0-9]{1,200}\s*$' THEN
        v_before := regexp_replace(p_text, '\s', '', 'g')::numeric;
        IF v_before NOT BETWEEN -9223372036854775808 AND 9223372036854775807 THEN
            v_before := 0;
        END IF;
    END IF;
    RETURN greatest(least(v_before + p_by, 9223372036854775807), -9223372036854775808)::text;
END $$;

-- Applies the changes of state. `p_ops`: 0 set, 1 add, 2 remove, 3 remove for all people of the chat.
CREATE FUNCTION mynah.write_state_1(p_account integer, p_ops smallint[], p_scopes smallint[], p_chats text[],
    p_persons text[], p_keys text[], p_texts text[], p_adds bigint[], p_expires bigint[], p_name text, p_now bigint)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_text text;
    v_name text;
BEGIN
    FOR i IN 1 .. cardinality(p_ops) LOOP
        IF p_ops[i] = 3 THEN
            DELETE FROM mynah.state WHERE account = p_account AND scope = 2 AND chat = p_chats[i] AND key = p_keys[i];
            CONTINUE;
        ELSIF p_ops[i] = 2 THEN
            DELETE FROM mynah.state WHERE account = p_account AND scope = p_scopes[i] AND chat = p_chats[i]
                AND person = p_persons[i] AND key = p_keys[i];
            CONTINUE;
        ELSIF p_ops[i] = 1 THEN
            SELECT value INTO v_text FROM mynah.state WHERE account = p_account AND scope = p_scopes[i]
                AND chat = p_chats[i] AND person = p_persons[i] AND key = p_keys[i]
                AND (expires IS NULL OR expires > p_now);
            v_text := mynah.sum_1(v_text, p_adds[i]);
        ELSE
            v_text := p_texts[i];
        END IF;
        v_name := CASE WHEN p_scopes[i] = 2 THEN p_name END;
        -- Not an insertion that updates, which would write the lock of the row into the log as well.
        UPDATE mynah.state SET version = nextval('mynah.version'), expires = p_expires[i], name = v_name, value = v_text
            WHERE account = p_account AND scope = p_scopes[i] AND chat = p_chats[i] AND person = p_persons[i]
                AND key = p_keys[i];
        IF NOT FOUND THEN
            INSERT INTO mynah.state (account, scope, chat, person, key, version, expires, name, value)
                VALUES (p_account, p_scopes[i], p_chats[i], p_persons[i], p_keys[i], nextval('mynah.version'), p_expires[i],
                    v_name, v_text);
        END IF;
    END LOOP;
END $$;

-- Queues the actions of a turn.
CREATE FUNCTION mynah.queue_1(p_account integer, p_event bigint, p_chats text[], p_bodies text[], p_delays bigint[],
    p_expires bigint[], p_saves boolean[], p_now bigint)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_queued bigint;
    v_seq bigint;
BEGIN
    FOR i IN 1 .. cardinality(p_chats) LOOP
        -- If the clock went back, this action still comes after those that were queued before it, and the next one
        -- after this.
        v_queued := greatest(p_now, (SELECT max(queued) FROM mynah.outbox WHERE account = p_account AND chat = p_chats[i]));
        v_seq := nextval('mynah.seq');
        INSERT INTO mynah.action (account, event, n, seq, chat, turn_order, queued, body)
            VALUES (p_account, p_event, i - 1, v_seq, p_chats[i], v_queued + p_delays[i], v_queued, p_bodies[i]);
        INSERT INTO mynah.outbox (account, chat, turn_order, seq, event, n, queued, not_before, expires, saves)
            VALUES (p_account, p_chats[i], v_queued + p_delays[i], v_seq, p_event, i - 1, v_queued,
                CASE WHEN p_delays[i] = 0 THEN 0 ELSE p_now + p_delays[i] END, p_expires[i], p_saves[i]);
    END LOOP;
END $$;

-- Commits a turn and claims an action if a chat is given. The first column is false if a value has changed.
CREATE FUNCTION mynah.commit_1(p_account integer, p_holder uuid, p_epoch bigint, p_event text, p_lane text, p_name text,
    p_read_scopes smallint[], p_read_chats text[], p_read_persons text[], p_read_keys text[], p_read_versions bigint[],
    p_ops smallint[], p_scopes smallint[], p_chats text[], p_persons text[], p_keys text[], p_texts text[],
    p_adds bigint[], p_expires bigint[],
    p_action_chats text[], p_action_bodies text[], p_delays bigint[], p_action_expires bigint[], p_saves boolean[],
    p_timer_chats text[], p_timer_keys text[], p_timer_ats bigint[], p_timer_persons text[], p_timer_lanes text[],
    p_timer_ids text[], p_timer_events text[], p_timer_bodies text[],
    p_decided text, p_keeps_text boolean, p_rules text[],
    p_claim_chat text, p_token bigint, p_until bigint, p_now bigint)
RETURNS TABLE (o_done boolean, o_more boolean, o_chats text[], o_next bigint, kind smallint, at bigint, event text,
    n integer, body text, queued bigint, attempt integer) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    v_none text;
    v_seq bigint;
    v_claim mynah.claim_1;
BEGIN
    v_none := mynah.fence_1(p_account, p_holder, p_epoch, true);
    v_none := set_config('synchronous_commit', 'off', true);
    SELECT s.seq INTO v_seq FROM mynah.seen s WHERE s.account = p_account AND s.id = p_event;
    -- A value that was read as missing may be there, if it has expired.
    PERFORM 1 FROM unnest(p_read_scopes, p_read_chats, p_read_persons, p_read_keys, p_read_versions)
            AS r (scope, chat, person, key, version)
        WHERE r.version IS DISTINCT FROM (
            SELECT s.version FROM mynah.state s WHERE s.account = p_account AND s.scope = r.scope AND s.chat = r.chat
                AND s.person = r.person AND s.key = r.key
                AND (r.version IS NOT NULL OR s.expires IS NULL OR s.expires > p_now));
    -- The first call of a repeated one has changed what it had read.
    IF FOUND AND EXISTS (SELECT 1 FROM mynah.inbox b WHERE b.account = p_account AND b.lane = p_lane AND b.seq = v_seq) THEN
        o_done := false;
        RETURN NEXT;
        RETURN;
    END IF;
    DELETE FROM mynah.inbox b WHERE b.account = p_account AND b.lane = p_lane AND b.seq = v_seq;
    IF FOUND THEN
        v_none := mynah.write_state_1(p_account, p_ops, p_scopes, p_chats, p_persons, p_keys, p_texts, p_adds, p_expires,
            p_name, p_now);
        v_none := mynah.queue_1(p_account, v_seq, p_action_chats, p_action_bodies, p_delays, p_action_expires, p_saves, p_now);
        FOR i IN 1 .. cardinality(p_timer_keys) LOOP
            IF p_timer_ats[i] IS NULL THEN
                DELETE FROM mynah.timer t WHERE t.account = p_account AND t.chat = p_timer_chats[i] AND t.key = p_timer_keys[i];
            ELSE
                INSERT INTO mynah.timer (account, chat, key, at, person, lane, event_id, event_body, body)
                    VALUES (p_account, p_timer_chats[i], p_timer_keys[i], p_timer_ats[i], p_timer_persons[i],
                        p_timer_lanes[i], p_timer_ids[i], p_timer_events[i], p_timer_bodies[i])
                    ON CONFLICT (account, chat, key) DO UPDATE SET at = excluded.at, person = excluded.person,
                        lane = excluded.lane, event_id = excluded.event_id, event_body = excluded.event_body,
                        body = excluded.body;
            END IF;
        END LOOP;
        INSERT INTO mynah.decision (account, seq, handled, decided) VALUES (p_account, v_seq, p_now, p_decided);
        IF NOT p_keeps_text THEN
            UPDATE mynah.event e SET body = NULL WHERE e.account = p_account AND e.seq = v_seq;
        END IF;
        INSERT INTO mynah.hit AS h (account, day, rule, times, last)
            SELECT p_account, (p_now / 86400000)::integer, u.rule, 1, p_now FROM unnest(p_rules) AS u (rule)
            ON CONFLICT (account, day, rule) DO UPDATE SET times = h.times + 1, last = greatest(h.last, excluded.last);
        IF cardinality(p_action_chats) < 2 THEN
            o_chats := p_action_chats;
        END IF;
    END IF;
    o_done := true;
    IF o_chats IS NULL THEN
        o_chats := ARRAY(SELECT DISTINCT a.chat FROM mynah.action a WHERE a.account = p_account AND a.event = v_seq
            AND (SELECT true FROM mynah.outbox o WHERE o.account = p_account AND o.chat = a.chat
                AND o.turn_order = a.turn_order AND o.seq = a.seq) ORDER BY 1);
    END IF;
    IF p_claim_chat IS NOT NULL THEN
        v_claim := mynah.claim_head_1(p_account, p_epoch, p_claim_chat, p_token, p_until, p_now);
        kind := v_claim.kind;
        at := v_claim.at;
        event := v_claim.event;
        n := v_claim.n;
        body := v_claim.body;
        queued := v_claim.queued;
        attempt := v_claim.attempt;
    END IF;
    o_more := EXISTS (SELECT 1 FROM mynah.inbox b WHERE b.account = p_account AND b.lane = p_lane);
    o_next := (SELECT min(t.at) FROM mynah.timer t WHERE t.account = p_account);
    RETURN NEXT;
END $$;

-- Counts an attempt for every event that was begun and sets aside those with too many, once in each epoch.
CREATE FUNCTION mynah.recover_1(p_account integer, p_holder uuid, p_epoch bigint, p_attempts integer, p_decided text,
    p_now bigint, OUT o_lanes text[], OUT o_suspects text[], OUT o_last_chance text[], OUT o_chats text[],
    OUT o_replying text[], OUT o_doubt_events text[], OUT o_doubt_ns integer[], OUT o_set_aside text[])
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_recovered bigint;
    v_counts boolean;
BEGIN
    PERFORM mynah.fence_1(p_account, p_holder, p_epoch, true);
    PERFORM set_config('synchronous_commit', 'on', true);
    SELECT recovered, set_aside, ended IS DISTINCT FROM false INTO v_recovered, o_set_aside, v_counts
        FROM mynah.lease WHERE account = p_account;
    IF v_recovered <> p_epoch THEN
        -- A row is never in doubt: the next try looks for it in its file.
        UPDATE mynah.outbox SET claimed = NULL, token = NULL
            WHERE account = p_account AND claimed IS NOT NULL AND saves;
        -- A network that was cut is no event's fault, unless that comes again and again.
        UPDATE mynah.inbox SET attempts = attempts + v_counts::integer, silences = silences + (NOT v_counts)::integer, begun = false
            WHERE account = p_account AND begun;
        WITH gone AS (
            DELETE FROM mynah.inbox WHERE account = p_account AND (attempts >= p_attempts OR silences >= 4 * p_attempts)
                RETURNING seq
        ), closed AS (
            INSERT INTO mynah.decision (account, seq, handled, decided) SELECT p_account, seq, p_now, p_decided FROM gone
        )
        SELECT coalesce(array_agg(e.id ORDER BY e.seq), '{}') INTO o_set_aside
            FROM gone g JOIN mynah.event e ON e.account = p_account AND e.seq = g.seq;
        UPDATE mynah.lease SET recovered = p_epoch, set_aside = o_set_aside WHERE account = p_account;
    END IF;
    o_lanes := ARRAY(SELECT lane FROM mynah.inbox WHERE account = p_account GROUP BY lane ORDER BY min(seq));
    o_suspects := ARRAY(SELECT lane FROM mynah.inbox WHERE account = p_account AND attempts >= 1
        GROUP BY lane ORDER BY max(attempts), min(seq));
    o_last_chance := ARRAY(SELECT lane FROM mynah.inbox WHERE account = p_account AND attempts >= p_attempts - 1
        GROUP BY lane ORDER BY max(attempts), min(seq));
    o_chats := ARRAY(SELECT chat FROM mynah.outbox WHERE account = p_account GROUP BY chat ORDER BY min(seq));
    o_replying := ARRAY(SELECT DISTINCT chat FROM mynah.outbox WHERE account = p_account AND expires IS NOT NULL);
    SELECT coalesce(array_agg(e.id ORDER BY o.seq), '{}'), coalesce(array_agg(o.n ORDER BY o.seq), '{}')
        INTO o_doubt_events, o_doubt_ns
        FROM mynah.outbox o JOIN mynah.event e ON e.account = o.account AND e.seq = o.event
        WHERE o.account = p_account AND o.claimed IS NOT NULL;
END $$;

-- ------------------------------------------------------------------------------------------------ other calls

CREATE FUNCTION mynah.records_1(p_account integer, p_holder uuid, p_epoch bigint)
RETURNS TABLE (o_key text, o_value text) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM mynah.fence_1(p_account, p_holder, p_epoch, false);
    RETURN QUERY SELECT r.key, r.value FROM mynah.record r WHERE r.account = p_account;
END $$;

-- The values of all people in a chat under each key, at most `p_most` under one.
CREATE FUNCTION mynah.member_values_1(p_account integer, p_holder uuid, p_epoch bigint, p_chat text, p_keys text[],
    p_most bigint, p_now bigint)
RETURNS TABLE (o_place bigint, o_person text, o_name text, o_value text, o_version bigint) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM mynah.fence_1(p_account, p_holder, p_epoch, false);
    RETURN QUERY SELECT k.place - 1, s.person, coalesce(s.name, ''), s.value, s.version
        FROM unnest(p_keys) WITH ORDINALITY AS k (key, place)
        CROSS JOIN LATERAL (
            SELECT t.* FROM mynah.state t WHERE t.account = p_account AND t.scope = 2 AND t.chat = p_chat AND t.key = k.key
                AND (t.expires IS NULL OR t.expires > p_now) ORDER BY t.person LIMIT p_most) s
        ORDER BY k.place, s.person;
END $$;

-- Deletes a piece of what is too old. Returns whether there may be more.
CREATE FUNCTION mynah.tidy_1(p_account integer, p_holder uuid, p_epoch bigint, p_texts_before bigint,
    p_log_before bigint, p_seen_before bigint, p_days_before integer, p_rows bigint, p_now bigint)
RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_full boolean := false;
    v_rows bigint;
    v_last bigint;
    v_old bigint[];
BEGIN
    PERFORM mynah.fence_1(p_account, p_holder, p_epoch, true);
    PERFORM set_config('synchronous_commit', 'off', true);
    DELETE FROM mynah.state s USING (SELECT * FROM mynah.state WHERE account = p_account AND expires <= p_now LIMIT p_rows) o
        WHERE s.account = o.account AND s.scope = o.scope AND s.chat = o.chat AND s.person = o.person AND s.key = o.key;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    v_full := v_full OR v_rows >= p_rows;
    IF p_texts_before IS NOT NULL THEN
        UPDATE mynah.action a SET body = NULL FROM (
                SELECT c.event, c.n FROM mynah.outcome c JOIN mynah.action t ON t.account = c.account AND t.event = c.event
                    AND t.n = c.n
                WHERE c.account = p_account AND c.settled <= p_texts_before AND t.body IS NOT NULL LIMIT p_rows) o
            WHERE a.account = p_account AND a.event = o.event AND a.n = o.n;
        GET DIAGNOSTICS v_rows = ROW_COUNT;
        v_full := v_full OR v_rows >= p_rows;
        v_old := ARRAY(SELECT e.seq FROM mynah.event e JOIN mynah.decision d ON d.account = e.account AND d.seq = e.seq
            WHERE e.account = p_account AND e.accepted <= p_texts_before AND e.body IS NOT NULL ORDER BY e.seq LIMIT p_rows);
        UPDATE mynah.event SET body = NULL WHERE account = p_account AND seq = ANY (v_old);
        UPDATE mynah.decision SET decided = NULL WHERE account = p_account AND seq = ANY (v_old);
        v_full := v_full OR cardinality(v_old) >= p_rows;
    END IF;
    -- What waits stays; the ids stay known. The numbers rise with time, but for a clock that went back.
    v_last := (SELECT s.seq FROM mynah.seen s WHERE s.account = p_account AND s.accepted >= p_log_before ORDER BY s.accepted LIMIT 1);
    v_old := ARRAY(SELECT e.seq FROM mynah.event e
        WHERE e.account = p_account AND e.seq < coalesce(v_last, 9223372036854775807) AND e.accepted < p_log_before
            AND EXISTS (SELECT 1 FROM mynah.decision d WHERE d.account = p_account AND d.seq = e.seq)
            AND NOT EXISTS (
                SELECT 1 FROM mynah.action a JOIN mynah.outbox o ON o.account = a.account AND o.chat = a.chat
                    AND o.turn_order = a.turn_order AND o.seq = a.seq
                WHERE a.account = p_account AND a.event = e.seq)
        ORDER BY e.seq LIMIT p_rows);
    DELETE FROM mynah.outcome WHERE account = p_account AND event = ANY (v_old);
    DELETE FROM mynah.action WHERE account = p_account AND event = ANY (v_old);
    DELETE FROM mynah.decision WHERE account = p_account AND seq = ANY (v_old);
    DELETE FROM mynah.event WHERE account = p_account AND seq = ANY (v_old);
    v_full := v_full OR cardinality(v_old) >= p_rows;
    DELETE FROM mynah.seen s USING (
            SELECT o.id FROM mynah.seen o WHERE o.account = p_account AND o.accepted < p_seen_before
                AND NOT EXISTS (SELECT 1 FROM mynah.event e WHERE e.account = p_account AND e.seq = o.seq)
            ORDER BY o.accepted LIMIT p_rows) o
        WHERE s.account = p_account AND s.id = o.id;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    v_full := v_full OR v_rows >= p_rows;
    DELETE FROM mynah.hit h USING (SELECT * FROM mynah.hit WHERE account = p_account AND day < p_days_before LIMIT p_rows) o
        WHERE h.account = o.account AND h.day = o.day AND h.rule = o.rule;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    RETURN v_full OR v_rows >= p_rows;
END $$;

-- Deletes all data about a person. `p_bindings` begins the keys of names that are bound to people.
CREATE FUNCTION mynah.forget_1(p_account integer, p_holder uuid, p_epoch bigint, p_person text, p_bindings text,
    OUT o_events bigint, OUT o_actions bigint, OUT o_values bigint, OUT o_timers bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_chats text[];
    v_events bigint[];
BEGIN
    PERFORM mynah.fence_1(p_account, p_holder, p_epoch, true);
    PERFORM set_config('synchronous_commit', 'on', true);
    v_chats := ARRAY(SELECT DISTINCT lane FROM mynah.event WHERE account = p_account AND person = p_person AND private);
    v_events := ARRAY(SELECT seq FROM mynah.event WHERE account = p_account AND person = p_person);
    DELETE FROM mynah.outbox WHERE account = p_account AND (chat = ANY (v_chats) OR event = ANY (v_events));
    DELETE FROM mynah.outcome WHERE account = p_account AND (chat = ANY (v_chats) OR event = ANY (v_events));
    DELETE FROM mynah.action WHERE account = p_account AND (chat = ANY (v_chats) OR event = ANY (v_events));
    GET DIAGNOSTICS o_actions = ROW_COUNT;
    DELETE FROM mynah.state WHERE account = p_account AND (
        (scope > 0 AND chat = ANY (v_chats)) OR (scope = 2 AND person = p_person)
        OR (scope = 0 AND starts_with(key, 'person:') AND right(key, length(p_person) + 1) = ':' || p_person)
        OR (scope = 0 AND starts_with(key, p_bindings) AND value = p_person));
    GET DIAGNOSTICS o_values = ROW_COUNT;
    DELETE FROM mynah.timer WHERE account = p_account AND (chat = ANY (v_chats) OR person = p_person);
    GET DIAGNOSTICS o_timers = ROW_COUNT;
    DELETE FROM mynah.saved_row WHERE account = p_account AND person = p_person;
    DELETE FROM mynah.inbox WHERE account = p_account AND seq = ANY (v_events);
    DELETE FROM mynah.decision WHERE account = p_account AND seq = ANY (v_events);
    DELETE FROM mynah.event WHERE account = p_account AND seq = ANY (v_events);
    GET DIAGNOSTICS o_events = ROW_COUNT;
END $$;

-- Ends a binding and returns the person.
CREATE FUNCTION mynah.unbind_1(p_account integer, p_holder uuid, p_epoch bigint, p_key text)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_person text;
BEGIN
    PERFORM mynah.fence_1(p_account, p_holder, p_epoch, true);
    PERFORM set_config('synchronous_commit', 'on', true);
    DELETE FROM mynah.state WHERE account = p_account AND scope = 0 AND chat = '' AND person = '' AND key = p_key
        RETURNING value INTO v_person;
    RETURN v_person;
END $$;

-- Stores a row that the rules save, once for its action, which is settled after it.
CREATE FUNCTION mynah.save_row_1(p_account integer, p_holder uuid, p_epoch bigint, p_event text, p_n integer, p_file text,
    p_cells text[], p_now bigint)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM mynah.fence_1(p_account, p_holder, p_epoch, true);
    PERFORM set_config('synchronous_commit', 'off', true);
    INSERT INTO mynah.saved_row (account, seq, event, n, file, at, person, cells)
        VALUES (p_account, nextval('mynah.seq'), p_event, p_n, p_file, p_now,
            (SELECT e.person FROM mynah.seen s JOIN mynah.event e ON e.account = s.account AND e.seq = s.seq
                WHERE s.account = p_account AND s.id = p_event), p_cells)
        ON CONFLICT DO NOTHING;
END $$;
