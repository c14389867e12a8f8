-- What stood in the rollups, and in the ledger of loads, on one day, as known at one moment. These names then hide the
-- tables of the same names from the query that this is put in front of.
caseload_ledger AS (
    SELECT * FROM caseload_ledger WHERE valid_on <= :valid_on AND recorded_at <= :known_at
), caseload_rollup AS (
    SELECT helper, role, district, delta AS n FROM caseload_ledger
), helpers_rollup AS (
    SELECT helper, district, kind, delta AS n FROM helpers_ledger
    WHERE valid_on <= :valid_on AND recorded_at <= :known_at
), households_rollup AS (
    SELECT village, lead, delta AS n FROM households_ledger WHERE valid_on <= :valid_on AND recorded_at <= :known_at
),
