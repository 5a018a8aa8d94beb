"""Accepting a job does what depends on the job, and nothing twice: counted, as times are noise."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localproc import Engine, InvalidInputs, Process
from localproc.engine.admission import accept
from localproc.storage.open_storages import Storages
from localproc.store import SqliteStore, rows


@pytest.fixture
def process(tmp_path: Path, packages: Path) -> Iterator[Process]:
    """One that has been executed before: what is the same for all its jobs is known."""
    with Engine(tmp_path / "home", adopt=False) as engine:
        found = engine.deploy(packages / "echo.cwl")
        found.execute({"message": "first"}, detached=True)
        yield found


def counting(counts: Counter[str], monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    call: Callable[..., Any] = getattr(owner, name)

    def counted(*args: Any, **named: Any) -> Any:
        counts[name] += 1
        return call(*args, **named)

    monkeypatch.setattr(owner, name, counted)


def test_a_row_and_an_event_are_all_that_is_written(process: Process) -> None:
    store = process._namespace.runtime.store
    assert isinstance(store, SqliteStore)
    said: list[str] = []
    store._db.set_trace_callback(said.append)
    process.execute({"message": "second"}, detached=True)
    assert [" ".join(one.split()[:3]) for one in said] == [
        "BEGIN IMMEDIATE",
        "INSERT INTO jobs",
        "INSERT INTO events",
        "COMMIT",
    ]


def test_what_is_the_same_for_all_jobs_of_a_process_is_not_worked_out_again(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: Counter[str] = Counter()
    for owner, name in [
        (accept, "ExecuteRequest"),
        (accept, "own_files"),
        (accept, "check_executors"),
        (accept, "Surroundings"),
        (Storages, "access"),
        (rows, "compact"),
    ]:
        counting(counts, monkeypatch, owner, name)
    process.execute({"message": "second"}, detached=True)
    assert counts == {"compact": 1}  # the request is encoded once, and nothing else is done


@pytest.mark.parametrize("wrong", [{"message": 3}, {"massage": "x"}, {1: "x"}, {}])
def test_what_is_wrong_is_told_of_the_second_job_as_of_the_first(
    process: Process, wrong: dict[Any, Any]
) -> None:
    with pytest.raises(InvalidInputs):
        process.execute(wrong, detached=True)
