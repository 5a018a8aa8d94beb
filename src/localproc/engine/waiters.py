"""Threads that wait for a job's end in this process.

Owns waking them. Must not know why a job has ended.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Waiters:
    """Who waits for which job."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, list[threading.Event]] = {}

    @contextmanager
    def of(self, job_id: str) -> Iterator[threading.Event]:
        """Give what is set when the job has ended in this engine."""
        event = threading.Event()
        with self._lock:
            self._waiting.setdefault(job_id, []).append(event)
        try:
            yield event
        finally:
            with self._lock:
                others = self._waiting.get(job_id, [])
                if event in others:
                    others.remove(event)
                if not others:
                    self._waiting.pop(job_id, None)

    def wake(self, job_id: str) -> None:
        """Wake those that wait for a job."""
        with self._lock:
            for event in self._waiting.pop(job_id, ()):
                event.set()

    def wake_all(self) -> None:
        """Wake everybody: nothing will end here any more."""
        for job_id in list(self._waiting):
            self.wake(job_id)
