"""The life of what an engine's namespaces share: it is begun once, and ended as a whole."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from localproc import Engine
from localproc.engine.engine import namespace_of
from localproc.errors import EnvironmentProblem, StoreLocked
from localproc.store import SqliteStore


def living(name: str) -> int:
    return sum(thread.name == f"localproc-{name}" for thread in threading.enumerate())


def noted(closed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Note which stores are closed."""
    close = SqliteStore.close

    def closes(store: SqliteStore) -> None:
        closed.append(store._path)
        close(store)

    monkeypatch.setattr(SqliteStore, "close", closes)


def test_an_engine_that_was_closed_begins_nothing(tmp_path: Path) -> None:
    before = threading.active_count()
    with Engine(tmp_path) as engine:
        runtime = namespace_of(engine).runtime
    with pytest.raises(EnvironmentProblem, match="closed"):
        runtime.loop()
    with pytest.raises(EnvironmentProblem, match="closed"):
        engine.run_triggers()
    assert threading.active_count() == before


def test_triggers_are_seen_to_once_however_many_ask_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, start = threading.Barrier(2), threading.Thread.start

    def starts(thread: threading.Thread) -> None:
        if thread.name == "localproc-schedules":
            with suppress(threading.BrokenBarrierError):  # nobody else starts any
                slow.wait(0.5)
        start(thread)

    before = living("schedules")
    with Engine(tmp_path) as engine, ThreadPoolExecutor(2) as pool:
        monkeypatch.setattr(threading.Thread, "start", starts)
        asked = [pool.submit(engine.run_triggers) for _ in range(2)]
        for one in asked:
            one.result()
        assert living("schedules") == before + 1
    assert living("schedules") == before


def test_of_an_engine_that_cannot_be_opened_nothing_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def settle(*_: object) -> None:
        raise StoreLocked("somebody has it")

    closed = list[str]()
    noted(closed, monkeypatch)
    monkeypatch.setattr("localproc.engine.runtime.settle", settle)
    with pytest.raises(StoreLocked):
        Engine(tmp_path)
    assert len(closed) == 1


def test_an_engine_is_closed_to_its_end_though_a_part_of_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> None:
        raise OSError("nothing left")

    closed, engine = list[str](), Engine(tmp_path)
    noted(closed, monkeypatch)
    monkeypatch.setattr("localproc.engine.notify.observers.Observers.close", fails)
    with pytest.raises(OSError, match="nothing left"):
        engine.close()
    assert len(closed) == 1
