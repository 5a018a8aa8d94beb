"""The HTTP face under load: many clients at once, and a long job list.

Owns starting a real server in a process of its own, and what its clients see.
"""

import asyncio
import contextlib
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

CLIENTS = 50
JOBS = 2000
EVERY = 0.5
ECHO = Path(__file__).parent.parent / "tests" / "packages" / "echo.cwl"


@dataclass
class Seen:
    """What the clients saw: seconds per answer by kind, errors, and how jobs ended."""

    accepted: list[float] = field(default_factory=list)
    status: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    ended: dict[str, int] = field(default_factory=dict)


@contextlib.contextmanager
def serving(home: str) -> Iterator[str]:
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


async def one_client(base: str, process: str, number: int, seen: Seen) -> None:
    """Execute jobs one after the other, asking for each twice a second."""
    await asyncio.sleep(number * EVERY / CLIENTS)  # clients do not begin all at once
    async with httpx.AsyncClient(base_url=base, timeout=60) as client:
        for number in range(JOBS // CLIENTS):
            start = time.perf_counter()
            answer = await client.post(
                f"/processes/{process}/execution",
                json={"inputs": {"string": str(number)}},
                headers={"Prefer": "respond-async"},
            )
            seen.accepted.append(time.perf_counter() - start)
            if answer.status_code != 201:
                seen.errors.append(answer.text)
                continue
            await _until_the_end(client, answer.headers["location"], seen)


async def _until_the_end(client: httpx.AsyncClient, place: str, seen: Seen) -> None:
    while True:
        await asyncio.sleep(EVERY)
        start = time.perf_counter()
        answer = await client.get(place)
        seen.status.append(time.perf_counter() - start)
        if answer.status_code != 200:
            seen.errors.append(answer.text)
            return
        status = answer.json()["status"]
        if status not in ("accepted", "running"):
            seen.ended[status] = seen.ended.get(status, 0) + 1
            return


async def _all(base: str, process: str) -> Seen:
    seen = Seen()
    await asyncio.gather(*(one_client(base, process, number, seen) for number in range(CLIENTS)))
    return seen


def p95(values: list[float]) -> float:
    """Give the time in ms that 95 of 100 answers stay below."""
    return statistics.quantiles(values, n=20)[-1] * 1000


def main() -> None:
    with tempfile.TemporaryDirectory(dir=os.environ.get("LOCALPROC_BENCH")) as home:
        with serving(home) as base:
            start = time.perf_counter()
            seen = asyncio.run(_all(base, "echo"))
            took = time.perf_counter() - start
    print(f"{JOBS} jobs, {CLIENTS} clients: {took:.1f} s, {seen.ended}, {len(seen.errors)} errors")
    print(
        f"accepted: median {statistics.median(seen.accepted) * 1000:.1f} ms, p95 {p95(seen.accepted):.1f}"
    )
    print(
        f"status: median {statistics.median(seen.status) * 1000:.1f} ms, p95 {p95(seen.status):.1f}, n={len(seen.status)}"
    )


if __name__ == "__main__":
    main()
