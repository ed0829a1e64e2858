-- What witnesses said of a log's checkpoints. Kept for good, backed up with the records: it cannot be made again.
CREATE TABLE cosignatures (
    log        INTEGER NOT NULL,
    origin     TEXT    NOT NULL, -- a log that was restored has another one
    size       INTEGER NOT NULL, -- of the checkpoint
    witness    TEXT    NOT NULL, -- name and id of its key
    bytes      INTEGER NOT NULL, -- of all lines up to that size
    checkpoint TEXT    NOT NULL, -- as the log signed it
    line       TEXT    NOT NULL, -- the witness's signature line
    PRIMARY KEY (log, origin, size, witness)
) STRICT, WITHOUT ROWID;
