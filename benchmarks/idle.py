"""What schedules cost a server that has nothing to do.

Owns a home with a thousand of them, none due for months, and the processor time that goes by.
"""

from collections.abc import Iterator
from time import perf_counter, process_time, sleep
from typing import Final

import localproc
from benchmarks.cases import ECHO
from benchmarks.measure import Effort
from benchmarks.places import fresh, quickest
from benchmarks.table import Line, Row

SCHEDULES: Final = 1_000
_WATCHED: Final = 20.0  #: seconds


def idle(_effort: Effort) -> Iterator[Line]:
    """Measure the processor time of an engine that waits, without schedules and with them."""
    for count in (0, SCHEDULES):
        with fresh(quickest()) as home, localproc.Engine(home) as engine:
            engine.deploy({"cwlVersion": "v1.2", **ECHO})
            for number in range(count):
                when = f"{number % 60} {number // 60} 29 2 *"
                engine.schedules.add("echo", when, {"message": "x"}, name=f"echo-{number}")
            engine.run_triggers()
            sleep(1)  # what it does when it begins is done by then
            used, began = process_time(), perf_counter()
            sleep(_WATCHED)
            share = (process_time() - used) / (perf_counter() - began) * 100
        yield Row("idle engine, of a processor", f"{count:,} schedules", share, "%", target=1)
