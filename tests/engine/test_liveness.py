"""Which engines of a home are alive, and how they are called."""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from localproc import Engine
from localproc.engine.home import liveness
from localproc.engine.home.liveness import Liveness
from tests.patience import patient, until

KILLED = """
import os, signal, sys
from localproc.engine.home.liveness import Liveness
Liveness(sys.argv[1])
os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_engine(folder: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False)


def test_an_engine_lives_until_it_leaves(tmp_path: Path) -> None:
    engine = Liveness(str(tmp_path))
    assert liveness.engines(str(tmp_path)) == [engine.id]
    assert liveness.is_alive(str(tmp_path), engine.id)
    assert liveness.pid_of(str(tmp_path), engine.id) == os.getpid()
    engine.leave()
    assert not liveness.is_alive(str(tmp_path), engine.id)
    assert list(tmp_path.iterdir()) == []


def test_an_engine_knows_its_own_bell_from_that_of_others(tmp_path: Path) -> None:
    engine = Liveness(str(tmp_path))
    engine.wake()
    assert engine.answer() is False
    liveness.ring(str(tmp_path), engine.id)
    engine.wake()
    assert engine.answer() is True
    assert engine.answer() is False
    engine.leave()


def test_who_calls_an_engine_that_has_left_writes_nowhere(tmp_path: Path) -> None:
    engine = Liveness(str(tmp_path))
    engine.leave()
    others = [os.open(tmp_path / "other", os.O_RDWR | os.O_CREAT) for _ in range(16)]
    engine.wake()
    assert not (tmp_path / "other").stat().st_size
    for file in others:
        os.close(file)


def test_a_bell_that_nobody_answers_can_be_rung_for_ever(tmp_path: Path) -> None:
    engine = Liveness(str(tmp_path))
    liveness.ring(str(tmp_path), engine.id)
    for _ in range(70_000):  # more than a pipe holds
        engine.wake()
    assert engine.answer() is True
    engine.leave()


def test_engines_that_were_killed_are_buried_and_nobody_else(tmp_path: Path) -> None:
    one, other = Liveness(str(tmp_path)), Liveness(str(tmp_path))
    killed_engine(tmp_path)
    assert len(liveness.engines(str(tmp_path))) == 3
    one.bury()
    assert sorted(liveness.engines(str(tmp_path))) == sorted([one.id, other.id])
    assert liveness.is_alive(str(tmp_path), other.id)
    one.leave()
    other.leave()


def test_who_is_taken_for_dead_while_it_begins_begins_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked: list[int] = []
    flock = fcntl.flock

    def buried_once(file: int, how: int) -> None:
        if not locked:
            for path in tmp_path.iterdir():
                path.unlink()
        locked.append(file)
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", buried_once)
    engine = Liveness(str(tmp_path))
    monkeypatch.undo()
    assert len(locked) == 2
    assert liveness.is_alive(str(tmp_path), engine.id)
    engine.leave()


def test_the_last_engine_of_a_home_removes_what_those_before_had_to_leave(tmp_path: Path) -> None:
    sleeper = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "sleeper",
        "baseCommand": ["sleep", "0.3"],
        "inputs": [],
        "outputs": [],
    }
    first = Engine(tmp_path)
    job = first.deploy(sleeper).execute({})
    until(lambda: job.steps)
    first.close()
    assert len(list((tmp_path / "tmp").iterdir())) == 1, "its task runs there"
    with Engine(tmp_path) as engine:
        assert [job.wait(patient(20)).status for job in engine.resume()] == ["successful"]
    assert list((tmp_path / "tmp").iterdir()) == []


CLEARING = """
import os, signal, sys, time
import localproc
from localproc.engine.loop import background
background.remove = lambda folder: os.kill(os.getpid(), signal.SIGKILL)
localproc.run(sys.argv[2], {"message": "x"}, home=sys.argv[1])
time.sleep(60)
"""


def test_an_engine_that_is_killed_while_it_clears_up_leaves_nothing_for_ever(
    tmp_path: Path, packages: Path
) -> None:
    command = [sys.executable, "-c", CLEARING, str(tmp_path), str(packages / "echo.cwl")]
    assert subprocess.run(command, check=False, timeout=patient(30)).returncode == -signal.SIGKILL
    with Engine(tmp_path) as engine:
        [job] = engine.jobs()
        engine.run(packages / "echo.cwl", {"message": "y"})
    assert os.listdir(job.folder) == ["logs"]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_last_engine_of_a_home_buries_the_dead(tmp_path: Path, packages: Path) -> None:
    with Engine(tmp_path) as engine:
        killed_engine(tmp_path / "engines")
        [dead] = liveness.engines(str(tmp_path / "engines"))
        (tmp_path / "tmp" / dead / "1").mkdir(parents=True)
        engine.run(packages / "echo.cwl", {"message": "x"})
    assert list((tmp_path / "engines").iterdir()) == []
    assert list((tmp_path / "tmp").iterdir()) == []
