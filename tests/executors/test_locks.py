"""Locks on files: who has one, and what is made of it where that cannot be found out."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from localproc import locks
from localproc.engine.home import liveness
from localproc.executors.journals import Journal


def test_a_lock_is_taken_once_and_free_when_it_is_closed(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    assert not locks.is_held(path)
    mine = locks.take(path)
    assert mine is not None
    assert locks.is_held(path)
    assert locks.take(path) is None
    os.close(mine)
    assert not locks.is_held(path)


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
