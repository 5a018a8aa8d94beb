"""Telling plugins what has happened, without keeping the loop waiting.

Owns a queue and its thread. Must not know what plugins make of it.
"""

import queue
import threading
from collections.abc import Sequence

from localproc.model import Event, JobRecord
from localproc.plugins.manager import PluginManager
from localproc.shortages import started


class Observers:
    """The observers of one engine. Without any there is no thread."""

    def __init__(self, plugins: PluginManager) -> None:
        self._plugins = plugins
        self._queue: queue.SimpleQueue[tuple[JobRecord, Sequence[Event]] | None] | None = None
        self._thread: threading.Thread | None = None
        self._beginning = threading.Lock()
        if plugins.observes():
            self._queue = queue.SimpleQueue()
            self._begin()

    def tell(self, job: JobRecord, events: Sequence[Event]) -> None:
        """Pass events on that have been recorded."""
        if self._queue is not None:
            self._queue.put((job, events))
            self._begin()

    def close(self) -> None:
        """Pass on what is waiting, then end."""
        if self._queue is not None:
            self._queue.put(None)
            if self._begin():
                assert self._thread is not None
                self._thread.join()
            else:
                self._work()

    def _begin(self) -> bool:
        """See that there is a thread; where the system gives none, the next call tries again."""
        with self._beginning:
            if self._thread is None:
                thread = threading.Thread(
                    target=self._work, name="localproc-observers", daemon=True
                )
                self._thread = thread if started(thread) else None
            return self._thread is not None

    def _work(self) -> None:
        assert self._queue is not None
        while (item := self._queue.get()) is not None:
            job, events = item
            for event in events:
                self._plugins.tell("localproc_event", job=job, event=event)
