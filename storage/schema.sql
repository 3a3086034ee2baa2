-- The tables of a mirror. Made as a whole in a new file; an older file gets here by the numbered
-- migrations. What people and programs query are the views (views.sql) and these names.
--
-- Not STRICT: SQLite before 3.37 could not open the file at all. The program binds exact types.

-- One impression a row, the user agent apart. `timestamp` is the API's own text, local to the
-- account; the other three times are UTC seconds: first stored, last changed, and (NULL as long
-- as the API shows the row) not there any more when its window was last read whole.
CREATE TABLE impression_rows (
    id          INTEGER PRIMARY KEY,
    mailing     INTEGER,
    timestamp   TEXT NOT NULL,
    ip          TEXT,
    user_agent  INTEGER REFERENCES user_agents (id),
    destination INTEGER,
    profile     INTEGER,
    subprofile  INTEGER,
    extra       TEXT,
    first_seen  INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL,
    removed_at  INTEGER
);

-- Always there: windows, counts and most questions go by time. The indexes on mailing,
-- destination, profile and changed_at are optional and follow the configuration.
CREATE INDEX impression_rows_timestamp ON impression_rows (timestamp);

-- Nearly always empty. With it, the rows that the API still shows are counted in two indexes,
-- without a look at any row.
CREATE INDEX impression_rows_removed ON impression_rows (timestamp) WHERE removed_at IS NOT NULL;

-- User agents repeat without end: each is kept once, with its device.
CREATE TABLE user_agents (
    id        INTEGER PRIMARY KEY,
    useragent TEXT,
    device    TEXT
);

-- Unique with NULLs, too: no text equals the number 0.
CREATE UNIQUE INDEX user_agents_unique ON user_agents (ifnull(useragent, 0), ifnull(device, 0));

-- What is whole and stored, half-open periods in UTC seconds, merged and disjoint for each age.
-- Age 0 is what was read at all, age A what was read when it was at least A seconds old. The
-- local bounds name the largest account-local period that lies inside, since SQL knows no zones:
-- an hour that occurs twice counts when both of its passes are covered.
CREATE TABLE coverage (
    age         INTEGER NOT NULL,
    "begin"     INTEGER NOT NULL,
    "end"       INTEGER NOT NULL,
    local_begin TEXT NOT NULL,
    local_end   TEXT NOT NULL
);

-- An index apart, so that the mark can move (only "end" changes) with one page written.
CREATE UNIQUE INDEX coverage_unique ON coverage (age, "begin");

-- Records that cannot be rows, one row for each distinct record: the window that returned it,
-- its timestamp where that can be read, why it is here, the record itself as JSON, and how often
-- the window returned it: the API counts each of them. `id` is its ID if that is usable: it may
-- be that of a row, since nobody promises that IDs are unique.
CREATE TABLE rejects (
    received_at INTEGER NOT NULL,
    "begin"     INTEGER NOT NULL,
    "end"       INTEGER NOT NULL,
    timestamp   TEXT,
    reason      TEXT NOT NULL,
    record      TEXT NOT NULL,
    copies      INTEGER NOT NULL DEFAULT 1,
    id          INTEGER
);

CREATE UNIQUE INDEX rejects_unique ON rejects (record);
CREATE INDEX rejects_timestamp ON rejects (timestamp);
CREATE INDEX rejects_begin ON rejects ("begin");
CREATE INDEX rejects_id ON rejects (id) WHERE id IS NOT NULL;

-- Periods, half-open and disjoint, UTC seconds, in which a whole read missed so many rows at once
-- that it may have been a mistake: these rows are not marked as removed until a read at least an
-- hour after `noticed_at` misses them, too. `rows`: how many they were.
CREATE TABLE doubts (
    noticed_at INTEGER NOT NULL,
    "begin"    INTEGER NOT NULL,
    "end"      INTEGER NOT NULL,
    rows       INTEGER NOT NULL
);

CREATE UNIQUE INDEX doubts_unique ON doubts ("begin");

-- How many rows came how long after their timestamp into a period that was covered already, in
-- seconds: exact up to two minutes, two significant digits beyond.
CREATE TABLE lateness (
    seconds INTEGER PRIMARY KEY,
    rows    INTEGER NOT NULL
);

-- One row for each run of the program, kept 90 days. `unread` is a JSON array of the windows that
-- the run could not complete, with "begin", "end" (UTC seconds) and "reason"; NULL for none.
CREATE TABLE runs (
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

-- How many requests all processes on the file made, by UTC day (YYYY-MM-DD), kept a year: what an API
-- that bills them is asked, and what [api] requests_per_day limits.
CREATE TABLE requests (
    day      TEXT PRIMARY KEY NOT NULL,
    requests INTEGER NOT NULL
);

-- Facts of the file as a whole: whose it is, how many rows it holds, when it last changed.
CREATE TABLE mirror (
    key   TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);
