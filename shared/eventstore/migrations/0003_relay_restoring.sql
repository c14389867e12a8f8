-- Set while a lost tail of the log is published again (shared/eventstore/restore.py): where the log ended.

ALTER TABLE relay_position ADD COLUMN restoring_from bigint;
