"""Who gives way on this machine."""

import os
import subprocess
from pathlib import Path

import pytest

from localproc import priorities
from localproc.priorities import considerate, lower_session


def test_a_session_gives_way_as_a_whole() -> None:
    with subprocess.Popen(["sleep", "300"], start_new_session=True) as process:
        lower_session(process.pid, 12)
        niceness = os.getpriority(os.PRIO_PROCESS, process.pid)
        session = Path(f"/proc/{process.pid}/autogroup")
        told = session.read_text() if session.exists() and os.getuid() == 0 else "nice 12"
        process.kill()
    assert niceness == max(12, os.getpriority(os.PRIO_PROCESS, 0))
    assert told.split()[-2:] == ["nice", "12"]


def test_nothing_is_made_of_a_process_that_has_ended() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    lower_session(process.pid, 12)
    assert process.returncode == 0


def test_nobody_comes_back_who_gives_way_already() -> None:
    with subprocess.Popen(["sleep", "300"], start_new_session=True) as process:
        lower_session(process.pid, 12)
        lower_session(process.pid, 3)
        niceness = os.getpriority(os.PRIO_PROCESS, process.pid)
        process.kill()
    assert niceness >= 12


def test_others_get_their_turn_now_and_then_but_not_at_every_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, calls, pauses = [0.0], list[float](), list[float]()
    monkeypatch.setattr(priorities, "monotonic", lambda: clock[0])
    monkeypatch.setattr(priorities, "sleep", lambda _: pauses.append(clock[0]))
    go_on = considerate(lambda: calls.append(clock[0]))
    for tick in range(10):
        clock[0] = tick / 1000
        go_on()
    assert len(calls) == 10
    assert pauses == [0.003, 0.006, 0.009]


def test_what_is_not_wanted_ends_without_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unwanted(Exception):
        pass

    def stop() -> None:
        raise Unwanted

    monkeypatch.setattr(priorities, "sleep", lambda _: pytest.fail("it paused"))
    with pytest.raises(Unwanted):
        considerate(stop)()
