-- Format 1. The account leads every key. Queues (inbox, outbox) are narrow tables beside logs to which rows are only
-- added. Texts compare byte by byte, as in the other stores.

CREATE SCHEMA mynah;

CREATE TABLE mynah.schema_version (
    version         integer PRIMARY KEY,
    -- The oldest program that works with this format: its newest known format.
    compatible_from integer NOT NULL,
    at              timestamptz NOT NULL DEFAULT now()
);

-- ------------------------------------------------------------------------------------------------ nodes and leases

-- One incarnation of one process. `number` names the lock that its control session holds. Only those that share accounts
-- have rows in `offer`.
CREATE TABLE mynah.node (
    id       uuid PRIMARY KEY,
    number   integer NOT NULL GENERATED ALWAYS AS IDENTITY,
    name     text COLLATE "C" NOT NULL,
    zone     text COLLATE "C" NOT NULL DEFAULT '',
    -- Takes accounts of zones without a live node for this long; null for never.
    leave_zone_ms bigint,
    weight   integer NOT NULL DEFAULT 1,
    version  text NOT NULL,
    joined   timestamptz NOT NULL DEFAULT clock_timestamp(),
    beaten   timestamptz NOT NULL,
    expires  timestamptz NOT NULL,
    draining boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);

-- The accounts that a node can run. Beside `node`, whose rows change with every sign of life.
CREATE TABLE mynah.offer (
    node     uuid PRIMARY KEY,
    accounts integer[] NOT NULL
);

-- In which life of the server the control session of a node took its lock. A server that recovered from a crash, and a
-- standby that was promoted, have none of these rows and none of the locks, and so take nobody for dead.
CREATE UNLOGGED TABLE mynah.session (
    number integer PRIMARY KEY,
    server timestamptz NOT NULL
);

CREATE TABLE mynah.account (
    account integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name    text COLLATE "C" NOT NULL UNIQUE
);

-- `epoch` rises with every change of the holder and never falls. `recovered` is the last epoch that has counted its
-- attempts, and `set_aside` what it set aside then. `ended` says how the former holder ended: null if it gave the lease
-- back, true if its process ended, false if it only gave no sign any more, or the server crashed. `silent_epoch` is the
-- last one whose holder gave no sign any more: its process may live, so its requests may be under way.
CREATE TABLE mynah.lease (
    account      integer PRIMARY KEY,
    holder       uuid,
    epoch        bigint NOT NULL DEFAULT 0,
    since        timestamptz NOT NULL DEFAULT clock_timestamp(),
    recovered    bigint NOT NULL DEFAULT 0,
    set_aside    text[] NOT NULL DEFAULT '{}',
    ended        boolean,
    silent_epoch bigint NOT NULL DEFAULT 0,
    -- The call of its holder that took it.
    try          bigint,
    -- Whether its holder was asked to give it back.
    giving       boolean NOT NULL DEFAULT false,
    last_node    text COLLATE "C",
    zone         text COLLATE "C",
    -- Failures of the account in a row; processes in a row that ended soon after they took it, and since when; until when no
    -- node takes it because of them.
    failures     integer NOT NULL DEFAULT 0,
    deaths       integer NOT NULL DEFAULT 0,
    deaths_since timestamptz,
    not_before   timestamptz,
    trouble      text,
    moving_to    text COLLATE "C",
    moving_until timestamptz
) WITH (fillfactor = 70);
CREATE INDEX lease_holder ON mynah.lease (holder);

-- The lease as calls look at it. The server empties this table when it recovers from a crash: it may then have lost the
-- last calls that it had answered, so that no holder may go on as if nothing had happened.
CREATE UNLOGGED TABLE mynah.holding (
    account integer PRIMARY KEY,
    holder  uuid NOT NULL,
    epoch   bigint NOT NULL
) WITH (fillfactor = 70);

-- When the next account of a zone may log in anew.
CREATE TABLE mynah.login (
    zone text COLLATE "C" PRIMARY KEY,
    next timestamptz NOT NULL
);

-- Orders for the holders of accounts. `batch` is the call that took it, `epoch` the lease under which that was.
CREATE TABLE mynah."order" (
    id      uuid PRIMARY KEY,
    account integer NOT NULL,
    body    text NOT NULL,
    by_whom text NOT NULL,
    at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires timestamptz NOT NULL,
    batch   text,
    node    text,
    epoch   bigint,
    taken   timestamptz,
    done    timestamptz,
    is_done boolean,
    answer  text
);
CREATE INDEX order_open ON mynah."order" (account) WHERE done IS NULL;

-- What people see of an account. Lost in a crash of the server.
CREATE UNLOGGED TABLE mynah.live (
    account integer PRIMARY KEY,
    holder  uuid NOT NULL,
    at      timestamptz NOT NULL,
    body    text NOT NULL
) WITH (fillfactor = 50);

-- Numbers are drawn under the lock of the writer of an account, so within an account their order is that of commits.
CREATE SEQUENCE mynah.seq CACHE 1;
CREATE SEQUENCE mynah.version CACHE 1;

-- ------------------------------------------------------------------------------------------------ events

CREATE TABLE mynah.seen (
    account  integer NOT NULL,
    id       text COLLATE "C" NOT NULL,
    seq      bigint NOT NULL,
    accepted bigint NOT NULL,
    PRIMARY KEY (account, id)
);
CREATE INDEX seen_accepted ON mynah.seen (account, accepted);

-- `private` marks a message or notice of a private chat, for the deletion of a person's data.
CREATE TABLE mynah.event (
    account  integer NOT NULL,
    seq      bigint NOT NULL,
    id       text COLLATE "C" NOT NULL,
    lane     text COLLATE "C" NOT NULL,
    time     bigint NOT NULL,
    accepted bigint NOT NULL,
    private  boolean NOT NULL,
    message  text COLLATE "C",
    person   text COLLATE "C",
    body     text,
    PRIMARY KEY (account, seq)
);
CREATE INDEX event_message ON mynah.event (account, message) WHERE message IS NOT NULL;

CREATE TABLE mynah.inbox (
    account  integer NOT NULL,
    lane     text COLLATE "C" NOT NULL,
    seq      bigint NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    -- Ends of a holder that only gave no sign any more.
    silences integer NOT NULL DEFAULT 0,
    begun    boolean NOT NULL,
    -- Whether it was a timer.
    due      boolean NOT NULL,
    PRIMARY KEY (account, lane, seq)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01);

CREATE TABLE mynah.decision (
    account integer NOT NULL,
    seq     bigint NOT NULL,
    handled bigint NOT NULL,
    decided text,
    PRIMARY KEY (account, seq)
);

CREATE TABLE mynah.hit (
    account integer NOT NULL,
    day     integer NOT NULL,
    -- Empty for all turns of the day.
    rule    text COLLATE "C" NOT NULL,
    times   bigint NOT NULL,
    last    bigint NOT NULL,
    PRIMARY KEY (account, day, rule)
) WITH (fillfactor = 50);

-- ------------------------------------------------------------------------------------------------ actions

-- `event` is the number of its event.
CREATE TABLE mynah.action (
    account    integer NOT NULL,
    event      bigint NOT NULL,
    n          integer NOT NULL,
    seq        bigint NOT NULL,
    chat       text COLLATE "C" NOT NULL,
    turn_order bigint NOT NULL,
    queued     bigint NOT NULL,
    body       text,
    PRIMARY KEY (account, event, n)
);

CREATE TABLE mynah.outbox (
    account    integer NOT NULL,
    chat       text COLLATE "C" NOT NULL,
    turn_order bigint NOT NULL,
    seq        bigint NOT NULL,
    event      bigint NOT NULL,
    n          integer NOT NULL,
    queued     bigint NOT NULL,
    not_before bigint NOT NULL,
    expires    bigint,
    attempts   integer NOT NULL DEFAULT 0,
    doubts     integer NOT NULL DEFAULT 0,
    -- Whether it writes a row of a table.
    saves      boolean NOT NULL,
    claimed    bigint,
    last_claim bigint,
    -- The request of its last claim may be under way until then.
    until      bigint,
    -- The claim was made with this token in this epoch.
    token      bigint,
    epoch      bigint,
    reason     text,
    PRIMARY KEY (account, chat, turn_order, seq)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01);
CREATE INDEX outbox_claimed ON mynah.outbox (account, chat) WHERE claimed IS NOT NULL;

CREATE TABLE mynah.outcome (
    account    integer NOT NULL,
    event      bigint NOT NULL,
    n          integer NOT NULL,
    chat       text COLLATE "C" NOT NULL,
    settled    bigint NOT NULL,
    outcome    text NOT NULL,
    reason     text,
    message    text,
    attempts   integer NOT NULL,
    last_claim bigint,
    -- Of an expired action: the token and the epoch of the claim that found it so.
    token      bigint,
    epoch      bigint,
    PRIMARY KEY (account, event, n)
);
CREATE INDEX outcome_settled ON mynah.outcome (account, settled);
CREATE INDEX outcome_claims ON mynah.outcome (account, last_claim) WHERE last_claim IS NOT NULL;
CREATE INDEX outcome_token ON mynah.outcome (account, token) WHERE token IS NOT NULL;

-- ------------------------------------------------------------------------------------------------ state

-- `scope`: 0 the bot, 1 a chat, 2 a person in a chat. `name` is that of the person at the last change.
CREATE TABLE mynah.state (
    account integer NOT NULL,
    scope   smallint NOT NULL,
    chat    text COLLATE "C" NOT NULL,
    person  text COLLATE "C" NOT NULL,
    key     text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    expires bigint,
    name    text,
    value   text NOT NULL,
    PRIMARY KEY (account, scope, chat, person, key)
) WITH (fillfactor = 70);
CREATE INDEX state_expiry ON mynah.state (account, expires) WHERE expires IS NOT NULL;

-- `body` is the timer, and `event_id`, `lane`, `event_body` the event that it becomes.
CREATE TABLE mynah.timer (
    account    integer NOT NULL,
    chat       text COLLATE "C" NOT NULL,
    key        text COLLATE "C" NOT NULL,
    at         bigint NOT NULL,
    person     text COLLATE "C",
    lane       text COLLATE "C" NOT NULL,
    event_id   text COLLATE "C" NOT NULL,
    event_body text NOT NULL,
    body       text NOT NULL,
    PRIMARY KEY (account, chat, key)
);
CREATE INDEX timer_due ON mynah.timer (account, at);

CREATE TABLE mynah.record (
    account integer NOT NULL,
    key     text COLLATE "C" NOT NULL,
    value   text NOT NULL,
    PRIMARY KEY (account, key)
) WITH (fillfactor = 50);

-- ------------------------------------------------------------------------------------------------ rows

-- The rows that rules save, once for each action. Not part of the log: they are kept.
CREATE TABLE mynah.saved_row (
    account integer NOT NULL,
    seq     bigint NOT NULL,
    event   text COLLATE "C" NOT NULL,
    n       integer NOT NULL,
    file    text COLLATE "C" NOT NULL,
    at      bigint NOT NULL,
    person  text COLLATE "C",
    cells   text[] NOT NULL,
    PRIMARY KEY (account, event, n)
);
CREATE INDEX saved_row_file ON mynah.saved_row (account, file, seq);

-- The marks of moves. An account with one is not opened for work. `moved` says that the data is elsewhere now.
CREATE TABLE mynah.moving (
    account integer PRIMARY KEY,
    moved   boolean NOT NULL,
    mark    text NOT NULL
);

-- The result of a claim. `kind`: 0 nothing, 1 wait until `at`, 2 send, 3 expired.
CREATE TYPE mynah.claim_1 AS (kind smallint, at bigint, event text, n integer, body text, queued bigint, attempt integer);
