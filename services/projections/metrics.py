"""What the worker tells Prometheus. No label holds an id."""

from prometheus_client import Counter, Gauge, Histogram

FOLDED = Counter("siao_projections_events_folded_total", "Events folded into the tables")
REPEATED = Counter("siao_projections_events_repeated_total", "Events that had been folded before")
QUARANTINED = Counter("siao_projections_records_quarantined_total", "Records that could not be read")
PARKED = Counter("siao_projections_records_parked_total", "Records of known streams that were parked", ["reason"])
REFOLDED = Counter("siao_projections_late_refolds_total", "Households folded again because a fact came late")
BATCH = Histogram(
    "siao_projections_batch_records", "Records a transaction", buckets=(1, 3, 10, 30, 100, 300, 1000, 3000, 10_000)
)
SECONDS = Histogram("siao_projections_fold_seconds", "Seconds a transaction, from lock to commit")
RETRIES = Counter("siao_projections_retries_total", "Transactions tried again because PostgreSQL was away")
LAG = Gauge("siao_projections_lag_records", "Records in the log that are not folded yet", ["service", "partition"])
AWAITS_REBUILD = Gauge(
    "siao_projections_awaits_rebuild", "1 while another version's tables are shown and nothing is folded"
)
