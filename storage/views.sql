-- What people query. Views are dropped and made again by every migration, so they may change
-- where tables only grow. Portable SQL: other engines read these files.

-- By scalar subqueries, not by a join: SQLite does not drop an unused LEFT JOIN, so counting and
-- grouping would read every row and lose their covering indexes.
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

-- Is a day complete?
--   SELECT count(*) FROM covered_periods
--   WHERE age = 0
--     AND local_begin <= '2026-11-22 00:00:00' AND local_end >= '2026-11-23 00:00:00'
-- And was it read again a day later? The same with `age >= 86400`.
CREATE VIEW covered_periods AS
SELECT "begin", "end", local_begin, local_end, age FROM coverage;
