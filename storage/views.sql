-- What people query. Views are dropped and made again by every migration, so they may change
-- where tables only grow. Portable SQL: other engines read these files.

-- The view of each stream is made from the list of streams (stream_schema.hpp).

-- Is a day complete?
--   SELECT count(*) FROM covered_periods
--   WHERE stream = 'impressions' AND age = 0
--     AND local_begin <= '2026-11-22 00:00:00' AND local_end >= '2026-11-23 00:00:00'
-- And was it read again a day later? The same with `age >= 86400`.
-- What was erased by age is not in them.
CREATE VIEW covered_periods AS
SELECT
    stream,
    CASE WHEN local_begin >= kept_from THEN "begin" ELSE
        (SELECT day_zero + CAST(substr(kept_from, 9, 2) AS INTEGER) * 86400
                         + CAST(substr(kept_from, 12, 2) AS INTEGER) * 3600
                         + CAST(substr(kept_from, 15, 2) AS INTEGER) * 60
                         + CAST(substr(kept_from, 18, 2) AS INTEGER)
         FROM local_months
         WHERE month = substr(kept_from, 1, 7) AND local_begin <= kept_from AND local_end > kept_from)
        END AS "begin",
    "end",
    CASE WHEN local_begin >= kept_from THEN local_begin ELSE kept_from END AS local_begin,
    local_end,
    age
FROM (
    SELECT
        stream, "begin", "end", local_begin, local_end, age,
        coalesce((SELECT value FROM mirror
                  WHERE mirror.stream = coverage.stream AND key = 'erased_before'), '') AS kept_from
    FROM coverage
) AS read
WHERE local_end > kept_from;

-- Which records could not be rows, by reason: what stands before the value that a reason names.
CREATE VIEW reject_reasons AS
SELECT
    stream,
    kind AS reason,
    count(*) AS records,
    sum(copies) AS copies,
    max(received_at) AS newest_at,
    min(reason) AS example
FROM (
    SELECT
        stream, reason, copies, received_at,
        CASE WHEN instr(reason, ': ') > 0 THEN substr(reason, 1, instr(reason, ': ') - 1)
             ELSE reason END AS kind
    FROM rejects
) AS kinds
GROUP BY stream, kind;

-- Runs that began in the week before the newest one.
CREATE VIEW recent_runs AS
SELECT
    stream, id, kind, started_at, ended_at, ended_at - started_at AS seconds, requests, inserted,
    updated, unchanged, rejected, outcome, unread
FROM runs
WHERE started_at >= (SELECT max(started_at) FROM runs) - 604800;

-- How many rows came in which hour after their timestamp, of those that came late. The division is
-- cast, since other engines divide integers to fractions.
CREATE VIEW lateness_by_hour AS
SELECT
    stream,
    CAST((seconds - seconds % 3600) / 3600 AS INTEGER) AS hours,
    sum(rows) AS rows
FROM lateness
GROUP BY stream, CAST((seconds - seconds % 3600) / 3600 AS INTEGER);

-- Impressions that the API still returns, with their time in UTC (NULL in the hour that occurs twice)
-- and of which kind they are: see open_rules. Dictionaries are looked up only if they are asked for;
-- to group by one, group by the number `user_agent` first.
CREATE VIEW opens AS
SELECT
    id,
    mailing,
    timestamp,
    (SELECT day_zero + CAST(substr(impression_rows.timestamp, 9, 2) AS INTEGER) * 86400
                     + CAST(substr(impression_rows.timestamp, 12, 2) AS INTEGER) * 3600
                     + CAST(substr(impression_rows.timestamp, 15, 2) AS INTEGER) * 60
                     + CAST(substr(impression_rows.timestamp, 18, 2) AS INTEGER)
     FROM local_months
     WHERE month = substr(impression_rows.timestamp, 1, 7)
         AND local_begin <= impression_rows.timestamp
         AND local_end > impression_rows.timestamp) AS unix_time,
    substr(timestamp, 1, 10) AS day,
    CAST(substr(timestamp, 12, 2) AS INTEGER) AS hour,
    (SELECT kind FROM open_kinds
     WHERE open_kinds.user_agent = impression_rows.user_agent
         AND valid_from <= impression_rows.timestamp
         AND valid_to > impression_rows.timestamp) AS kind,
    ip,
    user_agent,
    (SELECT useragent FROM user_agents WHERE user_agents.id = impression_rows.user_agent) AS useragent,
    (SELECT device FROM user_agents WHERE user_agents.id = impression_rows.user_agent) AS device,
    destination,
    profile,
    subprofile,
    extra,
    first_seen,
    changed_at
FROM impression_rows
WHERE removed_at IS NULL;

-- From when on each stream is whole, and kept, up to its newest read: account-local. A stream whose newest
-- read is two days older than that of another stream is not mirrored any more; of a mailing that was sent
-- before the month before, it still has nearly all events.
CREATE VIEW whole_periods AS
WITH
    known AS (
        SELECT stream, local_begin AS since, local_end AS until, "end" AS read_until
        FROM coverage WHERE age = 0
        UNION ALL
        SELECT stream, value AS since, NULL AS until, NULL AS read_until
        FROM mirror WHERE key = 'erased_before'
    ),
    newest AS (
        SELECT stream, max(since) AS since, max(until) AS until, max(read_until) AS read_until
        FROM known GROUP BY stream
    )
SELECT
    stream,
    since,
    CASE WHEN read_until >= (SELECT max(read_until) FROM newest) - 172800 THEN until
         ELSE max(month) || '-01 00:00:00' END AS until
FROM newest LEFT JOIN local_months ON month < substr(until, 1, 7)
WHERE until IS NOT NULL
GROUP BY stream, since, until, read_until;

-- One row for each mailing. A number is NULL, not 0, if its stream is not mirrored, or the mailing was not sent
-- in its whole period; nor is it known who is a person without user agents. Each stream is grouped once. Each has
-- a row for each mailing, so that no join is an outer one: SQLite then reads the events of a single mailing if
-- one is asked for by its number.
CREATE VIEW mailing_results AS
WITH
    delivered AS (
        SELECT sent.id AS mailing, count(delivery_rows.id) AS events
        FROM mailing_rows AS sent
        LEFT JOIN delivery_rows ON delivery_rows.mailing = sent.id AND delivery_rows.removed_at IS NULL
        GROUP BY sent.id
    ),
    bounced AS (
        SELECT sent.id AS mailing, count(error_rows.id) AS events
        FROM mailing_rows AS sent
        LEFT JOIN error_rows ON error_rows.mailing = sent.id AND error_rows.removed_at IS NULL
        GROUP BY sent.id
    ),
    opened AS (
        SELECT sent.id AS mailing, count(impression_rows.id) AS events,
               count(DISTINCT impression_rows.destination) AS destinations,
               count(DISTINCT CASE WHEN kind = 'person' THEN impression_rows.destination END) AS people
        FROM mailing_rows AS sent
        LEFT JOIN impression_rows ON impression_rows.mailing = sent.id
            AND impression_rows.removed_at IS NULL
        LEFT JOIN open_kinds ON open_kinds.user_agent = impression_rows.user_agent
            AND valid_from <= impression_rows.timestamp AND valid_to > impression_rows.timestamp
        GROUP BY sent.id
    ),
    clicked AS (
        SELECT sent.id AS mailing, count(click_rows.id) AS events,
               count(DISTINCT click_rows.destination) AS destinations
        FROM mailing_rows AS sent
        LEFT JOIN click_rows ON click_rows.mailing = sent.id AND click_rows.removed_at IS NULL
        GROUP BY sent.id
    ),
    unsubscribed AS (
        SELECT sent.id AS mailing, count(unsubscribe_rows.id) AS events
        FROM mailing_rows AS sent
        LEFT JOIN unsubscribe_rows ON unsubscribe_rows.mailing = sent.id AND unsubscribe_rows.removed_at IS NULL
        GROUP BY sent.id
    ),
    complained AS (
        SELECT sent.id AS mailing, count(abuse_rows.id) AS events
        FROM mailing_rows AS sent
        LEFT JOIN abuse_rows ON abuse_rows.mailing = sent.id AND abuse_rows.removed_at IS NULL
        GROUP BY sent.id
    ),
    results AS (
        SELECT
            sent.id AS mailing,
            sent.subject AS subject,
            sent.timestamp AS sent_at,
            sent.destinations AS destinations,
            CASE WHEN sent.timestamp >= (SELECT since FROM whole_periods WHERE stream = 'deliveries')
                     AND sent.timestamp < (SELECT until FROM whole_periods WHERE stream = 'deliveries')
                 THEN delivered.events END AS deliveries,
            CASE WHEN sent.timestamp >= (SELECT since FROM whole_periods WHERE stream = 'errors')
                     AND sent.timestamp < (SELECT until FROM whole_periods WHERE stream = 'errors')
                 THEN bounced.events END AS bounces,
            CASE WHEN sent.timestamp >= (SELECT since FROM whole_periods WHERE stream = 'impressions')
                     AND sent.timestamp < (SELECT until FROM whole_periods WHERE stream = 'impressions')
                 THEN opened.events END AS opens,
            CASE WHEN sent.timestamp >= (SELECT since FROM whole_periods WHERE stream = 'impressions')
                     AND sent.timestamp < (SELECT until FROM whole_periods WHERE stream = 'impressions')
                 THEN opened.destinations END AS unique_opens,
            CASE WHEN sent.timestamp >= (SELECT since FROM whole_periods WHERE stream = 'impressions')
                     AND sent.timestamp < (SELECT until FROM whole_periods WHERE stream = 'impressions')
                     AND NOT EXISTS (SELECT 1 FROM mirror
                                     WHERE stream = '' AND key = 'narrowest_useragent'
                                         AND value = 'none')
                 THEN opened.people END AS unique_person_opens,
            CASE WHEN sent.timestamp >= (SELECT since FROM whole_periods WHERE stream = 'clicks')
                     AND sent.timestamp < (SELECT until FROM whole_periods WHERE stream = 'clicks')
                 THEN clicked.events END AS clicks,
            CASE WHEN sent.timestamp >= (SELECT since FROM whole_periods WHERE stream = 'clicks')
                     AND sent.timestamp < (SELECT until FROM whole_periods WHERE stream = 'clicks')
                 THEN clicked.destinations END AS unique_clicks,
            CASE WHEN sent.timestamp >= (SELECT since FROM whole_periods WHERE stream = 'unsubscribes')
                     AND sent.timestamp < (SELECT until FROM whole_periods WHERE stream = 'unsubscribes')
                 THEN unsubscribed.events END AS unsubscribes,
            CASE WHEN sent.timestamp >= (SELECT since FROM whole_periods WHERE stream = 'abuses')
                     AND sent.timestamp < (SELECT until FROM whole_periods WHERE stream = 'abuses')
                 THEN complained.events END AS abuses
        FROM mailing_rows AS sent
        JOIN delivered ON delivered.mailing = sent.id
        JOIN bounced ON bounced.mailing = sent.id
        JOIN opened ON opened.mailing = sent.id
        JOIN clicked ON clicked.mailing = sent.id
        JOIN unsubscribed ON unsubscribed.mailing = sent.id
        JOIN complained ON complained.mailing = sent.id
        WHERE sent.removed_at IS NULL
    )
SELECT
    mailing, subject, sent_at, destinations, deliveries, bounces, opens, unique_opens,
    unique_person_opens, clicks, unique_clicks, unsubscribes, abuses,
    CAST(bounces AS DOUBLE) / nullif(destinations, 0) AS bounce_rate_of_destinations,
    CAST(unique_opens AS DOUBLE) / nullif(deliveries, 0) AS open_rate_of_deliveries,
    CAST(unique_person_opens AS DOUBLE) / nullif(deliveries, 0) AS person_open_rate_of_deliveries,
    CAST(unique_clicks AS DOUBLE) / nullif(deliveries, 0) AS click_rate_of_deliveries,
    CAST(unique_clicks AS DOUBLE) / nullif(unique_opens, 0) AS click_rate_of_opens,
    CAST(unsubscribes AS DOUBLE) / nullif(deliveries, 0) AS unsubscribe_rate_of_deliveries,
    CAST(abuses AS DOUBLE) / nullif(deliveries, 0) AS abuse_rate_of_deliveries
FROM results;
