"""A job with a long past is taken over while the loop goes on with others."""

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from localproc import Engine
from localproc.cwl.run.plan import Plan
from localproc.cwl.run.process import compile_package
from localproc.engine.job import replay
from localproc.engine.packages import compiled
from localproc.machine import new_job
from localproc.machine import replay as replayed
from localproc.model import Event, JobRequest, JobStatus, StepStatus
from localproc.model.events import Accepted, StepFinished, StepSubmitted, TakenOver
from localproc.plugins.store import Change
from localproc.store import SqliteStore
from tests.engine.job_bench import NOON, Bench
from tests.engine.loop_spy import LOOP

MANY: Final = 700  #: instances that have ended
WIDE: Final[dict[str, Any]] = {
    "cwlVersion": "v1.2",
    "class": "Workflow",
    "id": "wide",
    "requirements": {"ScatterFeatureRequirement": {}},
    "inputs": {"words": "int[]"},
    "outputs": {},
    "steps": {
        "say": {
            "scatter": "word",
            "in": {"word": "words"},
            "out": [],
            "run": {
                "class": "CommandLineTool",
                "baseCommand": "true",
                "inputs": {"word": "int"},
                "outputs": {},
            },
        }
    },
}
ECHO: Final[dict[str, Any]] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "echo",
    "baseCommand": "true",
    "inputs": {},
    "outputs": {},
}


def leave(home: Path) -> str:
    """Leave a job in a home of which all steps but the last have ended, that nobody runs."""
    with Engine(home) as engine:
        engine.deploy(WIDE)
    store = SqliteStore(str(home / "localproc.db"))
    try:
        record = store.process("default", "wide")
        assert record is not None
        inputs = {"words": list(range(MANY + 1))}
        bench = Bench(compile_package(record.resolved), inputs)
        bench.begin()
        bench.room()
        begun = [one for one in bench.history if isinstance(one, StepSubmitted)]
        ended = [
            StepFinished(NOON, name=one.name, status=StepStatus.SUCCESSFUL, outputs={})
            for one in begun[:-1]
        ]
        asked = JobRequest(inputs, executor="local", results=(home / "results").as_uri())
        first = Accepted(NOON, request=asked, message="accepted")
        job = new_job("left", "default", "wide", record.revision, asked, first, owner="me")
        store.add_job(job, first)
        events: list[Event] = [*bench.history[1:], *ended]
        store.commit("me", [Change(replayed(job, events), events, 1)])
        store.release("me")
    finally:
        store.close()
    return "left"


def counting(counted: Counter[str], name: str, function: Callable[..., Any]) -> Any:
    """Count the calls of a function by the loop's thread."""

    def called(*args: Any, **more: Any) -> Any:
        if threading.current_thread().name == LOOP:
            counted[name] += 1
        return function(*args, **more)

    return called


def test_a_long_past_is_read_and_gone_through_beside_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = leave(tmp_path)
    counted: Counter[str] = Counter()
    for owner, name in [
        (SqliteStore, "events"),
        (replay, "read"),
        (compiled, "compile_package"),
        (Plan, "pull"),
    ]:
        monkeypatch.setattr(owner, name, counting(counted, name, getattr(owner, name)))
    with Engine(tmp_path) as engine:
        job = engine.job(job_id)
        assert job.wait().status is JobStatus.SUCCESSFUL
        assert any(isinstance(one, TakenOver) for one in job.events())
        assert len([one for one in job.steps if one.status is StepStatus.SUCCESSFUL]) == MANY + 1
        assert counted["pull"] <= 1, "the plan is the loop's again once it has caught up"
        counted.pop("pull", None)
        assert counted == {}
        engine.run(ECHO, {}).raise_for_status()
        assert counted == {"pull": 2}, "what is at hand is not read, what is short is the loop's"
