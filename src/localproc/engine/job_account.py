"""What the home knows of a job.

Owns its row, its history and waiting for its end. Nothing is kept here: what is told is what the
home knows at that moment. Must not know how jobs are run.
"""

from collections.abc import Generator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final, Self

from localproc.engine.namespace import Namespace
from localproc.engine.notify.histories import JobHistory
from localproc.errors import (
    JobDismissed,
    JobFailed,
)
from localproc.model import Event, JobRecord, JobRequest, JobStatus, ProcessRecord
from localproc.model.events import Failed
from localproc.spelling import public
from localproc.storage.results_place import results_root

_TURN: Final = 0.5  #: seconds that a thread waits at a time for whoever awaits a job


@public
class JobAccount:
    """One execution of a process, to look at.

    ``record`` is read anew whenever something is asked for, until the job has ended.
    """

    def __init__(self, namespace: Namespace, job_id: str, record: JobRecord | None = None) -> None:
        self._namespace = namespace
        self.id = job_id
        self._record = record

    def __repr__(self) -> str:
        record = self.record
        said = f": {record.message}" if record.status is JobStatus.FAILED else ""
        return f"<Job {self.id} of {record.process_id}, {record.status}{said}>"

    @property
    def record(self) -> JobRecord:
        """All that its row in the home says now (``localproc.model.JobRecord``)."""
        if self._record is None or not self._record.status.final:
            self._record = self._namespace.record(self.id)
        return self._record

    @property
    def snapshot(self) -> JobRecord:
        """``record`` as it was read last: a list of jobs has read those of all at one moment."""
        return self.record if self._record is None else self._record

    @property
    def status(self) -> JobStatus:
        """``accepted``, ``running``, ``successful``, ``failed`` or ``dismissed``, as it is now."""
        return self.record.status

    @property
    def abandoned(self) -> bool:
        """Whether it has not ended and nobody runs it: its engine is gone, or there never was one.

        ``Engine.resume`` goes on with it.
        """
        record = self.record
        return not record.status.final and not self._namespace.is_attended(record)

    @property
    def message(self) -> str:
        """What it is doing, or how it ended, in a line."""
        return self.record.message

    @property
    def progress(self) -> int:
        """Percent, weighted over the steps known so far."""
        return self.record.progress

    @property
    def process_id(self) -> str:
        """The id of the process that it runs."""
        return self.record.process_id

    @property
    def created(self) -> datetime:
        """When it was accepted, in UTC."""
        return self.record.created

    @property
    def duration(self) -> float | None:
        """Seconds from its start to its end, ``None`` until then."""
        return self.record.duration

    def expected_end(self) -> datetime | None:
        """Return when it may end, going by what its process took before; ``None`` if unknown."""
        record = self.record
        typical = self._namespace.typical_duration(record)
        if record.started is None or typical is None or record.status.final:
            return None
        return record.started + timedelta(seconds=typical)

    @property
    def folder(self) -> str:
        """Where its logs are, and the folders of its steps while there is a use for them."""
        return self._namespace.job_folder(self.id)

    @property
    def logs_folder(self) -> str:
        """Where the logs of its steps are."""
        return self._namespace.logs_folder(self.id)

    @property
    def request(self) -> JobRequest:
        """What was asked for: inputs, outputs, executor, results, title, ..."""
        return self.history.request

    @property
    def inputs(self) -> Mapping[str, Any]:
        """Its inputs by name, as CWL values.

        A File or Directory is a mapping with ``class`` and an absolute ``location``.
        """
        return self.request.inputs

    @property
    def location(self) -> str:
        """The URI of the folder that its results are published in."""
        return results_root(self.id, self.request)

    @property
    def _process(self) -> ProcessRecord:
        """What it runs, as it was when it was accepted; raises ``NoSuchProcess``."""
        return self._namespace.revision(self.snapshot)

    def usage(self) -> dict[str, int]:
        """Return what its ``folder`` and its ``results``, if they are here, take in bytes."""
        return self._namespace.usage_of(self.id, self.location)

    def events(self, after: int = 0) -> list[Event]:
        """Return its history, without the first ``after`` events."""
        return self._namespace.events(self.id, after)

    @property
    def history(self) -> JobHistory:
        """What has been read of its events; asking again reads only what is new."""
        return self._namespace.history(self.id)

    @property
    def problem(self) -> Mapping[str, Any]:
        """The problem document (RFC 9457) of a job that failed, else empty.

        Its members: ``type``, ``title``, ``status``, ``detail``, and where there are any ``hint``,
        ``step``, ``exitCode``, ``stderrTail``, ``log``, ``cause``.
        """
        last = self.history.last
        return last.problem if isinstance(last, Failed) else {}

    def wait(self, timeout: float | None = None) -> Self:
        """Wait for its end and return it; raise ``TimeoutError`` after ``timeout`` seconds.

        Raises ``EnvironmentProblem`` if the engine that runs it in this process has stopped.
        """
        self._record = self._namespace.wait_for(self.id, timeout)
        if not self._record.status.final:
            raise TimeoutError(f"job {self.id} is {self._record.status} after {timeout:g} s")
        return self

    def __await__(self) -> Generator[Any, None, Self]:
        """Wait for its end without blocking the event loop: ``await job``. See ``wait``."""
        return self._waited().__await__()

    async def _waited(self) -> Self:
        import asyncio  # whoever awaits has it; others need not load it

        while True:
            with suppress(TimeoutError):
                return await asyncio.to_thread(self.wait, _TURN)

    def raise_for_status(self) -> Self:
        """Return the job, unless it ended as ``JobFailed`` or ``JobDismissed``: raise that."""
        if self.status is JobStatus.FAILED:
            raise JobFailed.from_problem(self.problem)
        if self.status is JobStatus.DISMISSED:
            raise JobDismissed(f"job {self.id} was dismissed")
        return self
