-- Content that was streamed in before a record names it. Not derived: kept and backed up with the records.

-- One row an upload. Its bytes count for the log's quota from its beginning on.
CREATE TABLE probity.uploads (
    upload      BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- never given twice
    log         BIGINT  NOT NULL,
    blake3      TEXT    COLLATE "C" NOT NULL,
    size        BIGINT  NOT NULL,
    node        TEXT    COLLATE "C" NOT NULL, -- who takes it in: after a crash nobody does
    time_micros BIGINT  NOT NULL, -- when it began, or was last asked for
    whole       BOOLEAN NOT NULL, -- once every part is there and has the hash
    first       BIGINT            -- records of the log before the append that first named it
);

CREATE UNIQUE INDEX uploads_whole ON probity.uploads (log, blake3) WHERE whole;

CREATE INDEX uploads_size ON probity.uploads (log, size);

CREATE TABLE probity.attachment_parts (
    upload  BIGINT  NOT NULL REFERENCES probity.uploads ON DELETE CASCADE,
    part    INTEGER NOT NULL, -- from 0
    content BYTEA   NOT NULL,
    PRIMARY KEY (upload, part)
);

-- Whatever is large enough to be streamed is most often compressed already.
ALTER TABLE probity.attachment_parts ALTER COLUMN content SET STORAGE EXTERNAL;
