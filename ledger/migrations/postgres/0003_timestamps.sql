-- What a time-stamp authority said of a log's checkpoints. Kept for good, backed up with the records: it cannot be made again.
CREATE TABLE probity.timestamps (
    log        BIGINT NOT NULL,
    origin     TEXT   COLLATE "C" NOT NULL, -- a log that was restored has another one
    size       BIGINT NOT NULL, -- of the checkpoint
    time       BIGINT NOT NULL, -- by the authority's clock, in microseconds
    checkpoint TEXT   NOT NULL, -- as the log signed it, and as it was stamped
    reply      BYTEA  NOT NULL, -- as the authority sent it (RFC 3161)
    PRIMARY KEY (log, origin, size)
);
