"""Several transfers of a job at a time.

Owns their threads: a few for each job, so that a job with many files or a silent server keeps
nobody else's waiting, and none that anybody has to wait for when the job is dismissed. Must not
know what is transferred.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

from localproc.shortages import started
from localproc.storage.transfer_retries import go_on

_T = TypeVar("_T")

PARALLEL: Final = 8
_LOOK: Final = 0.05  #: seconds between two looks at whether anybody still waits
_GONE, _FAILED = 0.1, 2.0  #: seconds that others have to end: nobody waits, one has failed


class _Batch:
    """Actions that threads take from, and what came of them. Whoever waits is woken once."""

    def __init__(self, actions: Sequence[Callable[[], object]]) -> None:
        self.values: list[object] = [None] * len(actions)
        self.error: BaseException | None = None
        self.over = threading.Event()
        self._waiting = iter(list(enumerate(actions)))
        self._left = len(actions)
        self._lock = threading.Lock()

    def work(self) -> None:
        """Do actions, one after the other, until there are none left or one has failed."""
        while not self.over.is_set():
            with self._lock:
                number, action = next(self._waiting, (-1, None))
            if action is None:
                return
            try:
                self.values[number] = action()
            except BaseException as error:  # it is raised where it is waited for
                self.error = self.error or error
                self.over.set()
                return
            with self._lock:
                self._left -= 1
            if not self._left:
                self.over.set()


def together(
    actions: Sequence[Callable[[], _T]],
    stopped: Callable[[], bool],
    parallel: int = PARALLEL,
) -> list[_T]:
    """Return what each action gives, in order; the first error ends all.

    Raises ``StagingError`` as soon as ``stopped`` says so: an action that waits for a server then
    is left alone with what it waits for. It has to see for itself that nobody is interested in what
    it does afterwards.
    """
    go_on(stopped)
    if not actions:
        return []
    batch = _Batch(actions)
    threads = _start(batch, min(parallel, len(actions)))
    try:
        while not batch.over.wait(_LOOK):
            go_on(stopped)
    finally:
        batch.over.set()
        _let_end(threads, _GONE if stopped() else _FAILED)
    if batch.error is not None:
        raise batch.error
    return batch.values  # type: ignore[return-value]


def _start(batch: _Batch, count: int) -> list[threading.Thread]:
    """Start threads; one that cannot be had is done without."""
    threads: list[threading.Thread] = []
    for _ in range(count):
        thread = threading.Thread(target=batch.work, name="localproc-transfer", daemon=True)
        if not started(thread):
            if not threads:
                batch.work()
            break
        threads.append(thread)
    return threads


def _let_end(threads: Iterable[threading.Thread], seconds: float) -> None:
    """Give threads a moment to end, so that what they have begun can be cleaned up."""
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
