"""The ends of jobs, for the threads of this process that wait for them.

Owns which jobs this engine has accepted and not ended yet, and waking whoever waits for one. Must
not know why a job has ended.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from localproc.model import JobRecord


class End(threading.Event):
    """Set when a job has ended in this engine; ``job`` is its row then.

    It is also set, without a row, when the job will not end here any more. ``expected_in`` is the
    namespace of a job that this engine had accepted, and not ended, when this was asked for.
    """

    def __init__(self, expected_in: str | None) -> None:
        super().__init__()
        self.expected_in = expected_in
        self.job: JobRecord | None = None


class Completions:
    """The jobs that are to end here, and who waits for which."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._closed = False
        self._open: dict[str, str] = {}  # to their namespaces
        self._waiting: dict[str, list[End]] = {}

    def expect(self, job: JobRecord) -> None:
        """Note a job that this engine has accepted."""
        with self._changed:
            if not self._closed:
                self._open[job.id] = job.namespace

    @contextmanager
    def of(self, job_id: str) -> Iterator[End]:
        """Give what is set when a job has ended here."""
        with self._changed:
            end = End(self._open.get(job_id))
            self._waiting.setdefault(job_id, []).append(end)
        try:
            yield end
        finally:
            with self._changed:
                others = self._waiting.get(job_id, [])
                if end in others:
                    others.remove(end)
                if not others:
                    self._waiting.pop(job_id, None)

    def wait_for_all(self) -> None:
        """Wait until every job that this engine has accepted has ended, or will not end here."""
        with self._changed:
            self._changed.wait_for(lambda: not self._open)

    def come(self, job: JobRecord) -> None:
        """Tell that a job has ended."""
        self._tell(job.id, job)

    def lost(self, job_id: str) -> None:
        """Tell that a job has become another engine's."""
        self._tell(job_id, None)

    def close(self) -> None:
        """Tell everybody that nothing will end here any more."""
        with self._changed:
            self._closed = True
            for job_id in [*self._open, *self._waiting]:
                self._tell(job_id, None)

    def _tell(self, job_id: str, job: JobRecord | None) -> None:
        with self._changed:
            self._open.pop(job_id, None)
            for end in self._waiting.pop(job_id, ()):
                end.job = job
                end.set()
            self._changed.notify_all()
