"""Which processors tasks run on, of those that this process may use.

Owns choosing them and lending them to what is started (Linux). Must not know what tasks are for.

A program that starts as many threads as it sees processors sees those that its task may have. Other
keepers choose as well, and none knows of the others: so they do not all begin with the same one.
"""

import collections
import contextlib
import math
import os
from collections.abc import Iterator
from typing import Any

_ALL = contextlib.nullcontext()


class Processors:
    """Lends the ones that fewest others have."""

    def __init__(self) -> None:
        can = hasattr(os, "sched_getaffinity")  # not on macOS
        found = sorted(os.sched_getaffinity(0)) if can else []
        first = os.getpid() % len(found) if found else 0
        self.all = found[first:] + found[:first]
        self.used: collections.Counter[int] = collections.Counter()

    def lent(self, task: dict[str, Any]) -> contextlib.AbstractContextManager[None]:
        """Have what this process starts run on as many as its task is held to."""
        count = math.ceil(task["held"]["cores"])
        task["processors"] = self.least_used(count) if 0 < count < len(self.all) else []
        return self.only(task["processors"]) if task["processors"] else _ALL

    @contextlib.contextmanager
    def only(self, some: list[int]) -> Iterator[None]:
        """Have what this process starts run on some, which count as used if it does."""
        os.sched_setaffinity(0, some)
        try:
            yield
        finally:
            os.sched_setaffinity(0, self.all)
        self.used.update(some)

    def give_back(self, task: dict[str, Any]) -> None:
        """Take back those of a task that has ended."""
        if task["processors"]:
            self.used.subtract(task["processors"])

    def least_used(self, count: int) -> list[int]:
        """Return so many of those that have fewest tasks."""
        return sorted(self.all, key=self.used.__getitem__)[:count]
