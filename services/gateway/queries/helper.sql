-- The households that a helper looks after now. $1 helper.
SELECT key AS household, role, district, max(valid_on) AS since
FROM caseload_ledger WHERE helper = $1
GROUP BY key, role, district HAVING sum(delta) > 0
ORDER BY role, key
