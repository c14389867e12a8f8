-- The event store of one service: streams of events, their heads, what is still to be published, what was answered.

CREATE TABLE event (
    seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- order of insertion; within a stream, of version
    stream      text        NOT NULL,
    version     integer     NOT NULL CHECK (version > 0),
    id          uuid        NOT NULL,
    type        text        NOT NULL,
    partition   smallint    NOT NULL,                             -- of the topic, from the stream's key
    recorded_at timestamptz NOT NULL,
    headers     bytea       NOT NULL,                             -- canonical, as hashed: shared/events/envelope.py
    value       bytea       NOT NULL,                             -- the record's value, byte for byte
    hash        text        NOT NULL,
    UNIQUE (stream, version)
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are never changed or removed' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE head (
    stream      text        PRIMARY KEY,
    version     integer     NOT NULL,
    hash        text        NOT NULL,
    recorded_at timestamptz NOT NULL
);

CREATE TABLE outbox (
    seq bigint PRIMARY KEY                                        -- of the event that is not acknowledged yet
);

CREATE TABLE receipt (
    agency      text  NOT NULL,
    command_id  text  NOT NULL,
    body_digest bytea NOT NULL,                                   -- keyed, so that it tells nothing of the body
    answer      bytea NOT NULL,                                   -- the receipt, byte for byte
    PRIMARY KEY (agency, command_id)
);

CREATE TABLE relay_position (
    partition smallint PRIMARY KEY,
    "offset"  bigint   NOT NULL,                                  -- of the last acknowledged record
    event_id  uuid     NOT NULL
);

CREATE TABLE clock (
    one    boolean     PRIMARY KEY DEFAULT true CHECK (one),
    kind   text        NOT NULL CHECK (kind IN ('real', 'simulated')),
    time   timestamptz NOT NULL,                                  -- simulated: what it said at `set_at`
    set_at timestamptz NOT NULL
);

DO $$
DECLARE role text := 'siao_' || current_schema();
BEGIN
    EXECUTE format('GRANT SELECT, INSERT ON event, receipt TO %I', role);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON head, relay_position, clock TO %I', role);
    EXECUTE format('GRANT SELECT, INSERT, DELETE ON outbox TO %I', role);
END $$;
