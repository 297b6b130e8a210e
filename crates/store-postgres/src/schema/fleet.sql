-- Sharing accounts among nodes. There is no leader: each node computes the same shares from the same rows, and takes only
-- what is free. Everything that decides is judged by the clock of the server.

-- Registers or renews a node. Returns its number, or null if it has expired before and `p_strict` asks for its end.
CREATE FUNCTION mynah.beat_1(p_node uuid, p_name text, p_version text, p_ttl_ms bigint, p_strict boolean)
RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_until timestamptz := v_now + p_ttl_ms * interval '1 millisecond';
    v_number integer;
    v_expires timestamptz;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE mynah.node SET beaten = v_now, expires = v_until
        WHERE id = p_node AND (NOT p_strict OR expires > v_now) RETURNING number INTO v_number;
    IF FOUND THEN
        RETURN v_number;
    END IF;
    SELECT number, expires INTO v_number, v_expires FROM mynah.node WHERE id = p_node;
    IF FOUND THEN
        RETURN NULL;
    END IF;
    PERFORM mynah.sweep_1();
    INSERT INTO mynah.node (id, name, version, beaten, expires)
        VALUES (p_node, p_name, p_version, v_now, v_until) RETURNING number INTO v_number;
    RETURN v_number;
END $$;

-- Removes nodes that ended a day ago.
CREATE FUNCTION mynah.sweep_1() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_day timestamptz := clock_timestamp() - interval '1 day';
BEGIN
    WITH gone AS (
        DELETE FROM mynah.node n WHERE n.expires < v_day
            AND NOT EXISTS (SELECT 1 FROM mynah.lease l WHERE l.holder = n.id) RETURNING n.id, n.number
    ), offers AS (
        DELETE FROM mynah.offer o USING gone g WHERE o.node = g.id
    )
    DELETE FROM mynah.session s USING gone g WHERE s.number = g.number;
END $$;

-- Notes that the session of this call holds the lock of a node, in this life of the server. Without `p_locks` the node looks
-- as if its process had ended.
CREATE FUNCTION mynah.mark_1(p_number integer, p_locks boolean) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    IF p_locks THEN
        PERFORM pg_advisory_lock_shared(1298030851, p_number);
    END IF;
    INSERT INTO mynah.session AS s (number, server) VALUES (p_number, pg_postmaster_start_time())
        ON CONFLICT (number) DO UPDATE SET server = excluded.server WHERE s.server <> excluded.server;
END $$;

-- From when on the process of a node counts as ended, as things are: null while a session holds its lock, or if it took the
-- lock in another life of the server. Else when it expires, or has not beaten for a moment since its next beat was due, in which it
-- would have come back after the loss of a connection. Takes no lock, so that nodes that look at the same time do not hide
-- the end from each other.
CREATE FUNCTION mynah.ends_at_1(p_node mynah.node) RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM 1 FROM mynah.session s WHERE s.number = p_node.number AND s.server = pg_postmaster_start_time();
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    PERFORM 1 FROM pg_locks k WHERE k.locktype = 'advisory' AND k.classid = 1298030851 AND k.objid = p_node.number::oid
        AND k.granted AND k.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database());
    IF FOUND THEN
        RETURN NULL;
    END IF;
    RETURN least(p_node.expires, mynah.next_beat_1(p_node) + interval '600 milliseconds');
END $$;

-- When the next beat of a node is due.
CREATE FUNCTION mynah.next_beat_1(p_node mynah.node) RETURNS timestamptz LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN p_node.beaten + CASE WHEN p_node.expires > p_node.beaten
        THEN least(interval '250 milliseconds', (p_node.expires - p_node.beaten) / 3) ELSE interval '0' END;
END $$;

-- Whether the process of a node has ended.
CREATE FUNCTION mynah.is_ended_1(p_node mynah.node) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN coalesce(mynah.ends_at_1(p_node) < clock_timestamp(), false);
END $$;

-- The other nodes whose processes have ended, and when the next one ends or expires if it gives no sign. One that has ended
-- gets no share, though its row is good for a while after others have taken its accounts.
CREATE FUNCTION mynah.late_1(p_node uuid, p_now timestamptz, OUT o_ended uuid[], OUT o_next timestamptz)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    WITH late AS MATERIALIZED (
        SELECT n.id, n.expires, mynah.ends_at_1(n) AS ends FROM mynah.node n
            WHERE n.id <> p_node AND mynah.next_beat_1(n) < p_now
                AND (n.expires > p_now OR EXISTS (SELECT 1 FROM mynah.lease l WHERE l.holder = n.id))
    )
    SELECT coalesce(array_agg(l.id) FILTER (WHERE l.ends < p_now), '{}'),
            min(least(l.expires, l.ends)) FILTER (WHERE l.expires >= p_now AND (l.ends IS NULL OR l.ends >= p_now))
        INTO o_ended, o_next FROM late l;
END $$;

-- The number of an account, which is made if there is none with that name.
CREATE FUNCTION mynah.account_1(p_name text) RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_account integer;
BEGIN
    SELECT a.account INTO v_account FROM mynah.account a WHERE a.name = p_name;
    IF NOT FOUND THEN
        INSERT INTO mynah.account AS a (name) VALUES (p_name) ON CONFLICT DO NOTHING;
        SELECT a.account INTO v_account FROM mynah.account a WHERE a.name = p_name;
        INSERT INTO mynah.lease AS l (account) VALUES (v_account) ON CONFLICT DO NOTHING;
    END IF;
    RETURN v_account;
END $$;

-- What a node says of itself. It has beaten before. Returns false if it has expired.
CREATE FUNCTION mynah.join_1(p_node uuid, p_name text, p_zone text, p_leave_zone_ms bigint, p_weight integer, p_accounts text[])
RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_accounts integer[] := ARRAY(SELECT mynah.account_1(u.name) FROM unnest(p_accounts) AS u (name) ORDER BY 1);
BEGIN
    UPDATE mynah.node SET name = p_name, zone = p_zone, leave_zone_ms = p_leave_zone_ms, weight = p_weight, draining = false
        WHERE id = p_node AND expires > clock_timestamp();
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO mynah.offer AS o (node, accounts) VALUES (p_node, v_accounts)
        ON CONFLICT (node) DO UPDATE SET accounts = excluded.accounts WHERE o.accounts <> excluded.accounts;
    PERFORM pg_notify('mynah', 'join');
    RETURN true;
END $$;

-- Which live node may take which account: no move of its data has marked it, the node can run the account, and is in its zone, unless it may leave zones and that
-- one had no live node for long enough. Without the nodes of `p_ended`.
CREATE FUNCTION mynah.runners_1(p_now timestamptz, p_ended uuid[])
RETURNS TABLE (o_node uuid, o_account integer, o_weight integer) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN QUERY
        WITH zones AS MATERIALIZED (
            SELECT n.zone, max(n.expires) AS seen FROM mynah.node n GROUP BY n.zone
        ), live AS MATERIALIZED (
            SELECT n.* FROM mynah.node n WHERE n.expires > p_now AND NOT n.draining AND n.id <> ALL (p_ended)
        )
        SELECT n.id, l.account, n.weight
        FROM live n
        JOIN mynah.offer o ON o.node = n.id
        CROSS JOIN LATERAL unnest(o.accounts) AS u (account)
        JOIN mynah.lease l ON l.account = u.account
        LEFT JOIN zones z ON z.zone = l.zone
        WHERE (l.zone IS NULL OR l.zone = n.zone
                OR greatest(z.seen, l.since) < p_now - n.leave_zone_ms * interval '1 millisecond')
            AND NOT EXISTS (SELECT 1 FROM mynah.moving m WHERE m.account = l.account);
END $$;

-- The share of each live node: of each account the part that its weight is of all that may take it.
CREATE FUNCTION mynah.shares_1(p_now timestamptz, p_ended uuid[]) RETURNS TABLE (o_node uuid, o_share bigint) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN QUERY
        WITH runners AS MATERIALIZED (SELECT * FROM mynah.runners_1(p_now, p_ended)),
        sums AS (SELECT r.o_account, sum(r.o_weight) AS total FROM runners r GROUP BY r.o_account)
        -- The sum of thirds may be a little more than a whole number.
        SELECT r.o_node, ceil(sum(r.o_weight::float8 / s.total) - 1e-6)::bigint
        FROM runners r JOIN sums s USING (o_account) GROUP BY r.o_node;
END $$;

-- Takes free accounts for a node up to its share, and those of nodes that have expired or are among `p_ended`. Returns how many it
-- took, how many more it could not take now, and the former nodes of the taken ones. Waits for no other call: an account with a
-- call under way is left for the next look. `p_not` are accounts that the node is still ending.
CREATE FUNCTION mynah.take_free_1(p_node mynah.node, p_share bigint, p_slack bigint, p_most integer, p_not text[], p_ended uuid[],
    p_now timestamptz, OUT o_taken bigint, OUT o_left bigint, OUT o_former text[]) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    v_held bigint := (SELECT count(*) FROM mynah.lease WHERE holder = p_node.id AND NOT giving);
BEGIN
    WITH runners AS MATERIALIZED (
        SELECT r.o_account AS account FROM mynah.runners_1(p_now, p_ended) r WHERE r.o_node = p_node.id
    ), mine AS MATERIALIZED (
        SELECT l.account, l.epoch, l.holder, l.since, l.deaths, l.deaths_since, l.last_node,
            l.holder IS NOT NULL AS died, l.holder = ANY (p_ended) AS ended,
            coalesce(l.moving_to = p_node.name AND l.moving_until > p_now, false) AS sent,
            coalesce(l.moving_until > p_now, false) AS reserved,
            l.deaths >= 5 AS suspect,
            (l.holder IS NULL OR l.deaths >= 5)
                AND coalesce(h.expires, l.since) < p_now - 2 * (p_node.expires - p_node.beaten) AS late
        FROM mynah.lease l
        JOIN mynah.offer o ON o.node = p_node.id AND l.account = ANY (o.accounts)
        LEFT JOIN mynah.node h ON h.id = l.holder
        WHERE l.holder IS DISTINCT FROM p_node.id
            AND (l.holder IS NULL OR h.id IS NULL OR h.expires <= p_now OR l.holder = ANY (p_ended))
            AND (l.not_before IS NULL OR l.not_before <= p_now)
            AND NOT EXISTS (SELECT 1 FROM mynah.moving v WHERE v.account = l.account)
    ), allowed AS MATERIALIZED (
        SELECT m.* FROM mine m
        WHERE NOT EXISTS (SELECT 1 FROM mynah.account a WHERE a.account = m.account AND a.name = ANY (p_not))
            AND (m.sent OR (
                NOT m.reserved
                AND m.account IN (SELECT r.account FROM runners r)
                -- After an outage all nodes come anew: each first takes what it had.
                AND (m.last_node = p_node.name
                    OR p_node.joined < p_now - least(interval '2 seconds', (p_node.expires - p_node.beaten) / 3))))
            -- Those under suspicion go to a node one by one.
            AND NOT (m.suspect AND EXISTS (SELECT 1 FROM mynah.lease l WHERE l.holder = p_node.id
                AND l.deaths >= 5 AND l.since > p_now - interval '10 seconds'))
    ), ranked AS MATERIALIZED (
        -- They take no place of another account, and do not wait for a node below its share, which may have one of them.
        SELECT f.*, row_number() OVER (ORDER BY f.suspect, f.sent DESC, (f.last_node = p_node.name) DESC NULLS LAST, f.late DESC,
                random()) AS place,
            row_number() OVER (PARTITION BY f.suspect ORDER BY f.sent DESC, f.late DESC, random()) AS turn
        FROM allowed f
    ), chosen AS MATERIALIZED (
        SELECT r.* FROM ranked r WHERE r.place <= p_most AND (NOT r.suspect OR r.turn = 1)
            AND (r.sent OR r.place <= p_share - v_held
                OR (r.late AND (r.suspect OR r.place <= p_share + p_slack - v_held)))
    ), locked AS MATERIALIZED (
        SELECT c.* FROM chosen c WHERE pg_try_advisory_xact_lock(1298030849, c.account)
    ), judged AS MATERIALIZED (
        -- A process that ended soon after it had taken the account may have ended because of it.
        SELECT d.*, m.most, d.ended IS TRUE AND d.died_so_often >= m.most AS left_alone
        FROM (
            SELECT k.*, CASE WHEN k.ended IS NOT TRUE THEN k.deaths
                WHEN k.since > p_now - interval '10 seconds' THEN k.deaths + 1 ELSE 0 END AS died_so_often,
                CASE WHEN k.deaths > 0 THEN k.deaths_since ELSE k.since END AS died_since
            FROM locked k) d
        CROSS JOIN LATERAL (SELECT mynah.most_deaths_1(d.died_so_often, d.died_since, p_now) AS most) m
    ), taken AS (
        -- The epoch is compared, so that of two takers one finds nothing.
        UPDATE mynah.lease l SET
                holder = CASE WHEN j.left_alone THEN NULL ELSE p_node.id END,
                epoch = l.epoch + 1, since = p_now, giving = false,
                ended = CASE WHEN j.died THEN j.ended ELSE l.ended END,
                silent_epoch = CASE WHEN j.died AND NOT j.ended THEN l.epoch ELSE l.silent_epoch END,
                deaths = j.died_so_often, deaths_since = j.died_since,
                trouble = CASE WHEN j.ended IS TRUE AND j.died_so_often > 1
                    THEN j.died_so_often || ' nodes in a row ended with it' ELSE l.trouble END,
                not_before = CASE WHEN j.left_alone THEN p_now + mynah.back_off_1(j.died_so_often - j.most + 1) END,
                zone = CASE WHEN j.left_alone THEN l.zone ELSE p_node.zone END,
                last_node = CASE WHEN j.left_alone THEN l.last_node ELSE p_node.name END,
                moving_to = NULL, moving_until = NULL
            FROM judged j WHERE l.account = j.account AND l.epoch = j.epoch
            RETURNING l.account, l.epoch, l.holder, j.last_node AS former
    ), seen AS (
        INSERT INTO mynah.holding AS g (account, holder, epoch)
            SELECT t.account, t.holder, t.epoch FROM taken t WHERE t.holder IS NOT NULL
            ON CONFLICT ON CONSTRAINT holding_pkey DO UPDATE SET holder = excluded.holder, epoch = excluded.epoch
    ), unseen AS (
        DELETE FROM mynah.holding g USING taken t WHERE g.account = t.account AND t.holder IS NULL
    )
    SELECT (SELECT count(*) FROM chosen) - count(*), count(*),
            array_agg(t.account || ':' || t.former) FILTER (WHERE t.former IS NOT NULL)
        INTO o_left, o_taken, o_former FROM taken t;
END $$;

-- Takes accounts for a node, and returns all that it holds then: the account, its name, the number of the lease, whether it
-- should be given back, whether it has no session, the name of the former node. The last row has no account; its number says
-- what there is to do: 1 the node is draining, 2 there is more to take, 4 it has expired; and `o_wait_ms` in how many
-- milliseconds another node may be found to have ended, if one is late.
CREATE FUNCTION mynah.look_1(p_node uuid, p_most integer, p_not text[])
RETURNS TABLE (o_account integer, o_name text, o_epoch bigint, o_giving boolean, o_fresh boolean, o_last_node text, o_wait_ms bigint)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_node mynah.node;
    v_share bigint;
    v_slack bigint;
    v_left bigint := 0;
    v_taken bigint := 0;
    v_ended uuid[];
    v_next timestamptz;
    v_former text[];
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    SELECT * INTO v_node FROM mynah.node n WHERE n.id = p_node AND n.expires > v_now;
    IF NOT FOUND THEN
        RETURN QUERY SELECT NULL::integer, NULL::text, 4::bigint, NULL::boolean, NULL::boolean, NULL::text, NULL::bigint;
        RETURN;
    END IF;
    SELECT t.o_ended, t.o_next INTO v_ended, v_next FROM mynah.late_1(p_node, v_now) t;
    SELECT s.o_share INTO v_share FROM mynah.shares_1(v_now, v_ended) s WHERE s.o_node = p_node;
    v_share := coalesce(v_share, 0);
    v_slack := greatest(1, v_share / 10);
    PERFORM mynah.ask_back_1(v_node, v_share, v_slack, v_now);
    IF NOT v_node.draining THEN
        SELECT t.o_taken, t.o_left, t.o_former INTO v_taken, v_left, v_former
            FROM mynah.take_free_1(v_node, v_share, v_slack, p_most, p_not, v_ended, v_now) t;
    END IF;
    IF v_taken > 0 THEN
        PERFORM set_config('synchronous_commit', 'on', true);
        PERFORM 1 FROM mynah.lease l JOIN mynah.node n ON n.id = l.holder WHERE n.id = ANY (v_ended) OR n.expires <= v_now;
        IF FOUND THEN
            -- The rest is for others, who may look later.
            PERFORM pg_notify('mynah', 'free');
        END IF;
    END IF;
    RETURN QUERY
        SELECT l.account, a.name, l.epoch, l.giving,
            NOT EXISTS (SELECT 1 FROM mynah.record r WHERE r.account = l.account),
            (SELECT split_part(f.former, ':', 2) FROM unnest(v_former) AS f (former)
                WHERE split_part(f.former, ':', 1)::integer = l.account), NULL::bigint
        FROM mynah.lease l JOIN mynah.account a USING (account) WHERE l.holder = p_node
        UNION ALL
        SELECT NULL, NULL, (v_node.draining::integer + 2 * (v_left > 0 OR v_taken >= p_most)::integer)::bigint, NULL, NULL, NULL,
            ceil(extract(epoch FROM v_next - clock_timestamp()) * 1000)::bigint;
END $$;

-- Whether a look of a node may find something to do, and in how many milliseconds another node may be found to have ended, if
-- one is late. What comes with a notification, and shares that only time changes, are left to looks.
CREATE FUNCTION mynah.glance_1(p_node uuid, OUT o_look boolean, OUT o_wait_ms bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_ended uuid[];
    v_next timestamptz;
BEGIN
    SELECT t.o_ended, t.o_next INTO v_ended, v_next FROM mynah.late_1(p_node, v_now) t;
    o_wait_ms := ceil(extract(epoch FROM v_next - clock_timestamp()) * 1000)::bigint;
    o_look := cardinality(v_ended) > 0
        OR NOT EXISTS (SELECT 1 FROM mynah.node n WHERE n.id = p_node AND n.expires > v_now AND NOT n.draining)
        OR EXISTS (SELECT 1 FROM mynah.node n JOIN mynah.lease l ON l.holder = n.id WHERE n.expires <= v_now)
        OR EXISTS (SELECT 1 FROM mynah.lease l JOIN mynah.offer o ON o.node = p_node AND l.account = ANY (o.accounts)
            WHERE l.holder IS NULL AND (l.not_before IS NULL OR l.not_before <= v_now));
END $$;

-- So many nodes in a row must end soon after they took an account before it is left alone: five, or ten if nodes that did
-- not hold it ended meanwhile as well.
CREATE FUNCTION mynah.most_deaths_1(p_deaths integer, p_since timestamptz, p_now timestamptz)
RETURNS integer LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_ended bigint;
BEGIN
    IF p_deaths < 5 THEN
        RETURN 5;
    END IF;
    SELECT count(*) INTO v_ended FROM mynah.node n WHERE n.beaten > p_since AND n.expires <= p_now AND NOT n.draining;
    RETURN CASE WHEN v_ended > p_deaths THEN 10 ELSE 5 END;
END $$;

-- How long a node is kept off an account that has failed so many times.
CREATE FUNCTION mynah.back_off_1(p_failures integer) RETURNS interval LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN least(interval '1 hour', interval '10 seconds' * 2 ^ least(greatest(p_failures, 1) - 1, 16));
END $$;

-- Marks the accounts that a node should give back: all if it is draining, those that it can run no more or that move to
-- another node, and those above its share. Also ends the counts of failures: an account that has run for longer than a
-- failure takes to show is sound.
CREATE FUNCTION mynah.ask_back_1(p_node mynah.node, p_share bigint, p_slack bigint, p_now timestamptz)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_held bigint;
BEGIN
    UPDATE mynah.lease SET deaths = 0, trouble = CASE WHEN failures > 0 THEN trouble END
        WHERE holder = p_node.id AND deaths > 0 AND since < p_now - interval '10 seconds';
    UPDATE mynah.lease SET failures = 0, trouble = NULL, not_before = NULL
        WHERE holder = p_node.id AND failures > 0 AND since < p_now - interval '1 minute';
    UPDATE mynah.lease SET giving = true
        WHERE holder = p_node.id AND NOT giving
            AND (p_node.draining
                OR (moving_to <> p_node.name AND moving_until > p_now)
                OR NOT EXISTS (SELECT 1 FROM mynah.offer o WHERE o.node = p_node.id AND account = ANY (o.accounts)));
    -- One under suspicion stays until it is sound.
    SELECT count(*) INTO v_held FROM mynah.lease WHERE holder = p_node.id AND NOT giving AND deaths < 5;
    IF v_held > p_share + p_slack THEN
        UPDATE mynah.lease SET giving = true WHERE account IN (
            SELECT account FROM mynah.lease WHERE holder = p_node.id AND NOT giving AND deaths < 5
                ORDER BY since DESC, account LIMIT v_held - p_share);
    END IF;
END $$;

-- Reserves the next moments at which accounts of a zone may log in anew; in milliseconds from now until the first one.
CREATE FUNCTION mynah.login_1(p_zone text, p_number integer, p_each_ms bigint)
RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_all interval := p_number * p_each_ms * interval '1 millisecond';
    v_next timestamptz;
BEGIN
    INSERT INTO mynah.login AS l (zone, next) VALUES (p_zone, v_now + v_all)
        ON CONFLICT (zone) DO UPDATE SET next = greatest(l.next, v_now) + v_all RETURNING next INTO v_next;
    RETURN (extract(epoch FROM v_next - v_all - v_now) * 1000)::bigint;
END $$;

-- Gives an account back. If a crash of the server loses that, the lease expires. With a reason the account has failed, and no node takes it for a while.
CREATE FUNCTION mynah.give_back_1(p_node uuid, p_name text, p_reason text)
RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_account integer;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    SELECT a.account INTO v_account FROM mynah.account a WHERE a.name = p_name;
    PERFORM pg_advisory_xact_lock(1298030849, v_account);
    DELETE FROM mynah.holding h WHERE h.account = v_account AND h.holder = p_node;
    -- Without that row the server crashed, and no event is to blame for the end. The lease may have been given back already
    -- and not taken since.
    UPDATE mynah.lease l SET holder = NULL, giving = false, since = v_now,
            ended = CASE WHEN l.holder IS NULL THEN l.ended WHEN FOUND THEN NULL ELSE false END,
            failures = failures + (p_reason IS NOT NULL)::integer, trouble = coalesce(p_reason, trouble),
            not_before = CASE WHEN p_reason IS NULL THEN not_before ELSE v_now + mynah.back_off_1(failures + 1) END
        WHERE l.account = v_account
            AND (l.holder = p_node OR (l.holder IS NULL AND l.last_node = (SELECT n.name FROM mynah.node n WHERE n.id = p_node)));
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM pg_notify('mynah', 'free');
    RETURN true;
END $$;

CREATE FUNCTION mynah.drain_1(p_node uuid) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    UPDATE mynah.node SET draining = true WHERE id = p_node AND NOT draining;
    PERFORM pg_notify('mynah', 'drain');
END $$;

-- The end of a node.
CREATE FUNCTION mynah.leave_1(p_node uuid) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_account integer;
BEGIN
    FOR v_account IN SELECT account FROM mynah.lease WHERE holder = p_node ORDER BY account LOOP
        PERFORM pg_advisory_xact_lock(1298030849, v_account);
        UPDATE mynah.lease SET holder = NULL, giving = false, ended = NULL, since = clock_timestamp()
            WHERE account = v_account AND holder = p_node;
        DELETE FROM mynah.holding h WHERE h.account = v_account AND h.holder = p_node;
    END LOOP;
    -- Its zone is known for a day.
    UPDATE mynah.node SET expires = clock_timestamp(), draining = true WHERE id = p_node;
    DELETE FROM mynah.offer WHERE node = p_node;
    PERFORM pg_notify('mynah', 'free');
END $$;

-- ------------------------------------------------------------------------------------------------ what people see

CREATE FUNCTION mynah.publish_1(p_node uuid, p_accounts text[], p_bodies text[])
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    INSERT INTO mynah.live AS v (account, holder, at, body)
        SELECT l.account, p_node, clock_timestamp(), u.body
            FROM unnest(p_accounts, p_bodies) AS u (name, body)
            JOIN mynah.account a ON a.name = u.name
            JOIN mynah.lease l ON l.account = a.account AND l.holder = p_node
            ORDER BY l.account
        ON CONFLICT (account) DO UPDATE SET holder = excluded.holder, at = excluded.at, body = excluded.body;
END $$;

CREATE FUNCTION mynah.millis_1(p_at timestamptz) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN (extract(epoch FROM p_at) * 1000)::bigint;
END $$;

CREATE FUNCTION mynah.live_1()
RETURNS TABLE (o_account text, o_node text, o_current boolean, o_at bigint, o_body text) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
        SELECT a.name, n.name, coalesce(l.holder = v.holder AND n.expires > clock_timestamp(), false), mynah.millis_1(v.at), v.body
        FROM mynah.live v JOIN mynah.account a USING (account) JOIN mynah.lease l USING (account)
            LEFT JOIN mynah.node n ON n.id = v.holder
        ORDER BY a.name;
END $$;

-- As JSON, so that the list of columns can grow.
CREATE FUNCTION mynah.overview_1() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    -- The accounts in the settings of a live node, also of one that drains.
    v_named integer[] := ARRAY(SELECT DISTINCT u.account FROM mynah.node n JOIN mynah.offer o ON o.node = n.id
        CROSS JOIN LATERAL unnest(o.accounts) AS u (account) WHERE n.expires > v_now);
BEGIN
    RETURN json_build_object(
        'now', mynah.millis_1(v_now),
        'nodes', (
            SELECT coalesce(json_agg(json_build_object('id', n.id, 'name', n.name, 'zone', n.zone, 'weight', n.weight,
                'version', n.version, 'joined', mynah.millis_1(n.joined), 'beaten', mynah.millis_1(n.beaten),
                'is_alive', n.expires > v_now, 'is_draining', n.draining, 'held', h.held,
                'share', coalesce(s.o_share, 0)) ORDER BY n.name, n.joined), '[]')
            FROM mynah.node n
            CROSS JOIN LATERAL (SELECT count(*) AS held FROM mynah.lease l WHERE l.holder = n.id) h
            LEFT JOIN mynah.shares_1(v_now, '{}') s ON s.o_node = n.id
            WHERE n.expires > v_now OR h.held > 0),
        'accounts', (
            SELECT coalesce(json_agg(json_build_object('account', a.name, 'node', n.name, 'last_node', l.last_node,
                'zone', l.zone, 'epoch', l.epoch, 'since', mynah.millis_1(l.since), 'runners', coalesce(r.number, 0),
                'is_named', l.account = ANY (v_named),
                'not_before', CASE WHEN l.not_before > v_now THEN mynah.millis_1(l.not_before) END,
                'failures', greatest(l.failures, l.deaths), 'trouble', l.trouble,
                'moving_to', CASE WHEN l.moving_until > v_now THEN l.moving_to END) ORDER BY a.name), '[]')
            FROM mynah.account a JOIN mynah.lease l USING (account)
            LEFT JOIN mynah.node n ON n.id = l.holder
            LEFT JOIN (SELECT o_account, count(*) AS number FROM mynah.runners_1(v_now, '{}') GROUP BY o_account) r
                ON r.o_account = l.account
            WHERE NOT EXISTS (SELECT 1 FROM mynah.moving m WHERE m.account = l.account AND m.moved))
    )::text;
END $$;

-- ------------------------------------------------------------------------------------------------ orders

-- Queues an order. Returns false if there is no such account.
CREATE FUNCTION mynah.order_1(p_id uuid, p_account text, p_body text, p_by text, p_within_ms bigint)
RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'on', true);
    INSERT INTO mynah."order" (id, account, body, by_whom, expires)
        SELECT p_id, a.account, p_body, p_by, clock_timestamp() + p_within_ms * interval '1 millisecond'
            FROM mynah.account a WHERE a.name = p_account
        ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN EXISTS (SELECT 1 FROM mynah."order" WHERE id = p_id);
    END IF;
    PERFORM pg_notify('mynah', 'order');
    RETURN true;
END $$;

-- Takes the orders of the accounts that a node holds: those that no node took, and those whose taker lost the account before
-- it answered. The same batch gets the same orders again. Also closes orders that were not taken in time, and removes those
-- of yesterday: texts and ids of people stay no longer than needed.
CREATE FUNCTION mynah.orders_1(p_node uuid, p_batch text)
RETURNS TABLE (o_id text, o_account text, o_body text, o_by text) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    DELETE FROM mynah."order" o WHERE o.expires < clock_timestamp() - interval '1 day';
    IF NOT EXISTS (SELECT 1 FROM mynah."order" o WHERE o.done IS NULL) THEN
        RETURN;
    END IF;
    PERFORM set_config('synchronous_commit', 'on', true);
    UPDATE mynah."order" o SET done = clock_timestamp(), body = ''
        WHERE o.done IS NULL AND o.epoch IS NULL AND o.expires <= clock_timestamp();
    UPDATE mynah."order" o SET batch = p_batch, node = n.name, epoch = l.epoch, taken = clock_timestamp()
        FROM mynah.lease l, mynah.node n
        WHERE l.account = o.account AND l.holder = p_node AND NOT l.giving AND n.id = p_node AND n.expires > clock_timestamp()
            AND o.done IS NULL AND o.expires > clock_timestamp() AND o.epoch IS DISTINCT FROM l.epoch;
    RETURN QUERY SELECT o.id::text, a.name, o.body, o.by_whom FROM mynah."order" o JOIN mynah.account a USING (account)
        WHERE o.batch = p_batch AND o.done IS NULL ORDER BY o.at, o.id;
END $$;

CREATE FUNCTION mynah.answer_1(p_node uuid, p_id uuid, p_is_done boolean, p_text text)
RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'on', true);
    UPDATE mynah."order" o SET done = clock_timestamp(), is_done = p_is_done, answer = p_text, body = ''
        FROM mynah.lease l
        WHERE o.id = p_id AND o.done IS NULL AND l.account = o.account AND l.holder = p_node AND l.epoch = o.epoch;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM pg_notify('mynah', 'answer');
    RETURN true;
END $$;

-- The state of an order: 0 missing, 1 waits, 2 answered, 3 never taken, 4 taken without an answer in time. An order that is
-- not taken in time is closed, so that no node takes it later.
CREATE FUNCTION mynah.order_state_1(p_id uuid, p_longer_ms bigint, OUT o_state integer, OUT o_is_done boolean,
    OUT o_answer text, OUT o_node text) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_order mynah."order";
BEGIN
    UPDATE mynah."order" SET done = clock_timestamp(), body = ''
        WHERE id = p_id AND done IS NULL AND epoch IS NULL AND expires <= clock_timestamp();
    SELECT * INTO v_order FROM mynah."order" WHERE id = p_id;
    o_node := coalesce(v_order.node, '');
    o_state := CASE WHEN v_order.id IS NULL THEN 0
        WHEN v_order.done IS NOT NULL AND v_order.epoch IS NULL THEN 3
        WHEN v_order.done IS NOT NULL THEN 2
        WHEN v_order.expires + p_longer_ms * interval '1 millisecond' <= clock_timestamp() THEN 4
        ELSE 1 END;
    o_is_done := coalesce(v_order.is_done, false);
    o_answer := coalesce(v_order.answer, '');
END $$;

CREATE FUNCTION mynah.drain_node_1(p_name text) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_number bigint;
BEGIN
    UPDATE mynah.node n SET draining = true WHERE n.name = p_name AND n.expires > clock_timestamp()
        AND EXISTS (SELECT 1 FROM mynah.offer o WHERE o.node = n.id);
    GET DIAGNOSTICS v_number = ROW_COUNT;
    PERFORM pg_notify('mynah', 'drain');
    RETURN v_number;
END $$;

-- 0 if there is no such account, 1 if no live node of this name can run it, 2 if it moves.
CREATE FUNCTION mynah.move_1(p_account text, p_node text) RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_account integer;
BEGIN
    SELECT a.account INTO v_account FROM mynah.account a WHERE a.name = p_account;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    PERFORM 1 FROM mynah.node n JOIN mynah.offer o ON o.node = n.id
        WHERE n.name = p_node AND n.expires > clock_timestamp() AND NOT n.draining AND v_account = ANY (o.accounts);
    IF NOT FOUND THEN
        RETURN 1;
    END IF;
    UPDATE mynah.lease l SET moving_to = p_node, moving_until = clock_timestamp() + interval '1 minute', not_before = NULL
        WHERE l.account = v_account AND NOT EXISTS (
            SELECT 1 FROM mynah.node n WHERE n.id = l.holder AND n.name = p_node AND n.expires > clock_timestamp());
    PERFORM pg_notify('mynah', 'move');
    RETURN 2;
END $$;

-- After a restore. Later processes cannot meet a number that was given away after the backup.
CREATE FUNCTION mynah.restored_1() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_number bigint;
BEGIN
    PERFORM set_config('synchronous_commit', 'on', true);
    UPDATE mynah.lease SET holder = NULL, epoch = epoch + 1000000, giving = false, ended = NULL,
        silent_epoch = CASE WHEN holder IS NULL THEN silent_epoch ELSE epoch END, since = clock_timestamp(), moving_to = NULL, moving_until = NULL;
    GET DIAGNOSTICS v_number = ROW_COUNT;
    DELETE FROM mynah.holding;
    DELETE FROM mynah.live;
    -- Whether an order was done after the backup is unknown; it is not done once more.
    UPDATE mynah."order" SET done = clock_timestamp() WHERE done IS NULL;
    PERFORM pg_notify('mynah', 'restored');
    RETURN v_number;
END $$;
