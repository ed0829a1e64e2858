-- What opens salted digests in the records, sealed under a key of the person it is about. Deleted when the person is erased;
-- what SQLite keeps of a deleted row is then sealed under a key that is nowhere.
CREATE TABLE disclosures (
    log      INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    place    INTEGER NOT NULL,
    person   BLOB    NOT NULL, -- random, 16 bytes
    sealed   BLOB    NOT NULL,
    PRIMARY KEY (log, sequence, place)
) STRICT, WITHOUT ROWID;

CREATE INDEX disclosures_person ON disclosures (log, person);

-- Who was erased: their keys are destroyed after the append that says so, and again wherever they come back from a copy.
CREATE TABLE erased_persons (
    person BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;
