-- No event is recorded before it: a mark was told, or was about to be (shared/eventstore/watermark.py).

ALTER TABLE clock ADD COLUMN floor timestamptz NOT NULL DEFAULT '-infinity';
