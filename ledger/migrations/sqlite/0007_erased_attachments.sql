-- Attachments that were erased, and the record that says so. Their content is gone; kept, so that who asks is told.
CREATE TABLE erased_attachments (
    log         INTEGER NOT NULL,
    blake3      TEXT    NOT NULL,
    sequence    INTEGER NOT NULL, -- the newest such record
    overwritten INTEGER NOT NULL, -- 1 once nothing of the content is in the file
    PRIMARY KEY (log, blake3)
) STRICT, WITHOUT ROWID;
