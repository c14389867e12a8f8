-- Coverage as it was known on past days, at a cost that does not grow with the ledger. history.py keeps it.

-- A stretch of the ledger, by recorded_at: from `since` (included) to `until` (not included), all below the watermark.
-- Level 0 holds some thousand ledger rows; a block of the next level holds eight of the level below, which stay.
CREATE TABLE coverage_block (
    id      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    level   smallint NOT NULL,
    since   timestamptz NOT NULL,
    until   timestamptz NOT NULL CHECK (since < until),
    merged  boolean NOT NULL DEFAULT false,  -- into one of the level above
    claim   uuid,  -- until it is filled; nobody reads it before
    UNIQUE (since, level)
);
CREATE INDEX coverage_block_until ON coverage_block (until);
CREATE UNIQUE INDEX coverage_block_unmerged ON coverage_block (level, since) WHERE NOT merged;

-- What a place and dimension were counted by: a few for each of the province, a district, a subdistrict.
CREATE TABLE coverage_cell (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    definition      text NOT NULL,
    digits          smallint NOT NULL,  -- of the place: 2, 4, 6
    place           text NOT NULL,
    cohort          text NOT NULL,
    household_class text NOT NULL,
    dimension       text NOT NULL,
    UNIQUE (definition, digits, place, cohort, household_class, dimension)
);

-- By how much the facts of a block changed a cell, as valid on `valid_on` and until the cell's next row: a running sum
-- over the days, so the last row not after a day says all. No foreign keys: they would be checked for each of thousands
-- of rows, and only history.py writes here.
CREATE TABLE coverage_history (
    block        integer NOT NULL,
    cell         integer NOT NULL,
    valid_on     date NOT NULL,
    need         integer NOT NULL,
    reached      integer NOT NULL,
    resolved     integer NOT NULL,
    unreached    integer NOT NULL,
    outside_need integer NOT NULL,
    PRIMARY KEY (block, cell, valid_on)
);

-- For what is explained between two days of the world.
CREATE INDEX coverage_ledger_valid ON coverage_ledger (valid_on);
-- Which households were ever counted in a village: of villages no history is kept.
CREATE INDEX households_ledger_village ON households_ledger (village text_pattern_ops);

GRANT SELECT, INSERT, UPDATE, DELETE ON coverage_block, coverage_cell, coverage_history TO siao_projections;
GRANT SELECT ON coverage_block, coverage_cell, coverage_history TO siao_gateway;
