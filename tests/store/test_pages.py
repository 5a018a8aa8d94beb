"""How much the log of the store grows with what a job does: pages, counted commit by commit."""

import os
import struct
from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import Final

from localproc.machine import apply
from localproc.model import Event, JobRecord, StepStatus
from localproc.model.events import (
    Started,
    StepFinished,
    StepRunning,
    StepSubmitted,
    Succeeded,
)
from localproc.plugins.store import Change
from localproc.store import SqliteStore
from localproc.testing.stores import job_at

_HEAD: Final = 32
_FRAME: Final = 24
_PAGE: Final = 4096


def pages(log: Path, begin: int = 0) -> list[int]:
    """Return how many pages each commit has written from a place in the log on."""
    found, count = [], 0
    with log.open("rb") as file:
        file.seek(max(begin, _HEAD))
        while head := file.read(_FRAME):
            count += 1
            if struct.unpack(">II", head[:8])[1]:
                found.append(count)
                count = 0
            file.seek(_PAGE, os.SEEK_CUR)
    return found


def turns(job: JobRecord) -> list[list[Event]]:
    """Return what happens to a job of one step, as it is committed: turn by turn of the loop."""
    at = job.created
    return [
        [
            Started(at, engine="me", message="started"),
            StepSubmitted(at, name="echo", key="echo", log="node_echo.log", message="starting"),
        ],
        [
            StepFinished(at, name="echo", status=StepStatus.SUCCESSFUL, outputs={"said": 1}),
            StepSubmitted(at, name="stage_out", key="/stage_out", log="node_stage_out.log"),
            StepRunning(at, name="stage_out", message="publishing results"),
        ],
        [
            StepFinished(at, name="stage_out", status=StepStatus.SUCCESSFUL),
            Succeeded(at, outputs={"said": 1}, features={}, tidy=True, message="successful"),
        ],
    ]


def change(job: JobRecord, events: Sequence[Event], after: int) -> Change:
    return Change(reduce(apply, events, job), list(events), after)


def test_a_job_of_one_step_writes_few_pages(tmp_path: Path) -> None:
    """Accepted: its row, three indexes, its id, its events. A step alone: its row and its events.

    What moves a job from one state to another touches the three indexes, but not its id.
    """
    store, log = SqliteStore(str(tmp_path / "store.db")), tmp_path / "store.db-wal"
    before = log.stat().st_size
    job, accepted = job_at(1)
    store.add_job(job, accepted)
    recorded = 1
    for events in turns(job):
        one = change(job, events, recorded)
        assert not store.commit("me", [one])
        job, recorded = one.job, recorded + len(events)
    assert pages(log, before) == [6, 5, 2, 5]
    store.close()


def test_what_many_jobs_do_in_one_turn_is_one_commit(tmp_path: Path) -> None:
    store, log = SqliteStore(str(tmp_path / "store.db")), tmp_path / "store.db-wal"
    jobs = [job_at(number) for number in range(4)]
    for job, accepted in jobs:
        store.add_job(job, accepted)
    before = log.stat().st_size
    store.commit("me", [change(job, turns(job)[0], 1) for job, _ in jobs])
    assert pages(log, before) == [5]
    store.close()
