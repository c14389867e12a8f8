-- The households that a helper looks after. $1 helper; $2 valid on, $3 known at; null: now.
WITH day AS (
    SELECT key, role, district, valid_on, sum(delta) AS delta FROM caseload_ledger
    WHERE helper = $1
      AND valid_on <= coalesce($2::date, 'infinity') AND recorded_at <= coalesce($3::timestamptz, 'infinity')
    GROUP BY key, role, district, valid_on
)
SELECT key AS household, role, district, max(valid_on) FILTER (WHERE delta > 0) AS since
FROM day GROUP BY key, role, district HAVING sum(delta) > 0
ORDER BY role, key
