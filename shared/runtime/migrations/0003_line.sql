-- Which records a household's row is made of, so that one that does not continue them is told apart from a repeat; and
-- records that may be taken later, found by household. Of what was read before this, the hashes are not known: the
-- first record that continues it by its version is believed.

ALTER TABLE known_household
    ADD COLUMN line bytea NOT NULL DEFAULT '';                    -- 8 bytes of the hash of each version, the last last

ALTER TABLE follower_quarantine
    ADD COLUMN household text,                                    -- these three only where the record itself is sound
    ADD COLUMN version   integer,
    ADD COLUMN hash      text;

CREATE UNIQUE INDEX ON follower_quarantine (household, version, hash) WHERE household IS NOT NULL;

DO $$
DECLARE role text := 'siao_' || current_schema();
BEGIN
    EXECUTE format('GRANT UPDATE, DELETE ON follower_quarantine TO %I', role);
    EXECUTE format('GRANT DELETE ON known_household TO %I', role);
END $$;
