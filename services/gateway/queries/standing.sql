-- How far the log is read, and until when it is complete. One row.
WITH reached AS (
    SELECT coalesce(sum(registry), 0)::bigint AS registry, coalesce(sum(pairing), 0)::bigint AS pairing,
           coalesce(sum(interventions), 0)::bigint AS interventions, max(newest) AS newest
    FROM checkpoint
), said AS (
    -- the watermark is the lowest of the three services' marks; none before each has spoken
    SELECT CASE WHEN count(s.mark) = 3 THEN min(s.mark) END AS mark,
           CASE WHEN count(*) = 3 THEN min(w.updated_at) END AS heard, coalesce(bool_or(w.clock = 'real'), true) AS real,
           max(w.mark) AS announced
    FROM watermark_settled AS s JOIN watermark AS w USING (service)
)
SELECT registry, pairing, interventions, newest, mark, heard, real, announced, clock_timestamp() AS now,
       own::oid::bigint AS generation, obj_description(own, 'pg_namespace') LIKE 'awaits %' IS TRUE AS awaits_rebuild
FROM reached, said, CAST(current_schema() AS regnamespace) AS own
