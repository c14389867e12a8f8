-- How many records each service has said are in its log that are not folded yet. No row before it has spoken.
SELECT w.service, s.mark AS watermark, w.updated_at AS heard_at,
       coalesce(sum(greatest(0, reach.until::bigint - coalesce(CASE w.service
           WHEN 'registry' THEN c.registry WHEN 'pairing' THEN c.pairing ELSE c.interventions END, 0))), 0)::bigint AS lag
FROM watermark AS w
JOIN watermark_settled AS s USING (service)
LEFT JOIN jsonb_each_text(w.offsets) AS reach (partition, until) ON true
LEFT JOIN checkpoint AS c ON c.partition = reach.partition::smallint
GROUP BY w.service, s.mark, w.updated_at ORDER BY w.service
