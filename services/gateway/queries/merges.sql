-- What each household of a group says of its merges. $1 a household.
-- A card is looked up by its key, one by one (as a value, not in a join): nobody can tell beforehand that groups are small.
WITH RECURSIVE walk (key) AS (
    SELECT $1::text
    UNION
    SELECT link ->> 'other'
    FROM walk, jsonb_array_elements((SELECT state -> 'links' FROM card WHERE card.key = walk.key)) AS link
)
SELECT key, link ->> 'other' AS other, link ->> 'end' AS "end", (link ->> 'changes')::integer AS changes
FROM walk, jsonb_array_elements((SELECT state -> 'links' FROM card WHERE card.key = walk.key)) AS link
