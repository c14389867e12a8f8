-- Exits that pairing has answered (exits.py), so that one that comes again ends no pair that was assigned since.
CREATE TABLE exit_seen (
    event uuid PRIMARY KEY                                        -- the id of the CaseExited
);

-- What is known of each exit, so that no pair is assigned from a day on that lies before it.
CREATE TABLE exited (
    household text    NOT NULL,
    exit      text    NOT NULL,
    version   integer NOT NULL,                                   -- of the household's case, of which this is so
    day       date,                                               -- null: it was voided
    PRIMARY KEY (household, exit)
);

DO $$
DECLARE role text := 'siao_' || current_schema();
BEGIN
    EXECUTE format('GRANT SELECT, INSERT ON exit_seen TO %I', role);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON exited TO %I', role);
END $$;
