"""The folder that is shared with the loop in a warm container.

Owns handing scripts to it, and reading what has become of them. Must not know daemons.
"""

import os
import shutil
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from localproc.model import Report, TaskState
from localproc_docker.task_containers import KILLED
from localproc_docker.warm import FEED

_MOST_AHEAD: Final = 32
_QUICK: Final = 0.2  #: seconds of work that a loop is handed ahead
_LATE: Final = "late"


class Lane:
    """A loop, which runs the tasks of ``numbers`` one after the other.

    ``feed`` is the descriptor by which it is told of tasks; one that is not ours has none.
    """

    def __init__(self, folder: str, *, ours: bool) -> None:
        self.folder = folder
        self.name = os.path.basename(folder)
        self.last = 0  #: the number of the last task that was handed to it
        self.done = 0  #: the number of the last task that has ended
        self._feed: int | None = None
        self._pace = _QUICK  #: seconds that a task takes
        self._forgotten: set[int] = set()  #: the loop has not come to them yet
        if ours:
            os.makedirs(folder)
            os.mkfifo(os.path.join(folder, FEED), 0o600)
            # Both directions: it is opened at once, and lives as long as this process has it.
            self._feed = os.open(os.path.join(folder, FEED), os.O_RDWR | os.O_NONBLOCK)

    @property
    def is_ours(self) -> bool:
        """Whether tasks can be handed to it."""
        return self._feed is not None

    @property
    def space(self) -> int:
        """How many more tasks it should have now: short ones are handed to it ahead."""
        ahead = min(_MOST_AHEAD, max(1, int(_QUICK / max(self._pace, 0.001))))
        return max(0, ahead - (self.last - self.done))

    def is_barren(self) -> bool:
        """Return whether its loop has begun nothing."""
        self.catch_up()
        return self.done == 0 and self.begun(1) is None

    def hand(self, script: bytes) -> int:
        """Hand a task to the loop; return its number."""
        number = self.last + 1
        part = self._path(number, "part")
        with open(part, "wb") as file:
            file.write(script)
        os.rename(part, self._path(number, "task"))
        self.last = number
        assert self._feed is not None
        with suppress(BlockingIOError):  # it has been told often enough
            os.write(self._feed, b"\n")
        return number

    def has_news(self) -> bool:
        """Return whether the next task has ended."""
        return self.done < self.last and self._ended(self.done + 1) is not None

    def catch_up(self) -> bool:
        """See how far the loop has come; whether it has something left to do."""
        while self.done < self.last and self._is_over(self.done + 1):
            self.done += 1
            begun = self._time(self.done, "begun")
            ended = self._time(self.done, "ended")
            if begun and ended:
                self._pace = (self._pace + max(0.0, (ended - begun).total_seconds())) / 2
            if self.done in self._forgotten:
                self._forgotten.discard(self.done)
                self.erase(self.done)
        return self.done < self.last

    def report(self, key: str, number: int, native: str) -> Report:
        """Return what has become of a task."""
        started = self._time(number, "begun")
        if started is None:
            return Report(key, TaskState.QUEUED, native_id=native, reason="waits for its turn")
        told = self._ended(number)
        if told is None:
            return Report(key, TaskState.RUNNING, started=started, native_id=native)
        code, killed = told
        state = TaskState.ENDED
        if killed:
            state = TaskState.OUT_OF_MEMORY
        elif self._off(number) == _LATE and code in KILLED:
            state = TaskState.TIMED_OUT
        ended = max(self._time(number, "ended") or started, started)
        return Report(key, state, exit_code=code, started=started, ended=ended, native_id=native)

    def put_off(self, number: int, *, late: bool = False) -> bool:
        """Have a task not begin; whether it is sure that it does not, or that it has ended.

        The loop says that a task begins before it looks whether it may.
        """
        if not self.is_off(number):
            part = self._path(number, "part")
            with open(part, "w") as file:
                file.write(_LATE if late else "cancelled")
            os.rename(part, self._path(number, "off"))
        return self._time(number, "begun") is None or self._ended(number) is not None

    def is_off(self, number: int) -> bool:
        """Return whether a task is to be stopped, or not to begin."""
        return bool(self._off(number))

    def ends_within(self, number: int, seconds: float) -> bool:
        """Wait for a task to end; whether it has."""
        deadline = time.monotonic() + seconds
        while self._ended(number) is None:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        return True

    def has(self, number: int) -> bool:
        """Return whether a task was handed to the loop."""
        return os.path.exists(self._path(number, "task"))

    def begun(self, number: int) -> datetime | None:
        """Return when a task began."""
        return self._time(number, "begun")

    def forget(self, number: int) -> None:
        """Remove what is known of a task, once the loop is done with it."""
        self.catch_up()
        if number > self.done:
            self._forgotten.add(number)
        else:
            self.erase(number)

    def erase(self, number: int) -> None:
        """Remove what is known of a task of which no loop has any use."""
        for kind in ("task", "off", "begun", "ended"):
            with suppress(FileNotFoundError):
                os.unlink(self._path(number, kind))

    def is_empty(self) -> bool:
        """Return whether nobody asks for any of its tasks any more."""
        with suppress(FileNotFoundError):
            return not any(one.endswith(".task") for one in os.listdir(self.folder))
        return True

    def close(self) -> None:
        """Hand no more tasks to the loop, which ends once it has run those that it has."""
        feed, self._feed = self._feed, None
        if feed is not None:
            os.close(feed)

    def discard(self) -> None:
        """Remove the folder."""
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, number: int, kind: str) -> str:
        return os.path.join(self.folder, f"{number}.{kind}")

    def _time(self, number: int, kind: str) -> datetime | None:
        try:
            return datetime.fromtimestamp(os.stat(self._path(number, kind)).st_mtime, UTC)
        except FileNotFoundError:
            return None

    def _is_over(self, number: int) -> bool:
        return self._ended(number) is not None or not self.has(number)

    def _ended(self, number: int) -> tuple[int, int] | None:
        """Return the exit code and the kills for memory; ``None`` if they are not there yet."""
        text = self._read(number, "ended")
        if not text.endswith("\n"):
            return None
        code, killed = text.split()
        return int(code), int(killed)

    def _off(self, number: int) -> str:
        return self._read(number, "off")

    def _read(self, number: int, kind: str) -> str:
        try:
            with open(self._path(number, kind), encoding="ascii") as file:
                return file.read()
        except FileNotFoundError:
            return ""
