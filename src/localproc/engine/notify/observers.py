"""Telling plugins what has happened, without keeping the loop waiting.

Owns a queue and its thread. Must not know what plugins make of it.
"""

import queue
import threading
from collections.abc import Sequence

from localproc.model import Event, JobRecord
from localproc.plugins.manager import PluginManager


class Observers:
    """The observers of one engine. Without any there is no thread."""

    def __init__(self, plugins: PluginManager) -> None:
        self._plugins = plugins
        self._queue: queue.SimpleQueue[tuple[JobRecord, Sequence[Event]] | None] | None = None
        if plugins.observes():
            self._queue = queue.SimpleQueue()
            self._thread = threading.Thread(
                target=self._work, name="localproc-observers", daemon=True
            )
            self._thread.start()

    def tell(self, job: JobRecord, events: Sequence[Event]) -> None:
        """Pass events on that have been recorded."""
        if self._queue is not None:
            self._queue.put((job, events))

    def close(self) -> None:
        """Pass on what is waiting, then end."""
        if self._queue is not None:
            self._queue.put(None)
            self._thread.join()

    def _work(self) -> None:
        assert self._queue is not None
        while (item := self._queue.get()) is not None:
            job, events = item
            for event in events:
                self._plugins.tell("localproc_event", job=job, event=event)
