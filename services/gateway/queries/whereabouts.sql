-- Where a household is counted now. $1 household.
SELECT village FROM households_ledger WHERE key = $1 GROUP BY village HAVING sum(delta) > 0
