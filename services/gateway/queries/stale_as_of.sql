-- As stale.sql, as valid on one day and as known at one moment: from the ledgers.
-- $1 prefix of the districts, $2 valid on, $3 known at.
WITH officer AS (
    SELECT helper, district AS home FROM helpers_ledger
    WHERE valid_on <= $2 AND recorded_at <= $3 AND kind = 'officer' AND district LIKE $1 || '%'
    GROUP BY helper, district HAVING sum(delta) > 0
), held AS (
    SELECT * FROM caseload_ledger WHERE valid_on <= $2 AND recorded_at <= $3
), day AS (
    SELECT key, helper, role, held.district, home, valid_on, sum(delta) AS delta
    FROM officer JOIN held USING (helper) WHERE held.district NOT IN ('', home)
    GROUP BY key, helper, role, held.district, home, valid_on
), pair AS (
    SELECT key, helper, role, district, home, max(valid_on) FILTER (WHERE delta > 0) AS since
    FROM day GROUP BY key, helper, role, district, home HAVING sum(delta) > 0
)
SELECT key AS household, helper, role, home AS helper_district, district, since FROM pair
WHERE EXISTS (
    SELECT FROM held AS was
    WHERE was.helper = pair.helper AND was.role = pair.role AND was.district = pair.home
      AND (was.key = pair.key OR EXISTS (  -- the fact that brought it here took it from there
          SELECT FROM held AS came
          WHERE (came.key, came.helper, came.role, came.district) = (pair.key, pair.helper, pair.role, pair.district)
            AND (came.stream, came.version) = (was.stream, was.version)))
)
ORDER BY district, household, helper
