-- Households in need, reached, resolved …, per place and dimension, as valid on one day and as known at one moment.
-- $1 definition, $2 digits of a place at the level (2, 4, 6), $3 prefix of the place, $4 dimension, $5 cohort, $6 class;
-- null: all. $7 valid on, $8 known at. Reads the blocks of the history that end by then, one row a cell of each, and the
-- ledger behind the last of them.
WITH RECURSIVE cover AS (
    SELECT NULL::integer AS id, timestamptz '1800-01-01 00:00Z' AS until
    UNION ALL
    SELECT next.id, next.until
    FROM cover CROSS JOIN LATERAL (
        SELECT b.id, b.until FROM coverage_block AS b
        WHERE b.since = cover.until AND b.until <= $8 AND b.claim IS NULL
        ORDER BY b.level DESC LIMIT 1
    ) AS next
), told AS (
    SELECT c.place, c.dimension, h.need, h.reached, h.resolved, h.unreached, h.outside_need
    FROM coverage_cell AS c CROSS JOIN cover CROSS JOIN LATERAL (
        SELECT sums[n][1] AS need, sums[n][2] AS reached, sums[n][3] AS resolved, sums[n][4] AS unreached,
               sums[n][5] AS outside_need
        FROM (
            SELECT sums, width_bucket($7::date, days) AS n FROM coverage_history AS h
            WHERE h.block = cover.id AND h.cell = c.id AND h.since <= $7
            ORDER BY h.since DESC LIMIT 1
        ) AS last
    ) AS h
    WHERE c.definition = $1 AND c.digits = $2 AND c.place >= $3 AND c.place < $3 || ':'  -- which follows upon '9'
      AND ($4::text IS NULL OR c.dimension = $4)
      AND (c.cohort = '*') = ($5::text IS NULL AND $6::text IS NULL)
      AND ($5::text IS NULL OR c.cohort = $5)
      AND ($6::text IS NULL OR c.household_class = $6)
    UNION ALL
    SELECT left(village, $2), dimension,
           CASE measure WHEN 'need' THEN delta ELSE 0 END, CASE measure WHEN 'reached' THEN delta ELSE 0 END,
           CASE measure WHEN 'resolved' THEN delta ELSE 0 END, CASE measure WHEN 'unreached' THEN delta ELSE 0 END,
           CASE measure WHEN 'outside_need' THEN delta ELSE 0 END
    FROM coverage_changes
    WHERE recorded_at >= (SELECT max(until) FROM cover) AND recorded_at <= $8 AND valid_on <= $7
      AND definition = $1 AND starts_with(village, $3)
      AND ($4::text IS NULL OR dimension = $4)
      AND ($5::text IS NULL OR cohort = $5)
      AND ($6::text IS NULL OR household_class = $6)
)
SELECT place, dimension, sum(need)::bigint AS need, sum(reached)::bigint AS reached, sum(resolved)::bigint AS resolved,
       sum(unreached)::bigint AS unreached, sum(outside_need)::bigint AS outside_need
FROM told GROUP BY 1, 2
HAVING sum(need) > 0 OR sum(outside_need) > 0
ORDER BY 1, 2
