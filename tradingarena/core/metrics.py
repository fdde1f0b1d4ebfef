"""What this process counts for Prometheus. What is read from the database when scraped is in `operations.py`."""

from prometheus_client import Histogram

# by view and status, so that a slow or failing endpoint is seen by its name
API_SECONDS = Histogram(
    "arena_api_seconds",
    "Time a REST request took, in seconds.",
    ["view", "method", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
