-- Exits that pairing has answered (exits.py), so that one that comes again ends no pair that was assigned since.
CREATE TABLE exit_seen (
    event uuid PRIMARY KEY                                        -- the id of the CaseExited
);

DO $$ BEGIN EXECUTE format('GRANT SELECT, INSERT ON exit_seen TO %I', 'siao_' || current_schema()); END $$;
