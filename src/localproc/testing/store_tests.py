"""What tests of stores are written with.

Owns making jobs and processes at times that are known. Must not know what stores have to do, nor
any of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from localproc.machine import apply, new_job
from localproc.model import Event, JobFilter, JobRecord, JobRequest, ProcessRecord
from localproc.model.events import Accepted, Failed, Succeeded
from localproc.plugins.store import Change, Store

#: Opens the test's store; calling it again opens the same one once more, as another process would.
OpenStore = Callable[[], Store]

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


def success(at: datetime) -> Event:
    """Make the event of a job that ends well."""
    return Succeeded(at, outputs={"said": "hello"}, features={})


def failed(at: datetime) -> Event:
    """Make the event of a job that fails."""
    return Failed(at, problem={"detail": "it broke"})


def job_at(
    number: int, process: str = "echo", owner: str | None = "me", **fields: object
) -> tuple[JobRecord, Event]:
    """Make a job that was accepted ``number`` seconds after the beginning, and its first event."""
    request = JobRequest({"n": number})
    event = Accepted(BEGINNING + timedelta(seconds=number), request=request)
    job = new_job(f"job-{number}", "default", process, "r1", request, event)
    return replace(job, owner=owner, **fields), event  # type: ignore[arg-type]


def process(revision: str, data: bytes) -> ProcessRecord:
    """Make a process."""
    return ProcessRecord(
        id="echo",
        namespace="default",
        version="1",
        revision=revision,
        title="Echo",
        mutable=True,
        deployed=BEGINNING,
        description={"id": "echo", "inputs": {}},
        resolved={"main": "echo.cwl"},
        texts={"echo.cwl": data, "other.cwl": b"more"},
        entry="file:///echo.cwl",
    )


class StoreTests:
    """Override ``open_store``."""

    @pytest.fixture
    def open_store(self) -> Iterator[OpenStore]:
        """Return what opens the store; close what was opened afterwards."""
        raise NotImplementedError("give your store's open_store fixture")

    @pytest.fixture
    def store(self, open_store: OpenStore) -> Store:
        """Return the store."""
        return open_store()

    def add(
        self,
        store: Store,
        number: int,
        *happens: Callable[[datetime], Event],
        seconds: int = 1,
        **fields: object,
    ) -> JobRecord:
        """Add a job, and events that come ``seconds`` apart."""
        job, event = job_at(number, **fields)  # type: ignore[arg-type]
        store.add_job(job, event)
        for count, make in enumerate(happens, 1):
            event = make(job.created + timedelta(seconds=seconds * count))
            job = apply(job, event)
            assert job.owner is not None
            store.commit(job.owner, [Change(job, [event], count)])
        return job

    def ids(self, store: Store, **filters: object) -> list[str]:
        """List jobs by their ids."""
        return [job.id for job in store.jobs(JobFilter(**filters))]  # type: ignore[arg-type]
