-- What witnesses said of a log's checkpoints. Kept for good, backed up with the records: it cannot be made again.
CREATE TABLE probity.cosignatures (
    log        BIGINT NOT NULL,
    origin     TEXT   COLLATE "C" NOT NULL, -- a log that was restored has another one
    size       BIGINT NOT NULL, -- of the checkpoint
    witness    TEXT   COLLATE "C" NOT NULL, -- name and id of its key
    bytes      BIGINT NOT NULL, -- of all lines up to that size
    checkpoint TEXT   NOT NULL, -- as the log signed it
    line       TEXT   NOT NULL, -- the witness's signature line
    PRIMARY KEY (log, origin, size, witness)
);
