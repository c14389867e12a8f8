-- What a decision must know of a helper. The row is locked by the transaction that appends, so that two commands
-- at once cannot both take a helper's last place.

CREATE TABLE helper (
    helper   text    PRIMARY KEY,
    kind     text    NOT NULL,
    district text    NOT NULL,
    since    date    NOT NULL,
    load     integer NOT NULL CHECK (load >= 0)                   -- households led now
);

GRANT SELECT, INSERT, UPDATE ON helper TO siao_pairing;
