-- The record store. Trusted for nothing about integrity: the records prove themselves.

-- One row a log: what the next append compares with, and swaps.
CREATE TABLE logs (
    log        INTEGER PRIMARY KEY,
    tenant     TEXT    NOT NULL UNIQUE,
    size       INTEGER NOT NULL,
    root       BLOB    NOT NULL,
    range      BLOB    NOT NULL, -- hashes of the complete subtrees, 32 bytes each
    bytes      INTEGER NOT NULL, -- of all lines, line feeds included
    epoch      INTEGER NOT NULL,
    node       TEXT,             -- the owner's id
    checkpoint TEXT    NOT NULL
) STRICT;

-- The lines. Rows lie in the order of their writing; WITHOUT ROWID would give each line above 2 KiB pages of its own.
CREATE TABLE records (
    log         INTEGER NOT NULL,
    sequence    INTEGER NOT NULL,
    time_micros INTEGER NOT NULL,
    leaf        BLOB    NOT NULL,
    line        BLOB    NOT NULL,
    PRIMARY KEY (log, sequence)
) STRICT;

-- Where the records of a subject are. Ids are UUIDv7, so the keys come nearly in order.
CREATE TABLE subjects (
    log      INTEGER NOT NULL,
    subject  TEXT    NOT NULL,
    revision INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (log, subject, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE aliases (
    log     INTEGER NOT NULL,
    alias   TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    PRIMARY KEY (log, alias)
) STRICT, WITHOUT ROWID;

-- Rows lie in the order of their writing, so the oldest are found without an index on time.
CREATE TABLE idempotency (
    log         INTEGER NOT NULL,
    key         TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL,
    first       INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    time_micros INTEGER NOT NULL,
    reply       TEXT    NOT NULL,
    PRIMARY KEY (log, key)
) STRICT;

CREATE TABLE attachments (
    log     INTEGER NOT NULL,
    blake3  TEXT    NOT NULL,
    first   INTEGER NOT NULL, -- records of the log before the append it came with
    size    INTEGER NOT NULL, -- so that a list of names reads no content
    content BLOB    NOT NULL,
    PRIMARY KEY (log, blake3)
) STRICT;

-- Derived: may be deleted, comes back the same.
CREATE TABLE snapshots (
    log     INTEGER PRIMARY KEY,
    size    INTEGER NOT NULL,
    content BLOB    NOT NULL
) STRICT;

-- Derived, too.
CREATE TABLE tiles (
    log    INTEGER NOT NULL,
    level  INTEGER NOT NULL,
    idx    INTEGER NOT NULL,
    hashes BLOB    NOT NULL,
    PRIMARY KEY (log, level, idx)
) STRICT;

-- Who serves this file. No expiry: the lock file beside the database is the lease.
CREATE TABLE nodes (
    node    TEXT PRIMARY KEY,
    address TEXT NOT NULL
) STRICT, WITHOUT ROWID;
