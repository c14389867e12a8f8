-- The history of coverage in rows of many days, and with sums over all cohorts and classes: an answer reads a fifth of
-- the rows, and they take half the space. What was kept is a sum of the ledger: history.py makes it anew, and until then
-- answers are read from the ledger.
TRUNCATE coverage_block, coverage_cell;
DROP TABLE coverage_history;

-- '*' as cohort and class together: all of them; such a cell is kept beside those of each cohort and class.
-- Compared byte by byte, so that all cells in an area are one stretch of the index.
ALTER TABLE coverage_cell ALTER COLUMN place TYPE text COLLATE "C";

-- By how much the facts of a block changed a cell, as valid on each of `days` and until the next: running sums, in the
-- order of the days, so the last of them that is not after a day says all. No foreign keys: they would be checked for
-- each of thousands of rows, and only history.py writes here.
CREATE TABLE coverage_history (
    block integer NOT NULL,
    cell  integer NOT NULL,
    since date NOT NULL,  -- the first of `days`
    days  date[] NOT NULL,
    sums  integer[] NOT NULL,  -- a row for each of `days`: need, reached, resolved, unreached, outside_need
    PRIMARY KEY (block, cell, since)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON coverage_history TO siao_projections;
GRANT SELECT ON coverage_history TO siao_gateway;
