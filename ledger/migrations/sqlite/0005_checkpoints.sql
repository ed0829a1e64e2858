-- Checkpoints where the signer's key changed, signed by both keys. Kept for good, backed up with the records: they cannot be made again.
CREATE TABLE checkpoints (
    log        INTEGER NOT NULL,
    size       INTEGER NOT NULL,
    checkpoint TEXT    NOT NULL, -- as the log signed it
    PRIMARY KEY (log, size)
) STRICT, WITHOUT ROWID;
