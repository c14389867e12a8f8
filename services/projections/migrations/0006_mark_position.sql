-- Where the last mark heard stands in siao.progress.v1: tells a mark that was heard before from one that is lower
-- because a machine's clock was set back.
ALTER TABLE watermark ADD COLUMN position bigint NOT NULL DEFAULT -1;
