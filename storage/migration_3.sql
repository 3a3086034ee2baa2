-- From version 2, which had one stream, to version 3. Tables are made anew, so that `stream` is their
-- first column; not by renaming, which SQLite refuses if a user's view is broken. The rows
-- of the stream and its dictionary stay as they are.
CREATE TABLE coverage_2 AS SELECT * FROM coverage;
CREATE TABLE rejects_2 AS SELECT * FROM rejects;
CREATE TABLE lateness_2 AS SELECT * FROM lateness;
CREATE TABLE runs_2 AS SELECT * FROM runs;
CREATE TABLE mirror_2 AS SELECT * FROM mirror;
DROP TABLE coverage;
DROP TABLE rejects;
DROP TABLE lateness;
DROP TABLE runs;
DROP TABLE mirror;

CREATE TABLE coverage (
    stream      TEXT NOT NULL,
    age         INTEGER NOT NULL,
    "begin"     INTEGER NOT NULL,
    "end"       INTEGER NOT NULL,
    local_begin TEXT NOT NULL,
    local_end   TEXT NOT NULL
);
CREATE UNIQUE INDEX coverage_unique ON coverage (stream, age, "begin");
CREATE TABLE rejects (
    stream      TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    "begin"     INTEGER NOT NULL,
    "end"       INTEGER NOT NULL,
    timestamp   TEXT,
    reason      TEXT NOT NULL,
    record      TEXT NOT NULL,
    copies      INTEGER NOT NULL DEFAULT 1,
    id          INTEGER
);
CREATE UNIQUE INDEX rejects_unique ON rejects (stream, record);
CREATE INDEX rejects_timestamp ON rejects (stream, timestamp);
CREATE INDEX rejects_begin ON rejects (stream, "begin");
CREATE INDEX rejects_id ON rejects (stream, id) WHERE id IS NOT NULL;
CREATE TABLE doubts (
    stream     TEXT NOT NULL,
    noticed_at INTEGER NOT NULL,
    "begin"    INTEGER NOT NULL,
    "end"      INTEGER NOT NULL,
    rows       INTEGER NOT NULL
);
CREATE UNIQUE INDEX doubts_unique ON doubts (stream, "begin");
CREATE TABLE lateness (
    stream  TEXT NOT NULL,
    seconds INTEGER NOT NULL,
    rows    INTEGER NOT NULL
);
CREATE UNIQUE INDEX lateness_unique ON lateness (stream, seconds);
CREATE TABLE runs (
    stream     TEXT NOT NULL,
    id         INTEGER PRIMARY KEY,
    kind       TEXT NOT NULL,
    "begin"    INTEGER NOT NULL,
    "end"      INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    requests   INTEGER NOT NULL,
    inserted   INTEGER NOT NULL,
    updated    INTEGER NOT NULL,
    unchanged  INTEGER NOT NULL,
    rejected   INTEGER NOT NULL,
    outcome    TEXT NOT NULL,
    unread     TEXT
);
CREATE TABLE requests (
    day      TEXT PRIMARY KEY NOT NULL,
    requests INTEGER NOT NULL
);
CREATE TABLE erased (
    stream    TEXT NOT NULL,
    id        INTEGER NOT NULL,
    timestamp TEXT NOT NULL,
    copies    INTEGER NOT NULL DEFAULT 1,
    gone_at   INTEGER
);
CREATE UNIQUE INDEX erased_unique ON erased (stream, id, timestamp);
CREATE INDEX erased_timestamp ON erased (stream, timestamp);
CREATE TABLE erasures (
    stream TEXT NOT NULL,
    kind   TEXT NOT NULL,
    value  TEXT NOT NULL
);
CREATE UNIQUE INDEX erasures_unique ON erasures (stream, kind, value);
CREATE TABLE erased_entries (
    dictionary TEXT NOT NULL,
    id         INTEGER NOT NULL
);
CREATE UNIQUE INDEX erased_entries_unique ON erased_entries (dictionary, id);
CREATE TABLE open_rules (
    place      INTEGER PRIMARY KEY,
    rule       TEXT NOT NULL,
    kind       TEXT NOT NULL,
    field      TEXT NOT NULL,
    form       TEXT NOT NULL,
    pattern    TEXT NOT NULL,
    valid_from TEXT,
    valid_to   TEXT,
    source     TEXT NOT NULL,
    enabled    INTEGER NOT NULL
);
CREATE TABLE open_kinds (
    user_agent INTEGER NOT NULL REFERENCES user_agents (id),
    kind       TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    valid_to   TEXT NOT NULL,
    rule       TEXT
);
CREATE UNIQUE INDEX open_kinds_unique ON open_kinds (user_agent, valid_from, valid_to, kind);
CREATE TABLE local_months (
    month       TEXT NOT NULL,
    local_begin TEXT NOT NULL,
    local_end   TEXT NOT NULL,
    day_zero    INTEGER NOT NULL
);
CREATE UNIQUE INDEX local_months_unique ON local_months (month, local_begin);
CREATE TABLE mirror (
    stream TEXT NOT NULL,
    key    TEXT NOT NULL,
    value  TEXT NOT NULL
);
CREATE UNIQUE INDEX mirror_unique ON mirror (stream, key);

INSERT INTO coverage SELECT 'impressions', age, "begin", "end", local_begin, local_end
    FROM coverage_2;
INSERT INTO rejects
    SELECT 'impressions', received_at, "begin", "end", timestamp, reason, record, copies, NULL
    FROM rejects_2;
INSERT INTO lateness SELECT 'impressions', seconds, rows FROM lateness_2;
INSERT INTO runs
    SELECT 'impressions', id, kind, "begin", "end", started_at, ended_at, requests, inserted,
           updated, unchanged, rejected, outcome, unread
    FROM runs_2;
INSERT INTO mirror
    SELECT CASE WHEN key IN ('account_id', 'account_name', 'api_url', 'time_zone',
                             'program_version', 'created_at', 'server_clock_offset')
                THEN '' ELSE 'impressions' END, key, value
    FROM mirror_2;
DROP TABLE coverage_2;
DROP TABLE rejects_2;
DROP TABLE lateness_2;
DROP TABLE runs_2;
DROP TABLE mirror_2;
