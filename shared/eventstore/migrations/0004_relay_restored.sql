-- Both are kept: readers may still stand before `restored_to`, so a loss that reaches below it goes back to `lost_from`.

ALTER TABLE relay_position RENAME COLUMN restoring_from TO lost_from;   -- where the log ended when its tail was lost
ALTER TABLE relay_position ADD COLUMN restored_to bigint;               -- where it ended when all was there again
