-- Content that was streamed in before a record names it. Not derived: kept and backed up with the records.

-- One row an upload. Its bytes count for the log's quota from its beginning on.
CREATE TABLE uploads (
    upload      INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice
    log         INTEGER NOT NULL,
    blake3      TEXT    NOT NULL,
    size        INTEGER NOT NULL,
    node        TEXT    NOT NULL, -- who takes it in: after a crash nobody does
    time_micros INTEGER NOT NULL, -- when it began, or was last asked for
    whole       INTEGER NOT NULL, -- 1 once every part is there and has the hash
    first       INTEGER           -- records of the log before the append that first named it
) STRICT;

CREATE UNIQUE INDEX uploads_whole ON uploads (log, blake3) WHERE whole = 1;

CREATE INDEX uploads_size ON uploads (log, size);

CREATE TABLE attachment_parts (
    upload  INTEGER NOT NULL,
    part    INTEGER NOT NULL, -- from 0
    content BLOB    NOT NULL,
    PRIMARY KEY (upload, part)
) STRICT;

CREATE TRIGGER uploads_gone AFTER DELETE ON uploads BEGIN
    DELETE FROM attachment_parts WHERE upload = old.upload;
END;
