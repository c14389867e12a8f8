-- The same as coverage_as_of.sql, from the ledger alone: of villages, of which no history is kept, and to check with.
-- $1 definition, $2 digits of a place at the level, $3 prefix of the place, $4 dimension, $5 cohort, $6 class; null: all.
-- $7 valid on, $8 known at.
SELECT left(village, $2) AS place, dimension,
       coalesce(sum(delta) FILTER (WHERE measure = 'need'), 0)::bigint AS need,
       coalesce(sum(delta) FILTER (WHERE measure = 'reached'), 0)::bigint AS reached,
       coalesce(sum(delta) FILTER (WHERE measure = 'resolved'), 0)::bigint AS resolved,
       coalesce(sum(delta) FILTER (WHERE measure = 'unreached'), 0)::bigint AS unreached,
       coalesce(sum(delta) FILTER (WHERE measure = 'outside_need'), 0)::bigint AS outside_need
FROM coverage_changes
WHERE definition = $1
  AND village LIKE $3 || '%'
  AND key IN (SELECT key FROM households_ledger WHERE village LIKE $3 || '%')
  AND ($4::text IS NULL OR dimension = $4)
  AND ($5::text IS NULL OR cohort = $5)
  AND ($6::text IS NULL OR household_class = $6)
  AND valid_on <= $7
  AND recorded_at <= $8
GROUP BY 1, 2
HAVING sum(delta) FILTER (WHERE measure = 'need') > 0 OR sum(delta) FILTER (WHERE measure = 'outside_need') > 0
ORDER BY 1, 2
