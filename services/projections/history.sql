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

-- name: pass
-- Waits for the engine's transaction that holds this row.
SELECT FROM checkpoint WHERE partition = $1 FOR KEY SHARE

-- name: redeem
UPDATE coverage_block SET claim = NULL WHERE id = $1 AND claim = $2 RETURNING since, until

-- name: add_cells
INSERT INTO coverage_cell (definition, digits, place, cohort, household_class, dimension)
SELECT DISTINCT definition, digits, left(village, digits), cohort, household_class, dimension
FROM coverage_ledger, unnest(ARRAY[2, 4, 6]) AS digits
WHERE recorded_at >= $1 AND recorded_at < $2
ON CONFLICT DO NOTHING

-- name: fill
-- A block of level 0 from the ledger. $1 block, $2 since, $3 until.
WITH net AS (
    SELECT c.id AS cell, l.valid_on,
           sum(delta) FILTER (WHERE measure = 'need') AS need,
           sum(delta) FILTER (WHERE measure = 'reached') AS reached,
           sum(delta) FILTER (WHERE measure = 'resolved') AS resolved,
           sum(delta) FILTER (WHERE measure = 'unreached') AS unreached,
           sum(delta) FILTER (WHERE measure = 'outside_need') AS outside_need
    FROM coverage_ledger AS l CROSS JOIN unnest(ARRAY[2, 4, 6]) AS level (digits)
    JOIN coverage_cell AS c ON (c.definition, c.digits, c.place, c.cohort, c.household_class, c.dimension)
        = (l.definition, level.digits, left(l.village, level.digits), l.cohort, l.household_class, l.dimension)
    WHERE l.recorded_at >= $2 AND l.recorded_at < $3
    GROUP BY 1, 2
)
INSERT INTO coverage_history
SELECT $1, cell, valid_on,
       coalesce(sum(need) OVER running, 0), coalesce(sum(reached) OVER running, 0),
       coalesce(sum(resolved) OVER running, 0), coalesce(sum(unreached) OVER running, 0),
       coalesce(sum(outside_need) OVER running, 0)
FROM net
WINDOW running AS (PARTITION BY cell ORDER BY valid_on)

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
-- One block from others, as far as the cells from $3 (not included) to $4 are concerned. $1 block, $2 the others.
WITH step AS (
    SELECT cell, valid_on,
           need - lag(need, 1, 0) OVER of_cell AS need, reached - lag(reached, 1, 0) OVER of_cell AS reached,
           resolved - lag(resolved, 1, 0) OVER of_cell AS resolved,
           unreached - lag(unreached, 1, 0) OVER of_cell AS unreached,
           outside_need - lag(outside_need, 1, 0) OVER of_cell AS outside_need
    FROM coverage_history WHERE block = ANY ($2) AND cell > $3 AND cell <= $4
    WINDOW of_cell AS (PARTITION BY block, cell ORDER BY valid_on)
), net AS (
    SELECT cell, valid_on, sum(need) AS need, sum(reached) AS reached, sum(resolved) AS resolved,
           sum(unreached) AS unreached, sum(outside_need) AS outside_need
    FROM step GROUP BY 1, 2
)
INSERT INTO coverage_history
SELECT $1, cell, valid_on, sum(need) OVER running, sum(reached) OVER running, sum(resolved) OVER running,
       sum(unreached) OVER running, sum(outside_need) OVER running
FROM net WHERE (need, reached, resolved, unreached, outside_need) <> (0, 0, 0, 0, 0)
WINDOW running AS (PARTITION BY cell ORDER BY valid_on)

-- name: mark_merged
UPDATE coverage_block SET merged = true WHERE id = ANY ($1)

-- name: reaches
SELECT EXISTS (SELECT FROM coverage_block WHERE until > $1)

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
