-- What a service knows of the registry's households, and how far it has read (shared/runtime/follower.py).

CREATE TABLE known_household (
    household text    PRIMARY KEY,
    village   text    NOT NULL,
    version   integer NOT NULL                                    -- of the household's stream, up to which it is read
);

CREATE TABLE followed (
    topic       text     NOT NULL,
    partition   smallint NOT NULL,
    next_offset bigint   NOT NULL,
    PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);

CREATE TABLE follower_quarantine (                                -- records that could not be read
    topic          text        NOT NULL,
    partition      smallint    NOT NULL,
    "offset"       bigint      NOT NULL,
    reason         text        NOT NULL,                          -- what was wrong, never what stood there
    headers        bytea       NOT NULL,                          -- name NUL value NUL …
    value          bytea,
    quarantined_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (topic, partition, "offset")
);

DO $$
DECLARE role text := 'siao_' || current_schema();
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON known_household, followed TO %I', role);
    EXECUTE format('GRANT SELECT, INSERT ON follower_quarantine TO %I', role);
END $$;
