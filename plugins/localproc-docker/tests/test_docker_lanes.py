"""Containers that are shared, without a daemon: who waits for whom as they are let go of."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest
from localproc_docker.lanes import Lanes
from tests.patience import patient


class Containers:
    """Removes one when it is let; ``done`` are those that it has removed."""

    def __init__(self) -> None:
        self.asked, self.may = threading.Event(), threading.Event()
        self.done: list[str] = []

    def remove(self, name: str) -> None:
        self.asked.set()
        self.may.wait(patient(10))
        self.done.append(name)


def test_closing_waits_for_a_container_that_is_being_removed(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that has had nothing to do: nobody else knows of it any more."""
    monkeypatch.setattr("localproc_docker.lanes._IDLE", 0.0)
    containers, room = Containers(), SimpleNamespace(leave=lambda _: None)
    lanes: Any = Lanes(str(tmp_path), room, containers)  # type: ignore[arg-type]
    lane = SimpleNamespace(
        name="idle",
        last=1,
        catch_up=lambda: False,
        close=lambda: None,
        is_empty=lambda: True,
        discard=lambda: None,
    )
    idle = [lane]
    monkeypatch.setattr(lanes, "_idle", lambda: [idle.pop()] if idle else [])
    monkeypatch.setattr(lanes._queue, "leave", lambda _: None)
    lanes._lanes["idle"], lanes._resting = lane, {"idle": 1}
    lanes._rest()
    assert containers.asked.wait(patient(10))

    def joined(timer: threading.Timer, seconds: float | None = None) -> None:
        containers.may.set()
        threading.Thread.join(timer, seconds)

    monkeypatch.setattr(threading.Timer, "join", joined)
    lanes.close()
    assert containers.done == ["idle"]
