-- Where a household is counted now, and as what. $1 household.
SELECT village, nullif(cohort, '') AS cohort, nullif(household_class, '') AS household_class
FROM households_ledger WHERE key = $1
GROUP BY village, cohort, household_class HAVING sum(delta) > 0
