-- What each household of a group says of its merges. $1 a household.
WITH RECURSIVE walk (key) AS (
    SELECT $1::text
    UNION
    SELECT link ->> 'other' FROM walk JOIN card USING (key), jsonb_array_elements(card.state -> 'links') AS link
)
SELECT key, link ->> 'other' AS other, link ->> 'end' AS "end", (link ->> 'changes')::integer AS changes
FROM walk JOIN card USING (key), jsonb_array_elements(card.state -> 'links') AS link
