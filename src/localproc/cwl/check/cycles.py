"""Steps that wait for themselves.

Owns finding them among the steps of one workflow. Must not know types or places.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

_MOST: Final = 20  #: steps of a cycle that are told


def cycles(steps: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    """Yield every step, in its resolved form, that waits for itself, with those it does so by."""
    left = {
        step["id"]: {
            source.partition("/")[0]
            for one in step["in"]
            for source in one["source"]
            if "/" in source and not source.startswith("?")
        }
        for step in steps
    }
    for name in _in_order(left):
        del left[name]
    for name in list(left)[:_MOST]:
        around = _closure(name, left)
        if name in around:
            yield name, _shortened(sorted(around))


def _in_order(needs: Mapping[str, set[str]]) -> list[str]:
    """Return the steps that can run, one after the other."""
    waits = {name: {one for one in of if one in needs} for name, of in needs.items()}
    takers: dict[str, list[str]] = {name: [] for name in needs}
    for name, of in waits.items():
        for one in of:
            takers[one].append(name)
    ready = [name for name, of in waits.items() if not of]
    for name in ready:  # it grows
        for taker in takers[name]:
            waits[taker].discard(name)
            if not waits[taker]:
                ready.append(taker)
    return ready


def _shortened(names: list[str]) -> list[str]:
    return names if len(names) <= _MOST else [*names[:_MOST], "…"]


def _closure(name: str, after: Mapping[str, set[str]]) -> set[str]:
    """Return what a step waits for, however far away."""
    seen: set[str] = set()
    waiting = list(after[name])
    while waiting:
        one = waiting.pop()
        if one not in seen and one in after:
            seen.add(one)
            waiting += after[one]
    return seen
