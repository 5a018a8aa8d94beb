"""One page of a list of 100,000 jobs, with every filter of the standard.

Owns a store of that many jobs, and how long the answers take.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from time import perf_counter, time_ns
from typing import Final

import localproc
from benchmarks.measure import Effort
from benchmarks.places import fresh, quickest
from benchmarks.service_load import p95
from benchmarks.table import Line, Row

JOBS: Final = 100_000
_ASKED: Final = 40
FILL: Final = """
WITH RECURSIVE number(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < :count)
INSERT INTO jobs (id, namespace, process, revision, status, created, updated, started, finished,
                  trigger)
SELECT printf('%032x', i), 'default', 'process-' || (i % 20), 'r',
       CASE i % 50 WHEN 0 THEN 'failed' WHEN 1 THEN 'dismissed' ELSE 'successful' END,
       :now - (:count - i) * 1000000, :now, :now - (:count - i) * 1000000,
       :now - (:count - i) * 1000000 + (i * 7919 % 3600) * 1000000, 'manual'
FROM number
"""
_FILTERS: Final[Mapping[str, Mapping[str, str]]] = {
    "no filter": {},
    "limit": {"limit": "100"},
    "processID": {"processID": "process-7,process-9"},
    "status": {"status": "failed"},
    "status, none such": {"status": "running"},
    "datetime, none such": {"datetime": "../2020-01-01T00:00:00Z"},
    "minDuration, none such": {"minDuration": "4000"},
    "maxDuration, few": {"maxDuration": "0"},
    "several, none such": {
        "processID": "process-7",
        "status": "failed",
        "datetime": "2020-01-01T00:00:00Z/..",
        "minDuration": "3599",
        "type": "process",
    },
}


def lists(_effort: Effort) -> Iterator[Line]:
    """Measure a page of each filter."""
    with fresh(quickest()) as home:
        localproc.Engine(home).close()
        _fill(home)
        with localproc.Engine(home) as engine, engine.client() as client:
            for name, query in _FILTERS.items():
                took = []
                for _ in range(_ASKED):
                    began = perf_counter()
                    client.get("jobs", params=query).raise_for_status()
                    took.append((perf_counter() - began) * 1e3)
                yield Row(f"list of {JOBS:,} jobs, 95 of 100", name, p95(took), "ms", target=20)


def _fill(home: str) -> None:
    """Put jobs that have ended into a home's store."""
    with sqlite3.connect(f"{home}/localproc.db") as db:
        db.execute(FILL, {"count": JOBS, "now": time_ns() // 1000})
