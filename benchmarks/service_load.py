"""The HTTP face under load: many clients, each with jobs of its own.

Owns starting a real server in a process of its own, and what its clients see.
"""

import asyncio
import contextlib
import json
import re
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.measure import Effort
from benchmarks.places import fresh, quickest
from benchmarks.table import Line, Row

CLIENTS: Final = 50
JOBS: Final = 2_000
EVERY: Final = 0.5  #: seconds between two looks at a job


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
    parts = urlsplit(base)
    line = _Line(*await asyncio.open_connection(parts.hostname, parts.port))
    for text in map(str, range(JOBS // CLIENTS)):
        began = perf_counter()
        request = {"inputs": {"string": text}}
        status, answer = await line.ask("POST", f"{parts.path}/processes/echo/execution", request)
        seen.accepted.append(perf_counter() - began)
        if status == 201:
            await _until_the_end(line, f"{parts.path}/jobs/{answer['jobID']}", seen)
        else:
            seen.errors.append(str(answer))
    line.close()


async def _until_the_end(line: "_Line", place: str, seen: Seen) -> None:
    while True:
        await asyncio.sleep(EVERY)
        began = perf_counter()
        status, answer = await line.ask("GET", place)
        seen.status.append(perf_counter() - began)
        if status != 200:
            seen.errors.append(str(answer))
            return
        if answer["status"] not in ("accepted", "running"):
            seen.ended[answer["status"]] += 1
            return


class _Line:
    """A connection that is kept. A client library would take longer than the server does."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, method: str, path: str, document: Any = None) -> tuple[int, Any]:
        """Give status and document of the answer."""
        body = b"" if document is None else json.dumps(document).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nPrefer: respond-async\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(re.findall(r"content-length: (\d+)", answer)[0])
        return int(answer.split()[1]), json.loads(await self._reader.readexactly(length))

    def close(self) -> None:
        """Hang up."""
        self._writer.close()
