-- Checkpoints where the signer's key changed, signed by both keys. Kept for good, backed up with the records: they cannot be made again.
CREATE TABLE probity.checkpoints (
    log        BIGINT NOT NULL,
    size       BIGINT NOT NULL,
    checkpoint TEXT   NOT NULL, -- as the log signed it
    PRIMARY KEY (log, size)
);
