-- Where a household lived when, whether it was voided or merged. A follower that kept only the first village has passed
-- over what this needs, so everything is read again from the log, which is kept for ever.

DELETE FROM known_household;
DELETE FROM followed;

ALTER TABLE known_household
    DROP COLUMN village,
    ADD COLUMN homes       jsonb   NOT NULL,                      -- [[version, day from which, village], …] by version
    ADD COLUMN voided      boolean NOT NULL DEFAULT false,
    ADD COLUMN merged_into text;

CREATE INDEX ON known_household (merged_into) WHERE merged_into IS NOT NULL;
