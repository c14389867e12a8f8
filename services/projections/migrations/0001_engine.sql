-- What the engine keeps, whatever the read models are. All of it can be made again from the log.

-- How far each partition number is folded, in all three topics: the next offset, and the hash of the record before it.
-- Every transaction locks its row first, so two workers never fold the same households at once.
CREATE TABLE checkpoint (
    partition          smallint PRIMARY KEY,
    registry           bigint NOT NULL DEFAULT 0,
    pairing            bigint NOT NULL DEFAULT 0,
    interventions      bigint NOT NULL DEFAULT 0,
    registry_tail      text NOT NULL DEFAULT '',
    pairing_tail       text NOT NULL DEFAULT '',
    interventions_tail text NOT NULL DEFAULT '',
    newest             timestamptz,  -- the latest recorded_at among its facts
    updated_at         timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

-- Every event that was folded, as it came: `headers` as hashed (name NUL value NUL …), `value` the stored bytes.
CREATE TABLE fact (
    key         text NOT NULL,  -- hh_… or hp_…
    recorded_at timestamptz NOT NULL,
    stream      text NOT NULL,
    version     integer NOT NULL,
    event_id    uuid NOT NULL,
    type        text NOT NULL,
    occurred_on date NOT NULL,
    agency      text NOT NULL,
    hash        text NOT NULL,
    topic       text NOT NULL,
    partition   smallint NOT NULL,
    "offset"    bigint NOT NULL,
    headers     bytea NOT NULL,
    value       bytea NOT NULL,
    PRIMARY KEY (stream, version)
);
CREATE INDEX fact_in_order ON fact (key, recorded_at, stream, version);

-- The end of each stream's gap-free prefix. `parked`: something of this stream waits or was refused, for `reason`.
CREATE TABLE stream_head (
    stream    text PRIMARY KEY,
    key       text NOT NULL,
    partition smallint NOT NULL,
    version   integer NOT NULL,  -- 0: nothing folded yet
    hash      text NOT NULL,
    state     text NOT NULL CHECK (state IN ('ok', 'parked')),
    reason    text
) WITH (fillfactor = 70);
CREATE INDEX stream_head_parked ON stream_head (key) WHERE state = 'parked';

-- Records of known streams that cannot be folded: behind a gap, beside another of the same version, unreadable.
CREATE TABLE parked (
    stream    text NOT NULL,
    version   integer NOT NULL,
    hash      text NOT NULL,
    key       text NOT NULL,
    reason    text NOT NULL,  -- gap | fork | chain | altered | unreadable
    topic     text NOT NULL,
    partition smallint NOT NULL,
    "offset"  bigint NOT NULL,
    headers   bytea NOT NULL,
    value     bytea NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (stream, version, hash)
);

-- What could not be read or trusted, cut to 64 KiB, until it expires. Only the worker may read the bytes.
CREATE TABLE quarantine (
    topic      text NOT NULL,
    partition  smallint NOT NULL,
    "offset"   bigint NOT NULL,
    reason     text NOT NULL,
    stream     text,  -- where the headers tell
    version    integer,
    size       integer NOT NULL,  -- bytes of the whole value
    headers    bytea NOT NULL,
    value      bytea NOT NULL,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL DEFAULT clock_timestamp() + interval '30 days',
    PRIMARY KEY (topic, partition, "offset")
);
CREATE INDEX quarantine_expiry ON quarantine (expires_at);

-- A household or helper as all its facts together make it; `state` is JSON, described in card.py.
CREATE TABLE card (
    key              text PRIMARY KEY,
    partition        smallint NOT NULL,
    kind             text NOT NULL CHECK (kind IN ('household', 'helper')),
    state            jsonb NOT NULL,
    last_recorded_at timestamptz,  -- the last fact folded; null while all of it is parked
    last_stream      text,
    last_version     integer,
    incomplete       boolean NOT NULL DEFAULT false  -- a stream of this key is parked
) WITH (fillfactor = 70);

-- How fresh each agency's data is: the latest of its facts, and how many.
CREATE TABLE freshness (
    partition       smallint NOT NULL,
    service         text NOT NULL,
    agency          text NOT NULL,
    recorded_at     timestamptz NOT NULL,
    occurred_on     date NOT NULL,
    events          bigint NOT NULL,
    PRIMARY KEY (partition, service, agency)
) WITH (fillfactor = 70);

-- A service's mark: everything it recorded before `mark` has arrived once the checkpoints have passed `offsets`
-- (partition number -> end offset). `settled` is the newest mark of which that was seen to be so.
CREATE TABLE watermark (
    service    text PRIMARY KEY,
    mark       timestamptz NOT NULL,
    offsets    jsonb NOT NULL,
    clock      text NOT NULL,
    settled    timestamptz,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The mark that counts now, a service a row; null before the first. The lowest of the three is the watermark.
CREATE VIEW watermark_settled AS
SELECT w.service, w.clock,
       CASE WHEN NOT EXISTS (
           SELECT FROM jsonb_each_text(w.offsets) AS reach (partition, until)
           LEFT JOIN checkpoint AS c ON c.partition = reach.partition::smallint
           WHERE reach.until::bigint > coalesce(CASE w.service
               WHEN 'registry' THEN c.registry WHEN 'pairing' THEN c.pairing ELSE c.interventions END, 0)
       ) THEN w.mark ELSE w.settled END AS mark
FROM watermark AS w;

GRANT SELECT, INSERT ON fact TO siao_projections;
GRANT SELECT, INSERT, UPDATE, DELETE
    ON checkpoint, stream_head, parked, quarantine, card, freshness, watermark TO siao_projections;
GRANT SELECT ON watermark_settled TO siao_projections;
GRANT SELECT ON checkpoint, fact, stream_head, card, freshness, watermark, watermark_settled TO siao_gateway;
GRANT SELECT (stream, version, hash, key, reason, topic, partition, "offset", parked_at) ON parked TO siao_gateway;
GRANT SELECT (topic, partition, "offset", reason, stream, version, size, at, expires_at) ON quarantine TO siao_gateway;
