"""Several transfers of a job at a time.

Owns their threads: a few for each job, so that a job with many files or a silent server keeps
nobody else's waiting, and none that anybody has to wait for when the job is dismissed. Must not
know what is transferred.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

from localproc.shortages import started
from localproc.storage.retries import go_on

_T = TypeVar("_T")

PARALLEL: Final = 8
_LOOK: Final = 0.05  #: seconds between two looks at whether anybody still waits
_GONE, _FAILED = 0.1, 2.0  #: seconds that others have to end: nobody waits, one has failed


class _Batch:
    """Actions that threads take from, and what came of them."""

    def __init__(self, actions: Sequence[Callable[[], object]]) -> None:
        self.done: queue.SimpleQueue[tuple[int, object, BaseException | None]] = queue.SimpleQueue()
        self.over = False
        self._waiting = iter(list(enumerate(actions)))
        self._lock = threading.Lock()

    def work(self) -> None:
        """Do actions, one after the other, until there are none left or one has failed."""
        while not self.over:
            with self._lock:
                number, action = next(self._waiting, (-1, None))
            if action is None:
                return
            try:
                self.done.put((number, action(), None))
            except BaseException as error:  # it is raised where it is waited for
                self.done.put((number, None, error))
                return


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
    batch = _Batch(actions)
    threads = _start(batch, min(parallel, len(actions)))
    found: dict[int, object] = {}
    try:
        while len(found) < len(actions):
            try:
                number, value, error = batch.done.get(timeout=_LOOK)
            except queue.Empty:
                go_on(stopped)
                continue
            if error is not None:
                raise error
            found[number] = value
    finally:
        batch.over = True
        _let_end(threads, _GONE if stopped() else _FAILED)
    return [found[number] for number in range(len(actions))]  # type: ignore[misc]


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
