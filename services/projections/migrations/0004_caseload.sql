-- Caseload: which helper holds how many households, and in which district they live.
-- `key` is the household's, so the ledger also lists a helper's households.

CREATE TABLE caseload_ledger (
    key         text NOT NULL,
    recorded_at timestamptz NOT NULL,
    stream      text NOT NULL,
    version     integer NOT NULL,
    event_id    uuid NOT NULL,
    partition   smallint NOT NULL,
    valid_on    date NOT NULL,
    helper      text NOT NULL,
    role        text NOT NULL,  -- lead | supporting
    district    text NOT NULL,  -- of the household; '' while nobody registered it
    delta       smallint NOT NULL
);
CREATE INDEX caseload_ledger_key ON caseload_ledger (key);
CREATE INDEX caseload_ledger_helper ON caseload_ledger (helper);
CREATE INDEX caseload_ledger_recorded ON caseload_ledger (recorded_at);

CREATE TABLE caseload_rollup (
    partition smallint NOT NULL,
    helper    text NOT NULL,
    role      text NOT NULL,
    district  text NOT NULL,
    n         integer NOT NULL,
    PRIMARY KEY (partition, helper, role, district)
) WITH (fillfactor = 70);
CREATE INDEX caseload_rollup_helper ON caseload_rollup (helper);

GRANT SELECT, INSERT, UPDATE, DELETE ON caseload_ledger, caseload_rollup TO siao_projections;
GRANT SELECT ON caseload_ledger, caseload_rollup TO siao_gateway;
