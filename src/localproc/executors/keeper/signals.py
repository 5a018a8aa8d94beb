"""Signals to processes, now or when it is time.

Owns that whoever gets one may have gone meanwhile, or be somebody else's. Must not know tasks.
"""

import contextlib
import heapq
import os
import time
from collections.abc import Iterable, Iterator


def signal_all(pids: Iterable[int], number: int) -> None:
    """Send processes a signal."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def signal_group(pid: int, number: int) -> None:
    """Send all processes of a group a signal; it has the number of its leader."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


class Deadlines:
    """Signals that groups get later, with the keys that the numbers of their leaders stand for."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, int, str]] = []

    def add(self, seconds: float, pid: int, number: int, key: str) -> None:
        """Have a group get a signal in so many seconds."""
        heapq.heappush(self._heap, (time.monotonic() + seconds, pid, number, key))

    def next(self) -> float | None:
        """Return when the next one is due (monotonic)."""
        return self._heap[0][0] if self._heap else None

    def due(self) -> Iterator[tuple[int, int, str]]:
        """Yield what is due now: the leader, the signal and the key."""
        now = time.monotonic()
        while self._heap and self._heap[0][0] <= now:
            _, pid, number, key = heapq.heappop(self._heap)
            yield pid, number, key
