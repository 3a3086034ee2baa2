#include "tests/support/old_mirror.hpp"

#include <string>

#include <SQLiteCpp/Database.h>

namespace mirror::test {
namespace {

// What these versions made, word for word.
constexpr const char* schema = R"sql(
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
CREATE INDEX impression_rows_timestamp ON impression_rows (timestamp);
CREATE INDEX impression_rows_removed ON impression_rows (timestamp) WHERE removed_at IS NOT NULL;
CREATE TABLE user_agents (
    id        INTEGER PRIMARY KEY,
    useragent TEXT,
    device    TEXT
);
CREATE UNIQUE INDEX user_agents_unique ON user_agents (ifnull(useragent, 0), ifnull(device, 0));
CREATE TABLE coverage (
    age         INTEGER NOT NULL,
    "begin"     INTEGER NOT NULL,
    "end"       INTEGER NOT NULL,
    local_begin TEXT NOT NULL,
    local_end   TEXT NOT NULL
);
CREATE UNIQUE INDEX coverage_unique ON coverage (age, "begin");
CREATE TABLE lateness (
    seconds INTEGER PRIMARY KEY,
    rows    INTEGER NOT NULL
);
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
CREATE TABLE mirror (
    key   TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);
CREATE VIEW impressions AS
SELECT
    id,
    mailing,
    timestamp,
    ip,
    (SELECT useragent FROM user_agents WHERE user_agents.id = impression_rows.user_agent)
        AS useragent,
    (SELECT device FROM user_agents WHERE user_agents.id = impression_rows.user_agent)
        AS device,
    destination,
    profile,
    subprofile,
    extra,
    first_seen,
    changed_at,
    removed_at
FROM impression_rows;
CREATE VIEW covered_periods AS
SELECT "begin", "end", local_begin, local_end FROM coverage WHERE age = 0;
)sql";

constexpr const char* rejects_of_version_1 = R"sql(
CREATE TABLE rejects (
    received_at INTEGER NOT NULL,
    "begin"     INTEGER NOT NULL,
    "end"       INTEGER NOT NULL,
    timestamp   TEXT,
    reason      TEXT NOT NULL,
    record      TEXT NOT NULL
);
CREATE UNIQUE INDEX rejects_unique ON rejects (record);
CREATE INDEX rejects_timestamp ON rejects (timestamp);
CREATE INDEX rejects_begin ON rejects ("begin");
)sql";

constexpr const char* rejects_of_version_2 = R"sql(
CREATE TABLE rejects (
    received_at INTEGER NOT NULL,
    "begin"     INTEGER NOT NULL,
    "end"       INTEGER NOT NULL,
    timestamp   TEXT,
    reason      TEXT NOT NULL,
    record      TEXT NOT NULL,
    copies      INTEGER NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX rejects_unique ON rejects (record);
CREATE INDEX rejects_timestamp ON rejects (timestamp);
CREATE INDEX rejects_begin ON rejects ("begin");
)sql";

constexpr const char* contents = R"sql(
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)
INSERT INTO impression_rows
SELECT i, 400 + i % 3, '2026-03-01 13:00:' || printf('%02d', i), '192.0.2.' || i, 1 + i % 2, 100 + i,
       CASE i WHEN 5 THEN NULL ELSE 13453 END, NULL,
       CASE i WHEN 7 THEN '{"new":"field"}' END, 1772366500, 1772366500 + i,
       CASE WHEN i IN (3, 4) THEN 1772366600 END
FROM n;
INSERT INTO user_agents VALUES (1, 'Mozilla/5.0', 'desktop'), (2, NULL, 'mobile');
INSERT INTO coverage VALUES
    (0, 1772366400, 1772366460, '2026-03-01 13:00:00', '2026-03-01 13:01:00'),
    (900, 1772366400, 1772366430, '2026-03-01 13:00:00', '2026-03-01 13:00:30');
INSERT INTO lateness VALUES (61, 2), (130, 1);
INSERT INTO runs VALUES
    (1, 'sync', 1772366400, 1772366460, 1772366500, 1772366501, 7, 20, 0, 0, 2, 'done', NULL),
    (2, 'run', 1772366400, 1772366460, 1772366500, NULL, 9, 0, 0, 20, 0, 'running',
     '[{"begin":1772366440,"end":1772366441,"reason":"HTTP status 500"}]');
INSERT INTO mirror VALUES
    ('account_id', '34'), ('account_name', 'Development'), ('api_url', 'https://api.example.com/v3'),
    ('time_zone', 'Europe/Amsterdam'), ('program_version', '0.1.0'), ('created_at', '1772366400'),
    ('server_clock_offset', '-30'), ('rows', '20'), ('removed', '2'), ('rejects', '2'),
    ('last_change', '1772366600'), ('wanted_from', '1772366400'), ('last_success', '1772366501'),
    ('last_error', '');
CREATE TABLE scores (impression INTEGER, score INTEGER);
CREATE VIEW mine AS SELECT mailing, useragent FROM impressions;
CREATE VIEW broken AS SELECT score FROM a_table_that_is_gone;
)sql";

}  // namespace

void make_old_mirror(const std::filesystem::path& path, int version) {
    SQLite::Database sql(path.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    sql.exec("PRAGMA auto_vacuum = INCREMENTAL");
    sql.exec(version == 1 ? rejects_of_version_1 : rejects_of_version_2);
    sql.exec(schema);
    sql.exec(contents);
    const std::string columns =
        "INSERT INTO rejects (received_at, \"begin\", \"end\", timestamp, reason, record";
    const std::string values =
        "(1772366500, 1772366400, 1772366460, NULL, 'no usable ID', '{\"ID\":null}'";
    const std::string more =
        "(1772366500, 1772366400, 1772366460, '2026-03-01 13:00:09', 'no usable ID', '{}'";
    sql.exec(version == 1 ? columns + ") VALUES " + values + "), " + more + ")"
                          : columns + ", copies) VALUES " + values + ", 3), " + more + ", 1)");
    sql.exec("PRAGMA application_id = " + std::to_string(0x43704d69));
    sql.exec("PRAGMA user_version = " + std::to_string(version));
    sql.exec("PRAGMA journal_mode = WAL");
}

}  // namespace mirror::test
