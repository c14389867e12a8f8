-- The ledger of coverage in a row for all that a fact changed from one day on in one place, instead of some seven.
DROP TABLE coverage_ledger;

CREATE TABLE coverage_ledger (
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
    moves           smallint[] NOT NULL  -- coverage_changes says of what; below 0: one household less
);
CREATE INDEX coverage_ledger_key ON coverage_ledger (key);
CREATE INDEX coverage_ledger_recorded ON coverage_ledger (recorded_at);
CREATE INDEX coverage_ledger_valid ON coverage_ledger (valid_on);

-- From `valid_on` on, the cell holds `delta` households more, as known from `recorded_at` on. The numbers are those of
-- coverage.py: a definition has 25, a dimension five of them, a measure one.
CREATE VIEW coverage_changes AS
SELECT key, recorded_at, stream, version, event_id, partition, valid_on,
       (ARRAY['coverage-1', 'coverage-2'])[1 + (abs(move) - 1) / 25] AS definition, village, cohort, household_class,
       (ARRAY['welfare', 'health', 'occupation', 'education', 'living'])[1 + (abs(move) - 1) / 5 % 5] AS dimension,
       (ARRAY['need', 'reached', 'resolved', 'unreached', 'outside_need'])[1 + (abs(move) - 1) % 5] AS measure,
       CASE WHEN move > 0 THEN 1 ELSE -1 END AS delta
FROM coverage_ledger CROSS JOIN LATERAL unnest(moves) AS move;

GRANT SELECT, INSERT, UPDATE, DELETE ON coverage_ledger TO siao_projections;
GRANT SELECT ON coverage_changes TO siao_projections;
GRANT SELECT ON coverage_ledger, coverage_changes TO siao_gateway;

-- Blocks are sums of the ledger, and go with it.
TRUNCATE coverage_block, coverage_cell, coverage_history;

-- A household has few facts: to sort them costs less than to keep all of them in order.
DROP INDEX fact_in_order;
CREATE INDEX fact_key ON fact (key);
