-- What the engine asks and writes. A batch asks each of these once at most, however many events it holds.

-- name: lock_checkpoint
-- With the ledgers that there are: a rebuild by another version of Siao may have put another set in their place.
SELECT *, ARRAY(SELECT relname::text FROM pg_class
                WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname LIKE '%\_ledger'
               ) AS ledgers
FROM checkpoint WHERE partition = $1 FOR UPDATE

-- name: new_checkpoint
INSERT INTO checkpoint (partition) VALUES ($1) ON CONFLICT DO NOTHING

-- name: save_checkpoint
UPDATE checkpoint
SET registry = $2, pairing = $3, interventions = $4,
    registry_tail = $5, pairing_tail = $6, interventions_tail = $7,
    newest = greatest(newest, $8), updated_at = clock_timestamp()
WHERE partition = $1

-- name: heads
SELECT stream, version, hash, state FROM stream_head WHERE stream = ANY($1)

-- name: save_heads
INSERT INTO stream_head (stream, key, partition, version, hash, state, reason)
SELECT * FROM unnest($1::text[], $2::text[], $3::smallint[], $4::integer[], $5::text[], $6::text[], $7::text[])
ON CONFLICT (stream) DO UPDATE
SET version = excluded.version, hash = excluded.hash, state = excluded.state, reason = excluded.reason

-- name: known
-- Hashes of versions that are folded already: tells a repeat from a fork.
SELECT stream, version, hash
FROM unnest($1::text[], $2::integer[]) AS named (stream, version) JOIN fact USING (stream, version)

-- name: add_facts
INSERT INTO fact (key, recorded_at, stream, version, event_id, type, occurred_on, agency, hash,
                  topic, partition, "offset", headers, value)
SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::integer[], $5::uuid[], $6::text[], $7::date[],
                     $8::text[], $9::text[], $10::text[], $11::smallint[], $12::bigint[], $13::bytea[], $14::bytea[])

-- name: facts_of
SELECT key, recorded_at, stream, version, event_id, type, agency, value FROM fact WHERE key = ANY($1)

-- name: parked_of
SELECT * FROM parked WHERE stream = ANY($1)

-- name: forget_parked
DELETE FROM parked USING unnest($1::text[], $2::integer[], $3::text[]) AS freed (stream, version, hash)
WHERE (parked.stream, parked.version, parked.hash) = (freed.stream, freed.version, freed.hash)

-- name: park
INSERT INTO parked (stream, version, hash, key, reason, topic, partition, "offset", headers, value)
SELECT * FROM unnest($1::text[], $2::integer[], $3::text[], $4::text[], $5::text[],
                     $6::text[], $7::smallint[], $8::bigint[], $9::bytea[], $10::bytea[])
ON CONFLICT (stream, version, hash) DO UPDATE SET reason = excluded.reason

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

-- name: mark_incomplete
INSERT INTO card (key, partition, kind, state, incomplete)
SELECT key, $1, kind, '{}', EXISTS (SELECT FROM stream_head h WHERE h.key = named.key AND h.state = 'parked')
FROM unnest($2::text[], $3::text[]) AS named (key, kind)
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

-- name: mark
-- A mark stays until its offsets are passed, or under load none would ever settle; or until the log is shorter than
-- it says, because a broker lost its end.
WITH passed AS (SELECT mark FROM watermark_settled WHERE service = $1)
INSERT INTO watermark AS held (service, mark, offsets, clock) VALUES ($1, $2, $3, $4)
ON CONFLICT (service) DO UPDATE
SET settled = CASE WHEN held.mark = (SELECT mark FROM passed) THEN held.mark ELSE held.settled END,
    mark = excluded.mark, offsets = excluded.offsets, clock = excluded.clock, updated_at = clock_timestamp()
WHERE excluded.mark > held.mark AND held.mark = (SELECT mark FROM passed)
   OR EXISTS (SELECT FROM jsonb_each_text(excluded.offsets) AS now (partition, until)
              WHERE now.until::bigint < (held.offsets ->> now.partition)::bigint)
