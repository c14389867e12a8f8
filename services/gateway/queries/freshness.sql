-- How fresh each agency's data is. The newest by both clocks, and how many facts.
SELECT agency, max(recorded_at) AS recorded_at, max(occurred_on) AS occurred_on, sum(events)::bigint AS events
FROM freshness GROUP BY agency ORDER BY agency
