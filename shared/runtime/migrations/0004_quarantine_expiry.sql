-- What nobody will ever be able to take is kept as the projections keep it: cut to 64 KiB, for 30 days. What waits
-- (`household` is not null) stays whole, and until it is taken.
ALTER TABLE follower_quarantine
    ADD COLUMN size       integer     NOT NULL DEFAULT 0,             -- bytes of the whole value
    ADD COLUMN expires_at timestamptz NOT NULL DEFAULT clock_timestamp() + interval '30 days';

UPDATE follower_quarantine SET size = coalesce(octet_length(value), 0), expires_at = quarantined_at + interval '30 days';
UPDATE follower_quarantine SET headers = substring(headers FOR 65536), value = substring(value FOR 65536)
WHERE household IS NULL;

ALTER TABLE follower_quarantine ALTER COLUMN size DROP DEFAULT;
CREATE INDEX follower_quarantine_expiry ON follower_quarantine (expires_at) WHERE household IS NULL;
