-- The catalog of an archive: where everything is. All of it is made from log and segments and can be deleted.
-- Points in time are microseconds since 1970. Segments are hot ones by their number, sealed ones by its negative.

-- Documents with captures, numbered in the order of the first ones. Ids are random: an index of captures by them would be a page
-- to read and to write for each capture; numbers of documents that are captured at one time lie together.
CREATE TABLE documents (
    number INTEGER PRIMARY KEY,
    doc TEXT NOT NULL UNIQUE,
    -- From here on as it was fetched last, in its latest edition: what lists are narrowed by. NULL if nothing is left of it.
    captured_at INTEGER,
    capture INTEGER,
    leaf INTEGER,
    -- The site of its address, else the inbox.
    source TEXT,
    -- Without what follows the first hyphen.
    language TEXT,
    flags TEXT
) STRICT;
CREATE INDEX documents_by_time ON documents (captured_at);
CREATE INDEX documents_by_source ON documents (source, captured_at);
CREATE INDEX documents_by_language ON documents (language, captured_at);
CREATE INDEX documents_by_flags ON documents (captured_at) WHERE flags IS NOT NULL;

CREATE TABLE capture_rows (
    leaf INTEGER PRIMARY KEY,
    document INTEGER NOT NULL REFERENCES documents (number),
    capture INTEGER NOT NULL,
    version INTEGER NOT NULL,
    metadata BLOB NOT NULL,
    -- From here on NULL if the metadata record is lost.
    same_as INTEGER,
    change TEXT,
    claim TEXT,
    part INTEGER,
    root TEXT,
    path TEXT,
    signature TEXT,
    captured_at INTEGER,
    received_at INTEGER,
    url TEXT,
    media_type TEXT,
    raw_bytes INTEGER,
    raw BLOB,
    text BLOB,
    story BLOB,
    -- NULL for duplicates too: the capture that same_as names has it.
    title TEXT,
    language TEXT,
    -- Parted by blanks; NULL if there are none.
    flags TEXT,
    rules TEXT,
    -- How much cleaning took away; NULL where the metadata does not tell.
    input_bytes INTEGER,
    removed_bytes INTEGER,
    footers INTEGER,
    credits INTEGER,
    captions INTEGER,
    text_offset INTEGER,
    text_length INTEGER,
    -- Text and metadata of one capture lie in one segment.
    segment INTEGER,
    metadata_offset INTEGER,
    metadata_length INTEGER
) STRICT;
CREATE UNIQUE INDEX captures_by_number ON capture_rows (document, capture);
CREATE INDEX captures_by_claim ON capture_rows (claim, part);
CREATE INDEX captures_by_path ON capture_rows (path, root);
CREATE INDEX captures_by_place ON capture_rows (segment, metadata_offset);
-- Only of those whose record is still to be found: an index of all digests would be a page to write for each capture.
CREATE INDEX captures_to_place ON capture_rows (metadata) WHERE segment IS NULL;

-- Captures with the ids of their documents.
CREATE VIEW captures AS SELECT d.doc, c.* FROM capture_rows AS c JOIN documents AS d ON d.number = c.document;

-- What happened that is no capture.
CREATE TABLE events (
    leaf INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    -- Of a source, an id that is made in the same way.
    doc TEXT NOT NULL,
    -- NULL if it is about none.
    capture INTEGER,
    metadata BLOB NOT NULL,
    -- From here on NULL if the metadata record is lost.
    happened_at INTEGER,
    -- What its block says, as JSON, where that is asked for often.
    detail TEXT,
    segment INTEGER,
    metadata_offset INTEGER,
    metadata_length INTEGER
) STRICT;
CREATE INDEX events_by_doc ON events (doc, capture);
CREATE INDEX events_by_kind ON events (kind);
CREATE INDEX events_by_place ON events (segment, metadata_offset);
CREATE INDEX events_to_place ON events (metadata) WHERE segment IS NULL;

-- Captures that were cleaned again; each is an event too.
CREATE TABLE editions (
    leaf INTEGER PRIMARY KEY,
    doc TEXT NOT NULL,
    capture INTEGER NOT NULL,
    edition INTEGER NOT NULL,
    cleaned_at INTEGER NOT NULL,
    metadata BLOB NOT NULL,
    raw BLOB NOT NULL,
    text BLOB NOT NULL,
    story BLOB NOT NULL,
    title TEXT,
    language TEXT,
    flags TEXT,
    rules TEXT NOT NULL,
    -- NULL if the text record is lost.
    text_offset INTEGER,
    text_length INTEGER,
    -- Text and metadata of one edition lie in one segment.
    segment INTEGER NOT NULL,
    metadata_offset INTEGER NOT NULL,
    metadata_length INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX editions_by_number ON editions (doc, capture, edition);

-- All leaves. What is asked of a view is asked of both tables, each with its own indexes.
CREATE VIEW leaves AS
    SELECT leaf, 'capture' AS kind, doc, capture, version, metadata,
        received_at AS happened_at, change, coalesce(url, root || '/' || path) AS source, NULL AS detail,
        segment, metadata_offset, metadata_length, text_offset, text_length FROM captures
    UNION ALL
    SELECT e.leaf, e.kind, e.doc, e.capture, NULL, e.metadata,
        e.happened_at, NULL, NULL, e.detail,
        e.segment, e.metadata_offset, e.metadata_length, t.text_offset, t.text_length
        FROM events AS e LEFT JOIN editions AS t ON t.leaf = e.leaf;

-- Where raw bytes are; of several records with the same bytes the one that was found last.
CREATE TABLE raws (
    digest BLOB PRIMARY KEY,
    segment INTEGER NOT NULL,
    "offset" INTEGER NOT NULL,
    length INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- By what a document can be found: the evidence of its captures' identities, and addresses declared later.
CREATE TABLE names (
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (name, kind, doc)
) STRICT, WITHOUT ROWID;

-- The segments that records lie in.
CREATE TABLE segments (
    segment INTEGER PRIMARY KEY
) STRICT;

-- The catalog covers so many leaves; the records of the last one end there.
CREATE TABLE high_water (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    leaves INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    "offset" INTEGER NOT NULL
) STRICT;
INSERT INTO high_water VALUES (1, 0, 1, 0);
