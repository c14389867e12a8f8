-- Helpers, by the district in which they serve. What one may carry is a policy by kind and is joined when read.

CREATE TABLE helpers_ledger (
    key         text NOT NULL,
    recorded_at timestamptz NOT NULL,
    stream      text NOT NULL,
    version     integer NOT NULL,
    event_id    uuid NOT NULL,
    partition   smallint NOT NULL,
    valid_on    date NOT NULL,
    helper      text NOT NULL,
    district    text NOT NULL,
    kind        text NOT NULL,
    office      text NOT NULL,
    delta       smallint NOT NULL
);
CREATE INDEX helpers_ledger_key ON helpers_ledger (key);
CREATE INDEX helpers_ledger_recorded ON helpers_ledger (recorded_at);

CREATE TABLE helpers_rollup (
    partition smallint NOT NULL,
    helper    text NOT NULL,
    district  text NOT NULL,
    kind      text NOT NULL,
    office    text NOT NULL,
    n         integer NOT NULL,
    PRIMARY KEY (partition, helper, district, kind, office)
) WITH (fillfactor = 70);
CREATE INDEX helpers_rollup_district ON helpers_rollup (district);

GRANT SELECT, INSERT, UPDATE, DELETE ON helpers_ledger, helpers_rollup TO siao_projections;
GRANT SELECT ON helpers_ledger, helpers_rollup TO siao_gateway;
