-- Officers' pairs whose household was in the officer's district, and is in another now: it moved, was merged, or its
-- place was corrected. Who was paired across districts from the beginning is not among them. $1 prefix of the districts.
WITH officer AS (
    SELECT helper, district AS home FROM helpers_rollup WHERE kind = 'officer' AND district LIKE $1 || '%'
    GROUP BY helper, district HAVING sum(n) > 0
), elsewhere AS (
    SELECT helper, role, district, home FROM officer JOIN caseload_rollup USING (helper)
    WHERE district NOT IN ('', home) GROUP BY helper, role, district, home HAVING sum(n) > 0
), day AS (
    SELECT key, helper, role, district, home, valid_on, sum(delta) AS delta
    FROM elsewhere JOIN caseload_ledger USING (helper, role, district)
    GROUP BY key, helper, role, district, home, valid_on
), pair AS (
    SELECT key, helper, role, district, home, max(valid_on) FILTER (WHERE delta > 0) AS since
    FROM day GROUP BY key, helper, role, district, home HAVING sum(delta) > 0
)
SELECT key AS household, helper, role, home AS helper_district, district, since FROM pair
WHERE EXISTS (
    SELECT FROM caseload_ledger AS was
    WHERE was.helper = pair.helper AND was.role = pair.role AND was.district = pair.home
      AND (was.key = pair.key OR EXISTS (  -- the fact that brought it here took it from there
          SELECT FROM caseload_ledger AS came
          WHERE (came.key, came.helper, came.role, came.district) = (pair.key, pair.helper, pair.role, pair.district)
            AND (came.stream, came.version) = (was.stream, was.version)))
)
ORDER BY district, household, helper
