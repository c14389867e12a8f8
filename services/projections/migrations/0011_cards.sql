-- What cards hold, from now on noted too: older code would drop of a card what it does not know. Cards made before are
-- as they would be made now, so who folds may go on with them; tables without a note stay without.
INSERT INTO made_by SELECT what FROM (VALUES
    ('card''s Assessed of on, dimension, in_need, source, version'),
    ('card''s Classified of since, household_class, version'),
    ('card''s Exit of exit, on, reason'),
    ('card''s Help of intervention, on, item, dimensions, level, provider, agency, fund, amount_baht'),
    ('card''s Helper of helper, kind, district, office, since'),
    ('card''s Home of since, village, version, was'),
    ('card''s Household of cohort, members, homes, classes, assessments, helps, exits, pairs, links, voided'),
    ('card''s Link of other, end, changes'),
    ('card''s Member of person, relation'),
    ('card''s Pair of helper, kind, role, since, chosen, version, order, reason, until, ended, end_version, person')
) AS cards (what) WHERE EXISTS (SELECT FROM made_by);
