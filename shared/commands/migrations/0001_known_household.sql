-- What a service knows of households that the registry owns, and how far it has read the registry's topic.

CREATE TABLE known_household (
    household text    PRIMARY KEY,
    village   text,                                               -- null while its registration has not arrived
    version   integer NOT NULL                                    -- of the registry's stream, the highest seen
);

CREATE TABLE followed (
    topic       text     NOT NULL,
    partition   smallint NOT NULL,
    next_offset bigint   NOT NULL,
    PRIMARY KEY (topic, partition)
);

CREATE TABLE follower_quarantine (                                -- the record itself stays in the log, for ever
    topic     text        NOT NULL,
    partition smallint    NOT NULL,
    "offset"  bigint      NOT NULL,
    reason    text        NOT NULL,
    seen_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (topic, partition, "offset")
);

DO $$
DECLARE role text := 'siao_' || current_schema();
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON known_household, followed TO %I', role);
    EXECUTE format('GRANT SELECT, INSERT ON follower_quarantine TO %I', role);
END $$;
