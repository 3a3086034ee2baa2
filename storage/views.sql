-- What people query. Views are dropped and made again by every migration, so they may change
-- where tables only grow. Portable SQL: other engines read these files.

-- The view of each stream is made from the list of streams (stream_schema.hpp).

-- Is a day complete?
--   SELECT count(*) FROM covered_periods
--   WHERE stream = 'impressions' AND age = 0
--     AND local_begin <= '2026-11-22 00:00:00' AND local_end >= '2026-11-23 00:00:00'
-- And was it read again a day later? The same with `age >= 86400`.
CREATE VIEW covered_periods AS
SELECT stream, "begin", "end", local_begin, local_end, age FROM coverage;
