-- As merges.sql, as known at one moment: from the facts. $1 a household; $2 known at.
WITH RECURSIVE walk (key) AS (
    SELECT $1::text
    UNION
    SELECT link ->> 'other'
    FROM walk, jsonb_array_elements((SELECT state -> 'links' FROM card WHERE card.key = walk.key)) AS link
), told AS (
    SELECT key, version, coalesce(said ->> 'into', said ->> 'out_of', said ->> 'absorbed', said ->> 'released') AS other,
           type IN ('HouseholdMerged.v1', 'HouseholdUnmerged.v1') AS merged,
           type IN ('HouseholdMerged.v1', 'HouseholdAbsorbed.v1') AS one
    FROM walk CROSS JOIN LATERAL (
        SELECT version, type, convert_from(value, 'UTF8')::jsonb AS said FROM fact
        WHERE fact.key = walk.key AND recorded_at <= $2
          AND type IN ('HouseholdMerged.v1', 'HouseholdUnmerged.v1', 'HouseholdAbsorbed.v1', 'HouseholdReleased.v1')
        OFFSET 0  -- by key, one household after the other
    ) AS recorded
), changed AS (
    -- What was said already, or of itself, changes nothing.
    SELECT *, one <> lag(one, 1, false) OVER (PARTITION BY key, other, merged ORDER BY version) AND other <> key AS changes
    FROM told
)
SELECT key, other, CASE WHEN merged THEN 'merged' ELSE 'absorbed' END AS "end", count(*)::integer AS changes
FROM changed WHERE changes GROUP BY 1, 2, 3
