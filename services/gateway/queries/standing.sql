-- How far the log is read, and until when it is complete. One row.
WITH reached AS (
    SELECT coalesce(sum(registry), 0)::bigint AS registry, coalesce(sum(pairing), 0)::bigint AS pairing,
           coalesce(sum(interventions), 0)::bigint AS interventions, max(newest) AS newest
    FROM checkpoint
), settled AS MATERIALIZED (  -- worked out once, however often it is named
    SELECT service, mark FROM watermark_settled
), said AS (
    -- the watermark is the lowest of the three services' marks; none before each has spoken
    SELECT CASE WHEN count(s.mark) = 3 THEN min(s.mark) END AS mark,
           CASE WHEN count(*) = 3 THEN min(w.updated_at) END AS heard, coalesce(bool_or(w.clock = 'real'), true) AS real,
           max(w.mark) AS announced
    FROM settled AS s JOIN watermark AS w USING (service)
), held_up AS (
    -- The first record that a parked stream may yet go on with was recorded no earlier than its last fact (it may have
    -- none). What is a fork, or follows one, is never folded.
    SELECT min(coalesce(last.recorded_at, '1800-01-01 00:00Z')) AS since
    FROM stream_head AS h LEFT JOIN fact AS last ON (last.stream, last.version) = (h.stream, h.version)
    WHERE h.state = 'parked' AND EXISTS (
        SELECT FROM parked AS p
        WHERE p.stream = h.stream AND p.version > h.version AND p.reason IN ('gap', 'altered', 'unreadable'))
)
SELECT since, registry, pairing, interventions, newest, mark, heard, real, announced, clock_timestamp() AS now,
       own::oid::bigint AS generation, obj_description(own, 'pg_namespace') LIKE 'awaits %' IS TRUE AS awaits_rebuild
FROM reached, said, held_up, CAST(current_schema() AS regnamespace) AS own
