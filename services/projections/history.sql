-- How the history of coverage is kept; history.py says what it is.

-- name: stay
-- Until the transaction ends no rebuild renames the schema; one that does so already is waited for, and from then on the
-- names mean its tables.
LOCK TABLE checkpoint IN ROW SHARE MODE

-- name: by_hash
-- Cells that were just added are not in the statistics yet, and a nested loop over thousands of them takes seconds.
SET LOCAL enable_nestloop = off

-- name: lock
-- One compactor at a time, and none while the engine forgets blocks. The number is ours, and means nothing.
SELECT pg_try_advisory_xact_lock(7114)

-- name: claimed
-- A block that somebody claimed and did not fill.
SELECT id, claim, level FROM coverage_block WHERE claim IS NOT NULL LIMIT 1

-- name: next_block
-- The next stretch: from the end of the last, $1 ledger rows (and those recorded at the same time as the last of them);
-- none while there are fewer below the watermark.
WITH edge AS (SELECT coalesce(max(until), '1800-01-01 00:00Z') AS since FROM coverage_block WHERE level = 0),
mark AS (SELECT CASE WHEN count(mark) = 3 THEN min(mark) END AS mark FROM watermark_settled)
SELECT since, (
    SELECT recorded_at + interval '1 microsecond' FROM coverage_ledger
    WHERE recorded_at >= edge.since AND recorded_at < mark.mark
    ORDER BY recorded_at OFFSET $1 - 1 LIMIT 1
) AS until FROM edge, mark

-- name: claim
INSERT INTO coverage_block (level, since, until, claim) VALUES ($1, $2, $3, gen_random_uuid())
RETURNING id, claim, level

-- name: partitions
SELECT partition FROM checkpoint ORDER BY partition

-- name: pass_free
-- Of these rows, those that no transaction of the engine holds.
SELECT partition FROM checkpoint WHERE partition = ANY($1::smallint[]) FOR KEY SHARE SKIP LOCKED

-- name: pass
-- Waits for the engine's transaction that holds this row.
SELECT FROM checkpoint WHERE partition = $1 FOR KEY SHARE

-- name: redeem
UPDATE coverage_block SET claim = NULL WHERE id = $1 AND claim = $2 RETURNING since, until

-- name: add_cells
-- Of each place its cohorts and classes one by one, and all together. Numbered so that an answer's cells, and so their
-- rows, mostly lie side by side.
WITH counted AS MATERIALIZED (
    SELECT DISTINCT definition, left(village, 6) AS place, cohort, household_class, dimension
    FROM coverage_changes WHERE recorded_at >= $1 AND recorded_at < $2
)
INSERT INTO coverage_cell (definition, digits, place, cohort, household_class, dimension)
SELECT * FROM (
    SELECT definition, digits, left(place, digits) AS place, of.cohort, of.household_class, dimension
    FROM counted AS n CROSS JOIN unnest(ARRAY[2, 4, 6]) AS digits
    CROSS JOIN LATERAL (VALUES (n.cohort, n.household_class), ('*', '*')) AS of (cohort, household_class)
    EXCEPT SELECT definition, digits, place, cohort, household_class, dimension FROM coverage_cell
) AS lacking
ORDER BY digits, cohort <> '*', definition, place, cohort, household_class, dimension

-- name: fill
-- A block of level 0 from the ledger. $1 block, $2 since, $3 until, $4 days a row. In steps, each in whole: with none of
-- the cells' columns in the statistics, one query over all of it is planned as if there were a row.
WITH net AS MATERIALIZED (
    SELECT definition, left(village, 6) AS place, cohort, household_class, dimension, valid_on AS day,
           coalesce(sum(delta) FILTER (WHERE measure = 'need'), 0)::integer AS need,
           coalesce(sum(delta) FILTER (WHERE measure = 'reached'), 0)::integer AS reached,
           coalesce(sum(delta) FILTER (WHERE measure = 'resolved'), 0)::integer AS resolved,
           coalesce(sum(delta) FILTER (WHERE measure = 'unreached'), 0)::integer AS unreached,
           coalesce(sum(delta) FILTER (WHERE measure = 'outside_need'), 0)::integer AS outside_need
    FROM coverage_changes WHERE recorded_at >= $2 AND recorded_at < $3
    GROUP BY 1, 2, 3, 4, 5, 6
), spread AS MATERIALIZED (
    SELECT definition, digits, left(place, digits) AS place, of.cohort, of.household_class, dimension, day,
           need, reached, resolved, unreached, outside_need
    FROM net AS n CROSS JOIN unnest(ARRAY[2, 4, 6]) AS digits
    CROSS JOIN LATERAL (VALUES (n.cohort, n.household_class), ('*', '*')) AS of (cohort, household_class)
), of_cell AS MATERIALIZED (
    SELECT c.id AS cell, day, sum(need)::integer AS need, sum(reached)::integer AS reached,
           sum(resolved)::integer AS resolved, sum(unreached)::integer AS unreached,
           sum(outside_need)::integer AS outside_need
    FROM spread JOIN coverage_cell AS c USING (definition, digits, place, cohort, household_class, dimension)
    GROUP BY 1, 2
), told AS (
    SELECT cell, day, (row_number() OVER running - 1) / $4 AS nth,
           ARRAY[sum(need) OVER running, sum(reached) OVER running, sum(resolved) OVER running,
                 sum(unreached) OVER running, sum(outside_need) OVER running]::integer[] AS sums
    FROM of_cell
    WINDOW running AS (PARTITION BY cell ORDER BY day)
)
INSERT INTO coverage_history
SELECT $1, cell, min(day), array_agg(day ORDER BY day), array_agg(sums ORDER BY day) FROM told GROUP BY cell, nth
ORDER BY cell, nth

-- name: ripe
-- The lowest level that holds $1 blocks of no higher one: the first of them, in order.
SELECT level + 1 AS level, min(since) AS since, max(until) AS until
FROM (SELECT *, row_number() OVER (PARTITION BY level ORDER BY since) AS n FROM coverage_block
      WHERE NOT merged AND claim IS NULL) AS b
WHERE n <= $1
GROUP BY level HAVING count(*) = $1 ORDER BY level LIMIT 1

-- name: parts
-- The blocks that a claimed one is made of, and up to which cell it is; none where it is there no more.
SELECT array_agg(part.id) AS blocks, (SELECT coalesce(max(cell), 0) FROM coverage_history WHERE block = $1) AS done
FROM coverage_block AS b
JOIN coverage_block AS part ON part.level = b.level - 1 AND part.since >= b.since AND part.until <= b.until
WHERE b.id = $1 AND b.claim = $2 HAVING count(*) > 0

-- name: some_cells
-- The last of the next $2 cells; null behind the last.
SELECT max(id) FROM (SELECT id FROM coverage_cell WHERE id > $1 ORDER BY id LIMIT $2) AS following

-- name: merge
-- One block from others, as far as the cells from $3 (not included) to $4 are concerned. $1 block, $2 the others, $5
-- days a row.
WITH said AS (
    SELECT block, cell, days[i] AS day, sums[i][1] AS need, sums[i][2] AS reached, sums[i][3] AS resolved,
           sums[i][4] AS unreached, sums[i][5] AS outside_need
    FROM coverage_history CROSS JOIN LATERAL generate_subscripts(days, 1) AS i
    WHERE block = ANY ($2) AND cell > $3 AND cell <= $4
), step AS (
    SELECT cell, day,
           need - lag(need, 1, 0) OVER of_cell AS need, reached - lag(reached, 1, 0) OVER of_cell AS reached,
           resolved - lag(resolved, 1, 0) OVER of_cell AS resolved,
           unreached - lag(unreached, 1, 0) OVER of_cell AS unreached,
           outside_need - lag(outside_need, 1, 0) OVER of_cell AS outside_need
    FROM said
    WINDOW of_cell AS (PARTITION BY block, cell ORDER BY day)
), net AS (
    SELECT cell, day, sum(need)::integer AS need, sum(reached)::integer AS reached,
           sum(resolved)::integer AS resolved, sum(unreached)::integer AS unreached,
           sum(outside_need)::integer AS outside_need
    FROM step GROUP BY 1, 2
), told AS (
    SELECT cell, day, (row_number() OVER running - 1) / $5 AS nth,
           ARRAY[sum(need) OVER running, sum(reached) OVER running, sum(resolved) OVER running,
                 sum(unreached) OVER running, sum(outside_need) OVER running]::integer[] AS sums
    FROM net WHERE (need, reached, resolved, unreached, outside_need) <> (0, 0, 0, 0, 0)
    WINDOW running AS (PARTITION BY cell ORDER BY day)
)
INSERT INTO coverage_history
SELECT $1, cell, min(day), array_agg(day ORDER BY day), array_agg(sums ORDER BY day) FROM told GROUP BY cell, nth
ORDER BY cell, nth

-- name: mark_merged
UPDATE coverage_block SET merged = true WHERE id = ANY ($1)

-- name: reaches
SELECT EXISTS (SELECT FROM coverage_block WHERE until > $1::timestamptz)

-- name: wait
SELECT pg_advisory_xact_lock(7114)

-- name: forget
WITH gone AS (DELETE FROM coverage_block WHERE until > $1 RETURNING id)
DELETE FROM coverage_history USING gone WHERE block = gone.id

-- name: unmerge
-- Blocks whose block above is gone.
UPDATE coverage_block AS b SET merged = false
WHERE merged AND NOT EXISTS (
    SELECT FROM coverage_block AS above
    WHERE above.level = b.level + 1 AND above.since <= b.since AND above.until >= b.until
)
