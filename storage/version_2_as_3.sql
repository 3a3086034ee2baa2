-- For a reader of a file of version 1 or 2: its tables as version 3 has them, as far as `status` reads
-- them. Names of temporary views go before those of the file's tables.
CREATE TEMP VIEW coverage AS SELECT 'impressions' AS stream, * FROM main.coverage;
CREATE TEMP VIEW lateness AS SELECT 'impressions' AS stream, * FROM main.lateness;
CREATE TEMP VIEW runs AS SELECT 'impressions' AS stream, * FROM main.runs;
CREATE TEMP VIEW doubts AS
    SELECT 'impressions' AS stream, 0 AS noticed_at, 0 AS "begin", 0 AS "end", 0 AS rows WHERE 0;
CREATE TEMP VIEW erasures AS SELECT '' AS stream, '' AS kind, '' AS value WHERE 0;
CREATE TEMP VIEW requests AS SELECT '' AS day, 0 AS requests WHERE 0;
CREATE TEMP VIEW mirror AS
    SELECT CASE WHEN key IN ('account_id', 'account_name', 'api_url', 'time_zone',
                             'program_version', 'created_at', 'server_clock_offset')
                THEN '' ELSE 'impressions' END AS stream, key, value
    FROM main.mirror;
