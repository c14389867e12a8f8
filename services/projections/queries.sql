-- What the engine asks and writes. A batch asks each of these once at most, however many events it holds; what it writes
-- is sent as one statement (sql.py).
-- They are planned once, perhaps while a table is empty: LATERAL with OFFSET 0 has each row of what was sent looked up by
-- an index, where PostgreSQL would else read a table that it takes for small as often as there are rows.

-- name: lock_checkpoints
-- In one order everywhere. With the note of what the tables are made by: a rebuild by another version of Siao may have
-- put its own in their place.
SELECT *, ARRAY(SELECT what FROM made_by) AS made_by FROM checkpoint
WHERE partition = ANY($1::smallint[]) ORDER BY partition FOR UPDATE

-- name: lock_free_checkpoints
SELECT *, ARRAY(SELECT what FROM made_by) AS made_by FROM checkpoint
WHERE partition = ANY($1::smallint[]) ORDER BY partition FOR UPDATE SKIP LOCKED

-- name: new_checkpoints
-- Before the first batch, so that the row is there to be seen when somebody else has locked it. Only those that are
-- missing: over a locked row even DO NOTHING would wait.
INSERT INTO checkpoint (partition)
SELECT number FROM unnest($1::smallint[]) AS wanted (number)
WHERE NOT EXISTS (SELECT FROM checkpoint WHERE partition = number) ON CONFLICT DO NOTHING RETURNING true

-- name: holder
-- The transaction that locked this partition's row, while it lasts: that is what `xmax` says.
SELECT checkpoint.xmax::text
FROM checkpoint
JOIN pg_locks AS held ON held.locktype = 'transactionid' AND held.granted AND held.transactionid = checkpoint.xmax
WHERE checkpoint.partition = $1 AND held.pid <> pg_backend_pid()

-- name: end_holder
-- Ends the session of a transaction.
SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE locktype = 'transactionid' AND granted AND transactionid::text = $1 AND mode = 'ExclusiveLock'

-- name: save_checkpoints
UPDATE checkpoint AS held
SET registry = reached.registry, pairing = reached.pairing, interventions = reached.interventions,
    registry_tail = reached.registry_tail, pairing_tail = reached.pairing_tail,
    interventions_tail = reached.interventions_tail,
    newest = greatest(held.newest, reached.newest), updated_at = clock_timestamp()
FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[],
            $8::timestamptz[])
     AS reached (partition, registry, pairing, interventions, registry_tail, pairing_tail, interventions_tail, newest)
WHERE held.partition = reached.partition

-- name: known_of
-- Of each stream its end, and the card of its key: of each key once, for the stream that names it.
SELECT named.stream, head.version, head.hash, head.state,
       named.key, card.state AS card, last_recorded_at, last_stream, last_version
FROM unnest($1::text[], $2::text[]) AS named (stream, key)
LEFT JOIN LATERAL (
    SELECT version, hash, state FROM stream_head WHERE stream_head.stream = named.stream OFFSET 0
) AS head ON true
LEFT JOIN LATERAL (
    SELECT state, last_recorded_at, last_stream, last_version FROM card WHERE card.key = named.key OFFSET 0
) AS card ON true

-- name: add_facts
INSERT INTO fact (key, recorded_at, stream, version, event_id, type, occurred_on, agency,
                  hash, topic, partition, "offset", headers, value)
SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::integer[], $5::uuid[], $6::text[], $7::date[],
                     $8::text[], $9::text[], $10::text[], $11::smallint[], $12::bigint[], $13::bytea[], $14::bytea[])

-- name: save_heads
INSERT INTO stream_head (stream, key, partition, version, hash, state, reason)
SELECT * FROM unnest($1::text[], $2::text[], $3::smallint[], $4::integer[], $5::text[], $6::text[], $7::text[])
ON CONFLICT (stream) DO UPDATE
SET version = excluded.version, hash = excluded.hash, state = excluded.state, reason = excluded.reason

-- name: known
-- Hashes of versions that are folded already: tells a repeat from a fork.
SELECT named.stream, named.version, folded.hash
FROM unnest($1::text[], $2::integer[]) AS named (stream, version)
CROSS JOIN LATERAL (
    SELECT hash FROM fact WHERE fact.stream = named.stream AND fact.version = named.version OFFSET 0
) AS folded

-- name: facts_of
SELECT key, recorded_at, stream, version, event_id, type, agency, value FROM fact WHERE key = ANY($1)

-- name: parked_of
SELECT * FROM parked WHERE stream = ANY($1)

-- name: forget_parked
DELETE FROM parked WHERE ctid = ANY (ARRAY(
    SELECT place FROM unnest($1::text[], $2::integer[], $3::text[]) AS freed (stream, version, hash)
    CROSS JOIN LATERAL (
        SELECT parked.ctid AS place FROM parked
        WHERE parked.stream = freed.stream AND parked.version = freed.version AND parked.hash = freed.hash OFFSET 0
    ) AS held
))

-- name: unpark
DELETE FROM parked WHERE topic = $1 AND partition = $2 AND "offset" >= $3 RETURNING stream, key

-- name: look_again
-- What of these streams is parked, after some of it is gone.
UPDATE stream_head AS head
SET (state, reason) = (
    SELECT CASE WHEN min(reason) IS NULL THEN 'ok' ELSE 'parked' END, min(reason)
    FROM (SELECT reason FROM parked WHERE parked.stream = head.stream ORDER BY version, hash COLLATE "C" LIMIT 1)
)
WHERE head.stream = ANY ($1::text[])

-- name: forget_unknown
DELETE FROM stream_head WHERE stream = ANY($1) AND version = 0 AND state = 'ok'

-- name: forget_blank
DELETE FROM card WHERE key = ANY($1) AND last_recorded_at IS NULL AND NOT incomplete

-- name: park
INSERT INTO parked (stream, version, hash, key, reason, topic, partition, "offset", headers, value)
SELECT * FROM unnest($1::text[], $2::integer[], $3::text[], $4::text[], $5::text[],
                     $6::text[], $7::smallint[], $8::bigint[], $9::bytea[], $10::bytea[])
ON CONFLICT (stream, version, hash) DO UPDATE SET reason = excluded.reason, "offset" = excluded."offset"

-- name: quarantine
INSERT INTO quarantine (topic, partition, "offset", reason, stream, version, size, headers, value)
SELECT * FROM unnest($1::text[], $2::smallint[], $3::bigint[], $4::text[], $5::text[], $6::integer[],
                     $7::integer[], $8::bytea[], $9::bytea[])
ON CONFLICT DO NOTHING

-- name: expire_quarantine
DELETE FROM quarantine WHERE expires_at < clock_timestamp()

-- name: cards
SELECT key, state, last_recorded_at, last_stream, last_version FROM card WHERE key = ANY($1)

-- name: save_cards
INSERT INTO card (key, partition, kind, state, last_recorded_at, last_stream, last_version)
SELECT * FROM unnest($1::text[], $2::smallint[], $3::text[], $4::jsonb[], $5::timestamptz[], $6::text[], $7::integer[])
ON CONFLICT (key) DO UPDATE
SET state = excluded.state, last_recorded_at = excluded.last_recorded_at,
    last_stream = excluded.last_stream, last_version = excluded.last_version

-- name: linked
-- With whom these households were ever one, as their cards say, and with whom those were, and so on.
WITH RECURSIVE walk (key) AS (
    SELECT unnest($1::text[])
    UNION
    SELECT link ->> 'other'
    FROM walk
    CROSS JOIN LATERAL (SELECT state FROM card WHERE card.key = walk.key OFFSET 0) AS card
    CROSS JOIN LATERAL jsonb_array_elements(card.state -> 'links') AS link
)
SELECT key FROM walk

-- name: with_links
-- Households that were ever one with another, as their cards say.
SELECT key FROM card WHERE jsonb_array_length(state -> 'links') > 0 ORDER BY key

-- name: lock_linked
-- In one order everywhere, that of the locks' numbers; each schema has its own.
SELECT pg_advisory_xact_lock(number)
FROM (SELECT DISTINCT hashtextextended(current_schema() || key, 0) AS number FROM unnest($1::text[]) AS named (key)
      ORDER BY number) AS sorted

-- name: mark_incomplete
INSERT INTO card (key, partition, kind, state, incomplete)
SELECT key, partition, kind, '{}', EXISTS (SELECT FROM stream_head h WHERE h.key = named.key AND h.state = 'parked')
FROM unnest($1::text[], $2::smallint[], $3::text[]) AS named (key, partition, kind)
ON CONFLICT (key) DO UPDATE SET incomplete = excluded.incomplete

-- name: freshen
INSERT INTO freshness (partition, service, agency, recorded_at, occurred_on, events)
SELECT * FROM unnest($1::smallint[], $2::text[], $3::text[], $4::timestamptz[], $5::date[], $6::bigint[])
ON CONFLICT (partition, service, agency) DO UPDATE
SET recorded_at = greatest(freshness.recorded_at, excluded.recorded_at),
    occurred_on = greatest(freshness.occurred_on, excluded.occurred_on),
    events = freshness.events + excluded.events

-- name: checkpoints
SELECT * FROM checkpoint

-- name: first_mark
INSERT INTO watermark (service, mark, offsets, clock, position) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING

-- name: mark
-- A mark stays until its offsets are passed, or under load none would ever settle. It gives way at once to a lower one
-- (a machine's clock was set back), and where the log is shorter than it says (a broker lost its end).
UPDATE watermark AS held
SET settled = CASE WHEN $2::timestamptz < held.mark THEN least(held.settled, $2)
                   WHEN now.passed THEN held.mark ELSE held.settled END,
    mark = CASE WHEN now.gives_way THEN $2 ELSE held.mark END,
    offsets = CASE WHEN now.gives_way THEN $3 ELSE held.offsets END,
    clock = $4, position = $5, updated_at = clock_timestamp()
FROM (SELECT coalesce(s.mark = w.mark, false) AS passed,
             coalesce(s.mark = w.mark, false) OR $2 < w.mark OR EXISTS (
                 SELECT FROM jsonb_each_text($3::jsonb) AS told (partition, until)
                 WHERE told.until::bigint < (w.offsets ->> told.partition)::bigint) AS gives_way
      FROM watermark AS w JOIN watermark_settled AS s USING (service) WHERE w.service = $1) AS now
WHERE held.service = $1 AND held.position < $5

-- name: settle_mark
-- What a checkpoint had passed stays final when it goes back: what was folded stays.
UPDATE watermark AS held SET settled = now.mark
FROM watermark_settled AS now WHERE (now.service, now.mark) = (held.service, held.mark) AND held.service = $1

-- name: unsettle
-- Until the mark's offsets are passed again: what was parked, and made answers provisional, is yet to come again.
UPDATE watermark SET settled = NULL WHERE service = $1

-- name: marks_begin_again
-- The topic of marks was lost, and its offsets begin anew.
UPDATE watermark SET position = -1 WHERE position >= $1
