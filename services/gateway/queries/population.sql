-- Whom the published cohort holds, and where. $1 cohort.
SELECT coalesce(sum(n), 0)::bigint AS households,
       coalesce(sum(n) FILTER (WHERE household_class = 'developable'), 0)::bigint AS developable,
       coalesce(sum(n) FILTER (WHERE household_class = 'welfare'), 0)::bigint AS welfare,
       count(DISTINCT village) FILTER (WHERE n > 0) AS villages,
       count(DISTINCT left(village, 6)) FILTER (WHERE n > 0) AS subdistricts,
       count(DISTINCT left(village, 4)) FILTER (WHERE n > 0) AS districts
FROM households_rollup WHERE cohort = $1
