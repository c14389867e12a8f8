-- What could not be folded: quarantined records, parked records, households that wait for one of them.
SELECT (SELECT count(*) FROM quarantine) AS quarantined,
       (SELECT count(*) FROM parked) AS parked,
       (SELECT count(*) FROM card WHERE kind = 'household' AND incomplete) AS incomplete_households
