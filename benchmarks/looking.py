"""How long one waits for a command that looks at a home with 10,000 jobs which have ended.

Owns such a home, with a folder and a log of each job.
"""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from time import time_ns
from typing import Final

import localproc
from benchmarks.cases import echo
from benchmarks.measure import Effort, command, in_turn
from benchmarks.places import fresh, quickest
from benchmarks.service_list import FILL
from benchmarks.startup import byte_code_in
from benchmarks.table import Line, Row

_LOCALPROC: Final = (sys.executable, "-m", "localproc")
_JOBS: Final = 10_000
_COMMANDS: Final = ("jobs", "status last", "prune --dry-run", "prune --older-than 1h --dry-run")


def looking(effort: Effort) -> Iterator[Line]:
    """Measure each command in a new process."""
    with fresh(quickest()) as code, fresh(quickest()) as home, byte_code_in(code):
        with localproc.Engine(home) as engine:
            engine.run(echo().package, {"message": "hi"})
        with closing(sqlite3.connect(f"{home}/localproc.db")) as db, db:
            db.execute(FILL, {"count": _JOBS, "now": time_ns() // 1000})
        for number in range(1, _JOBS + 1):
            logs = Path(home, "jobs", f"{number:032x}", "logs")
            logs.mkdir(parents=True)
            (logs / "node_echo.log").write_text("a line\n")
        command(*_LOCALPROC, "--home", home, "jobs")  # the byte code is there from now on
        costs = in_turn(
            effort.rounds,
            {
                name: partial(command, *_LOCALPROC, "--home", home, *name.split())
                for name in _COMMANDS
            },
        )
        for name in _COMMANDS:
            yield Row(f"{_JOBS:,} jobs that have ended", name, costs[name].wall, "s", target=1)
