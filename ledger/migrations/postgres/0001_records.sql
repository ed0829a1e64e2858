-- The record store, in a schema of its own. Trusted for nothing about integrity: the records prove themselves.
-- Keys compare by byte (COLLATE "C"), whatever the database's language.

-- One row a log: what the next append compares with, and swaps. Half of each page is left free, so that the new version of
-- a row finds room beside the old one.
CREATE TABLE probity.logs (
    log        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant     TEXT   COLLATE "C" NOT NULL UNIQUE,
    size       BIGINT NOT NULL,
    root       BYTEA  NOT NULL,
    range      BYTEA  NOT NULL, -- hashes of the complete subtrees, 32 bytes each
    bytes      BIGINT NOT NULL, -- of all lines, line feeds included
    epoch      BIGINT NOT NULL,
    node       TEXT   COLLATE "C", -- the owner's id
    checkpoint TEXT   NOT NULL
) WITH (fillfactor = 50);

CREATE INDEX logs_node ON probity.logs (node) WHERE node IS NOT NULL;

-- The lines. They stay in their row as far as a page allows and are not compressed: for lines of 3 KB that halved the time of
-- an append, for a quarter more space.
CREATE TABLE probity.records (
    log         BIGINT NOT NULL,
    sequence    BIGINT NOT NULL,
    time_micros BIGINT NOT NULL,
    leaf        BYTEA  NOT NULL,
    line        BYTEA  NOT NULL,
    PRIMARY KEY (log, sequence)
) WITH (toast_tuple_target = 8160);

ALTER TABLE probity.records ALTER COLUMN line SET STORAGE EXTERNAL;

-- Where the records of a subject are. Ids are UUIDv7, so the keys come nearly in order.
CREATE TABLE probity.subjects (
    log      BIGINT NOT NULL,
    subject  TEXT   COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    PRIMARY KEY (log, subject, revision)
);

CREATE TABLE probity.aliases (
    log     BIGINT NOT NULL,
    alias   TEXT   COLLATE "C" NOT NULL,
    subject TEXT   NOT NULL,
    PRIMARY KEY (log, alias)
);

CREATE TABLE probity.idempotency (
    log         BIGINT NOT NULL,
    key         TEXT   COLLATE "C" NOT NULL,
    fingerprint BYTEA  NOT NULL,
    first       BIGINT NOT NULL,
    count       BIGINT NOT NULL,
    time_micros BIGINT NOT NULL,
    reply       TEXT   NOT NULL,
    PRIMARY KEY (log, key)
);

CREATE INDEX idempotency_time ON probity.idempotency (time_micros);

CREATE TABLE probity.attachments (
    log     BIGINT NOT NULL,
    blake3  TEXT   COLLATE "C" NOT NULL,
    first   BIGINT NOT NULL, -- records of the log before the append it came with
    size    BIGINT NOT NULL, -- so that a list of names reads no content
    content BYTEA  NOT NULL,
    PRIMARY KEY (log, blake3)
);

-- Derived: may be deleted, comes back the same.
CREATE TABLE probity.snapshots (
    log     BIGINT PRIMARY KEY,
    size    BIGINT NOT NULL,
    content BYTEA  NOT NULL
);

-- Derived, too.
CREATE TABLE probity.tiles (
    log    BIGINT   NOT NULL,
    level  SMALLINT NOT NULL,
    idx    BIGINT   NOT NULL,
    hashes BYTEA    NOT NULL,
    PRIMARY KEY (log, level, idx)
);

-- Leases, one a node, by this database's clock.
CREATE TABLE probity.nodes (
    node    TEXT        COLLATE "C" PRIMARY KEY,
    address TEXT        NOT NULL,
    expires TIMESTAMPTZ NOT NULL
);
