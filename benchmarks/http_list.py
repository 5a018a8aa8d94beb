"""One page of a list of 100,000 jobs, with every filter of the standard.

Owns a store of that many jobs, and how long the answers take.
"""

import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Mapping
from typing import Final

import localproc

JOBS: Final = 100_000
_FILL: Final = """
WITH RECURSIVE number(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < :count)
INSERT INTO jobs (id, namespace, process, revision, status, created, updated, started, finished,
                  trigger)
SELECT printf('%032x', i), 'default', 'process-' || (i % 20), 'r',
       CASE i % 50 WHEN 0 THEN 'failed' WHEN 1 THEN 'dismissed' ELSE 'successful' END,
       :now - (:count - i) * 1000000, :now, :now - (:count - i) * 1000000,
       :now - (:count - i) * 1000000 + (i * 7919 % 3600) * 1000000, 'manual'
FROM number
"""
FILTERS: Final[Mapping[str, Mapping[str, str]]] = {
    "none": {},
    "processID": {"processID": "process-7"},
    "processID, two": {"processID": "process-7,process-9"},
    "status": {"status": "failed"},
    "status, none such": {"status": "running"},
    "datetime": {"datetime": "../2026-01-01T00:00:00Z"},
    "minDuration, none such": {"minDuration": "4000"},
    "maxDuration, few": {"maxDuration": "0"},
    "processID and status": {"processID": "process-7", "status": "dismissed"},
    "all, none such": {
        "processID": "process-7",
        "status": "failed",
        "datetime": "2020-01-01T00:00:00Z/..",
        "minDuration": "3599",
        "type": "process",
    },
    "limit 100": {"limit": "100"},
}


def fill(home: str) -> None:
    """Put jobs that have ended into a home's store."""
    with sqlite3.connect(os.path.join(home, "localproc.db")) as db:
        db.execute(_FILL, {"count": JOBS, "now": time.time_ns() // 1000})


def main(rounds: int = 40) -> None:
    """Print the medians and the 95th percentiles."""
    with tempfile.TemporaryDirectory() as home:
        localproc.Engine(home).close()
        fill(home)
        with localproc.Engine(home) as engine:
            client = engine.client()
            for name, query in FILTERS.items():
                took = []
                for _ in range(rounds):
                    start = time.perf_counter()
                    answer = client.get("jobs", params=query)
                    took.append((time.perf_counter() - start) * 1000)
                    assert answer.status_code == 200, answer.text
                count = len(answer.json()["jobs"])
                p95 = statistics.quantiles(took, n=20)[-1]
                print(
                    f"{name:25} {count:4} jobs  median {statistics.median(took):6.1f} ms  p95 {p95:6.1f}"
                )


if __name__ == "__main__":
    main()
