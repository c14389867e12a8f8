-- Households in need, reached, resolved …, per place and dimension.
-- $1 definition, $2 digits of a place at the level, $3 prefix of the place, $4 dimension, $5 cohort, $6 class; null: all.
SELECT left(village, $2) AS place, dimension,
       coalesce(sum(n) FILTER (WHERE measure = 'need'), 0)::bigint AS need,
       coalesce(sum(n) FILTER (WHERE measure = 'reached'), 0)::bigint AS reached,
       coalesce(sum(n) FILTER (WHERE measure = 'resolved'), 0)::bigint AS resolved,
       coalesce(sum(n) FILTER (WHERE measure = 'unreached'), 0)::bigint AS unreached,
       coalesce(sum(n) FILTER (WHERE measure = 'outside_need'), 0)::bigint AS outside_need
FROM coverage_rollup
WHERE definition = $1
  AND village LIKE $3 || '%'
  AND ($4::text IS NULL OR dimension = $4)
  AND ($5::text IS NULL OR cohort = $5)
  AND ($6::text IS NULL OR household_class = $6)
GROUP BY 1, 2
HAVING sum(n) FILTER (WHERE measure IN ('need', 'outside_need')) > 0
ORDER BY 1, 2
