-- On which days something of a household began or ended. $1 household, $2 definition; $3 valid on, $4 known at; null: now.
-- `what`: home (village, cohort, class), exit (reason), pair (helper, role), or coverage (dimension, measure).
-- `type`: of the last fact that made a home so.
WITH row_of AS (
    SELECT valid_on, 'home' AS what, ARRAY[village, cohort, household_class] AS value, sum(delta) AS delta, recorded_at,
           version, (SELECT type FROM fact WHERE (fact.stream, fact.version) = (row.stream, row.version)) AS type
    FROM households_ledger AS row WHERE key = $1
    GROUP BY valid_on, village, cohort, household_class, recorded_at, stream, version HAVING sum(delta) <> 0
    UNION ALL
    SELECT valid_on, 'exit', ARRAY[lead], delta, recorded_at, version, NULL
    FROM households_ledger WHERE key = $1 AND lead NOT IN ('paired', 'unpaired')
    UNION ALL
    SELECT valid_on, 'pair', ARRAY[helper, role], delta, recorded_at, version, NULL FROM caseload_ledger WHERE key = $1
    UNION ALL
    SELECT valid_on, 'coverage', ARRAY[dimension, measure], delta, recorded_at, version, NULL
    FROM coverage_changes WHERE key = $1 AND definition = $2
)
SELECT valid_on, what, value, sum(delta) > 0 AS began, max(recorded_at) AS known_since,
       (array_agg(type ORDER BY recorded_at DESC, version DESC))[1] AS type
FROM row_of
WHERE valid_on <= coalesce($3::date, 'infinity') AND recorded_at <= coalesce($4::timestamptz, 'infinity')
GROUP BY 1, 2, 3 HAVING sum(delta) <> 0
ORDER BY 1, 2, 3
