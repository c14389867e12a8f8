-- As pairing.sql, as valid on one day and as known at one moment: from the ledgers.
-- $1 prefix of the districts, $2 how many households an officer may lead, $3 valid on, $4 known at.
WITH officer AS (
    SELECT helper, district FROM helpers_ledger
    WHERE valid_on <= $3 AND recorded_at <= $4 AND kind = 'officer' AND district LIKE $1 || '%'
    GROUP BY helper, district HAVING sum(delta) > 0
), load AS (
    SELECT o.district, coalesce(sum(c.delta), 0) AS held
    FROM officer AS o LEFT JOIN caseload_ledger AS c
        ON c.helper = o.helper AND c.role = 'lead' AND c.valid_on <= $3 AND c.recorded_at <= $4
    GROUP BY o.district, o.helper
), helpers AS (
    SELECT district, count(*) AS helpers, count(*) FILTER (WHERE held >= 2) AS holding_two,
           count(*) FILTER (WHERE held = 1) AS holding_one, count(*) FILTER (WHERE held <= 0) AS holding_none,
           count(*) * $2::bigint AS capacity, sum(greatest(0, $2::bigint - held))::bigint AS spare
    FROM load GROUP BY district
), households AS (
    SELECT left(village, 4) AS district, sum(delta)::bigint AS households,
           coalesce(sum(delta) FILTER (WHERE lead = 'unpaired'), 0)::bigint AS unpaired
    FROM households_ledger
    WHERE valid_on <= $3 AND recorded_at <= $4 AND village LIKE $1 || '%' GROUP BY 1
)
SELECT district, coalesce(helpers, 0) AS helpers, coalesce(households, 0) AS households,
       coalesce(holding_two, 0) AS holding_two, coalesce(holding_one, 0) AS holding_one,
       coalesce(holding_none, 0) AS holding_none, coalesce(capacity, 0) AS capacity, coalesce(spare, 0) AS spare,
       coalesce(unpaired, 0) AS unpaired
FROM helpers FULL JOIN households USING (district)
ORDER BY district
