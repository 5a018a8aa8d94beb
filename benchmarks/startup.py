"""How long one waits for the command line, and for the import.

Owns cold starts: every measurement is a new process, and every run a new home.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import contestants
from benchmarks.cases import echo
from benchmarks.measure import Cost, Effort, command, in_turn
from benchmarks.places import fresh, quickest
from benchmarks.table import Line, Row

_IMPORT = "import time; t = time.perf_counter(); import localproc; print(time.perf_counter() - t)"
_BYTE_CODE = ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
_OURS, _THEIRS = "localproc run", "cwltool command"


def startup(effort: Effort) -> Iterator[Line]:
    """Measure the import, the help and a cold run, all with the byte code of an installation."""
    with fresh(quickest()) as folder, byte_code_in(folder):
        for warm_up in (_cold_run, _cwltool_run):
            warm_up()
        yield from _rows(effort)


@contextmanager
def byte_code_in(folder: str) -> Iterator[None]:
    """Have Python keep byte code there, wherever localproc and cwltool were imported from."""
    kept = {name: os.environ.pop(name, None) for name in _BYTE_CODE}
    os.environ["PYTHONPYCACHEPREFIX"] = folder
    try:
        yield
    finally:
        os.environ |= {name: value for name, value in kept.items() if value is not None}
        if kept["PYTHONPYCACHEPREFIX"] is None:
            del os.environ["PYTHONPYCACHEPREFIX"]


def _rows(effort: Effort) -> Iterator[Row]:
    measured = {"import": _import, "help": _help, _OURS: _cold_run, _THEIRS: _cwltool_run}
    costs = in_turn(effort.rounds, measured)
    ours, theirs = costs[_OURS].wall, costs[_THEIRS].wall
    yield Row("import localproc", "localproc", costs["import"].wall, "s", target=0.1)
    yield Row("localproc --help", "localproc", costs["help"].wall, "s", target=0.3)
    yield Row("echo, cold", _THEIRS, theirs, "s")
    yield Row("echo, cold", _OURS, ours, "s", _THEIRS, ours / theirs, 0.5)


def _import() -> Cost:
    told = subprocess.run([sys.executable, "-c", _IMPORT], check=True, capture_output=True)
    return Cost(float(told.stdout))


def _help() -> Cost:
    return command(sys.executable, "-m", "localproc", "--help")


def _cold_run() -> Cost:
    with fresh(quickest()) as folder:
        package, inputs = echo().write(folder)
        home = str(Path(folder, "home"))
        own = [sys.executable, "-m", "localproc", "--home", home]
        return command(*own, "run", package, inputs, cwd=folder)


def _cwltool_run() -> Cost:
    with fresh(quickest()) as folder:
        return contestants.cwltool_command(echo(), folder)
