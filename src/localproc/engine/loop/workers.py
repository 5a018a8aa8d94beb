"""Threads that work for jobs, without one job's work keeping another's waiting.

Owns one kind of work: how much of it is done at a time, and whose turn it is. Must not know what is
done.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from localproc.frozen import frozen
from localproc.priorities import lower_thread
from localproc.shortages import started

_LOG: Final = logging.getLogger("localproc")
_IDLE: Final = 10.0  #: seconds that a thread waits for work before it ends


@frozen
class Work:
    """Something to do; ``dropped`` is called instead if it is not wanted any more."""

    do: Callable[[], object]
    dropped: Callable[[], None] = lambda: None


class Workers:
    """Threads that are started as they are needed.

    ``most`` work at a time, ``each`` of them for one job; among the jobs that wait, the one for
    which the fewest work is next. Work of one job begins in the order in which it came. ``nice`` is
    by how much they give way to everything else, where threads can do so by themselves (Linux);
    what they start inherits it.
    """

    def __init__(self, name: str, most: int, each: int, nice: int = 0) -> None:
        self._name = name
        self._most = most
        self._each = each
        self._nice = nice
        self._waiting: dict[str, deque[Work]] = {}
        self._busy: dict[str, int] = {}  #: threads at work, by job
        self._working = 0  #: threads at work, but for those that only wait
        self._threads: set[threading.Thread] = set()
        self._idle = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, job_id: str, work: Work) -> None:
        """Have something done."""
        with self._changed:
            self._waiting.setdefault(job_id, deque()).append(work)
            self._wake()

    def drop(self, job_id: str) -> None:
        """Drop what has not been begun for a job."""
        with self._changed:
            dropped = self._waiting.pop(job_id, ())
        for work in dropped:
            work.dropped()

    def nudge(self) -> None:
        """See that there are threads for what can be done, as far as the system gives any."""
        if self._waiting:
            with self._changed:
                self._wake()

    def _wake(self) -> None:
        if self._next() is None:
            return
        if self._idle:
            self._changed.notify()
        elif not self._start() and not self._threads:
            _LOG.warning("%s wait for a thread: the system gives none", self._name)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let another job's work go on in place of the calling one, which only waits."""
        with self._changed:
            self._working -= 1
        self.nudge()
        try:
            yield
        finally:
            with self._changed:
                self._working += 1

    def close(self, *, finish: bool) -> None:
        """Wait for the threads; ``finish``: do what waits, too."""
        with self._changed:
            self._closed = True
            if not finish:
                self._waiting.clear()
            self._changed.notify_all()
        while living := self._living():
            for thread in living:
                thread.join()
        while (found := self._take()) is not None:  # no thread could be had for it
            self._do(*found)

    def _living(self) -> list[threading.Thread]:
        """Return the threads, all of which have begun: they are started under the lock."""
        with self._changed:
            return list(self._threads)

    def _start(self) -> bool:
        thread = threading.Thread(target=self._live, name=f"localproc-{self._name}", daemon=True)
        self._threads.add(thread)
        if started(thread):
            return True
        self._threads.discard(thread)
        return False

    def _live(self) -> None:
        if self._nice:
            lower_thread(self._nice)
        while self._do_next():
            pass

    def _do_next(self) -> bool:
        """Do what is next; nothing of it is held while the thread waits for more."""
        found = self._wait()
        if found is None:
            return False
        self._do(*found)
        return True

    def _do(self, job_id: str, work: Work) -> None:
        try:
            work.do()
        except Exception as error:
            _LOG.exception("%s: %s", self._name, error)
        with self._changed:
            self._working -= 1
            self._busy[job_id] -= 1
            if not self._busy[job_id]:
                del self._busy[job_id]

    def _wait(self) -> tuple[str, Work] | None:
        """Return what to do next; ``None`` when the thread is to end."""
        with self._changed:
            self._idle += 1
            patient = True
            while (found := self._take()) is None and patient and not self._closed:
                patient = self._changed.wait(_IDLE)
            self._idle -= 1
            if found is None:
                self._threads.discard(threading.current_thread())
            else:
                self._wake()  # there may be more than this thread was woken for
            return found

    def _take(self) -> tuple[str, Work] | None:
        with self._changed:
            job_id = self._next()
            if job_id is None:
                return None
            waiting = self._waiting.pop(job_id)
            work = waiting.popleft()
            if waiting:
                self._waiting[job_id] = waiting  # at the end: the others come first
            self._working += 1
            self._busy[job_id] = self._busy.get(job_id, 0) + 1
            return job_id, work

    def _next(self) -> str | None:
        """Return the job whose work is to be done next, if any may be."""
        if self._working >= self._most:
            return None
        found, fewest = None, self._each
        for job_id in self._waiting:
            busy = self._busy.get(job_id, 0)
            if busy < fewest:
                found, fewest = job_id, busy
            if not busy:
                break
        return found
