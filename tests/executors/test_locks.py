"""Locks on files: who has one, and what is made of it where that cannot be found out."""

import errno
import fcntl
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from localproc import locks
from localproc.engine.home import liveness
from localproc.executors.journals import Journal, forget_gone, hold
from tests.patience import patient


def test_a_lock_is_taken_once_and_free_when_it_is_closed(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    assert not locks.is_held(path)
    mine = locks.take(path)
    assert mine is not None
    assert locks.is_held(path)
    assert locks.take(path) is None
    os.close(mine)
    assert not locks.is_held(path)


def test_who_asks_is_not_taken_for_a_holder(tmp_path: Path) -> None:
    """Two looks at one moment: the second finds what the first one has for a moment."""
    path = tmp_path / "lock"
    with path.open("w") as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        assert not locks.is_held(str(path))
        assert locks.is_held(str(path), shared=True)


def test_where_locks_cannot_be_tried_an_engine_raises_and_a_keeper_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody takes over jobs by mistake, and no journal of a keeper that lives is removed."""

    def no_locks(file: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    (tmp_path / "one.lock").touch()
    (tmp_path / "lock").touch()
    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(OSError, match="No locks available"):
        liveness.is_alive(str(tmp_path), "one")
    with pytest.raises(OSError, match="No locks available"):
        locks.take(str(tmp_path / "lock"))
    assert Journal(str(tmp_path)).keeper_lives()


def test_an_engine_holds_its_keeper_though_somebody_looks_just_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock, asked = fcntl.flock, threading.Event()

    def noted(file: int, how: int) -> None:
        asked.set()
        flock(file, how)

    folder = tmp_path / "keeper"
    folder.mkdir()
    looking = locks.take(str(folder / "engine"))
    assert looking is not None
    monkeypatch.setattr(fcntl, "flock", noted)
    with ThreadPoolExecutor(1) as pool:
        begun = pool.submit(hold, str(folder))
        assert asked.wait(patient(20))
        os.close(looking)
        held = begun.result(patient(20))
    assert Journal(str(folder)).engine_lives()
    forget_gone(str(tmp_path))
    assert folder.is_dir()
    os.close(held)
    forget_gone(str(tmp_path))
    assert not folder.exists()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_engine_that_begins_as_another_one_tidies_up_has_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """The folder is taken for a left one before, or just after, its lock is there to be had."""
    begin, left = os.open, [1]

    def opened(path: str, *how: int) -> int:
        left[0] -= 1
        if left[0]:
            return begin(path, *how)
        if moment == "after":
            file = begin(path, *how)
        forget_gone(str(tmp_path))
        return file if moment == "after" else begin(path, *how)

    monkeypatch.setattr(os, "open", opened)
    held = hold(str(tmp_path / "keeper"))
    assert Journal(str(tmp_path / "keeper")).engine_lives()
    os.close(held)
