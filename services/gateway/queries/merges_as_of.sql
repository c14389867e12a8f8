-- As merges.sql, as known at one moment: from the facts. $1 a household; $2 known at.
WITH RECURSIVE walk (key) AS (
    SELECT $1::text
    UNION
    SELECT link ->> 'other' FROM walk JOIN card USING (key), jsonb_array_elements(card.state -> 'links') AS link
), told AS (
    SELECT key, type, convert_from(value, 'UTF8')::jsonb AS said FROM walk JOIN fact USING (key)
    WHERE type IN ('HouseholdMerged.v1', 'HouseholdUnmerged.v1', 'HouseholdAbsorbed.v1', 'HouseholdReleased.v1')
      AND recorded_at <= $2
)
SELECT key, coalesce(said ->> 'into', said ->> 'out_of', said ->> 'absorbed', said ->> 'released') AS other,
       CASE WHEN type IN ('HouseholdMerged.v1', 'HouseholdUnmerged.v1') THEN 'merged' ELSE 'absorbed' END AS "end",
       count(*)::integer AS changes
FROM told GROUP BY 1, 2, 3
