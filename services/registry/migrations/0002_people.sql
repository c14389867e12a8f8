-- Finds a person who is registered twice without a citizen number. Deletable like citizen_hash. Households registered
-- before this have no door_hash: what they would be made of is sealed.

CREATE TABLE member (                                             -- in which household a person is registered
    person    text PRIMARY KEY,
    household text NOT NULL
);
CREATE INDEX member_household ON member (household);

CREATE TABLE door_hash (
    hash      bytea NOT NULL,                                     -- HMAC-SHA-256 of village, house number, name
    household text  NOT NULL,
    PRIMARY KEY (hash, household)
);
CREATE INDEX door_hash_household ON door_hash (household);
CREATE INDEX citizen_hash_household ON citizen_hash (household);

GRANT SELECT, INSERT, DELETE ON member, door_hash TO siao_registry;

INSERT INTO member
SELECT person ->> 'person', min(stream)
FROM (SELECT convert_from(value, 'UTF8')::jsonb AS data, substr(stream, length('household-') + 1) AS stream
      FROM event WHERE type = 'HouseholdRegistered.v1') AS told,
     jsonb_array_elements(data -> 'members') AS person
GROUP BY 1;
