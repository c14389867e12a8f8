-- What each household needs and got, per dimension. $1 households.
SELECT key, dimension,
       coalesce(sum(delta) FILTER (WHERE measure = 'need'), 0) > 0 AS in_need,
       coalesce(sum(delta) FILTER (WHERE measure = 'reached'), 0) > 0 AS reached,
       coalesce(sum(delta) FILTER (WHERE measure = 'resolved'), 0) > 0 AS resolved,
       coalesce(sum(delta) FILTER (WHERE measure = 'outside_need'), 0) > 0 AS outside_need
FROM coverage_ledger WHERE key = ANY ($1) AND definition = $2
GROUP BY key, dimension
HAVING bool_or(measure <> 'unreached')
ORDER BY key, dimension
