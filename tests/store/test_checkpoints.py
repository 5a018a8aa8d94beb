"""When the log of a store is moved, and who waits for that."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from localproc.store.checkpoints import ENOUGH, MUCH, OFTEN, SELDOM, Checkpoints


class Writing:
    """What nobody commits during."""

    def __init__(self, done: list[str]) -> None:
        self._done = done

    def __enter__(self) -> None:
        self._done.append("hold")

    def __exit__(self, *_: object) -> None:
        self._done.append("let go")


class Log:
    """A log of some length, which a reader may keep from being moved, and what was done to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.done: list[str] = []
        self.moved = 100  #: of 100 frames
        self.checkpoints = Checkpoints(str(path), self._reading, Writing(self.done))
        self.is_of(0)

    def is_of(self, size: int) -> None:
        """Have it be as long as that; what it holds takes no room."""
        with self._path.open("wb") as file:
            file.truncate(size)

    def execute(self, _: str) -> "Log":
        """Move what can be."""
        self.done.append("move")
        return self

    def fetchone(self) -> tuple[int, int, int]:
        """Return what SQLite says of that."""
        return 0, 100, self.moved

    @contextmanager
    def _reading(self) -> Iterator[Any]:
        yield self

    def after(self, commits: int) -> list[str]:
        """Return what was done to it in the course of so many commits."""
        self.done.clear()
        for _ in range(commits):
            self.checkpoints.committed()
            self.checkpoints.settle()
        return self.done


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "log")


def test_a_short_log_is_left_alone(log: Log) -> None:
    log.is_of(ENOUGH)
    assert log.after(3 * OFTEN) == []


def test_who_commits_does_not_wait_for_a_long_one(log: Log) -> None:
    log.is_of(ENOUGH + 1)
    assert log.after(3 * OFTEN) == ["move"] * 3


def test_who_commits_waits_for_the_last_of_one_that_goes_on_growing(log: Log) -> None:
    """It is begun anew by a commit that finds all of it moved, of which else there may be none."""
    log.is_of(MUCH + 1)
    assert log.after(OFTEN) == ["move", "hold", "move", "let go"]


def test_nobody_waits_where_somebody_reads(log: Log) -> None:
    log.is_of(MUCH + 1)
    log.moved = 50
    assert log.after(SELDOM) == ["move", "move"], "what there is, and no more"
    log.moved = 100
    assert log.after(OFTEN) == ["move", "hold", "move", "let go"]
