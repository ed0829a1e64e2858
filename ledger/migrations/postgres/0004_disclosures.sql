-- What opens salted digests in the records, sealed under a key of the person it is about. Deleted when the person is erased;
-- what the server keeps of a deleted row is then sealed under a key that is nowhere.
CREATE TABLE probity.disclosures (
    log      BIGINT  NOT NULL,
    sequence BIGINT  NOT NULL,
    place    INTEGER NOT NULL,
    person   BYTEA   NOT NULL, -- random, 16 bytes
    sealed   BYTEA   NOT NULL,
    PRIMARY KEY (log, sequence, place)
);

CREATE INDEX disclosures_person ON probity.disclosures (log, person);

-- Who was erased: their keys are destroyed after the append that says so, and again wherever they come back from a copy.
CREATE TABLE probity.erased_persons (
    person BYTEA PRIMARY KEY
);

-- The persons' keys, wrapped: apart from the records, so that a backup of one need not hold the other.
CREATE SCHEMA IF NOT EXISTS probity_keys;

CREATE TABLE probity_keys.persons (
    token  BYTEA PRIMARY KEY,             -- random, 16 bytes; stands for the person beside the disclosures
    tenant TEXT  COLLATE "C" NOT NULL,
    lookup BYTEA NOT NULL,                -- keyed hash of the person's id, under the wrapping key
    wrap   BYTEA NOT NULL,                -- which wrapping key
    sealed BYTEA NOT NULL,                -- the person's key and id
    UNIQUE (tenant, lookup)
);
