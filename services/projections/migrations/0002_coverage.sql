-- Coverage: in which dimension a household is in need, reached, resolved. See coverage.py for each measure.
-- '' stands for "none": no cohort, not classified. Place levels are prefixes of the village code (2, 4, 6, 8 digits).

-- What each fact changed: from `valid_on` on, the cell holds `delta` households more, as known from `recorded_at` on.
CREATE TABLE coverage_ledger (
    key             text NOT NULL,
    recorded_at     timestamptz NOT NULL,
    stream          text NOT NULL,
    version         integer NOT NULL,
    event_id        uuid NOT NULL,
    partition       smallint NOT NULL,
    valid_on        date NOT NULL,
    definition      text NOT NULL,  -- of coverage, by which this row was made
    village         text NOT NULL,
    cohort          text NOT NULL,
    household_class text NOT NULL,
    dimension       text NOT NULL,
    measure         text NOT NULL,  -- need | reached | resolved | unreached | outside_need
    delta           smallint NOT NULL
);
CREATE INDEX coverage_ledger_key ON coverage_ledger (key);
CREATE INDEX coverage_ledger_recorded ON coverage_ledger (recorded_at);

-- The sum of the ledger, a partition and cell a row; a figure is summed over the partitions when it is read.
CREATE TABLE coverage_rollup (
    partition       smallint NOT NULL,
    definition      text NOT NULL,
    village         text NOT NULL,
    cohort          text NOT NULL,
    household_class text NOT NULL,
    dimension       text NOT NULL,
    measure         text NOT NULL,
    n               integer NOT NULL,
    PRIMARY KEY (partition, definition, village, cohort, household_class, dimension, measure)
) WITH (fillfactor = 70);

GRANT SELECT, INSERT, UPDATE, DELETE ON coverage_ledger, coverage_rollup TO siao_projections;
GRANT SELECT ON coverage_ledger, coverage_rollup TO siao_gateway;
