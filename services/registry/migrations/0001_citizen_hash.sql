-- Finds a person who is registered twice. Keyed hashes only, and deletable: erasing a person deletes the row.

CREATE TABLE citizen_hash (
    hash      bytea PRIMARY KEY,                                  -- HMAC-SHA-256 of the 13-digit number
    person    text  NOT NULL,
    household text  NOT NULL
);

GRANT SELECT, INSERT, DELETE ON citizen_hash TO siao_registry;
