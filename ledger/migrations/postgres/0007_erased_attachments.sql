-- Attachments that were erased, and the record that says so. Their content is gone; kept, so that who asks is told.
CREATE TABLE probity.erased_attachments (
    log      BIGINT NOT NULL,
    blake3   TEXT   COLLATE "C" NOT NULL,
    sequence BIGINT NOT NULL, -- the newest such record
    PRIMARY KEY (log, blake3)
);
