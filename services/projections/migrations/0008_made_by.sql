-- By which code the rows of this schema are made (made_by.py), a line for each thing that they depend on. Written when
-- the tables are made; who would add rows by other code refuses.
CREATE TABLE made_by (
    what text PRIMARY KEY
);

GRANT SELECT ON made_by TO siao_projections;
