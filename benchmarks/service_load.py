"""The HTTP face under load: many clients, each with jobs of its own.

Owns starting a real server in a process of its own, and what its clients see.
"""

import asyncio
import contextlib
import re
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final

import httpx

from benchmarks.measure import Effort
from benchmarks.places import fresh, quickest
from benchmarks.table import Line, Row

CLIENTS: Final = 50
JOBS: Final = 2_000
EVERY: Final = 0.5  #: seconds between two looks at a job
_PREFER: Final = {"Prefer": "respond-async"}


@dataclass
class Seen:
    """What the clients saw: seconds per answer, answers that were errors, and how jobs ended."""

    accepted: list[float] = field(default_factory=list)
    status: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    ended: Counter[str] = field(default_factory=Counter)


def load(_: Effort) -> Iterator[Line]:
    """Measure once: thousands of answers are enough."""
    with fresh(quickest()) as home, _serving(home) as base:
        seen = asyncio.run(_all(base))
    case = f"service, {CLIENTS} clients, {JOBS:,} jobs"
    yield Row(case, "errors", len(seen.errors), "", target=0)
    yield Row(case, "jobs lost", JOBS - seen.ended["successful"], "", target=0)
    yield Row(case, "execute, median", statistics.median(seen.accepted) * 1e3, "ms")
    yield Row(case, "status, median", statistics.median(seen.status) * 1e3, "ms")
    yield Row(case, "status, 95 of 100", p95(seen.status) * 1e3, "ms", target=20)


def p95(values: list[float]) -> float:
    """Give what 95 of 100 stay below."""
    return statistics.quantiles(values, n=20)[-1]


@contextlib.contextmanager
def _serving(home: str) -> Iterator[str]:
    """Run ``localproc serve`` in a process of its own; give the root's URL."""
    command = [sys.executable, "-m", "localproc", "--home", home, "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        found = re.search(r"http://\S+", server.stdout.readline())
        assert found is not None
        try:
            yield found[0]
        finally:
            server.terminate()


async def _all(base: str) -> Seen:
    seen = Seen()
    await asyncio.gather(*(_one_client(base, number, seen) for number in range(CLIENTS)))
    return seen


async def _one_client(base: str, number: int, seen: Seen) -> None:
    """Execute jobs one after the other, asking for each twice a second."""
    await asyncio.sleep(number * EVERY / CLIENTS)  # clients do not all begin at once
    async with httpx.AsyncClient(base_url=base, timeout=60) as client:
        for text in map(str, range(JOBS // CLIENTS)):
            request = {"inputs": {"string": text}}
            began = perf_counter()
            answer = await client.post("/processes/echo/execution", json=request, headers=_PREFER)
            seen.accepted.append(perf_counter() - began)
            if answer.status_code == 201:
                await _until_the_end(client, answer.headers["location"], seen)
            else:
                seen.errors.append(answer.text)


async def _until_the_end(client: httpx.AsyncClient, place: str, seen: Seen) -> None:
    while True:
        await asyncio.sleep(EVERY)
        began = perf_counter()
        answer = await client.get(place)
        seen.status.append(perf_counter() - began)
        if answer.status_code != 200:
            seen.errors.append(answer.text)
            return
        status = answer.json()["status"]
        if status not in ("accepted", "running"):
            seen.ended[status] += 1
            return
