-- The tables of a mirror. Made as a whole in a new file; an older file gets here by the numbered
-- migrations. What people and programs query are the views (views.sql) and these names.
--
-- What each stream has of its own (its table of rows, its dictionaries, its view) is made from the
-- list of streams (stream_schema.hpp). `stream` is a stream's name in all tables here.
--
-- Not STRICT: SQLite before 3.37 could not open the file at all. The program binds exact types.

-- What is whole and stored, half-open periods in UTC seconds, merged and disjoint for each age.
-- Age 0 is what was read at all, age A what was read when it was at least A seconds old. The
-- local bounds name the largest account-local period that lies inside, since SQL knows no zones:
-- an hour that occurs twice counts when both of its passes are covered.
CREATE TABLE coverage (
    stream      TEXT NOT NULL,
    age         INTEGER NOT NULL,
    "begin"     INTEGER NOT NULL,
    "end"       INTEGER NOT NULL,
    local_begin TEXT NOT NULL,
    local_end   TEXT NOT NULL
);

-- An index apart, so that the mark can move (only "end" changes) with one page written.
CREATE UNIQUE INDEX coverage_unique ON coverage (stream, age, "begin");

-- Records that cannot be rows, one row for each distinct record: the window that returned it,
-- its timestamp where that can be read, why it is here, the record itself as JSON, and how often
-- the window returned it: the API counts each of them. `id` is its ID if that is usable: it may
-- be that of a row, since nobody promises that IDs are unique.
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

-- Periods, half-open and disjoint, UTC seconds, in which a whole read missed so many rows at once
-- that it may have been a mistake: these rows are not marked as removed until a read at least an
-- hour after `noticed_at` misses them, too. `rows`: how many they were.
CREATE TABLE doubts (
    stream     TEXT NOT NULL,
    noticed_at INTEGER NOT NULL,
    "begin"    INTEGER NOT NULL,
    "end"      INTEGER NOT NULL,
    rows       INTEGER NOT NULL
);

CREATE UNIQUE INDEX doubts_unique ON doubts (stream, "begin");

-- How many rows came how long after their timestamp into a period that was covered already, in
-- seconds: exact up to two minutes, two significant digits beyond.
CREATE TABLE lateness (
    stream  TEXT NOT NULL,
    seconds INTEGER NOT NULL,
    rows    INTEGER NOT NULL
);

CREATE UNIQUE INDEX lateness_unique ON lateness (stream, seconds);

-- One row for each run of the program and each stream in it, kept 90 days. `unread` is a JSON array
-- of the windows that the run could not complete, with "begin", "end" (UTC seconds) and "reason";
-- NULL for none.
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

-- How many requests all processes on the file made, by UTC day (YYYY-MM-DD), kept a year: what an API
-- that bills them is asked, and what [api] requests_per_day limits.
CREATE TABLE requests (
    day      TEXT PRIMARY KEY NOT NULL,
    requests INTEGER NOT NULL
);

-- Records that `erase` deleted: what a re-read must not bring back. Nothing of a record but its ID
-- and its time, local as in the rows, so that counts of a period can be compared with the API's. A
-- record without a usable ID has a negative number, made from its text; one without a time has the
-- begin of its window. `copies`: how often the API returns it. `gone_at`, UTC seconds: a whole read
-- did not return it any more (NULL: the API shows and counts it). It stays remembered, in case it
-- comes again.
CREATE TABLE erased (
    stream    TEXT NOT NULL,
    id        INTEGER NOT NULL,
    timestamp TEXT NOT NULL,
    copies    INTEGER NOT NULL DEFAULT 1,
    gone_at   INTEGER
);

CREATE UNIQUE INDEX erased_unique ON erased (stream, id, timestamp);
CREATE INDEX erased_timestamp ON erased (stream, timestamp);

-- Erasures that have begun and are not finished, a row for each stream and each thing to erase by
-- ('profile', 'destination', 'ip', 'before'). No row that matches one is stored meanwhile.
CREATE TABLE erasures (
    stream TEXT NOT NULL,
    kind   TEXT NOT NULL,
    value  TEXT NOT NULL
);

CREATE UNIQUE INDEX erasures_unique ON erasures (stream, kind, value);

-- Entries of dictionaries that erased rows used, while it is not known if others use them.
CREATE TABLE erased_entries (
    dictionary TEXT NOT NULL,
    id         INTEGER NOT NULL
);

CREATE UNIQUE INDEX erased_entries_unique ON erased_entries (dictionary, id);

-- Which opens are not plainly a person's: the rules that the configuration names, in their order.
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

-- What the rules say of each user agent, once for each period in which they say the same. A look-up by
-- number and time reads the index alone.
CREATE TABLE open_kinds (
    user_agent INTEGER NOT NULL REFERENCES user_agents (id),
    kind       TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    valid_to   TEXT NOT NULL,
    rule       TEXT
);

CREATE UNIQUE INDEX open_kinds_unique ON open_kinds (user_agent, valid_from, valid_to, kind);

-- How the account's local time becomes UTC, from 2000 to 2100: `day_zero`, the day of the month and
-- the time of day add up to UTC seconds. Local seconds that occur twice, or never, are in no row.
CREATE TABLE local_months (
    month       TEXT NOT NULL,
    local_begin TEXT NOT NULL,
    local_end   TEXT NOT NULL,
    day_zero    INTEGER NOT NULL
);

CREATE UNIQUE INDEX local_months_unique ON local_months (month, local_begin);

-- Facts of each stream: how many rows it has, when they last changed, how its last run ended. Those
-- of the file as a whole, such as whose it is, have the stream ''.
CREATE TABLE mirror (
    stream TEXT NOT NULL,
    key    TEXT NOT NULL,
    value  TEXT NOT NULL
);

CREATE UNIQUE INDEX mirror_unique ON mirror (stream, key);
