"""Whoever waits for a job that nobody runs is told so.

Owns when that is said: once, while what was asked for goes on, for somebody may take the job over.
Must not know what is waited for.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from localproc.cli.show import say_abandoned
from localproc.errors import LocalprocError
from localproc.shortages import started

if TYPE_CHECKING:
    from localproc.engine.handles import Job

_TURN: Final = 2.0  #: seconds between two looks


@contextmanager
def telling_of_abandoned(jobs: Sequence["Job"]) -> Iterator[None]:
    """Say on stderr, once for each of some jobs, that nobody runs it."""
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(list(jobs), over), daemon=True)
    runs = started(watcher)  # without a thread it is not said
    try:
        yield
    finally:
        over.set()
        if runs:
            watcher.join()


def _watch(jobs: list["Job"], over: threading.Event) -> None:
    """Look now and then: an engine that has just accepted a job may still be on its way."""
    turn = 0.0
    while jobs and not over.wait(turn):
        turn = _TURN
        with suppress(LocalprocError):
            alone = [job for job in jobs if job.abandoned]
            if not over.is_set():
                for job in alone:
                    say_abandoned([job])
            jobs = [job for job in jobs if job not in alone and not job.status.final]
