-- All that a household's card shows, in one row; its lists are arrays of rows.
-- $1 household; $2 known at, $3 valid on; null: now. $4 definition.
WITH said_now AS (
:merges
), said AS (
:said
), kin AS (
    -- itself, and whatever is or was held to be one with it; a list, which PostgreSQL takes to be short
    SELECT DISTINCT unnest($1::text || ARRAY(SELECT other FROM said_now)) AS key
)
SELECT standing.*,
    ARRAY(SELECT ROW(key, other, "end", changes) FROM said_now) AS said_now,
    ARRAY(SELECT ROW(key, other, "end", changes) FROM said) AS said,
    ARRAY(  -- where each is counted, and as what: then, and now
        SELECT ROW(key, home.*) FROM kin CROSS JOIN LATERAL (
            SELECT village, nullif(cohort, ''), nullif(household_class, ''), coalesce(sum(delta) FILTER (
                       WHERE valid_on <= coalesce($3::date, 'infinity')
                         AND recorded_at <= coalesce($2::timestamptz, 'infinity')), 0) > 0, sum(delta) > 0
            FROM households_ledger AS row WHERE row.key = kin.key GROUP BY village, cohort, household_class
        ) AS home
    ) AS homes,
    ARRAY(  -- why each is out of the programme, and since when
        SELECT ROW(key, gone.*) FROM kin CROSS JOIN LATERAL (
            SELECT lead, max(valid_on) FILTER (WHERE more > 0) FROM (
                SELECT lead, valid_on, sum(delta) AS more FROM households_ledger AS row
                WHERE row.key = kin.key AND lead NOT IN ('paired', 'unpaired')
                  AND valid_on <= coalesce($3::date, 'infinity')
                  AND recorded_at <= coalesce($2::timestamptz, 'infinity')
                GROUP BY lead, valid_on
            ) AS day GROUP BY lead HAVING sum(more) > 0
        ) AS gone
    ) AS exits,
    ARRAY(SELECT ROW(need.*) FROM (
:needs
    ) AS need) AS needs,
    ARRAY(  -- who looks after each
        SELECT ROW(key, pair.*) FROM kin CROSS JOIN LATERAL (
            SELECT helper, role FROM caseload_ledger AS row
            WHERE row.key = kin.key AND valid_on <= coalesce($3::date, 'infinity')
              AND recorded_at <= coalesce($2::timestamptz, 'infinity')
            GROUP BY helper, role HAVING sum(delta) > 0
        ) AS pair ORDER BY role, helper
    ) AS pairs,
    ARRAY(  -- the streams of each, and whether one of them waits
        SELECT ROW(kin.key, stream, version, state) FROM kin JOIN stream_head
            ON stream IN ('household-' || kin.key, 'pairing-' || kin.key, 'case-' || kin.key) ORDER BY stream
    ) AS streams,
    ARRAY(  -- every fact of this one, in the one order there is
        SELECT ROW(recorded_at, occurred_on, type, stream, version, agency, value) FROM fact
        WHERE key = $1 AND recorded_at <= coalesce($2::timestamptz, 'infinity') ORDER BY recorded_at, stream, version
    ) AS facts
FROM (
:standing
) AS standing
