-- What moved coverage between two as-of points: `effect` has a row for each fact, household and cause, and by how much
-- it made each measure more (or less); what comes to nothing is left out. explain.py asks it twice.
-- $1 definition, $2 prefix of the place, $3 dimension, $4 cohort, $5 class; null: all.
-- From $6 valid on, $7 known at, to $8 valid on, $9 known at. $10 types of facts, $11 what each of them causes.
WITH asked AS (
    SELECT $6::date AS from_day, $7::timestamptz AS from_moment, $8::date AS to_day, $9::timestamptz AS to_moment
), point AS (
    SELECT *, least(from_day, to_day) AS first_day, greatest(from_day, to_day) AS last_day,
           least(from_moment, to_moment) AS earlier, greatest(from_moment, to_moment) AS later
    FROM asked
), moved AS (
    -- what was recorded between the points, and then what came true between them
    SELECT l.*, CASE WHEN to_moment > from_moment THEN delta ELSE -delta END AS more
    FROM point JOIN coverage_changes AS l ON l.recorded_at > earlier AND l.recorded_at <= later
    WHERE l.valid_on <= CASE WHEN to_moment > from_moment THEN to_day ELSE from_day END
    UNION ALL
    SELECT l.*, CASE WHEN to_day > from_day THEN delta ELSE -delta END
    FROM point JOIN coverage_changes AS l ON l.valid_on > first_day AND l.valid_on <= last_day
    WHERE l.recorded_at <= earlier
), net AS (
    SELECT key, stream, version, event_id, recorded_at, dimension, measure, sum(more) AS more
    FROM moved
    WHERE definition = $1
      AND village LIKE $2 || '%'
      AND ($3::text IS NULL OR dimension = $3)
      AND ($4::text IS NULL OR cohort = $4)
      AND ($5::text IS NULL OR household_class = $5)
    GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(more) <> 0
), caused AS (
    -- of an assessment, what it says of the dimension: that the need lasts, or that it does not
    SELECT n.*, f.type, f.occurred_on,
           CASE WHEN of_type.cause <> 'new_need' THEN of_type.cause
                WHEN convert_from(f.value, 'UTF8')::jsonb -> 'needs'
                     @> jsonb_build_array(jsonb_build_object('dimension', n.dimension, 'in_need', false))
                THEN 'need_ended' ELSE 'new_need' END AS cause
    FROM net AS n JOIN fact AS f USING (stream, version)
    LEFT JOIN unnest($10::text[], $11::text[]) AS of_type (type, cause) USING (type)
), effect AS (
    SELECT cause, key, stream, version, event_id, type, occurred_on, c.recorded_at,
           coalesce(sum(more) FILTER (WHERE measure = 'need'), 0)::bigint AS need,
           coalesce(sum(more) FILTER (WHERE measure = 'reached'), 0)::bigint AS reached,
           coalesce(sum(more) FILTER (WHERE measure = 'resolved'), 0)::bigint AS resolved,
           coalesce(sum(more) FILTER (WHERE measure = 'unreached'), 0)::bigint AS unreached,
           coalesce(sum(more) FILTER (WHERE measure = 'outside_need'), 0)::bigint AS outside_need
    FROM caused AS c GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
)
