-- One key a person (or household, for its address), wrapped by a key that is not in this database.
-- Deleting a row erases whatever was sealed under it, in the log and in every copy of the log.

CREATE TABLE person_key (
    subject text  PRIMARY KEY,                                    -- pr_…, hp_… or hh_…
    wrapped bytea NOT NULL
);

DO $$ BEGIN
    EXECUTE format('GRANT SELECT, INSERT, DELETE ON person_key TO %I', 'siao_' || current_schema());
END $$;
