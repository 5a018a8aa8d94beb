"""What there is none of for now, threads, descriptors, the store: nothing hangs or is lost."""

import errno
import os
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from localproc import Engine, locks
from localproc.engine.engine import namespace_of
from localproc.errors import EnvironmentProblem, StoreLocked
from localproc.model import Event
from localproc.plugins import hookimpl
from localproc.store import SqliteStore
from tests.patience import patient, until

TELLS = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "tells",
    "baseCommand": ["sh", "-c", "echo progress 0.5 half >&2"],
    "hints": {"localproc:Progress": {}},
    "$namespaces": {"localproc": "https://localproc.dev/ns#"},
    "inputs": {},
    "outputs": {},
}
WAITS = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "waits",
    "baseCommand": ["sh", "-c", 'until [ -e "$0" ]; do sleep 0.05; done'],
    "inputs": {"go": {"type": "string", "inputBinding": {}}},
    "outputs": {},
}
NOBODY = {"successUri": "http://127.0.0.1:9/done"}


class Observer:
    """A plugin that notes what happens."""

    def __init__(self, told: list[str]) -> None:
        self._told = told

    @hookimpl
    def localproc_event(self, event: Event) -> None:
        self._told.append(event.kind)


def refuse(monkeypatch: pytest.MonkeyPatch, name: str) -> list[str]:
    """Have no thread of such a name started the first time; return those that were refused."""
    start, refused = threading.Thread.start, list[str]()

    def starts(thread: threading.Thread) -> None:
        if thread.name == name and not refused:
            refused.append(name)
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", starts)
    return refused


def test_no_job_is_accepted_that_nobody_would_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Engine(tmp_path / "home") as engine:
        process = engine.deploy(TELLS)
        refuse(monkeypatch, "localproc-loop")
        with pytest.raises(EnvironmentProblem, match="no thread to run jobs in"):
            process.execute()
        assert engine.jobs() == []
        assert not list((tmp_path / "home" / "engines").iterdir())
        assert process.execute().wait(patient(30)).status == "successful"


@pytest.mark.parametrize(
    "name", ["callbacks", "progress", "upkeep", "open-local", "tidying", "observers"]
)
def test_jobs_do_without_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    refused = refuse(monkeypatch, f"localproc-{name}")
    told: list[str] = []
    plugins = [Observer(told)]
    with Engine(tmp_path / "home", plugins=plugins, prune={"older_than": "30d"}) as engine:
        process = engine.deploy(TELLS)
        for _ in range(2):
            job = process.execute(subscriber=NOBODY)
            assert job.wait(patient(30)).status == "successful"
    assert refused == [f"localproc-{name}"]
    assert told.count("succeeded") == 2


def test_what_was_observed_is_told_at_the_end_if_there_was_never_a_thread_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr("localproc.engine.notify.observers.started", lambda _: False)
    with Engine(tmp_path / "home", plugins=[Observer(told)]) as engine:
        engine.run(TELLS)
    assert told[0] == "accepted"
    assert told[-1] == "succeeded"


def test_triggers_are_not_said_to_be_seen_to_without_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, "localproc-subscriptions")
    with Engine(tmp_path / "home") as engine:
        engine.deploy(TELLS)
        engine.schedules.add("tells", "* * * * * ?")
        with pytest.raises(EnvironmentProblem, match="no threads to see to triggers in"):
            engine.run_triggers()
        engine.run_triggers()
        until(lambda: engine.schedules.history("tells"))


def test_an_executor_waits_for_descriptors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe, left = os.pipe, [2]

    def fails() -> tuple[int, int]:
        left[0] -= 1
        if left[0] >= 0:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return pipe()

    with Engine(tmp_path / "home") as engine:
        process = engine.deploy(TELLS)
        monkeypatch.setattr(os, "pipe", fails)
        assert process.execute().wait(patient(30)).status == "successful"
    assert left[0] < 0


def test_an_executor_waits_for_a_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = [2]

    def fails(*_: object) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise RuntimeError("can't start new thread")

    with Engine(tmp_path / "home") as engine:
        process = engine.deploy(TELLS)
        monkeypatch.setattr("localproc.executors.local.LocalExecutor._start_keeper", fails)
        job = process.execute()
        until(lambda: left[0] <= 0)
        monkeypatch.undo()
        assert job.wait(patient(30)).status == "successful"


def test_jobs_wait_for_a_store_that_somebody_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("localproc.store.database.BUSY", 0.01)
    with Engine(tmp_path / "home") as engine:
        process = engine.deploy(WAITS)
        job = process.execute({"go": str(tmp_path / "go")})
        until(lambda: any(step.status == "running" for step in job.steps))
        holding = sqlite3.connect(tmp_path / "home" / "localproc.db", isolation_level=None)
        holding.execute("BEGIN IMMEDIATE")
        (tmp_path / "go").touch()
        until(lambda: "stayed locked by another process" in caplog.text)
        holding.execute("ROLLBACK")
        holding.close()
        assert job.wait(patient(30)).status == "successful"


def test_a_loop_goes_on_when_it_could_not_look_at_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of its looks is refused once, and a lock cannot be tried."""
    refused = set[str]()

    def refusing(owner: type, name: str, error: Exception) -> None:
        ask = getattr(owner, name)

        def asks(*given: Any, **named: Any) -> Any:
            if threading.current_thread() is not threading.main_thread() and name not in refused:
                refused.add(name)
                raise error
            return ask(*given, **named)

        monkeypatch.setattr(owner, name, asks)

    with Engine(tmp_path / "home", run_jobs=False) as engine:
        job_id = engine.deploy(TELLS).execute().id
    looks = ["version", "to_dismiss", "owners", "claim", "events", "process"]
    for name in looks:
        refusing(SqliteStore, name, StoreLocked("somebody has it"))
    with Engine(tmp_path / "home") as engine:
        assert engine.job(job_id).wait(patient(60)).status == "successful"
    assert refused == set(looks)


def test_an_engine_that_cannot_be_asked_after_is_asked_after_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Engine(tmp_path / "home", run_jobs=False) as engine:
        job_id = engine.deploy(TELLS).execute().id
        namespace_of(engine).runtime.store.claim("gone", [], 1)
    held, refused = locks.is_held, list[str]()

    def is_held(path: str, **how: bool) -> bool:
        if path.endswith("/gone.lock") and not refused:
            refused.append(path)
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return held(path, **how)

    monkeypatch.setattr(locks, "is_held", is_held)
    with Engine(tmp_path / "home") as engine:
        assert engine.job(job_id).wait(patient(30)).status == "successful"
    assert refused
