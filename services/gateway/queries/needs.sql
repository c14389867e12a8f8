-- What each household of `kin` needs and got, per dimension. $2 known at, $3 valid on; null: now. $4 definition.
SELECT key, need.*
FROM kin CROSS JOIN LATERAL (
    SELECT dimension,
           coalesce(sum(delta) FILTER (WHERE measure = 'need'), 0) > 0 AS in_need,
           coalesce(sum(delta) FILTER (WHERE measure = 'reached'), 0) > 0 AS reached,
           coalesce(sum(delta) FILTER (WHERE measure = 'resolved'), 0) > 0 AS resolved,
           coalesce(sum(delta) FILTER (WHERE measure = 'outside_need'), 0) > 0 AS outside_need
    FROM coverage_changes AS cell
    WHERE cell.key = kin.key AND definition = $4
      AND valid_on <= coalesce($3::date, 'infinity') AND recorded_at <= coalesce($2::timestamptz, 'infinity')
    GROUP BY dimension
    HAVING sum(delta) FILTER (WHERE measure IN ('need', 'outside_need')) > 0
) AS need
ORDER BY key, dimension
