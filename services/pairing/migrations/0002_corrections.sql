-- What corrections, voiding and merging ask of a helper and of a household's lead. Filled from the events that are here.

ALTER TABLE helper
    ADD COLUMN pairs        integer NOT NULL DEFAULT 0,           -- households led or supported now
    ADD COLUMN paired_since date,                                 -- of the earliest pair ever recorded
    ADD COLUMN voided       boolean NOT NULL DEFAULT false;

CREATE TABLE lead (                                               -- who leads or led a household, and when
    household text    NOT NULL,
    version   integer NOT NULL,                                   -- of the pair, in the stream of the household's pairs
    helper    text    NOT NULL,
    since     date    NOT NULL,
    until     date,                                               -- the first day on which it no longer held
    PRIMARY KEY (household, version)
);
CREATE INDEX lead_helper ON lead (helper);

GRANT SELECT, INSERT, UPDATE, DELETE ON lead TO siao_pairing;

WITH told AS (
    SELECT type, convert_from(value, 'UTF8')::jsonb AS data FROM event
    WHERE type IN ('PairAssigned.v1', 'PairEnded.v1')),
counted AS (
    SELECT data ->> 'helper' AS helper,
           count(*) FILTER (WHERE type = 'PairAssigned.v1') - count(*) FILTER (WHERE type = 'PairEnded.v1') AS pairs,
           min((data ->> 'occurred_on')::date) FILTER (WHERE type = 'PairAssigned.v1') AS since
    FROM told GROUP BY 1)
UPDATE helper SET pairs = counted.pairs, paired_since = counted.since FROM counted WHERE counted.helper = helper.helper;

ALTER TABLE helper DROP COLUMN load;                             -- `lead` tells of every day, not of today alone

WITH told AS (
    SELECT stream, version, type, convert_from(value, 'UTF8')::jsonb AS data FROM event
    WHERE type IN ('PairAssigned.v1', 'PairEnded.v1'))
INSERT INTO lead
SELECT pair.data ->> 'household', pair.version, pair.data ->> 'helper', (pair.data ->> 'occurred_on')::date,
       (ended.data ->> 'occurred_on')::date
FROM told AS pair
LEFT JOIN LATERAL (
    SELECT data FROM told
    WHERE stream = pair.stream AND version > pair.version AND type = 'PairEnded.v1'
      AND data ->> 'helper' = pair.data ->> 'helper'
    ORDER BY version LIMIT 1) AS ended ON true
WHERE pair.type = 'PairAssigned.v1' AND pair.data ->> 'role' = 'lead'
  AND ended.data ->> 'reason' IS DISTINCT FROM 'entered-by-mistake';
