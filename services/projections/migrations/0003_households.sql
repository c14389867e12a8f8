-- Households, and whether each has a lead helper. '' stands for "none": no cohort, not classified.

CREATE TABLE households_ledger (
    key             text NOT NULL,
    recorded_at     timestamptz NOT NULL,
    stream          text NOT NULL,
    version         integer NOT NULL,
    event_id        uuid NOT NULL,
    partition       smallint NOT NULL,
    valid_on        date NOT NULL,
    village         text NOT NULL,
    cohort          text NOT NULL,
    household_class text NOT NULL,
    lead            text NOT NULL,  -- paired | unpaired
    delta           smallint NOT NULL
);
CREATE INDEX households_ledger_key ON households_ledger (key);
CREATE INDEX households_ledger_recorded ON households_ledger (recorded_at);

CREATE TABLE households_rollup (
    partition       smallint NOT NULL,
    village         text NOT NULL,
    cohort          text NOT NULL,
    household_class text NOT NULL,
    lead            text NOT NULL,
    n               integer NOT NULL,
    PRIMARY KEY (partition, village, cohort, household_class, lead)
) WITH (fillfactor = 70);

GRANT SELECT, INSERT, UPDATE, DELETE ON households_ledger, households_rollup TO siao_projections;
GRANT SELECT ON households_ledger, households_rollup TO siao_gateway;
