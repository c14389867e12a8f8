-- Officers and households of each district, who holds how many, who has nobody.
-- $1 prefix of the districts, $2 how many households an officer may lead.
WITH officer AS (
    SELECT helper, district FROM helpers_rollup
    WHERE kind = 'officer' AND district LIKE $1 || '%'
    GROUP BY helper, district HAVING sum(n) > 0
), load AS (
    SELECT o.district, coalesce(sum(c.n), 0) AS held
    FROM officer AS o LEFT JOIN caseload_rollup AS c ON c.helper = o.helper AND c.role = 'lead'
    GROUP BY o.district, o.helper
), helpers AS (
    SELECT district, count(*) AS helpers, count(*) FILTER (WHERE held >= 2) AS holding_two,
           count(*) FILTER (WHERE held = 1) AS holding_one, count(*) FILTER (WHERE held <= 0) AS holding_none,
           count(*) * $2::bigint AS capacity, sum(greatest(0, $2::bigint - held))::bigint AS spare
    FROM load GROUP BY district
), households AS (
    SELECT left(village, 4) AS district,
           coalesce(sum(n) FILTER (WHERE lead IN ('paired', 'unpaired')), 0)::bigint AS households,
           coalesce(sum(n) FILTER (WHERE lead = 'unpaired'), 0)::bigint AS unpaired,
           coalesce(sum(n) FILTER (WHERE lead NOT IN ('paired', 'unpaired')), 0)::bigint AS exited
    FROM households_rollup WHERE village LIKE $1 || '%' GROUP BY 1
)
SELECT district, coalesce(helpers, 0) AS helpers, coalesce(households, 0) AS households,
       coalesce(holding_two, 0) AS holding_two, coalesce(holding_one, 0) AS holding_one,
       coalesce(holding_none, 0) AS holding_none, coalesce(capacity, 0) AS capacity, coalesce(spare, 0) AS spare,
       coalesce(unpaired, 0) AS unpaired, coalesce(exited, 0) AS exited
FROM helpers FULL JOIN households USING (district)
ORDER BY district
