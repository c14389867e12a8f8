-- What each household needs and got, per dimension. $1 households, $2 definition; $3 valid on, $4 known at; null: now.
SELECT key, dimension,
       coalesce(sum(delta) FILTER (WHERE measure = 'need'), 0) > 0 AS in_need,
       coalesce(sum(delta) FILTER (WHERE measure = 'reached'), 0) > 0 AS reached,
       coalesce(sum(delta) FILTER (WHERE measure = 'resolved'), 0) > 0 AS resolved,
       coalesce(sum(delta) FILTER (WHERE measure = 'outside_need'), 0) > 0 AS outside_need
FROM coverage_ledger WHERE key = ANY ($1) AND definition = $2
  AND valid_on <= coalesce($3::date, 'infinity') AND recorded_at <= coalesce($4::timestamptz, 'infinity')
GROUP BY key, dimension
HAVING sum(delta) FILTER (WHERE measure IN ('need', 'outside_need')) > 0
ORDER BY key, dimension
