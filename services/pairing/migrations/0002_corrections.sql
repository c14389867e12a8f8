-- What corrections, voiding and merging ask of a helper and of a household's lead. Filled from the events that are here.

ALTER TABLE helper
    ADD COLUMN pairs        integer NOT NULL DEFAULT 0,           -- households led or supported now
    ADD COLUMN paired_since date,                                 -- of the earliest pair ever recorded
    ADD COLUMN voided       boolean NOT NULL DEFAULT false;

CREATE TABLE lead (                                               -- who leads a household now
    household text PRIMARY KEY,
    helper    text NOT NULL,
    since     date NOT NULL
);

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

ALTER TABLE helper ADD CHECK (pairs >= load);

WITH told AS (
    SELECT stream, version, type, convert_from(value, 'UTF8')::jsonb AS data FROM event
    WHERE type IN ('PairAssigned.v1', 'PairEnded.v1')),
last AS (
    SELECT DISTINCT ON (stream) type, data FROM told WHERE data ->> 'role' = 'lead' ORDER BY stream, version DESC)
INSERT INTO lead
SELECT data ->> 'household', data ->> 'helper', (data ->> 'occurred_on')::date FROM last
WHERE type = 'PairAssigned.v1';
