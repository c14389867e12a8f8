-- The ledger of coverage in a row for all that a fact changed from one day on in one place, instead of some seven.
ALTER TABLE coverage_ledger RENAME TO coverage_ledger_in_rows;

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
                    CHECK (array_position(moves, NULL) IS NULL)
);

INSERT INTO coverage_ledger
SELECT key, recorded_at, stream, version, event_id, partition, valid_on, village, cohort, household_class,
       array_agg(move ORDER BY move)
FROM (SELECT *, (sign(delta) * (1 + 25 * (array_position(ARRAY['coverage-1', 'coverage-2'], definition) - 1)
          + 5 * (array_position(ARRAY['welfare', 'health', 'occupation', 'education', 'living'], dimension) - 1)
          + array_position(ARRAY['need', 'reached', 'resolved', 'unreached', 'outside_need'], measure) - 1))::smallint
          AS move
      FROM coverage_ledger_in_rows CROSS JOIN LATERAL generate_series(1, abs(delta))) AS moved
GROUP BY key, recorded_at, stream, version, event_id, partition, valid_on, village, cohort, household_class;
DROP TABLE coverage_ledger_in_rows;
ANALYZE coverage_ledger;

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

-- The same rows, only packed: who folds may go on with them.
UPDATE made_by SET what = what || ', packed definition, dimension, measure' WHERE what LIKE 'read model coverage of %';

-- A household has few facts: to sort them costs less than to keep all of them in order.
DROP INDEX fact_in_order;
CREATE INDEX fact_key ON fact (key);
