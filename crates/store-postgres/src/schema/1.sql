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

-- One incarnation of one process. `number` names the lock that its control session holds.
CREATE TABLE mynah.node (
    id      uuid PRIMARY KEY,
    number  integer NOT NULL GENERATED ALWAYS AS IDENTITY,
    name    text NOT NULL,
    version text NOT NULL,
    beaten  timestamptz NOT NULL,
    expires timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE mynah.account (
    account integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name    text COLLATE "C" NOT NULL UNIQUE
);

-- `epoch` rises with every change of the holder and never falls. `recovered` is the last epoch that has counted its
-- attempts, and `set_aside` what it set aside then.
CREATE TABLE mynah.lease (
    account   integer PRIMARY KEY,
    holder    uuid,
    epoch     bigint NOT NULL DEFAULT 0,
    since     timestamptz NOT NULL DEFAULT clock_timestamp(),
    recovered bigint NOT NULL DEFAULT 0,
    set_aside text[] NOT NULL DEFAULT '{}'
) WITH (fillfactor = 70);

-- The lease as calls look at it. The server empties this table when it recovers from a crash: it may then have lost the
-- last calls that it had answered, so that no holder may go on as if nothing had happened.
CREATE UNLOGGED TABLE mynah.holding (
    account integer PRIMARY KEY,
    holder  uuid NOT NULL,
    epoch   bigint NOT NULL
) WITH (fillfactor = 70);

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
