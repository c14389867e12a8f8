-- Where a household is counted, and as what. $1 household; $2 valid on, $3 known at; null: now.
SELECT village, nullif(cohort, '') AS cohort, nullif(household_class, '') AS household_class
FROM households_ledger WHERE key = $1
  AND valid_on <= coalesce($2::date, 'infinity') AND recorded_at <= coalesce($3::timestamptz, 'infinity')
GROUP BY village, cohort, household_class HAVING sum(delta) > 0
