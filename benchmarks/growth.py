"""What a task of a wide scatter adds: memory, and processor time of our own.

Owns the comparison of widths.
"""

from collections.abc import Iterator
from functools import partial

from benchmarks import contestants
from benchmarks.cases import scatter
from benchmarks.measure import Cost, Effort, apart, in_turn
from benchmarks.places import fresh, quickest
from benchmarks.table import Line, Row


def growth(effort: Effort) -> Iterator[Line]:
    """Measure the same scatter at several widths."""
    *_, middle, wide = widths = effort.widths
    narrow = widths[0]
    costs = in_turn(effort.rounds, {str(width): partial(_run, width) for width in widths})
    added = (costs[str(wide)].peak - costs[str(middle)].peak) / (wide - middle) / 1024
    yield Row("memory of a scatter", "added by a task", added, "KiB", target=4)
    yield Row("", f"held at most, {wide:,} tasks", costs[str(wide)].peak / 2**20, "MiB")
    first, last = costs[str(narrow)].cpu / narrow * 1e3, costs[str(wide)].cpu / wide * 1e3
    case = "own processor time, tmpfs"
    yield Row(case, f"a task of {narrow:,}", first, "ms")
    yield Row(case, f"a task of {wide:,}", last, "ms", f"that of {narrow:,}", last / first, 1.3)


def _run(width: int) -> Cost:
    with fresh(quickest()) as folder:
        return apart(contestants.localproc, scatter(width), folder)
