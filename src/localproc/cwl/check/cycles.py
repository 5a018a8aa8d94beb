"""Steps that wait for themselves.

Owns finding them among the steps of one workflow. Must not know types or places.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def cycles(steps: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    """Give every step, in its resolved form, that waits for itself, with those it does so by."""
    left = {
        step["id"]: {
            source.partition("/")[0]
            for one in step["in"]
            for source in one["source"]
            if "/" in source and not source.startswith("?")
        }
        for step in steps
    }
    while ready := [name for name, needs in left.items() if not needs & left.keys()]:
        for name in ready:
            del left[name]
    for name in left:
        around = _closure(name, left)
        if name in around:
            yield name, sorted(around)


def _closure(name: str, after: Mapping[str, set[str]]) -> set[str]:
    """Give what a step waits for, however far away."""
    seen: set[str] = set()
    waiting = list(after[name])
    while waiting:
        one = waiting.pop()
        if one not in seen and one in after:
            seen.add(one)
            waiting += after[one]
    return seen
